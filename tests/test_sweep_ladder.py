"""What a budget buys, and what each kind of compression gives up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from preflash.reports.sweep_report import render_sweep
from preflash.simulator.sweep.study.families import AS_IT_IS, curves, families
from preflash.simulator.sweep.study.ladder import cheapest, ladder
from preflash.simulator.sweep.table import VariantRow
from sweep_tables import NAN, plain, table


def steps(sweep) -> list[tuple[float, float]]:
    return [(one.need_bytes, one.value) for one in ladder(sweep)[0].steps]


def test_more_ram_never_buys_less() -> None:
    sweep = plain("FFFF", ram_bytes=[10, 20, 30, 40], accuracy=[0.8, 0.7, 0.9, 0.9])
    assert steps(sweep) == [(10, 0.8), (30, 0.9)]


def test_without_accuracy_a_budget_buys_time() -> None:
    sweep = plain("FFF", ram_bytes=[10, 10, 20], latency_s=[3, 2, 1])
    assert steps(sweep) == [(10, 2), (20, 1)]


def test_only_what_answers_the_question_is_on_the_ladder() -> None:
    sweep = plain("FNN", ram_bytes=[20, 30, 10], accuracy=[0.7, 0.8, 0.9])
    sweep = replace(sweep, limits_named=("ram:sram", "latency"), limiting=np.array([0, 0, 1]))
    assert steps(sweep) == [(20, 0.7)]


def test_where_nothing_fits_the_ladder_says_so() -> None:
    sweep = plain("NN", ram_bytes=[20, 30], accuracy=[0.7, 0.8])
    assert ladder(sweep) == ()
    for form in ("text", "html"):
        said = render_sweep(sweep, form)
        assert "Nothing answers the question on any board." in said and "Fits at all" not in said


def test_a_first_step_that_has_to_be_trained_says_so() -> None:
    sweep = plain("F", ram_bytes=[2048], latency_s=[1])
    sweep = replace(sweep, variants=(replace(sweep.variants[0], retrain=True),))
    assert "Fits at all: kws.tflite from 2.0 KiB (untrained)." in render_sweep(sweep, "text")


def test_unknown_figures_buy_nothing() -> None:
    assert ladder(plain("FF", ram_bytes=[NAN, NAN], accuracy=[0.8, 0.9])) == ()
    assert ladder(plain("FF", ram_bytes=[1, 2])) == ()
    assert ladder(plain("")) == ()


def test_several_models_have_a_curve_each_and_a_smallest_budget() -> None:
    found = ladder(table(63, 8))
    assert [one.model for one in found] == ["", "kws.tflite", "vww.tflite", "ad01.tflite"]
    least = {model: step.need_bytes for model, step in cheapest(found)}
    assert least["kws.tflite"] < least["vww.tflite"] < least["ad01.tflite"]
    for one in found:
        needs, values = [s.need_bytes for s in one.steps], [s.value for s in one.steps]
        assert needs == sorted(set(needs)) and values == sorted(set(values))


def row(text: str, **axes: str) -> VariantRow:
    return VariantRow(0, "m.tflite", "r", text, axes)


def test_a_family_is_the_steps_and_the_swept_shape() -> None:
    assert families([
        row("as it is", width="1"), row("as it is", width="0.5"), row("prune sparsity=0.5 | quantize"),
        row("prune-channels fraction=0.3", fraction="0.3"),
        row("prune-channels fraction=0.4", fraction="0.4"),
    ]) == ["width", "width", "prune + quantize", "prune-channels", "prune-channels"]  # fmt: skip
    assert families([row("as it is", width="1")]) == [AS_IT_IS]  # one level is not swept


def test_curves_are_the_best_of_a_family_on_one_target() -> None:
    sweep = table(63, 4)
    for curve in curves(sweep, "flash_bytes"):
        cost, right = (sweep.figures[name].value[list(curve.points)] for name in ("flash_bytes", "accuracy"))
        assert (np.diff(cost) >= 0).all() and (np.diff(right) >= 0).all()
        assert {int(sweep.target[point]) for point in curve.points} == {curve.target}
        assert len(curve.points) <= curve.of


def test_without_accuracy_there_are_no_curves() -> None:
    assert curves(table(21, 2, accuracy=False), "flash_bytes") == ()
    assert curves(plain(""), "flash_bytes") == ()
