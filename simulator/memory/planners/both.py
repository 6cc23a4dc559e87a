"""Which search answers first? The bottom-up search and CP-SAT, each on a core, on the same ceiling."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Thread
from time import monotonic

from .canonical import fits
from .cp_sat import Solver, is_installed
from .problem import ONLINE
from .strips import Strips

_ALONE = 3  # attempts of the own search before the other one is called
_FIRST_WORK_S = 4.0  # deterministic seconds of CP-SAT's first turn
_GROWTH = 1.5


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether the strips fit (None: undecided), offsets in units if they do, and who found out."""

    is_possible: bool | None
    offsets: tuple[int, ...] = ()
    by: str = ""


def fits_under(strips: Strips, ceiling: int, *, seed: int, until_s: float) -> Answer:
    """The first answer of the two, at the latest at `until_s` of time.monotonic.

    The own search cannot place around fixed strips, so those are CP-SAT's alone.
    """
    if any(offset != ONLINE for offset in strips.fixed):
        return _Turns(strips, ceiling, seed, until_s).run() if is_installed() else Answer(None)
    for attempt in range(_ALONE):
        if (found := _attempt(strips, ceiling, attempt=attempt, seed=seed)) is not None:
            return found
    turns = _Turns(strips, ceiling, seed, until_s)
    thread = Thread(target=turns.run, daemon=True)
    if is_installed():
        thread.start()
    attempt = _ALONE
    try:
        while monotonic() < until_s and turns.answer.is_possible is None:
            if (found := _attempt(strips, ceiling, attempt=attempt, seed=seed)) is not None:
                return found
            attempt += 1
    finally:
        turns.stop()
        if is_installed():
            thread.join()
    return turns.answer


def _attempt(strips: Strips, ceiling: int, *, attempt: int, seed: int) -> Answer | None:
    is_possible, offsets = fits(strips, ceiling, attempt=attempt, seed=seed)
    return None if is_possible is None else Answer(is_possible, tuple(offsets), "bottom-up search")


class _Turns:
    """CP-SAT again and again, each time longer and from another seed: luck matters more than patience."""

    def __init__(self, strips: Strips, ceiling: int, seed: int, until_s: float) -> None:
        self.strips, self.ceiling, self.seed, self.until_s = strips, ceiling, seed, until_s
        self.answer = Answer(None)
        self.solver: Solver | None = None
        self.is_stopped = False

    def run(self) -> Answer:
        work_s, turn = _FIRST_WORK_S, 0
        while not self.is_stopped and (open_s := self.until_s - monotonic()) > 0:
            self.solver = Solver(self.strips, self.ceiling, seed=self.seed + turn // 2)
            if turn % 2:
                self.solver.prefer_lowest()
            if self.is_stopped:
                break
            is_possible, offsets = self.solver.fits(work_s=work_s, seconds=open_s)
            if is_possible is not None:
                self.answer = Answer(is_possible, tuple(offsets), "CP-SAT")
                return self.answer
            turn += 1
            work_s *= _GROWTH if turn % 2 == 0 else 1
        return self.answer

    def stop(self) -> None:
        self.is_stopped = True
        if self.solver is not None:
            self.solver.stop()
