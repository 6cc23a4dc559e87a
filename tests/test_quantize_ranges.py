"""Which range of values gets integers: counted as they come, by four methods."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from preflash.graphs.variants.histogram import HALF, Histogram
from preflash.graphs.variants.ranges import RangeMethod, chosen_range

METHODS: tuple[RangeMethod, ...] = ("minmax", "percentile", "mse", "kl")
VALUES = arrays(np.float32, st.integers(1, 200), elements=st.floats(-1e4, 1e4, width=32))


def counted(*batches: np.ndarray) -> Histogram:
    seen = Histogram()
    for batch in batches:
        seen.add(batch)
    return seen


def squared_error(values: np.ndarray, low: float, high: float) -> float:
    """Of rounding to 256 levels of the range, by the formula."""
    low, high = min(low, 0.0), max(high, 0.0)
    step = (high - low) / 255
    zero = round(-low / step)
    levels = np.clip(np.round(values / step) + zero, 0, 255)
    return float(np.mean((values - (levels - zero) * step) ** 2))


def test_bins_are_counted_by_hand() -> None:
    """1.0 reaches half of the 4096 bins: width 1 / 2048; -0.25 lies 512 bins below 0."""
    seen = counted(np.array([1.0, -0.25, 0.0]))
    assert seen.width == 1 / 2048
    assert np.flatnonzero(seen.counts).tolist() == [HALF - 512, HALF, HALF + 2048]


@settings(max_examples=50, deadline=None)
@given(VALUES, VALUES)
def test_values_that_come_in_batches_keep_their_count_and_their_bin(a: np.ndarray, b: np.ndarray) -> None:
    seen = counted(a, b)
    both = np.concatenate([a, b]).astype(np.float64)
    assert seen.seen == len(both) == seen.counts.sum()
    assert (seen.low, seen.high) == (both.min(), both.max())
    if seen.width:
        places = np.floor(both / seen.width).astype(int) + HALF
        assert np.array_equal(seen.counts, np.bincount(places, minlength=2 * HALF))


def test_the_histogram_stays_as_large_whatever_comes() -> None:
    seen = counted(*(np.array([10.0**n, -(10.0**n)]) for n in range(-6, 7)))
    assert seen.counts.size == 2 * HALF
    assert 1e6 <= seen.width * HALF < 4e6


@pytest.mark.parametrize("percentile", [99.0, 99.9, 99.99])
def test_a_percentile_is_that_of_all_values(percentile: float) -> None:
    values = np.random.default_rng(1).normal(size=200_000)
    found = chosen_range(counted(*np.split(values, 20)), "percentile", percentile=percentile)
    outside = 200_000 * (1 - percentile / 100)
    assert [(values < found[0]).sum(), (values > found[1]).sum()] == pytest.approx([outside] * 2, abs=3)


def test_a_percentile_of_100_is_all_values() -> None:
    seen = counted(np.array([-3.0, 0.5, 7.0]))
    assert chosen_range(seen, "percentile", percentile=100) == (-3.0, 7.0)


def test_one_sided_values_keep_their_end_at_zero() -> None:
    values = np.maximum(np.random.default_rng(2).normal(size=50_000), 0.0)
    for method in METHODS:
        low, high = chosen_range(counted(values), method)
        assert low == 0.0
        assert 0.0 < high <= values.max()


@pytest.mark.parametrize("seed", range(3))
def test_least_squared_error_is_no_worse_than_any_range_on_its_grid(seed: int) -> None:
    values = np.random.default_rng(seed).laplace(size=20_000)
    low, high = chosen_range(counted(values), "mse")
    best = squared_error(values, low, high)
    assert best < squared_error(values, values.min(), values.max())
    for share in (0.3, 0.5, 0.7, 0.9):
        assert best <= 1.001 * squared_error(values, share * values.min(), share * values.max())


def test_evenly_spread_values_are_not_clipped_by_squared_error() -> None:
    """Nothing is rare, so every cut costs more than finer steps gain."""
    values = np.linspace(-1.0, 1.0, 20_001)
    assert chosen_range(counted(values), "mse") == pytest.approx((-1.0, 1.0), abs=0.02)


def test_divergence_cuts_lone_outliers_and_keeps_what_is_even() -> None:
    random = np.random.default_rng(4)
    body = random.normal(size=100_000)
    low, high = chosen_range(counted(np.concatenate([body, [40.0, -40.0]])), "kl")
    assert 3.0 < high < 10.0
    assert low == -high
    even = random.uniform(0.0, 1.0, 100_000)
    assert chosen_range(counted(even), "kl")[1] > 0.95


@settings(max_examples=40, deadline=None)
@example(np.array([-1.0], np.float32), "percentile")
@example(np.array([1.0], np.float32), "percentile")
@given(VALUES, st.sampled_from(METHODS))
def test_no_method_reaches_beyond_the_values_or_zero(values: np.ndarray, method: RangeMethod) -> None:
    seen = counted(values)
    low, high = chosen_range(seen, method)
    assert min(seen.low, 0.0) <= low <= high <= max(seen.high, 0.0)


def test_nothing_but_zero_has_the_range_zero() -> None:
    for method in METHODS:
        assert chosen_range(counted(np.zeros(5)), method) == (0.0, 0.0)
