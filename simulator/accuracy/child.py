"""How is a model run without risk: in a process of its own, with a limit of time and of memory?"""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from threading import Lock, Timer
from typing import IO, Any

import numpy.typing as npt

from ...errors import InterpreterEnded, LimitExceeded, ModelError, PreflashError
from .messages import Message, read_message, write_message

Array = npt.NDArray[Any]
Progress = Callable[[int, int], None]

_TAIL_BYTES = 2000
_HELD_BYTES = 1 << 30  # what the process may keep for later requests
_GRACE_S = 10
_WORKER = f"{__package__}.worker"


@dataclass(frozen=True, slots=True)
class Limits:
    """What running a model may take.

    Args:
        time_s: for one request, with loading.
        memory_bytes: that the process may grow by, samples included; not enforced on macOS and Windows.
    """

    time_s: float = 3600.0
    memory_bytes: int = 4 << 30


class Child:
    """A process that runs models. Started at the first request, and again after it has ended."""

    def __init__(self, limits: Limits = Limits()) -> None:
        self.limits = limits
        self._process: subprocess.Popen[bytes] | None = None
        self._stderr: IO[bytes] | None = None
        self._held: dict[str, int] = {}
        self._lock = Lock()
        self._is_late = False

    @property
    def process_id(self) -> int | None:
        return None if self._process is None else self._process.pid

    def ask(
        self, words: dict[str, Any], held: dict[str, Sequence[Array]], *, arrays: Sequence[Array] = (),
        progress: Progress | None = None,
    ) -> Message:  # fmt: skip
        """The answer to a request.

        Args:
            held: arrays by key that the request speaks of; sent once, and kept there.

        Raises:
            InterpreterEnded: the process ended; the model did that.
            LimitExceeded: of time or memory.
            ModelError: the interpreter refuses the model.
        """
        with self._lock:
            self._is_late = False
            timer = Timer(self.limits.time_s, self._expire)
            timer.daemon = True
            timer.start()
            try:
                answer = self._asked(words, held, arrays, progress)
            except BaseException:  # an answer may still be under way
                self._end()
                raise
            finally:
                timer.cancel()
            if answer.words.get("error") == "memory":
                self._end()
        if "error" in answer.words:
            raise _error(answer.words, self.limits)
        return answer

    def close(self) -> None:
        """Ends the process."""
        with self._lock:
            self._end()

    def _asked(
        self, words: dict[str, Any], held: dict[str, Sequence[Array]], arrays: Sequence[Array],
        progress: Progress | None,
    ) -> Message:  # fmt: skip
        try:
            process = self._started()
            assert process.stdin is not None and process.stdout is not None
            for key, values in held.items():
                self._hold(process.stdin, key, values)
            write_message(process.stdin, words, arrays)
            while (answer := read_message(process.stdout)) is not None and "done" in answer.words:
                if progress is not None:
                    progress(int(answer.words["done"]), int(answer.words["of"]))
        except (BrokenPipeError, ConnectionError):
            answer = None
        if answer is None:
            raise self._ended()
        return answer

    def _hold(self, stream: IO[bytes], key: str, values: Sequence[Array]) -> None:
        if key in self._held:
            self._held[key] = self._held.pop(key)  # the last used stays longest
            return
        write_message(stream, {"do": "hold", "key": key}, values)
        self._held[key] = sum(array.nbytes for array in values)
        while len(self._held) > 4 and sum(self._held.values()) > _HELD_BYTES:
            oldest = next(iter(self._held))
            write_message(stream, {"do": "drop", "key": oldest})
            del self._held[oldest]

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._end()
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115
        here = [os.path.abspath(path) for path in sys.path]  # noqa: PTH100
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(here), "OPENBLAS_NUM_THREADS": "1"}
        last_s = str(ceil(self.limits.time_s) + _GRACE_S)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", _WORKER, str(self.limits.memory_bytes), last_s],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._stderr, env=environment,
        )  # fmt: skip
        if self._is_late:  # the time was over before there was anything to end
            self._process.kill()
        assert self._process.stdout is not None
        if read_message(self._process.stdout) is None:
            raise self._ended()
        return self._process

    def _expire(self) -> None:
        self._is_late = True
        if self._process is not None:
            self._process.kill()

    def _end(self) -> None:
        self._held = {}
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout):
                if stream is not None:
                    with suppress(OSError):  # what was not sent
                        stream.close()
            self._process = None
        if self._stderr is not None:
            self._stderr.close()
            self._stderr = None

    def _ended(self) -> PreflashError:
        """Why the process is not there any more."""
        code = None if self._process is None else self._process.wait()
        said = self._last_words()
        if self._is_late:
            return LimitExceeded(
                f"running the model took more than {self.limits.time_s:g} s",
                fix="take fewer samples or allow more time",
            )
        if "bad_alloc" in said or "MemoryError" in said:
            return _error({"error": "memory"}, self.limits)
        how = _signal_name(code)
        detail = f": {said.splitlines()[-1][:120]}" if said else ""
        return InterpreterEnded(
            f"the interpreter ended its process while it ran the model ({how}){detail}",
            fix="check the model's ops; another interpreter (--kernels) may run it",
        )

    def _last_words(self) -> str:
        if self._stderr is None:
            return ""
        size_bytes = self._stderr.seek(0, os.SEEK_END)
        self._stderr.seek(max(0, size_bytes - _TAIL_BYTES))
        return self._stderr.read().decode("utf-8", "replace").strip()


@lru_cache(maxsize=4)
def shared_child(limits: Limits = Limits()) -> Child:
    """One process for all that this one asks under the same limits; it ends with this one."""
    child = Child(limits)
    atexit.register(child.close)
    return child


def _signal_name(code: int | None) -> str:
    if code is None or code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def _error(words: dict[str, Any], limits: Limits) -> PreflashError:
    if words["error"] == "memory":
        return LimitExceeded(
            f"running the model needs more than {limits.memory_bytes >> 20} MiB beside the interpreter",
            fix="take fewer samples or allow more memory",
        )
    if words["error"] == "silent":
        return LimitExceeded(
            "the interpreter gives up without a reason, as it does when it gets no memory "
            f"({limits.memory_bytes >> 20} MiB are allowed)",
            fix="allow more memory, or check the model's ops",
        )
    where, fix = str(words.get("where", "")), str(words.get("fix", "check its ops and inputs"))
    return ModelError(str(words["what"]), where=where, fix=fix)
