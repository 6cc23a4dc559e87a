"""How far is it? One line on stderr that is written over, on a terminal only."""

from __future__ import annotations

import sys
import time
from typing import TextIO

_WIDTH = 24
_WHAT_WIDTH = 28


class ProgressLine:
    """Call it with (done, of, what); `clear` takes the line away."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._is_shown = self._stream is not None and self._stream.isatty()
        self._what, self._start_s, self._first, self._written = "", 0.0, 0, 0

    def __call__(self, done: int, of: int, what: str) -> None:
        if not self._is_shown:
            return
        now_s = time.monotonic()
        if what != self._what or done < self._first:
            self._what, self._start_s, self._first = what, now_s, done
        self._write(progress_text(done, of, what, now_s - self._start_s, before=self._first))

    def clear(self) -> None:
        if self._written:
            self._write("")
            self._stream.write("\r")
            self._stream.flush()
            self._written = 0

    def _write(self, text: str) -> None:
        self._stream.write("\r" + text.ljust(self._written))
        self._stream.flush()
        self._written = len(text)


def progress_text(done: int, of: int, what: str, passed_s: float, *, before: int = 0) -> str:
    """A bar with count, rate and the time that is left; `before` were done when the time began.

    >>> progress_text(250, 1000, "kws", 0.5)
    'kws  [######..................] 250/1,000  500/s  2 s left'
    """
    from ..reports import format as shown

    part = min(1.0, done / of) if of else 1.0
    bar = "#" * int(part * _WIDTH)
    rate = (done - before) / passed_s if passed_s > 0 else 0.0
    left = f"  {(of - done) / rate:.0f} s left" if rate else ""
    name = shown.short(shown.clean(what), _WHAT_WIDTH)
    speed = f"  {rate:.3g}/s" if rate else ""
    return f"{name}  [{bar.ljust(_WIDTH, '.')}] {shown.count(done)}/{shown.count(of)}{speed}{left}"
