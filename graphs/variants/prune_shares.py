"""How is a sparsity that is asked of a whole model spread over its weight tensors?

Every rule gives one sparsity per tensor whose mean, weighted by the tensors' weights, is the one asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import VariantInvalid

Reals = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class LossCurve:
    """What one tensor's pruning costs: losses at rising sparsities, the first both 0."""

    sparsities: npt.NDArray[Any]
    losses: npt.NDArray[Any]


def heuristic_alpha(counts: Sequence[int], mean: float) -> float:
    """alpha = mean x sum n / sum(n ln n) (PocketFlow).

    >>> round(heuristic_alpha([864, 2048, 8192, 131072, 1048576], 0.5), 6)
    0.036806
    """
    mass = sum(n * log(n) for n in counts)
    if not mass:
        raise VariantInvalid("tensors of one weight each have no logarithm to go by")
    return mean * sum(counts) / mass


def heuristic_shares(counts: Sequence[int], mean: float, *, highest: float = 1.0) -> tuple[float, ...]:
    """r = min(highest, alpha ln n), alpha such that sum(n r) = mean x sum n.

    Without a clip alpha is `heuristic_alpha`; what a clipped tensor cannot take goes to the others, again in
    proportion to ln n.

    Raises:
        VariantInvalid: the mean is above the highest.
    """
    return _filled(counts, [log(n) for n in counts], mean, highest)


def equal_loss_shares(counts: Sequence[int], curves: Sequence[LossCurve], mean: float) -> tuple[float, ...]:
    """Every tensor is pruned as far as it loses no more than one common loss; that loss gives the mean.

    Between its points a curve is straight; where it falls it counts as flat, as less pruning that loses more
    tells of noise.

    Raises:
        VariantInvalid: the curves end before the mean is reached.
    """
    n = np.asarray(counts, np.float64)
    rising = [_rising(curve) for curve in curves]
    levels = np.unique(np.concatenate([losses for losses, _ in rising]))
    shares = np.stack([np.interp(levels, losses, sparsities) for losses, sparsities in rising])
    means = n @ shares / n.sum()
    if not 0 <= mean <= means[-1] * (1 + 1e-12):  # a mean of equal shares may round below them
        raise VariantInvalid(f"at most {means[-1]:.4g} of these weights can go, {mean:.4g} are asked for")
    above = min(max(1, int(np.searchsorted(means, mean))), len(means) - 1)
    step = means[above] - means[above - 1]
    part = min(1.0, (mean - means[above - 1]) / step) if step > 0 else 0.0
    found = shares[:, above - 1] + part * (shares[:, above] - shares[:, above - 1])
    return tuple(float(share) for share in found)


def _rising(curve: LossCurve) -> tuple[Reals, Reals]:
    """(losses, sparsities) with losses that rise at every point, so that each has one sparsity."""
    losses = np.maximum.accumulate(np.asarray(curve.losses, np.float64))
    sparsities = np.asarray(curve.sparsities, np.float64)
    slope = 1e-9 * max(1.0, float(losses[-1]))
    return losses + slope * sparsities, sparsities


def _filled(
    counts: Sequence[int], leanings: Sequence[float], mean: float, highest: float
) -> tuple[float, ...]:
    """min(highest, a x leaning) with the a that gives the mean; tensors without leaning come last."""
    if not 0 <= mean <= highest:
        raise VariantInvalid(f"a mean sparsity of {mean:.4g} is above the highest of a tensor, {highest:.4g}")
    n, leaning = np.asarray(counts, np.float64), np.asarray(leanings, np.float64)
    full = np.zeros(len(n), bool)
    while not full.all():
        rest = max(0.0, mean * n.sum() - highest * n[full].sum())
        if not leaning[~full].any():
            leaning = np.where(full, leaning, 1.0)
        wanted = rest / (n * leaning)[~full].sum() * leaning
        over = ~full & (wanted > highest)
        if not over.any():
            return tuple(float(share) for share in np.where(full, highest, wanted))
        full |= over
    return (highest,) * len(counts)
