"""Which points does another beat? Smaller is better; by sorting, never by comparing all pairs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ...columns import Floats

_Mask = npt.NDArray[np.bool_]
_PIVOTS = 24
_CHUNK = 512
_SMALL = 4096  # below, a first sieve costs more than it saves


def dominated(points: Floats, by: Floats) -> _Mask:
    """Whether a row of `by` is no larger in all columns and smaller in one; equal rows do not beat.

    Args:
        points, by: rows of figures, of as many columns (1 or more), no nan.
    """
    beaten = np.zeros(len(points), dtype=bool)
    if not len(points) or not len(by):
        return beaten
    if len(points) > _SMALL:
        for pivot in _pivots(by):
            beaten |= _beats(pivot, points)
    left = np.flatnonzero(~beaten)
    if len(by) > _SMALL:
        keep = np.ones(len(by), dtype=bool)
        for pivot in _pivots(by):
            keep &= ~_beats(pivot, by)
        by = by[keep]
    beaten[left] = _BY_COLUMNS.get(points.shape[1], _by_chunks)(points[left], by)
    return beaten


def _beats(one: Floats, many: Floats) -> _Mask:
    """Which of many rows the one row beats; column by column, which is how memory likes it."""
    no_larger = np.ones(len(many), dtype=bool)
    smaller = np.zeros(len(many), dtype=bool)
    for place, value in enumerate(one):
        no_larger &= value <= many[:, place]
        smaller |= value < many[:, place]
    found: _Mask = no_larger & smaller
    return found


def _pivots(by: Floats) -> Floats:
    """A few rows that beat many: the best of each column, and the best by several weights of their ranks."""
    sample = by[:: max(1, len(by) // 200_000)]
    low, high = sample.min(axis=0), sample.max(axis=0)
    scaled = (sample - low) / np.where(high > low, high - low, 1.0)
    weights = np.random.default_rng(0).dirichlet(np.ones(by.shape[1]), _PIVOTS)
    weights[0] = 1.0 / by.shape[1]
    best = np.unique(np.argmin(np.sqrt(scaled) @ weights.T, axis=0))
    chosen: Floats = sample[best]
    return chosen


def _in_one(points: Floats, by: Floats) -> _Mask:
    beaten: _Mask = points[:, 0] > by[:, 0].min()
    return beaten


def _in_two(points: Floats, by: Floats) -> _Mask:
    """Everything that comes before in lexical order is no larger in x: the least y so far decides."""
    order, is_source = _lexical(points, by)
    y = np.concatenate((points, by))[order, 1]
    least = np.minimum.accumulate(np.where(is_source, y, np.inf))
    return _of_points(order, least <= y, len(points), is_source)


def _in_three(points: Floats, by: Floats) -> _Mask:
    """As in two, with the least z among the no larger y's: halves of halves, each sorted by y."""
    order, is_source = _lexical(points, by)
    rows = np.concatenate((points, by))[order]
    size = 1 << max(1, (len(rows) - 1).bit_length())
    y, z = np.full(size, np.inf), np.full(size, np.inf)
    y[: len(rows)], z[: len(rows)] = rows[:, 1], rows[:, 2]
    source = np.zeros(size, dtype=bool)
    source[: len(rows)] = is_source
    beaten = np.zeros(size, dtype=bool)
    by_y = np.argsort(y, kind="stable")
    while size > 1:
        block = by_y.reshape(-1, size)
        is_first_half = block & (size // 2) == 0
        height = z[block]
        least = np.minimum.accumulate(np.where(is_first_half & source[block], height, np.inf), axis=1)
        later = ~is_first_half
        beaten[block[later]] |= least[later] <= height[later]
        halves = (block[is_first_half].reshape(len(block), -1), block[later].reshape(len(block), -1))
        by_y, size = np.concatenate(halves, axis=1).ravel(), size // 2
    return _of_points(order, beaten[: len(order)], len(points), is_source)


def _lexical(points: Floats, by: Floats) -> tuple[npt.NDArray[np.intp], _Mask]:
    """Order of points and sources together; of equal rows the points come first, so that none beats them."""
    both = np.concatenate((points, by))
    is_source = np.arange(len(both)) >= len(points)
    order = np.lexsort((is_source, *both.T[::-1]))
    return order, is_source[order]


def _of_points(order: npt.NDArray[np.intp], beaten: _Mask, count: int, is_source: _Mask) -> _Mask:
    found = np.zeros(count, dtype=bool)
    found[order[~is_source]] = beaten[~is_source]
    return found


def _by_chunks(points: Floats, by: Floats) -> _Mask:
    """Four columns and more: a growing front of `by`, lowest sum first, against chunks of points."""
    by = np.unique(by, axis=0)
    by = by[np.argsort(_ranks(by).sum(axis=1), kind="stable")]
    front = by[:0]
    for start in range(0, len(by), _CHUNK):
        chunk = by[start : start + _CHUNK]
        chunk = chunk[~_by_pairs(chunk, front)]
        front = np.concatenate((front, chunk[~_by_pairs(chunk, chunk)]))
    parts = [_by_pairs(points[start : start + _CHUNK], front) for start in range(0, len(points), _CHUNK)]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=bool)


def _ranks(rows: Floats) -> npt.NDArray[np.intp]:
    """Per column the dense rank: whoever beats another has the lower sum."""
    return np.stack([np.unique(column, return_inverse=True)[1].ravel() for column in rows.T], axis=1)


def _by_pairs(points: Floats, by: Floats) -> _Mask:
    no_larger = np.ones((len(points), len(by)), dtype=bool)
    smaller = np.zeros((len(points), len(by)), dtype=bool)
    for column in range(points.shape[1]):
        no_larger &= by[:, column] <= points[:, column, None]
        smaller |= by[:, column] < points[:, column, None]
    found: _Mask = (no_larger & smaller).any(axis=1)
    return found


_BY_COLUMNS: dict[int, Callable[[Floats, Floats], _Mask]] = {1: _in_one, 2: _in_two, 3: _in_three}
