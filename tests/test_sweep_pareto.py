"""The front is what a comparison of all pairs finds, at any size, with ties and unknown figures."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from preflash.simulator.sweep.study.dominance import dominated
from preflash.simulator.sweep.study.pareto import AXES, front, pareto, surely_dominated, usable_axes
from preflash.simulator.sweep.table import Column
from sweep_tables import NAN, plain, table

GRIDS = st.tuples(st.integers(1, 5), st.integers(0, 40), st.integers(0, 40))


def by_pairs(points: np.ndarray, by: np.ndarray) -> np.ndarray:
    """The definition: some row is no larger in all columns and smaller in one."""
    return np.array([any((b <= p).all() and (b < p).any() for b in by) for p in points], dtype=bool)


@given(GRIDS, st.data())
@settings(max_examples=300, deadline=None)
def test_sorting_finds_what_all_pairs_find(sizes: tuple[int, int, int], data: st.DataObject) -> None:
    columns, rows, others = sizes
    few = st.integers(0, 4).map(float)  # few values: many ties and equal rows
    points = data.draw(arrays.arrays(float, (rows, columns), elements=few))
    by = data.draw(arrays.arrays(float, (others, columns), elements=few))
    assert (dominated(points, by) == by_pairs(points, by)).all()
    assert (dominated(points, points) == by_pairs(points, points)).all()


@pytest.mark.parametrize("columns", [1, 2, 3, 4])
def test_the_sieve_of_large_inputs_changes_nothing(columns: int) -> None:
    rng = np.random.default_rng(columns)
    points = np.round(rng.random((6000, columns)), 2)
    found = dominated(points, points)
    sample = rng.choice(len(points), 300, replace=False)
    assert (found[sample] == by_pairs(points[sample], points)).all()
    assert (dominated(points[~found], points) == 0).all()


def test_equal_points_are_all_on_the_front() -> None:
    sweep = plain("FFF", ram_bytes=[5, 5, 6], latency_s=[1, 1, 1], accuracy=[0.9, 0.9, 0.9])
    assert pareto(sweep).tolist() == [0, 1]


def test_more_accuracy_is_better_and_less_of_the_rest() -> None:
    sweep = plain("FFFF", ram_bytes=[5, 6, 6, 7], latency_s=[1, 1, 1, 1], accuracy=[0.8, 0.9, 0.85, 0.9])
    assert pareto(sweep).tolist() == [0, 1]
    assert pareto(sweep, [("accuracy", "min"), ("ram_bytes", "max")]).tolist() == [0, 2, 3]


def test_only_points_that_fit_take_part_unless_asked() -> None:
    sweep = plain("NFT", ram_bytes=[1, 5, 6], latency_s=[1, 1, 1], accuracy=[0.9, 0.9, 0.95])
    assert pareto(sweep).tolist() == [1, 2]
    assert pareto(sweep, only_ok=False).tolist() == [0, 2]


def test_unknown_figures_are_left_out_and_counted() -> None:
    sweep = plain("FFF", ram_bytes=[1, 5, 6], latency_s=[NAN, 1, 1], accuracy=[0.9, 0.9, 0.9])
    found = front(sweep)
    assert (found.best.tolist(), found.compared, found.unknown) == ([1], 2, 1)


def test_axes_without_any_figure_are_not_usable() -> None:
    sweep = plain("FF", ram_bytes=[1, 2], latency_s=[2, 1])
    assert usable_axes(sweep) == AXES[:2]
    assert pareto(sweep).tolist() == []
    assert pareto(sweep, usable_axes(sweep)).tolist() == [0, 1]


def test_worse_within_the_error_is_not_surely_worse() -> None:
    sweep = plain("FFF", ram_bytes=[1, 1, 1], latency_s=[1.0, 1.1, 2.0])
    value = sweep.figures["latency_s"].value
    sweep.figures["latency_s"] = Column(value, value * 0.8, value * 1.2, sweep.figures["latency_s"].grade)
    axes = AXES[:2]
    assert pareto(sweep, axes).tolist() == [0]
    assert surely_dominated(sweep, axes).tolist() == [False, False, True]


@given(st.integers(1, 30), st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_surely_worse_is_what_the_corners_say(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    sweep = plain("F" * count, ram_bytes=rng.integers(1, 6, count), latency_s=rng.integers(1, 6, count),
                  accuracy=rng.random(count).round(1))  # fmt: skip
    for name in ("latency_s", "accuracy"):
        value = sweep.figures[name].value
        low, high = rng.random(count).round(1), rng.random(count).round(1)
        sweep.figures[name] = Column(value, value - low, value + high, sweep.figures[name].grade)
    ram, late, right = (sweep.figures[name] for name in ("ram_bytes", "latency_s", "accuracy"))
    best = np.stack([ram.lo, late.lo, -right.hi], axis=1)
    worst = np.stack([ram.hi, late.hi, -right.lo], axis=1)
    assert (surely_dominated(sweep) == by_pairs(best, worst)).all()


def test_whoever_is_surely_worse_is_not_on_the_front() -> None:
    sweep = table(60, 20)
    assert not surely_dominated(sweep)[pareto(sweep)].any()


@pytest.mark.parametrize(
    ("shape", "count"), [("uniform", 1_000_000), ("sphere", 200_000), ("plane", 200_000)]
)
def test_large_sweeps_take_seconds(shape: str, count: int) -> None:
    rng = np.random.default_rng(0)
    points = rng.random((count, 3))
    if shape == "sphere":
        away = np.abs(rng.normal(size=points.shape))
        points = 1 - away / np.linalg.norm(away, axis=1, keepdims=True)
    if shape == "plane":  # nobody beats anybody
        points[:, 2] = 2 - points[:, 0] - points[:, 1]
    start = time.perf_counter()
    found = dominated(points, points)
    assert time.perf_counter() - start < 5  # a tenth of that on a quiet core; nothing compares all pairs
    assert (~found).any()


def test_a_point_alone_is_the_front() -> None:
    assert pareto(plain("F", ram_bytes=[1], latency_s=[1], accuracy=[1])).tolist() == [0]
    assert pareto(plain("", ram_bytes=[], latency_s=[], accuracy=[])).tolist() == []
