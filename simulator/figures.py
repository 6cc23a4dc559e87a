"""What is one figure of many points: arrays of values, ends and how they are known, by [variant, target]."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .columns import Floats, Grades, Rows
from .interval import BY_WEAKNESS, Basis, Interval, grade_of, joined_reason, joined_source

Objects = npt.NDArray[np.object_]


class Figures(NamedTuple):
    """One figure of every point; nan is unknown, `lo` and `hi` may still hold a bound.

    Args:
        grade: how it is known, by the position in `interval.BY_WEAKNESS`.
        source, reason: texts, as objects of the same shape.
    """

    value: Floats
    lo: Floats
    hi: Floats
    grade: Grades
    source: Objects
    reason: Objects

    def at(self, *point: int) -> Interval:
        """The figure of one point, as `simulate` gives it."""
        value, lo, hi = (None if np.isnan(part[point]) else float(part[point]) for part in self[:3])
        return Interval(
            value, lo, hi, BY_WEAKNESS[int(self.grade[point])], self.source[point], self.reason[point]
        )

    def of(self, rows: Rows) -> Figures:
        """The figures of these variants, in this order."""
        return Figures(
            self.value[rows], self.lo[rows], self.hi[rows], self.grade[rows], self.source[rows],
            self.reason[rows],
        )  # fmt: skip


def column(figures: Sequence[Interval]) -> Figures:
    """One figure per variant."""
    value, lo, hi = ends_of(figures)
    grades = np.array([grade_of(one.basis) for one in figures], dtype=np.int8)
    source = np.array([one.source for one in figures], dtype=object)
    return Figures(value, lo, hi, grades, source, np.array([one.reason for one in figures], dtype=object))


def ends_of(figures: Sequence[Interval]) -> tuple[Floats, Floats, Floats]:
    """Values, low and high ends; nan where there is none."""
    value, lo, hi = (
        np.array([getattr(one, end) for one in figures], dtype=np.float64) for end in ("value", "lo", "hi")
    )
    return value, lo, hi


def stacked(columns: Sequence[Figures]) -> Figures:
    """[variant, target] of one column per target."""
    return Figures(*(np.stack(parts, axis=1) for parts in zip(*columns, strict=True)))


def plus(one: Figures, other: Figures) -> Figures:
    """The sums per variant, each as `Interval.__add__` makes it."""
    value = one.value + other.value
    lost = np.isnan(value) | np.isnan(one.hi) | np.isnan(other.hi)
    grade = np.where(lost, np.int8(grade_of(Basis.UNKNOWN)), np.maximum(one.grade, other.grade))
    source, reason = _joined_texts(one, other)
    return Figures(
        np.where(lost, np.nan, value), sum_of_bounds(one.lo, other.lo),
        np.where(lost, np.nan, one.hi + other.hi), grade.astype(np.int8),
        source, np.where(lost, reason, np.array("", dtype=object)),
    )  # fmt: skip


def sum_of_bounds(one: Floats, other: Floats) -> Floats:
    """Lower bounds add; a missing one counts as 0, two missing ones stay missing."""
    lost_one, lost_other = np.isnan(one), np.isnan(other)
    added = np.where(lost_one, 0.0, one) + np.where(lost_other, 0.0, other)
    return np.where(lost_one & lost_other, np.nan, added)


def _joined_texts(one: Figures, other: Figures) -> tuple[Objects, Objects]:
    """Sources and reasons; each pair of texts is joined once."""
    joined: dict[tuple[str, str], str] = {}
    source, reason = np.empty(len(one.value), dtype=object), np.empty(len(one.value), dtype=object)
    for made, join, mine, theirs in (
        (source, joined_source, one.source, other.source), (reason, joined_reason, one.reason, other.reason)
    ):  # fmt: skip
        joined.clear()
        for row, pair in enumerate(zip(mine.tolist(), theirs.tolist(), strict=True)):
            if pair not in joined:
                joined[pair] = join(*pair)
            made[row] = joined[pair]
    return source, reason
