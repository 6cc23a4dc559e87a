"""Which range of a tensor's values gets integers? All, or less where clipping the rare ones costs less."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt

from .histogram import HALF, Histogram

Range = tuple[float, float]
RangeMethod = Literal["minmax", "percentile", "mse", "kl"]
_LEVELS = 256  # of int8
_SHRINKS = np.linspace(0.02, 1.0, 99)
Counts = npt.NDArray[np.float64]


def chosen_range(seen: Histogram, method: RangeMethod, *, percentile: float = 99.99) -> Range:
    """(low, high) by a method; (0, 0) where nothing but zero was seen."""
    if seen.seen == 0 or seen.width == 0.0 or method == "minmax":
        return (min(seen.low, seen.high), seen.high) if seen.seen else (0.0, 0.0)
    return _METHODS[method](seen, percentile)


def _by_percentile(seen: Histogram, percentile: float) -> Range:
    """low = the (100 - p)th percentile, high = the pth, of all values; linear inside a bin.

    Values of one sign keep the end that is nearer to zero: nothing rare lies there.
    """
    below = np.concatenate([[0.0], np.cumsum(seen.counts)]) / seen.seen
    keep = percentile / 100
    low = float(np.interp(1 - keep, below, seen.edges))
    # np.interp takes the last of equal places: from above for the upper end
    high = -float(np.interp(1 - keep, (1 - below)[::-1], -seen.edges[::-1]))
    return (
        seen.low if seen.low >= 0 else min(max(seen.low, low), seen.high),
        seen.high if seen.high <= 0 else max(min(seen.high, high), seen.low),
    )


def _by_squared_error(seen: Histogram, _: float) -> Range:
    """The ends that minimise sum h(x) (x - q(x))^2 of 256 levels: each end shrunk in turn, three rounds.

    Values are taken at the middle of their bins; a bin is at most an eighth of a step wide.
    """
    centres, counts = _occupied(seen)
    low, high = min(seen.low, 0.0), max(seen.high, 0.0)
    best = (low, high)
    for _round in range(3):
        ends = [(low * s, best[1]) for s in _SHRINKS] if low < 0 else [best]
        best = min([best, *ends], key=lambda r: _squared_error(centres, counts, r))
        ends = [(best[0], high * s) for s in _SHRINKS] if high > 0 else [best]
        best = min([best, *ends], key=lambda r: _squared_error(centres, counts, r))
    return best


def _squared_error(centres: Counts, counts: Counts, ends: Range) -> float:
    low, high = ends
    step = (high - low) / (_LEVELS - 1)
    if step <= 0:
        return float("inf")
    zero = np.round(-low / step)
    levels = np.clip(np.round(centres / step) + zero, 0, _LEVELS - 1)
    return float(np.dot(counts, np.square(centres - (levels - zero) * step)))


def _by_divergence(seen: Histogram, _: float) -> Range:
    """The threshold T of |x| that minimises KL(P || Q), as TensorRT calibrates int8 (Migacz, GTC 2017).

    P: the counts up to T, those beyond added to its last bin. Q: the counts up to T on `levels` levels, each
    level's count spread over its bins that are not empty. Values of both signs share 256 levels, so |x|
    has 128; one sign has all 256. The bin at zero counts as the one next to it: zero is exact for every T.
    """
    counts = (seen.counts[HALF:] + seen.counts[:HALF][::-1]).astype(np.float64)
    levels = _LEVELS // 2 if seen.low < 0 < seen.high else _LEVELS
    counts[0] = min(counts[0], counts[1]) if counts[1] else counts[0]
    last = int(np.flatnonzero(counts)[-1]) + 1
    if last <= levels:
        return seen.low, seen.high
    ends = range(levels, last + 1, max(1, (last - levels) // 1024))
    best = min((*ends, last), key=lambda end: _divergence(counts, end, levels))
    threshold = best * seen.width
    return max(seen.low, -threshold), min(seen.high, threshold)


def _divergence(counts: Counts, end: int, levels: int) -> float:
    """KL(P || Q) = sum p ln(p / q) for a threshold after `end` bins."""
    within = counts[:end]
    clipped = within.copy()
    clipped[-1] += counts[end:].sum()
    starts = (np.arange(levels) * end) // levels
    totals = np.add.reduceat(within, starts)
    filled = np.add.reduceat((within > 0).astype(np.float64), starts)
    spread = np.repeat(totals / np.maximum(filled, 1.0), np.diff([*starts, end]))
    q = np.where(within > 0, spread, 0.0)
    p, q = clipped / clipped.sum(), q / max(q.sum(), 1e-300)
    held = p > 0
    return float(np.sum(p[held] * np.log(p[held] / np.maximum(q[held], 1e-12))))


def _occupied(seen: Histogram) -> tuple[Counts, Counts]:
    """(centres, counts) of the bins that hold values."""
    places = np.flatnonzero(seen.counts)
    centres = (places - HALF + 0.5) * seen.width
    return centres, seen.counts[places].astype(np.float64)


_METHODS: dict[str, Callable[[Histogram, float], Range]] = {
    "percentile": _by_percentile,
    "mse": _by_squared_error,
    "kl": _by_divergence,
}
