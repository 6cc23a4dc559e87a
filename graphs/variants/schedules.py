"""How sparse is a network meant to be at a step of its training?

Every schedule goes from `initial` to `final` between two steps: s = initial + (final - initial) x rise(x),
x = (step - begin) / (end - begin), held at 0 before and at 1 after.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ...errors import RecipeInvalid

ScheduleKind = Literal["polynomial", "linear", "cosine", "inverse power"]


def polynomial(x: float, exponent: float = 3.0) -> float:
    """1 - (1 - x)^exponent: cubic in Zhu and Gupta (arXiv 1710.01878), free in PocketFlow.

    >>> polynomial(0.5)
    0.875
    """
    return 1.0 - math.pow(1 - x, exponent)


def linear(x: float, _exponent: float = 1.0) -> float:
    """x."""
    return x


def cosine(x: float, _exponent: float = 1.0) -> float:
    """(1 - cos(pi x)) / 2: slow at both ends."""
    return (1 - math.cos(math.pi * x)) / 2


def inverse_power(x: float, exponent: float = 3.0) -> float:
    """(1 - (1 + x)^-exponent) / (1 - 2^-exponent): what is left falls with an inverse power of the time.

    The talk that names this schedule gives no formula; this one is ours.
    """
    return (1 - math.pow(1 + x, -exponent)) / (1 - math.pow(2, -exponent))


RISES: dict[str, Callable[[float, float], float]] = {
    "polynomial": polynomial, "linear": linear, "cosine": cosine, "inverse power": inverse_power,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Schedule:
    """Sparsity over the steps of a training.

    Args:
        final: sparsity from step `end` on, 0 to 1.
        begin, end: the first and the last step of the rise.
        initial: sparsity until `begin`.
        kind: shape of the rise.
        exponent: of "polynomial" and "inverse power"; above 0.
        every: sparsity changes each so many steps from `begin` on, and at `end`.

    >>> [round(Schedule(0.8, 0, 100).at(step), 4) for step in (0, 25, 50, 75, 100)]
    [0.0, 0.4625, 0.7, 0.7875, 0.8]
    """

    final: float
    begin: int
    end: int
    initial: float = 0.0
    kind: ScheduleKind = "polynomial"
    exponent: float = 3.0
    every: int = 1

    def __post_init__(self) -> None:
        told = (
            (0 <= self.initial < 1 and 0 <= self.final < 1, "initial, final: at least 0 and below 1"),
            (0 <= self.begin < self.end, "begin, end: begin at least 0 and before end"),
            (self.kind in RISES, f"kind: one of {', '.join(RISES)}"),
            (0 < self.exponent <= 100, "exponent: above 0, at most 100"),
            (self.every >= 1, "every: at least 1"),
        )
        faults = [fault for is_right, fault in told if not is_right]
        if faults:
            raise RecipeInvalid("a schedule with faults", faults=faults)

    def at(self, step: int) -> float:
        """The sparsity at this step."""
        passed = min(max(step, self.begin), self.end) - self.begin
        span = self.end - self.begin
        if passed < span:
            passed -= passed % self.every
        return sparsity_at(self.initial, self.final, x=passed / span, kind=self.kind, exponent=self.exponent)


def sparsity_at(
    initial: float, final: float, *, x: float, kind: ScheduleKind = "polynomial", exponent: float = 3.0
) -> float:
    """initial + (final - initial) x rise(x), exact at both ends.

    Args:
        x: what part of the rise has passed; below 0 is the beginning, above 1 the end.
    """
    if x <= 0 or x >= 1:
        return final if x >= 1 else initial
    return initial + (final - initial) * RISES[kind](x, exponent)
