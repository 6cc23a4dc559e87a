"""From which factor on is the verdict another one? A coarse look in one direction, then halving."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..estimate import Verdict, Word

_CLOSE = 1.0005  # the two sides of a turn differ by less than this factor


class _Judged(Protocol):
    @property
    def verdict(self) -> Verdict: ...


@dataclass(frozen=True, slots=True)
class Turn:
    """Where the verdict turns: `within` times the assumed value it holds, `beyond` times it does not."""

    within: float
    beyond: float
    word: Word
    limiting: str


def turn_of(judged: Callable[[float], _Judged], stops: Sequence[float]) -> Turn | None:
    """The turn nearest to 1 that shows at one of the stops; None where the word is the same at all of them.

    Args:
        stops: factors on one side of 1; which way the verdict goes along them is not assumed.
    """
    word = judged(1.0).verdict.word
    within = 1.0
    for beyond in sorted(stops, key=lambda factor: abs(math.log(factor))):
        if judged(beyond).verdict.word is not word:
            return _halved(judged, within, beyond)
        within = beyond
    return None


def _halved(judged: Callable[[float], _Judged], within: float, beyond: float) -> Turn:
    """Invariant: the word holds at `within` and not at `beyond`."""
    word = judged(within).verdict.word
    while max(within, beyond) > _CLOSE * min(within, beyond):
        middle = math.sqrt(within * beyond)
        if judged(middle).verdict.word is word:
            within = middle
        else:
            beyond = middle
    found = judged(beyond).verdict
    return Turn(within, beyond, found.word, found.limiting)
