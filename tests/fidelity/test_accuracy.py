"""Accuracy of the MLPerf Tiny models on their own inputs against recorded figures and boards' outputs.

Recorded: facts/measured_accuracy.csv (LiteRT's three kernel sets) and facts/board_vs_host.csv (how often the
outputs of a board equal those of a kernel set on this side). Inputs are here for kws01 and, as calibration
samples, sww01.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from preflash.simulator.accuracy.measure import Accuracy, compare, measure
from preflash.simulator.accuracy.outputs import Model, Way, model_of
from preflash.simulator.accuracy.samples import Samples, load_samples
from preflash.simulator.interpreter import interpreter_label
from preflash.simulator.micro_interpreter import micro_label
from shared_data import shared_csv, shared_dir

MODELS = {
    "kws01_int8": "kws_ref_model", "kws01_fp32": "kws_ref_model_float32", "sww01_int8": "str_ww_ref_model",
}  # fmt: skip
FRESH = Way(use_cache=False)
KWS = "kws01_eval1000.npz"


def model(name: str) -> Model:
    return model_of((shared_dir() / "models" / f"{MODELS[name]}.tflite").read_bytes())


def samples(name: str, file: str) -> Samples:
    """Those of the file; integers are made for the int8 model."""
    made_for = model("kws01_int8" if name.startswith("kws01") else name)
    return load_samples(shared_dir() / "data" / file, made_for.graph)


@cache
def measured(name: str, file: str, kernels: str) -> Accuracy:
    return measure(model(name), samples(name, file), kernels=kernels, way=FRESH)


def need_litert() -> None:
    """XNNPACK as recorded is ai_edge_litert's: the one in tflite_runtime takes no int8 op."""
    if not interpreter_label("xnnpack").startswith("ai_edge_litert"):
        pytest.skip("recorded with ai-edge-litert's XNNPACK, which is not installed")


@pytest.mark.parametrize("kernels", ["reference", "builtin", "xnnpack"])
@pytest.mark.parametrize(
    ("name", "file"), [("kws01_int8", KWS), ("kws01_fp32", KWS), ("sww01_int8", "sww01_calib45.npz")]
)
def test_top1_is_the_recorded_one(name: str, file: str, kernels: str) -> None:
    shared_dir()
    rows = [
        row for row in shared_csv("measured_accuracy.csv")
        if (row["model"], row["set"], row["kernels"]) == (name, file, kernels)
    ]  # fmt: skip
    if not rows:
        pytest.skip("nothing recorded for these kernels")
    if kernels == "xnnpack":
        need_litert()
    found = measured(name, file, kernels)
    decimals = len(rows[0]["value"].partition(".")[2])
    assert (found.n, round(found.value * 100, decimals)) == (int(rows[0]["n"]), float(rows[0]["value"]))


def test_every_recorded_row_with_data_here_is_checked() -> None:
    here = {path.name for path in (shared_dir() / "data").iterdir()}
    rows = [row for row in shared_csv("measured_accuracy.csv") if row["set"] in here]
    assert {row["model"] for row in rows} == set(MODELS) and len(rows) == 7


def test_reference_and_xnnpack_differ_by_a_tenth_of_a_point_that_says_nothing() -> None:
    need_litert()
    found = compare(measured("kws01_int8", KWS, "xnnpack"), measured("kws01_int8", KWS, "reference"))
    assert found.value == pytest.approx(0.001) and not found.is_significant


@pytest.mark.skipif(not micro_label(), reason="tflite-micro is not installed")
def test_reference_kernels_give_tflms_own_outputs() -> None:
    """Every bit with tflite_runtime 2.14; ai_edge_litert: 99 % of the outputs, every argmax."""
    tflm, reference = (measured("kws01_int8", KWS, kernels) for kernels in ("tflm", "reference"))
    assert tflm.value == reference.value == 0.901
    same = (tflm.outputs.reals[0] == reference.outputs.reals[0]).all(axis=(1, 2)).mean()
    assert same == 1.0 if reference.package == "tflite_runtime 2.14.0" else same >= 0.98
    assert (tflm.predictions == reference.predictions).all()


@pytest.mark.skipif(not micro_label(), reason="tflite-micro is not installed")
def test_tflms_outputs_stand_to_the_kernel_sets_as_the_boards_do() -> None:
    """A Nucleo-L4R5ZI with TFLM: 99.6 % of its outputs equal builtin's, 63.6 % XNNPACK's."""
    need_litert()
    (board,) = [
        row for row in shared_csv("board_vs_host.csv")
        if (row["round"], row["submitter"], row["system"], row["benchmark"])
        == ("v0.5", "reference", "Nucleo-L4R5ZI", "kws01")
    ]  # fmt: skip
    tflm = measured("kws01_int8", KWS, "tflm")
    for kernels in ("builtin", "xnnpack"):
        other = measured("kws01_int8", KWS, kernels)
        same = (tflm.outputs.reals[0] == other.outputs.reals[0]).all(axis=(1, 2)).mean() * 100
        alike = (tflm.predictions == other.predictions).mean() * 100
        assert same == pytest.approx(float(board[f"same_{kernels}_pct"]), abs=0.05)
        assert alike == pytest.approx(float(board[f"argmax_{kernels}_pct"]), abs=0.05)


def test_the_int8_model_is_not_worse_than_the_float_one_by_more_than_chance() -> None:
    whole = samples("kws01_int8", KWS)
    base = measure(model("kws01_fp32"), whole, way=FRESH)
    found = compare(measured("kws01_int8", KWS, "reference"), base)
    assert (found.gained, found.lost) == (5, 9) and found.value == pytest.approx(-0.004)
    assert found.p == pytest.approx(0.424, abs=1e-3) and not found.is_significant


def test_a_part_of_the_samples_is_scored_like_the_whole() -> None:
    whole = samples("kws01_int8", KWS)
    kept = measured("kws01_int8", KWS, "builtin")
    rest = measure(model("kws01_int8"), whole.first(900, skip=100), kernels="builtin", way=FRESH)
    np.testing.assert_array_equal(rest.predictions, kept.predictions[100:])
