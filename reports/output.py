"""Where does a report go: to stdout in one piece, or to a file that is never half written."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TextIO


def utc_now() -> str:
    """The time as ISO 8601 in UTC; SOURCE_DATE_EPOCH, where set, makes reports repeatable."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    moment_s = float(epoch) if epoch.isdecimal() and len(epoch) < 11 else time.time()
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment_s))


def wants_color(choice: str, stream: TextIO | None) -> bool:
    """Whether to colour: "always", "never", or "auto": on a terminal unless NO_COLOR is set."""
    if choice != "auto":
        return choice == "always"
    if stream is None or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()


def deliver(text: str, path: Path | None) -> None:
    """Writes the text to the file, or to stdout; a reader that stopped reading is no error.

    Raises:
        OSError: it cannot be written.
    """
    if path is not None:
        write_whole(path, text)
        return
    if sys.stdout is None:
        raise OSError(errno.EBADF, "stdout is closed; give -o FILE")
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        quiet_stdout()


def quiet_stdout() -> None:
    """Sends what is left of stdout to nowhere, so that the interpreter's own flush stays quiet."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def write_whole(path: Path, text: str | bytes) -> None:
    """Writes beside the file and moves it over in one step; devices and pipes are written directly."""
    content = text.encode("utf-8", "replace") if isinstance(text, str) else text
    if path.exists() and not path.is_file():
        path.write_bytes(content)
        return
    target = path.resolve()
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "the folder to write to does not exist", str(path))
    try:
        handle, beside = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:40]}.", suffix=".part")
    except OSError as error:  # about the file that was asked for, not the one beside it
        raise OSError(error.errno, error.strerror, str(path)) from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(beside).chmod(_permissions(target))
        Path(beside).replace(target)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def _permissions(target: Path) -> int:
    """Those of the file it replaces, else what the user's umask leaves."""
    if target.exists():
        return target.stat().st_mode & 0o7777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
