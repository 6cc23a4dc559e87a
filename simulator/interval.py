"""What is a figure: a value with its p10..p90, and how it is known. Figures add."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Basis(str, Enum):
    """How a number is known, best first."""

    EXACT = "exact"
    MEASURED = "measured"
    CALIBRATED = "calibrated"
    ANALYTIC = "analytic"
    DATASHEET = "datasheet"
    UNKNOWN = "unknown"

    def __str__(self) -> str:
        return self.value


# A sum is as good as its weakest term. In columns, a basis is its position here: its grade.
BY_WEAKNESS = (
    Basis.EXACT, Basis.MEASURED, Basis.CALIBRATED, Basis.DATASHEET, Basis.ANALYTIC, Basis.UNKNOWN,
)  # fmt: skip
_WEAKNESS = {basis: grade for grade, basis in enumerate(BY_WEAKNESS)}


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its p10..p90 and how it is known.

    `value is None` means unknown: `reason` says why, and `lo` or `hi` may still hold a bound.
    """

    value: float | None
    lo: float | None
    hi: float | None
    basis: Basis
    source: str
    reason: str = ""

    def __post_init__(self) -> None:
        if (self.value is None) != (self.basis is Basis.UNKNOWN):
            raise ValueError("a figure is null exactly when its basis is unknown")
        if self.value is None and not self.reason:
            raise ValueError("an unknown figure states its reason")
        if self.value is not None and not (
            self.lo is not None and self.hi is not None and self.lo <= self.value <= self.hi
        ):
            raise ValueError(f"lo <= value <= hi does not hold: {self.lo}, {self.value}, {self.hi}")
        if not self.source and self.value is not None:
            raise ValueError("a figure states its source")

    def __add__(self, other: Interval) -> Interval:
        """Sum of the two; errors are taken as fully correlated, so bounds add (never too narrow)."""
        basis = max(self.basis, other.basis, key=_WEAKNESS.__getitem__)
        source = joined_source(self.source, other.source)
        lo = None if self.lo is None and other.lo is None else (self.lo or 0.0) + (other.lo or 0.0)
        if self.value is None or other.value is None or self.hi is None or other.hi is None:
            reason = joined_reason(self.reason, other.reason)
            return Interval(None, lo, None, Basis.UNKNOWN, source, reason)
        return Interval(self.value + other.value, lo, self.hi + other.hi, basis, source)


def joined_source(one: str, other: str) -> str:
    """Where a sum comes from; a source that is named already is not named again."""
    return one if other in one else f"{one} + {other}".strip(" +")


def joined_reason(one: str, other: str) -> str:
    """Why a sum is not known."""
    return "; ".join(dict.fromkeys(reason for reason in (one, other) if reason))


def times(interval: Interval, factor: float) -> Interval:
    """The figure and its bounds scaled; as sure as before."""
    if factor == 1.0:
        return interval
    i = interval
    value, lo, hi = (None if bound is None else bound * factor for bound in (i.value, i.lo, i.hi))
    return Interval(value, lo, hi, i.basis, i.source, i.reason)


def grade_of(basis: Basis) -> int:
    """The position in BY_WEAKNESS; the weakest of several is their maximum."""
    return _WEAKNESS[basis]


def weakest(bases: Iterable[Basis]) -> Basis:
    """The basis of a sum of such figures."""
    return max(bases, key=_WEAKNESS.__getitem__)


def exact(value: float, source: str) -> Interval:
    """A counted figure: the interval is the value."""
    return Interval(value, value, value, Basis.EXACT, source)


def unknown(
    reason: str, *, at_least: float | None = None, at_most: float | None = None, source: str = ""
) -> Interval:
    """No figure, and why; `at_least` and `at_most` are bounds that still hold."""
    return Interval(None, at_least, at_most, Basis.UNKNOWN, source, reason)


def total(intervals: Iterable[Interval], *, empty_source: str) -> Interval:
    """The sum; an unknown term makes it unknown, with the known terms as lower bound."""
    result: Interval | None = None
    for interval in intervals:
        result = interval if result is None else result + interval
    return exact(0.0, empty_source) if result is None else result
