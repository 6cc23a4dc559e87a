"""Intervals and tests of accuracy, against figures worked by hand and published ones."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from preflash.simulator.accuracy.differences import (
    auc_difference,
    mcnemar,
    mean_difference,
    newcombe,
    share_difference,
)
from preflash.simulator.accuracy.intervals import auc_bounds, auc_of, mean_bounds, midranks, quantile, wilson

COUNTS = st.integers(0, 60)


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),  # Newcombe 1998 (Stat Med 17:857), table I, method 3
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        # z² = 3.8415: (20 + 3.8415 ± 1.96 sqrt(3.8415 + 40 (1 - 0.5))) / (2 (20 + 3.8415)) for 10 of 20
        (10, 20, 0.2993, 0.7007),
    ],
)
def test_wilsons_interval_is_the_published_one(hits: int, n: int, low: float, high: float) -> None:
    assert wilson(hits, n) == pytest.approx((low, high), abs=6e-5)


def test_an_interval_without_samples_says_nothing() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilsons_interval_holds_the_share_and_mirrors(case: tuple[int, int]) -> None:
    hits, n = case
    low, high = wilson(hits, n)
    assert 0 <= low <= hits / n <= high <= 1
    assert wilson(n - hits, n) == pytest.approx((1 - high, 1 - low), abs=1e-12)
    assert wilson(hits, n, 0.8)[0] >= low


@pytest.mark.parametrize(
    ("gained", "lost", "p"),
    [
        (1, 7, 18 / 256),  # 2 (C(8,0) + C(8,1)) / 2^8
        (5, 9, 6946 / 16384),  # 2 (1 + 14 + 91 + 364 + 1001 + 2002) / 2^14
        (0, 0, 1.0),
        (4, 4, 1.0),  # more than one half, doubled: 1
        (0, 6, 2 / 64),
    ],
)
def test_mcnemars_test_is_exact(gained: int, lost: int, p: float) -> None:
    assert mcnemar(gained, lost) == pytest.approx(p)
    assert mcnemar(lost, gained) == pytest.approx(p)


@given(COUNTS, COUNTS)
def test_mcnemars_p_is_the_binomial_tail_in_whole_numbers(gained: int, lost: int) -> None:
    n = gained + lost
    tail = sum(comb(n, k) for k in range(min(gained, lost) + 1))
    assert mcnemar(gained, lost) == pytest.approx(min(1.0, 2 * tail / 2**n), rel=1e-9)


def test_mcnemars_p_of_many_disagreements_is_a_number() -> None:
    assert 0 < mcnemar(40_000, 40_300) < 1


def test_the_paired_interval_is_the_published_one() -> None:
    # Airway hyper-responsiveness before and after transplantation, 21 children: 1 both, 1 before, 7 after, 12
    # neither (Bentur et al. 2009): Newcombe's square-and-add interval -0.507 to -0.026
    # (Fagerland, Lydersen, Laake 2014, Stat Med 33:2850).
    assert newcombe(1, 1, 7, 12) == pytest.approx((-0.507, -0.026), abs=5e-4)


def test_the_paired_interval_follows_its_formula() -> None:
    # 40 both, 6 only the first, 2 only the second, 2 neither: 46/50 against 42/50.
    # Wilson: 0.8116..0.9685 and 0.7149..0.9166; phi = (80 - 12 - 25) / sqrt(46 * 4 * 42 * 8) = 0.1729.
    p1, l1, u1, p2, l2, u2, phi = 0.92, 0.81162, 0.96845, 0.84, 0.71486, 0.91657, 43 / 248.645
    low = p1 - p2 - ((p1 - l1) ** 2 - 2 * phi * (p1 - l1) * (u2 - p2) + (u2 - p2) ** 2) ** 0.5
    high = p1 - p2 + ((u1 - p1) ** 2 - 2 * phi * (u1 - p1) * (p2 - l2) + (p2 - l2) ** 2) ** 0.5
    assert newcombe(40, 6, 2, 2) == pytest.approx((low, high), abs=1e-4)


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_the_paired_interval_holds_the_difference_and_mirrors(a: int, b: int, c: int, d: int) -> None:
    if not a + b + c + d:
        return
    low, high = newcombe(a, b, c, d)
    value = (b - c) / (a + b + c + d)
    assert -1 - 1e-9 <= low <= value + 1e-12 and value - 1e-12 <= high <= 1 + 1e-9
    assert newcombe(a, c, b, d) == pytest.approx((-high, -low), abs=1e-12)


def test_a_share_difference_counts_who_is_right_where() -> None:
    first = np.array([1.0, 1, 1, 0, 0, 1, 1, 1])
    second = np.array([1.0, 0, 1, 0, 1, 1, 0, 0])
    found = share_difference(first, second)
    assert (found.gained, found.lost, found.value, found.n) == (3, 1, 0.25, 8)
    assert found.p == pytest.approx(2 * (1 + 4) / 16) and not found.is_significant


def test_an_auc_is_the_share_of_pairs_in_order_and_ties_count_half() -> None:
    scores, labels = np.array([1.0, 2, 2, 3, 0.5]), np.array([False, False, True, True, True])
    # pairs (positive, negative): 2>1, 2=2, 3>1, 3>2, 0.5<1, 0.5<2: 3.5 of 6
    assert auc_of(scores, labels) == pytest.approx(3.5 / 6)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=40))
def test_an_auc_by_ranks_is_the_auc_by_pairs(rows: list[tuple[int, bool]]) -> None:
    scores, labels = np.array([r[0] for r in rows], float), np.array([r[1] for r in rows])
    if labels.all() or not labels.any():
        return
    difference = scores[labels][:, None] - scores[~labels][None, :]
    pairs = (difference > 0).mean() + (difference == 0).mean() / 2
    assert auc_of(scores, labels) == pytest.approx(pairs)
    m, n = int(labels.sum()), int((~labels).sum())
    low, high = auc_bounds(auc_of(scores, labels), m, n)
    assert 0 <= low <= pairs + 1e-9 and pairs - 1e-9 <= high <= 1


def test_equal_values_share_their_rank() -> None:
    assert midranks(np.array([3.0, 1, 3, 3, 0])).tolist() == [4, 2, 4, 4, 1]


def test_the_interval_of_an_auc_solves_its_equation() -> None:
    auc, m, n, z = 0.862, 124, 124, quantile(0.95)
    for edge in auc_bounds(auc, m, n):
        rest = (m + n) / 2 - 1
        variance = edge * (1 - edge) * (1 + rest * ((1 - edge) / (2 - edge) + edge / (1 + edge))) / (m * n)
        assert abs(auc - edge) == pytest.approx(z * variance**0.5, rel=1e-9)
    low, high = auc_bounds(1.0, 20, 20)
    assert low < 0.91 and high == pytest.approx(1.0)  # perfect on 40 samples is not certainly perfect


def test_delongs_variance_is_that_of_the_placements_worked_by_hand() -> None:
    labels = np.array([True, True, True, False, False])
    first = np.array([3.0, 2, 1, 0, 1.5])  # placements of positives: 1, 1, 0.5; of negatives: 1, 2/3
    second = np.array([3.0, 0, 2, 1, 0.5])  # positives: 1, 0, 1; negatives: 2/3, 2/3
    found = auc_difference(first, second, labels)
    # differences: positives 0, 1, -0.5 (mean 1/6, variance 0.5833); negatives 1/3, 0 (variance 1/18)
    error = (0.5833333 / 3 + (1 / 18) / 2) ** 0.5
    assert found.value == pytest.approx(2.5 / 3 - 2 / 3)
    assert (found.lo, found.hi) == pytest.approx(
        (1 / 6 - 1.959964 * error, 1 / 6 + 1.959964 * error), abs=1e-5
    )
    assert 0.05 < found.p < 1


def test_a_mean_difference_is_of_the_pairs() -> None:
    found = mean_difference(np.array([1.0, 2, 3, 4]), np.array([1.0, 1, 2, 4]))
    # differences 0, 1, 1, 0: mean 0.5, s = 0.57735, error 0.288675, z = 1.732
    assert (found.value, found.lo, found.hi) == pytest.approx((0.5, -0.0658, 1.0658), abs=1e-4)
    assert found.p == pytest.approx(0.0833, abs=1e-4)


def test_equal_models_do_not_differ() -> None:
    values, labels = np.array([0.0, 1, 1, 0]), np.array([False, True, True, False])
    for found in (
        share_difference(values, values), mean_difference(values, values),
        auc_difference(values, values, labels),
    ):  # fmt: skip
        assert found.value == 0 and found.p == 1 and found.lo <= 0 <= found.hi


def test_a_single_value_has_no_interval() -> None:
    assert mean_bounds(np.array([3.0])) == (float("-inf"), float("inf"))
