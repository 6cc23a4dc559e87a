"""How far can a figure from n samples be off? Intervals of a share, of a mean and of an AUC."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

CONFIDENCE = 0.95
_STEPS = 80  # of bisection: a double has 53 bits


def quantile(confidence: float) -> float:
    """z such that a standard normal value lies within ±z with this probability.

    >>> round(quantile(0.95), 4)
    1.96
    """
    return NormalDist().inv_cdf(0.5 + confidence / 2)


def wilson(hits: float, n: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """(2 h + z² ± z sqrt(z² + 4 h (1 − h/n))) / (2 (n + z²)): Wilson 1927, the score interval of a share.

    >>> low, high = wilson(81, 263)  # Newcombe 1998, table I: 0.2553 to 0.3662
    >>> round(low, 4), round(high, 4)
    (0.2553, 0.3662)
    """
    if n == 0:
        return 0.0, 1.0
    z = quantile(confidence)
    middle = 2 * hits + z * z
    spread = z * sqrt(z * z + 4 * hits * (1 - hits / n))
    low, high = (middle - spread) / (2 * (n + z * z)), (middle + spread) / (2 * (n + z * z))
    return (0.0 if hits == 0 else low), (1.0 if hits == n else high)


def mean_bounds(values: npt.NDArray[np.float64], confidence: float = CONFIDENCE) -> tuple[float, float]:
    """mean ± z s / sqrt(n), s with n − 1; (-inf, inf) for a single value."""
    if len(values) < 2:
        return float("-inf"), float("inf")
    middle = float(values.mean())
    spread = quantile(confidence) * float(values.std(ddof=1)) / sqrt(len(values))
    return middle - spread, middle + spread


def auc_bounds(
    auc: float, positives: int, negatives: int, confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """All A with |AUC − A| <= z sqrt(V(A)): the score interval with Hanley and McNeil's variance.

    V(A) = A (1 − A) (1 + (N − 1) ((1 − A)/(2 − A) + A/(1 + A))) / (m n), N = (m + n)/2: Newcombe 2006,
    method 5. Unlike AUC ± z s it stays in 0..1 and has a width at 0 and 1.
    """
    z, pairs, most = quantile(confidence), positives * negatives, (positives + negatives) / 2 - 1

    def is_within(a: float) -> bool:
        variance = a * (1 - a) * (1 + most * ((1 - a) / (2 - a) + a / (1 + a))) / pairs
        return abs(auc - a) <= z * sqrt(max(0.0, variance))

    def edge(outside: float) -> float:
        inside = auc
        for _ in range(_STEPS):
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if is_within(middle) else (inside, middle)
        return inside

    return edge(0.0), edge(1.0)


def auc_of(scores: npt.NDArray[np.float64], is_positive: npt.NDArray[np.bool_]) -> float:
    """(R − m (m + 1)/2) / (m n), R the positives' ranks added, ties at their mean: Mann and Whitney.

    >>> auc_of(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True]))
    0.75
    """
    m = int(is_positive.sum())
    n = len(scores) - m
    ranked = midranks(scores)[is_positive].sum()
    return float((ranked - m * (m + 1) / 2) / (m * n))


def midranks(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Ranks from 1 on; equal values share the mean of theirs.

    >>> midranks(np.array([5.0, 1.0, 5.0])).tolist()
    [2.5, 1.0, 2.5]
    """
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: npt.NDArray[np.float64] = (last - (counts - 1) / 2)[place.reshape(-1)]
    return ranks
