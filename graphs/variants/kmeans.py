"""Which few values stand best for many? One-dimensional k-means on sorted rows with running sums.

Rows are sorted once. A cluster then is a stretch of its row, and its mean and its squared error are
differences of running sums, so a round of Lloyd costs K log N per row, however many weights there are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
# Brings means onto the values that a centre may have: (means, which rows) -> centres.
Snap = Callable[[Reals, Indices], Reals]

_MOST_ROUNDS = 300


def free(means: Reals, _rows: Indices) -> Reals:
    """Every real number may be a centre."""
    return means


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows of values to cluster, each by itself.

    Args:
        values: (rows, count), ascending.
        mass, first, second: (rows, count + 1), sums of m, m x and m x^2 over all values before a place.
        has_zero: (rows,), whether 0 is one of the centres whatever happens.
    """

    values: Reals
    mass: Reals
    first: Reals
    second: Reals
    has_zero: npt.NDArray[np.bool_]

    def members(self, means: Reals, rows: Indices) -> Reals:
        """The snap for which only values of the row may be centres: the nearest one."""
        above = np.minimum(self.count_below(means, rows), self.values.shape[1] - 1)
        right, left = self.at(above, rows), self.at(np.maximum(above - 1, 0), rows)
        return np.where(np.abs(means - left) <= np.abs(right - means), left, right)

    def at(self, places: Indices, rows: Indices) -> Reals:
        found: Reals = self.values[rows[:, None], places]
        return found

    def count_below(self, bounds: Reals, rows: Indices) -> Indices:
        """Per bound how many values of its row are less."""
        if len(self.values) == 1:
            return np.searchsorted(self.values[0], bounds).astype(np.int64)
        last = self.values.shape[1] - 1
        top = np.full(bounds.shape, last + 1)
        return _bisect(np.zeros_like(top), top, lambda i: self.at(np.minimum(i, last), rows) < bounds)


def rows_of(values: npt.NDArray[Any], *, mass: npt.NDArray[Any] | None = None, keep_zero: bool) -> Rows:
    """Rows made ready.

    Args:
        values: (rows, count).
        mass: how much the squared error of a value counts; None is 1 each.
        keep_zero: rows that have zeros keep 0 as a centre; then their zeros are without error and of no mass.
    """
    order = None if mass is None else np.argsort(values, axis=1, kind="stable")
    ascending = np.sort(values, axis=1) if order is None else np.take_along_axis(values, order, 1)
    x = ascending.astype(np.float64)
    m = np.ones_like(x) if mass is None or order is None else np.take_along_axis(mass, order, 1)
    has_zero = (x == 0).any(axis=1) & keep_zero
    m = np.where((x == 0) & has_zero[:, None], 0.0, m)
    return Rows(x, _running(m), _running(m * x), _running(m * x * x), has_zero)


def distinct_counts(rows: Rows) -> Indices:
    """Per row how many values differ."""
    counts: Indices = 1 + np.count_nonzero(np.diff(rows.values, axis=1), axis=1)
    return counts


def squared_errors(rows: Rows, centres: Reals) -> Reals:
    """Per row sum of m (x - nearest centre)^2; centres ascending."""
    errors: Reals = _potentials(rows, centres, _stretches(rows, centres, _all(rows)), _all(rows)).sum(axis=1)
    return errors


def lloyd(rows: Rows, start: Reals, *, snap: Snap = free, most_rounds: int = _MOST_ROUNDS) -> Reals:
    """Ascending centres, (rows, K): each moves to the mean of the values nearest to it, until none moves.

    No round increases the squared error: of the centres that `snap` allows, the one nearest to the mean is
    best for a cluster, and a centre without values goes where the error is largest. A row that keeps
    zero has one of its starting centres at 0, and that one stays.
    """
    centres = np.sort(start, axis=1)
    moving = _all(rows)
    for _ in range(most_rounds):
        before = centres[moving]
        after = _moved(rows, before, moving, snap)
        centres[moving] = after
        moving = moving[(after != before).any(axis=1)]
        if not len(moving):
            break
    return centres


def _moved(rows: Rows, centres: Reals, at: Indices, snap: Snap) -> Reals:
    ends = _stretches(rows, centres, at)
    mass, first = _sums(rows.mass, ends, at), _sums(rows.first, ends, at)
    is_empty = mass <= 0
    means = np.where(is_empty, centres, first / np.where(is_empty, 1.0, mass))
    moved = np.where(is_empty, centres, snap(means, at))
    zeros = centres == 0
    pinned = rows.has_zero[at][:, None] & zeros & (np.cumsum(zeros, axis=1) == 1)
    moved = np.where(pinned, 0.0, moved)
    idle = is_empty & ~pinned
    return np.sort(_sent(rows, moved, ends, at, idle) if idle.any() else moved, axis=1)


def _sent(rows: Rows, centres: Reals, ends: Indices, at: Indices, idle: npt.NDArray[np.bool_]) -> Reals:
    """Centres without values go to the outermost value of the clusters with the largest error, one each."""
    worst = np.argsort(-_potentials(rows, centres, ends, at), axis=1, kind="stable")
    turn = np.clip(np.cumsum(idle, axis=1) - 1, 0, None)
    cluster = np.take_along_axis(worst, turn, 1)
    low = np.take_along_axis(ends, cluster, 1)
    high = np.maximum(np.take_along_axis(ends, cluster + 1, 1) - 1, low)
    centre, last = np.take_along_axis(centres, cluster, 1), rows.values.shape[1] - 1
    left, right = rows.at(np.minimum(low, last), at), rows.at(np.minimum(high, last), at)
    far = np.where(centre - left > right - centre, left, right)
    return np.where(idle & (low <= high) & (far != centre), far, centres)


# Where centres start.


def linear_start(rows: Rows, clusters: int, _random: np.random.Generator) -> Reals:
    """Evenly between the least and the greatest value (best in Deep Compression, arXiv 1510.00149)."""
    low, high = rows.values[:, :1], rows.values[:, -1:]
    even: Reals = low + (high - low) * np.linspace(0.0, 1.0, clusters)
    return even


def density_start(rows: Rows, clusters: int, _random: np.random.Generator) -> Reals:
    """The values at (k + 1/2) / K of the cumulative distribution."""
    return _drawn(rows, np.broadcast_to((np.arange(clusters) + 0.5) / clusters, (len(rows.mass), clusters)))


def random_start(rows: Rows, clusters: int, random: np.random.Generator) -> Reals:
    """Values drawn from the row."""
    return _drawn(rows, random.random((len(rows.mass), clusters)))


def plus_plus_start(rows: Rows, clusters: int, random: np.random.Generator) -> Reals:
    """k-means++ (Arthur & Vassilvitskii 2007): each further value is drawn by its squared distance.

    The distances need no list: their running sum within a stretch is known from the rows' own sums.
    """
    at = _all(rows)
    centres = random_start(rows, 1, random)
    for _ in range(1, clusters):
        ends = _stretches(rows, centres, at)
        reach = np.cumsum(_potentials(rows, centres, ends, at), axis=1)
        aim = random.random((len(at), 1)) * reach[:, -1:]
        k = np.minimum((reach <= aim).sum(axis=1, keepdims=True), centres.shape[1] - 1)
        rest = aim - np.where(k > 0, np.take_along_axis(reach, np.maximum(k - 1, 0), 1), 0.0)
        new = _within(rows, np.take_along_axis(centres, k, 1), np.take_along_axis(ends, k, 1),
                      np.take_along_axis(ends, k + 1, 1), rest)  # fmt: skip
        centres = np.sort(np.concatenate([centres, new], axis=1), axis=1)
    return centres


STARTS: dict[str, Callable[[Rows, int, np.random.Generator], Reals]] = {
    "linear": linear_start, "random": random_start, "density": density_start, "k-means++": plus_plus_start,
}  # fmt: skip


def started(rows: Rows, clusters: int, initialisation: str, random: np.random.Generator) -> Reals:
    """Starting centres of every row; where zero is kept it takes the place of the one nearest to it."""
    centres = np.sort(STARTS[initialisation](rows, clusters, random), axis=1)
    nearest = np.argmin(np.abs(centres), axis=1)[:, None] == np.arange(clusters)
    return np.where(nearest & rows.has_zero[:, None], 0.0, centres)


def _drawn(rows: Rows, shares: Reals) -> Reals:
    """The values at these shares of each row's mass."""
    last = rows.values.shape[1] - 1
    aim = shares * rows.mass[:, -1:]
    at = _all(rows)
    places = _bisect(np.zeros(aim.shape, np.int64), np.full(aim.shape, last),
                     lambda i: rows.mass[at[:, None], i + 1] <= aim)  # fmt: skip
    return rows.at(places, at)


def _within(rows: Rows, centre: Reals, low: Indices, high: Indices, aim: Reals) -> Reals:
    """The value of low..high at which the running squared distance to the centre passes the aim."""
    at, last = _all(rows), rows.values.shape[1] - 1

    def is_before(i: Indices) -> npt.NDArray[np.bool_]:
        ends = np.concatenate([low, np.minimum(i, last) + 1], axis=1)
        passed: npt.NDArray[np.bool_] = _potentials(rows, centre, ends, at) <= aim
        return passed

    places = _bisect(low, np.maximum(high - 1, low), is_before)
    return rows.at(np.minimum(places, last), at)


# Stretches of rows.


def _all(rows: Rows) -> Indices:
    return np.arange(len(rows.values), dtype=np.int64)


def _running(x: Reals) -> Reals:
    sums = np.zeros((x.shape[0], x.shape[1] + 1))
    np.cumsum(x, axis=1, out=sums[:, 1:])
    return sums


def _stretches(rows: Rows, centres: Reals, at: Indices) -> Indices:
    """Where the values nearest to each centre begin, and at last where they end: (rows, K + 1)."""
    between = rows.count_below((centres[:, :-1] + centres[:, 1:]) / 2, at)
    ends = np.full((len(centres), 1), rows.values.shape[1], np.int64)
    return np.concatenate([np.zeros_like(ends), between, ends], axis=1)


def _sums(running: Reals, ends: Indices, at: Indices) -> Reals:
    sums: Reals = np.diff(running[at[:, None], ends], axis=1)
    return sums


def _potentials(rows: Rows, centres: Reals, ends: Indices, at: Indices) -> Reals:
    """sum m (x - c)^2 = sum m x^2 - 2 c sum m x + c^2 sum m per stretch."""
    mass, first, second = (_sums(s, ends, at) for s in (rows.mass, rows.first, rows.second))
    off: Reals = np.maximum(second - 2 * centres * first + centres * centres * mass, 0.0)
    return off


def _bisect(low: Indices, high: Indices, is_before: Callable[[Indices], npt.NDArray[np.bool_]]) -> Indices:
    """The first place of low..high that is not before the aim, `high` if all are; element by element."""
    low, high = low.copy(), high.copy()
    while (is_open := low < high).any():
        middle = (low + high) >> 1
        before = is_before(middle)
        low = np.where(is_open & before, middle + 1, low)
        high = np.where(is_open & ~before, middle, high)
    return low
