"""Which variant runs where, how many points lie where, and what went wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from preflash.simulator.sweep.study.density import CELLS, density, scales
from preflash.simulator.sweep.study.failures import failures
from preflash.simulator.sweep.study.feasibility import MOST_TARGETS, MOST_VARIANTS, feasibility
from preflash.simulator.sweep.table import WORDS
from sweep_tables import NAN, plain, table


def test_a_cell_is_the_best_word_over_clocks_and_places() -> None:
    sweep = table(6, 30)  # 24 device and runtime pairs, some at a second clock
    found = feasibility(sweep)
    assert (found.row_of, found.column_of) == ("variant", "device and runtime")
    assert found.word.shape == (6, 24)
    for point in range(len(sweep)):
        cell = found.row_code[sweep.variant[point]], found.column_code[sweep.target[point]]
        assert found.word[cell] <= sweep.word[point]
    assert found.points.sum() == len(sweep)
    assert found.fitting.sum() == sweep.is_ok.sum()
    assert ((found.fitting > 0) == (found.word <= WORDS.index("TIGHT"))).all()


def test_what_limits_is_of_the_best_point() -> None:
    sweep = plain("NR")
    sweep = replace(sweep, variant=np.zeros(2, dtype=np.intp), limiting=np.array([0, 1]),
                    limits_named=("ram:sram", "latency"))  # fmt: skip
    found = feasibility(sweep)
    assert (found.word[0, 0], found.limiting[0, 0]) == (WORDS.index("RISKY"), 1)


def test_a_cell_without_points_has_no_word() -> None:
    found = feasibility(plain(""))
    assert found.word.shape == (0, 1)
    sweep = plain("F")
    more = feasibility(replace(sweep, variants=(*sweep.variants, replace(sweep.variants[0], name="x"))))
    assert more.word.tolist() == [[0], [-1]]


def test_a_large_grid_is_drawn_by_recipe_and_device() -> None:
    found = feasibility(table(420, 100))
    assert len(found.rows) <= MOST_VARIANTS and len(found.columns) <= MOST_TARGETS
    assert found.points.sum() == 42_000


def test_density_counts_every_known_point_once() -> None:
    sweep = table(63, 16)
    found = {one.figure: one for one in scales(sweep)}
    grid = density(sweep, found["latency_s"], found["accuracy"])
    known = ~np.isnan(sweep.figures["latency_s"].value)
    assert grid.points.sum() == known.sum()
    assert grid.fitting.sum() == (known & sweep.is_ok).sum()
    assert grid.column.max() < CELLS and grid.row.min() >= 0
    assert found["latency_s"].is_log and not found["accuracy"].is_log


@pytest.mark.parametrize("values", [[3.0], [3.0, 3.0], [0.0, 5.0]])
def test_density_of_equal_or_zero_figures_is_one_cell_or_two(values: list[float]) -> None:
    sweep = plain("F" * len(values), ram_bytes=values, latency_s=values)
    ram, late = scales(sweep)
    assert density(sweep, ram, late).points.sum() == len(values)
    assert not ram.is_log or values[0] > 0


def test_failures_are_grouped_by_reason_whatever_its_numbers() -> None:
    sweep = replace(plain("EEUF", energy_j=[NAN, NAN, NAN, NAN]), reason=np.array([1, 2, 3, 3]),
                    texts=("", "op 3: no price", "op 12: no price", "no speed"))  # fmt: skip
    found = failures(sweep)
    assert [(one.kind, one.count, one.reason) for one in found] == [
        ("error", 2, "op 3: no price"), ("unknown", 1, "no speed"), ("partly unknown", 1, "no speed"),
    ]  # fmt: skip
    assert found[0].examples == (0, 1)


def test_variants_and_targets_that_never_became_points_are_named() -> None:
    sweep = plain("F", latency_s=[1])
    broken = replace(sweep.variants[0], error="no shape 3", model="x.tflite")
    sweep = replace(sweep, variants=(*sweep.variants, broken, broken),
                    targets=(*sweep.targets, replace(sweep.targets[0], error="unknown place")))  # fmt: skip
    found = failures(sweep)
    assert [(one.kind, one.count) for one in found] == [("variant not made", 2), ("target not usable", 1)]
    assert "x.tflite" in found[0].names[0]


def test_the_same_reason_about_another_device_is_the_same_reason() -> None:
    sweep = plain("FFN", latency_s=[1, 1, 1])
    boards = tuple(replace(sweep.targets[0], number=i, device=name) for i, name in enumerate(("a1", "a1-b")))
    sweep = replace(sweep, targets=boards, target=np.array([0, 1, 1]), reason=np.array([1, 2, 2]),
                    texts=("", "no power figure for a1", "no power figure for a1-b"))  # fmt: skip
    (found,) = failures(sweep)
    assert (found.kind, found.reason, found.count) == ("partly unknown", "no power figure for …", 3)


def test_an_unknown_figure_that_nobody_limits_is_one_line_and_no_failure() -> None:
    count = 4
    sweep = plain("FFNR", ram_bytes=[1] * count, flash_bytes=[1] * count, latency_s=[1] * count)
    boards = tuple(replace(sweep.targets[0], number=i, device=name) for i, name in enumerate(("a1", "b2")))
    sweep = replace(sweep, targets=boards, target=np.array([0, 1, 1, 1]), reason=np.array([1, 2, 2, 2]),
                    texts=("", "no power figure for a1", "no power figure for b2"))  # fmt: skip
    (found,) = failures(sweep)
    assert (found.kind, found.count) == ("not limited", 4)
    assert found.reason == "energy is unknown on 4 points of 2 boards: no power figure"
    (limited,) = failures(replace(sweep, limits={"energy_j": 1.0}))
    assert limited.kind == "partly unknown"


def test_variants_that_have_to_be_trained_have_rows_that_say_so() -> None:
    sweep = plain("FF")
    shape = replace(sweep.variants[0], number=1, retrain=True)
    for variants in ((sweep.variants[0], shape), (sweep.variants[0], shape) * (MOST_VARIANTS + 1)):
        rows = feasibility(replace(sweep, variants=variants)).rows
        assert [row.endswith("untrained") for row in rows] == [False, True]


def test_only_what_the_runtime_decides_is_a_refusal() -> None:
    sweep = replace(plain("NN"), limiting=np.array([0, 1]), limits_named=("runtime", "latency"),
                    reason=np.array([1, 1]), texts=("", "no kernel for GELU"))  # fmt: skip
    assert [one.kind for one in failures(sweep)] == ["refused", "partly unknown"]


def test_an_error_without_a_reason_is_counted_all_the_same() -> None:
    (found,) = failures(plain("E"))
    assert (found.kind, found.count, found.reason) == ("error", 1, "no reason was stored")


def test_nothing_wrong_is_nothing() -> None:
    assert failures(plain("FTRN")) == ()
