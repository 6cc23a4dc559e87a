"""Is a model better than another on the same samples, and by how much?"""

from __future__ import annotations

from dataclasses import dataclass
from math import erfc, exp, lgamma, log, sqrt

import numpy as np
import numpy.typing as npt

from .intervals import CONFIDENCE, auc_of, mean_bounds, midranks, quantile, wilson

SIGNIFICANT_BELOW = 0.05
Reals = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """The first minus the second figure, both from the same samples.

    Args:
        lo, hi: where the difference lies at 95 %.
        p: how likely a difference as large is if the two are equally good.
        gained, lost: samples that only the first, only the second gets right; None where there is no right.
        method: of the interval, and of the test.
    """

    value: float
    lo: float
    hi: float
    p: float
    n: int
    method: str
    gained: int | None = None
    lost: int | None = None

    @property
    def is_significant(self) -> bool:
        return self.p < SIGNIFICANT_BELOW


def share_difference(first: Reals, second: Reals) -> PairedDifference:
    """Of two models' hits (0 or 1 per sample): square-and-add interval, exact McNemar test."""
    one, other = first > 0, second > 0
    both, gained = int((one & other).sum()), int((one & ~other).sum())
    lost, neither = int((~one & other).sum()), int((~one & ~other).sum())
    lo, hi = newcombe(both, gained, lost, neither)
    n = len(first)
    return PairedDifference(
        (gained - lost) / n, lo, hi, mcnemar(gained, lost), n,
        "Newcombe's square-and-add interval of paired shares, exact McNemar test", gained, lost,
    )  # fmt: skip


def mean_difference(first: Reals, second: Reals) -> PairedDifference:
    """Of two models' values per sample: d̄ ± z s / sqrt(n), and its normal test."""
    d = first - second
    lo, hi = mean_bounds(d)
    error = float(d.std(ddof=1)) / sqrt(len(d)) if len(d) > 1 else float("inf")
    return PairedDifference(
        float(d.mean()), lo, hi, _normal_p(float(d.mean()), error), len(d),
        "mean of the paired differences, normal approximation",
    )  # fmt: skip


def auc_difference(first: Reals, second: Reals, is_positive: Flags) -> PairedDifference:
    """Of two AUCs on the same samples: DeLong, DeLong and Clarke-Pearson 1988.

    V = Var(V10)/m + Var(V01)/n, V10 and V01 the differences of the two models' placements.
    """
    m, n = int(is_positive.sum()), int((~is_positive).sum())
    above = [_placements(scores, is_positive) for scores in (first, second)]
    over, under = above[0][0] - above[1][0], above[0][1] - above[1][1]
    variance = (_variance(over) / m) + (_variance(under) / n)
    value = auc_of(first, is_positive) - auc_of(second, is_positive)
    spread = quantile(CONFIDENCE) * sqrt(variance)
    return PairedDifference(
        value, value - spread, value + spread, _normal_p(value, sqrt(variance)), len(first),
        "DeLong's paired AUCs, normal approximation",
    )  # fmt: skip


def mcnemar(gained: int, lost: int) -> float:
    """p = min(1, 2 P(X <= min(b, c))), X binomial of b + c and 1/2: McNemar's test, exact.

    >>> round(mcnemar(1, 7), 4)  # 2 (1 + 8) / 256
    0.0703
    """
    total, fewer = gained + lost, min(gained, lost)
    below = sum(
        exp(lgamma(total + 1) - lgamma(k + 1) - lgamma(total - k + 1) - total * log(2))
        for k in range(fewer + 1)
    )
    return min(1.0, 2 * below)


def newcombe(both: int, gained: int, lost: int, neither: int) -> tuple[float, float]:
    """d ± sqrt(δ1² − 2 φ δ1 δ2 + δ2²), δ from the two Wilson intervals: Newcombe 1998, method 10.

    φ = (ad − bc) / sqrt of the four margins' product, ad − bc less n/2 (not below 0) where it is positive.
    """
    n = both + gained + lost + neither
    first, second = both + gained, both + lost
    p1, p2 = first / n, second / n
    (l1, u1), (l2, u2) = wilson(first, n), wilson(second, n)
    cross = both * neither - gained * lost
    margins = first * (n - first) * second * (n - second)
    phi = (max(cross - n / 2, 0.0) if cross > 0 else cross) / sqrt(margins) if margins else 0.0

    def reach(a: float, b: float) -> float:
        return sqrt(max(0.0, a * a - 2 * phi * a * b + b * b))

    return p1 - p2 - reach(p1 - l1, u2 - p2), p1 - p2 + reach(u1 - p1, p2 - l2)


def _placements(scores: Reals, is_positive: Flags) -> tuple[Reals, Reals]:
    """Per positive the share of negatives below it, per negative the share of positives above it."""
    m, n = int(is_positive.sum()), int((~is_positive).sum())
    ranks = midranks(scores)
    over = (ranks[is_positive] - midranks(scores[is_positive])) / n
    under = 1 - (ranks[~is_positive] - midranks(scores[~is_positive])) / m
    return over, under


def _variance(values: Reals) -> float:
    return float(values.var(ddof=1)) if len(values) > 1 else 0.0


def _normal_p(value: float, error: float) -> float:
    """Two-sided; 1 where nothing differs."""
    if value == 0:
        return 1.0
    return erfc(abs(value) / error / sqrt(2)) if error > 0 else 0.0
