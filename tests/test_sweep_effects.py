"""How much an axis moves a figure, checked on sweeps whose law is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from preflash.simulator.sweep.study.axes import NOT_SWEPT, Axis, sweep_axes
from preflash.simulator.sweep.study.effects import effects, together
from sweep_tables import NAN, plain, table


def axis(name: str, codes: list[int], levels: int) -> Axis:
    return Axis(name, "variant", tuple(str(i) for i in range(levels)), np.array(codes, dtype=np.intp))


def test_levels_are_ratios_to_the_geometric_mean() -> None:
    sweep = plain("FFFF", latency_s=[1, 1, 4, 4])  # geometric mean 2
    (found,) = effects(sweep, [axis("a", [0, 0, 1, 1], 2)], "latency_s")
    assert [level.effect for level in found.levels] == pytest.approx([0.5, 2.0])
    assert found.share == pytest.approx(1.0)


def test_accuracy_is_compared_by_difference() -> None:
    sweep = plain("FFFF", accuracy=[0.8, 0.8, 0.9, 0.9])
    (found,) = effects(sweep, [axis("a", [0, 0, 1, 1], 2)], "accuracy")
    assert [level.effect for level in found.levels] == pytest.approx([-0.05, 0.05])


def test_two_axes_that_multiply_share_the_variance_and_do_not_interact() -> None:
    # log2: 0, 1, 2, 3; mean 1.5; total 5; a (0.5, 2.5): 4; b (1, 2): 1
    sweep = plain("FFFF", latency_s=[1, 2, 4, 8])
    a, b = axis("a", [0, 0, 1, 1], 2), axis("b", [0, 1, 0, 1], 2)
    first, second = effects(sweep, [b, a], "latency_s")
    assert (first.axis, second.axis) == ("a", "b")
    assert (first.share, second.share) == pytest.approx((0.8, 0.2))
    both = together(sweep, a, b, "latency_s")
    assert both.extra == pytest.approx(0.0, abs=1e-12)
    assert both.effect == pytest.approx(np.array([[1, 2], [4, 8]]) / 2**1.5)


def test_an_effect_that_only_both_together_have_is_extra() -> None:
    sweep = plain("FFFF", latency_s=[1, 4, 4, 1])
    a, b = axis("a", [0, 0, 1, 1], 2), axis("b", [0, 1, 0, 1], 2)
    assert together(sweep, a, b, "latency_s").extra == pytest.approx(1.0)


def test_a_level_says_how_many_of_its_points_answer() -> None:
    sweep = plain("FNFF", latency_s=[1, 2, 3, 4])
    (found,) = effects(sweep, [axis("a", [0, 0, 1, 1], 2)], "latency_s")
    assert [(level.points, level.fits) for level in found.levels] == [(2, 0.5), (2, 1.0)]


def test_unknown_figures_do_not_count_but_their_points_do() -> None:
    sweep = plain("FFUF", latency_s=[1, 4, NAN, 4])
    (found,) = effects(sweep, [axis("a", [0, 1, 2, 1], 3)], "latency_s")
    assert found.levels[2].effect is None and found.levels[2].points == 1
    assert found.levels[0].effect is not None


@pytest.mark.parametrize("values", [[], [3.0], [2.0, 2.0, 2.0], [NAN, NAN]])
def test_without_any_difference_nothing_matters(values: list[float]) -> None:
    sweep = plain("F" * len(values), latency_s=values)
    some = axis("a", [0] * len(values), 1)
    assert effects(sweep, [some], "latency_s") == ()
    assert together(sweep, some, some, "latency_s") is None


def test_an_empty_cell_has_no_effect() -> None:
    sweep = plain("FFF", latency_s=[1, 2, 4])
    both = together(sweep, axis("a", [0, 0, 1], 2), axis("b", [0, 1, 0], 2), "latency_s")
    assert np.isnan(both.effect[1, 1])


def test_axes_are_what_has_levels_numbers_by_size() -> None:
    found = {one.name: one for one in sweep_axes(table(63, 16))}
    assert found["sparsity"].levels == (NOT_SWEPT, "0.3", "0.4", "0.5")
    assert found["model"].levels == ("kws.tflite", "vww.tflite", "ad01.tflite")
    assert "width" not in found and "npu" not in found
    assert "clock MHz" not in found  # each device has one: it would say the same again


def test_a_point_has_the_level_of_its_variant_or_target() -> None:
    sweep = table(63, 16)
    for one in sweep_axes(sweep):
        for point in (0, 500, 1007):
            level, row = one.levels[one.code[point]], sweep.variants[sweep.variant[point]]
            expected = {"model": row.model, "recipe": row.name,
                        "device": sweep.targets[sweep.target[point]].device}.get(one.name)  # fmt: skip
            assert expected is None or level == expected


def test_levels_that_no_point_has_are_left_out() -> None:
    sweep = table(14, 2)
    first = replace(sweep, variant=np.zeros_like(sweep.variant))
    assert {one.name for one in sweep_axes(first)} == {"device"}
