"""One-dimensional k-means: hand-worked rows, laws, and the best of all partitions as a judge."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from preflash.graphs.variants.kmeans import (
    STARTS,
    distinct_counts,
    lloyd,
    rows_of,
    squared_errors,
    started,
)

VALUES = st.lists(st.integers(-60, 60).map(lambda n: n / 8), min_size=1, max_size=40)


def row(*values: float) -> np.ndarray:
    return np.array([values], np.float64)


def best_error(values: np.ndarray, clusters: int) -> float:
    """The least squared error of any partition of the sorted values into stretches; all are tried."""
    ordered = np.sort(values)
    cuts = range(1, len(ordered))
    return min(
        sum(float(((part - part.mean()) ** 2).sum()) for part in np.split(ordered, chosen))
        for chosen in combinations(cuts, min(clusters, len(ordered)) - 1)
    )


def test_two_heaps_are_found_by_hand() -> None:
    """0 1 | 8 10: from 0 and 10 the halves meet at 5; means 0.5 and 9; errors 2 * 0.25 + 2 * 1 = 2.5."""
    rows = rows_of(row(8, 0, 10, 1), keep_zero=False)
    centres = lloyd(rows, started(rows, 2, "linear", np.random.default_rng(0)))
    assert centres.tolist() == [[0.5, 9.0]]
    assert squared_errors(rows, centres).tolist() == [2.5]


def test_a_kept_zero_stays_a_centre_and_only_the_others_move() -> None:
    """0 0 1 | 9: centres 0 and 9; without keeping, the first would be 1/3."""
    rows = rows_of(row(0, 9, 1, 0), keep_zero=True)
    assert lloyd(rows, row(0, 8)).tolist() == [[0.0, 9.0]]
    free = rows_of(row(0, 9, 1, 0), keep_zero=False)
    np.testing.assert_allclose(lloyd(free, row(0, 8)), [[1 / 3, 9.0]])


def test_a_row_without_zeros_keeps_none() -> None:
    rows = rows_of(row(1, 2, 8, 9), keep_zero=True)
    assert lloyd(rows, row(0, 9)).tolist() == [[1.5, 8.5]]


def test_a_heavier_value_pulls_its_centre() -> None:
    """(3 * 1 + 1 * 5) / 4 = 2."""
    rows = rows_of(row(1, 5), mass=row(3, 1), keep_zero=False)
    assert lloyd(rows, row(2.5)).tolist() == [[2.0]]


def test_a_centre_without_values_goes_where_the_error_is_largest() -> None:
    """Centres 0 and 100: the second has nothing, and takes 10, the value farthest from the mean of 0 1 10."""
    rows = rows_of(row(0, 1, 10), keep_zero=False)
    assert lloyd(rows, row(0, 100)).tolist() == [[0.5, 10.0]]


def test_whole_centres_are_the_means_rounded() -> None:
    rows = rows_of(row(0, 1, 1, 9, 9, 10), keep_zero=False)
    assert lloyd(rows, row(0, 10), snap=lambda means, _: np.rint(means)).tolist() == [[1.0, 9.0]]


def test_centres_among_the_values_are_the_nearest_to_the_means() -> None:
    """Means 2 and 9: of 0 3 3 | 8 10 the values 3 and, at equal distance, the lower 8."""
    rows = rows_of(row(0, 3, 3, 8, 10), keep_zero=False)
    assert lloyd(rows, row(0, 10), snap=rows.members).tolist() == [[3.0, 8.0]]


def test_rows_are_clustered_each_by_itself() -> None:
    rows = rows_of(np.array([[0.0, 1, 8, 10], [5, 5, 6, 6]]), keep_zero=False)
    assert lloyd(rows, np.array([[0.0, 10], [5, 6]])).tolist() == [[0.5, 9.0], [5.0, 6.0]]


@pytest.mark.parametrize(
    ("initialisation", "expected"),
    [
        ("linear", [0.0, 5.0, 10.0]),  # evenly between 0 and 10
        ("density", [0.0, 2.0, 10.0]),  # shares 1/6, 3/6, 5/6 of six values: the second, fourth, sixth
    ],
)
def test_centres_start_where_the_initialisation_says(initialisation: str, expected: list[float]) -> None:
    rows = rows_of(row(0, 0, 2, 2, 9, 10), keep_zero=False)
    assert started(rows, 3, initialisation, np.random.default_rng(0)).tolist() == [expected]


def test_plus_plus_draws_by_squared_distance() -> None:
    """The first is 0, 3 or 4 with 1/3 each; from 0, the second is 3 with 9/25 and 4 with 16/25."""
    rows = rows_of(np.tile(row(0, 3, 4), (30_000, 1)), keep_zero=False)
    pairs = np.sort(started(rows, 2, "k-means++", np.random.default_rng(1)), axis=1)
    share = {pair: float((pairs == pair).all(axis=1).mean()) for pair in ((0, 3), (0, 4), (3, 4))}
    expected = {(0, 3): (9 / 25 + 9 / 10) / 3, (0, 4): (16 / 25 + 16 / 17) / 3, (3, 4): (1 / 10 + 1 / 17) / 3}
    assert share == pytest.approx(expected, abs=0.01)


@given(VALUES, st.integers(2, 9), st.sampled_from(sorted(STARTS)), st.booleans())
def test_no_round_increases_the_squared_error(
    values: list[float], clusters: int, initialisation: str, keep_zero: bool
) -> None:
    rows = rows_of(row(*values), keep_zero=keep_zero)
    centres = started(rows, clusters, initialisation, np.random.default_rng(0))
    error = float(squared_errors(rows, centres)[0])
    for _ in range(12):
        centres = lloyd(rows, centres, most_rounds=1)
        after = float(squared_errors(rows, centres)[0])
        assert after <= error + 1e-9 * max(1.0, error)
        error = after


@given(VALUES, st.integers(2, 9), st.sampled_from(sorted(STARTS)))
def test_no_round_on_whole_centres_increases_the_squared_error(
    values: list[float], clusters: int, initialisation: str
) -> None:
    rows = rows_of(np.rint(row(*values)), keep_zero=True)
    centres = np.rint(started(rows, clusters, initialisation, np.random.default_rng(0)))
    error = float(squared_errors(rows, centres)[0])
    for _ in range(12):
        centres = lloyd(rows, centres, snap=lambda means, _: np.rint(means), most_rounds=1)
        after = float(squared_errors(rows, centres)[0])
        assert after <= error + 1e-9 * max(1.0, error)
        error = after


@given(VALUES, st.integers(2, 5), st.sampled_from(sorted(STARTS)))
def test_nothing_beats_the_best_partition_and_the_error_is_that_of_the_nearest_centres(
    values: list[float], clusters: int, initialisation: str
) -> None:
    drawn = np.array(values[:12])
    rows = rows_of(drawn[None], keep_zero=False)
    centres = lloyd(rows, started(rows, clusters, initialisation, np.random.default_rng(0)))
    error = float(squared_errors(rows, centres)[0])
    assert error == pytest.approx(float((np.abs(drawn[:, None] - centres).min(axis=1) ** 2).sum()), abs=1e-9)
    assert error >= best_error(drawn, clusters) - 1e-9


@given(VALUES, st.sampled_from(sorted(STARTS)))
def test_as_many_centres_as_values_leave_no_error(values: list[float], initialisation: str) -> None:
    rows = rows_of(row(*values), keep_zero=False)
    clusters = max(2, int(distinct_counts(rows)[0]))
    assert clusters == max(2, len(set(values)))
    centres = lloyd(rows, started(rows, clusters, initialisation, np.random.default_rng(0)))
    assert float(squared_errors(rows, centres)[0]) == pytest.approx(0, abs=1e-9)
