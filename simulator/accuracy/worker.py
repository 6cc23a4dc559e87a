"""The process that runs models: requests come in on stdin, answers leave on stdout. Started by `Child`.

A model can end this process or make it hang; whoever started it goes on.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO

from ...errors import PreflashError
from ..interpreter import NO_REASON
from . import serving
from .messages import Message, read_message, write_message

_TELL_EVERY_S = 0.1
_DOES = {"run": serving.run, "tensors": serving.tensors, "diverge": serving.diverge}


def main() -> None:
    requests, answers = _streams()
    is_limited = _limit_memory(int(sys.argv[1]))
    write_message(answers, {"is_memory_limited": is_limited})
    desk = serving.Desk(is_limited)
    while (request := read_message(requests)) is not None:
        word = request.words["do"]
        if word == "hold":
            desk.held[request.words["key"]] = request.arrays
        elif word == "drop":
            desk.held.pop(request.words["key"], None)
        else:
            with _ended_at_last(int(sys.argv[2])):
                answer = _answer(desk, request, answers)
            write_message(answers, answer.words, answer.arrays)


def _answer(desk: serving.Desk, request: Message, answers: IO[bytes]) -> Message:
    last_s = 0.0

    def tell(done: int, of: int) -> None:
        nonlocal last_s
        if (now := time.monotonic()) - last_s >= _TELL_EVERY_S:
            last_s = now
            write_message(answers, {"done": done, "of": of})

    try:
        return _DOES[request.words["do"]](desk, request, tell)
    except PreflashError as error:
        if desk.is_memory_limited and NO_REASON in error.what:
            return Message({"error": "silent"})
        return Message({"error": "refused", "what": error.what, "where": error.where, "fix": error.fix})
    except MemoryError:
        return Message({"error": "memory"})
    except Exception as error:  # the other side says what it means for the user
        return Message({"error": "failed", "what": f"{type(error).__name__}: {error}"[:400]})


@contextmanager
def _ended_at_last(limit_s: int) -> Iterator[None]:
    """Ends the process after that long if whoever should have done so is gone; on Unix."""
    alarm = getattr(signal, "alarm", None)
    if alarm is not None:
        alarm(limit_s)
    try:
        yield
    finally:
        if alarm is not None:
            alarm(0)


def _streams() -> tuple[IO[bytes], IO[bytes]]:
    """The two pipes, moved away from where C++ code prints."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    return requests, answers


def _limit_memory(limit_bytes: int) -> bool:
    """Lets the process grow by so much; False where the system has no such limit."""
    try:
        import resource
    except ImportError:  # Windows
        return False
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
            used_bytes = int(file.read().split()[0]) * resource.getpagesize()
        most = used_bytes + limit_bytes
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (most if hard < 0 else min(most, hard), hard))
    except (OSError, ValueError):  # macOS has neither
        return False
    return True


if __name__ == "__main__":
    main()
