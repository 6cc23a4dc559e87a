"""Counted instructions: the terms reproduce the published fits, and the models' totals follow."""

from __future__ import annotations

from collections import defaultdict
from functools import cache

import numpy as np
import pytest
from preflash.devices.target import KernelBuild
from preflash.graphs.geometry import Window, taps_inside
from preflash.graphs.ir import ModelGraph
from preflash.graphs.tflite.read import read_tflite
from preflash.simulator.columns import Extents
from preflash.simulator.interval import Basis
from preflash.simulator.kernels.cores import CoreCosts, Spread
from preflash.simulator.kernels.instructions import INTERPRETER_INSTRUCTIONS, Firmware, count_instructions
from preflash.simulator.kernels.terms import TERMS, kernel_terms
from preflash.simulator.workload import compile_table
from shared_data import shared_csv, shared_dir

_MERGED = {
    "conv_kxk_s8(all)": ["conv3x3_s8", "conv5x5_s8", "conv7x7_s8", "conv_first_s8", "conv_nx1_s8",
                         "conv3x3_oddch_s8", "conv3x3_dil2_s8"],
    "conv1x1_s8(all)": ["conv1x1_s8", "conv1x1_s2_s8", "conv1x1_oddch_s8"],
    "dw3x3_s8(all)": ["dw3x3_s8", "dw3x3_oddch_s8"],
    "dw_other_s8(all)": ["dw5x5_s8", "dw7x7_s8", "dw_nx1_s8"],
    "fc_s8(all)": ["fc_s8", "fc_odd_s8", "fc_perch_s8"],
    "avgpool_s8(all)": ["avgpool_s8", "avgpool_same_s8"],
    "maxpool_s8(all)": ["maxpool_s8", "maxpool_same_s8"],
}  # fmt: skip
_CM = {"dw_chmult4_s8": True, "dw_chmult2_s8": False}
# The published pool fits of ESP-NN use terms that are not described; these families are fitted anew here.
_NOT_REPRODUCED = {"espnn_ansi_avgpool_s8", "espnn_ansi_avgpool_same_s8", "espnn_ansi_maxpool_s8"}

MODELS = {"kws": "kws_ref_model", "vww": "vww_96_int8", "ic": "pretrainedResnet_quant",
          "ad": "model_ToyCar_quant_fullint_micro_intio", "sww": "str_ww_ref_model"}  # fmt: skip
CORES = {"m0": "c", "m3": "c", "m4": "dsp", "m7": "dsp", "m33": "dsp", "m55": "mve"}


@cache
def _measured() -> dict[tuple[str, str, str], list[dict[str, str]]]:
    rows: dict[tuple[str, str, str], list[dict[str, str]]] = defaultdict(list)
    for row in shared_csv("kernel_instructions.csv"):
        rows[row["core"], row["opt"], row["family"]].append(row)
    return rows


def _points(core: str, opt: str, family: str) -> list[dict[str, str]]:
    if family in _CM:
        chosen = _measured()[core, opt, "dw_chmult_s8"]
        return [row for row in chosen if (int(row["ch_mult"]) % 4 == 0) is _CM[family]]
    return [row for name in _MERGED.get(family, [family]) for row in _measured()[core, opt, name]]


def _extents(row: dict[str, str]) -> tuple[int, ...]:
    kinds = ("in_", "out_", "k_", "stride_", "pad_", "dilation")
    n = {name: int(row[name] or 0) for name in row if name.startswith(kinds)}
    if "fully" in row["kernel"]:
        return (1, 1, 1, n["in_c"], 1, 1, n["out_c"], 1, 1, n["in_c"], 1, 1, 1, 1)
    deep = "conv" in row["kernel"] and "depthwise" not in row["kernel"]
    step = max(1, n["stride_h"]), max(1, n["stride_w"])
    spread = max(1, n["dilation"])
    rows = taps_inside(Window(n["in_h"], n["out_h"], n["k_h"], step[0], spread, n["pad_top"], 0))
    cols = taps_inside(Window(n["in_w"], n["out_w"], n["k_w"], step[1], spread, n["pad_left"], 0))
    return (1, n["in_h"], n["in_w"], n["in_c"], n["out_h"], n["out_w"], n["out_c"], n["k_h"], n["k_w"],
            n["in_c"] if deep else 1, *step, rows, cols)  # fmt: skip


def test_the_terms_reproduce_the_errors_of_every_published_fit() -> None:
    fits: dict[tuple[str, str, str], dict[str, float]] = defaultdict(dict)
    stated: dict[tuple[str, str, str], tuple[float, ...]] = {}
    for row in shared_csv("kernel_fits.csv"):
        key = row["core"], row["opt"], row["family"]
        fits[key][row["term"]] = float(row["coefficient"])
        names = ("n", "median_abs_err_pct", "p90_abs_err_pct", "max_abs_err_pct")
        stated[key] = tuple(float(row[name]) for name in names)
    off = {}
    for key, coefficients in fits.items():
        points = _points(*key)
        matrix = kernel_terms(Extents(*np.array([_extents(p) for p in points], dtype=np.float64).T))
        weights = np.array([coefficients.get(term, 0.0) for term in TERMS])
        counted = np.array([float(p["instructions"]) for p in points])
        errors = np.abs(matrix @ weights / counted - 1) * 100
        found = (len(points), np.median(errors), np.percentile(errors, 90), errors.max())
        if not np.allclose(found, stated[key], rtol=0.02, atol=0.02):
            off[key] = (found, stated[key])
    assert len(fits) > 800
    assert {key[2] for key in off} - {"conv3x3_s16"} <= _NOT_REPRODUCED
    assert all(found[1] <= said[1] + 0.02 for key, (found, said) in off.items() if key[2] == "conv3x3_s16")


@cache
def _graph(model: str) -> ModelGraph:
    return read_tflite(shared_dir() / "models" / f"{MODELS[model]}.tflite")


def _error_pct(core: str, kernel_set: str, model: str) -> float:
    library, flavour = ("cmsis-nn", CORES[core]) if kernel_set == "cmsis-nn" else ("reference", "")
    build = KernelBuild(library, flavour, "arm32-short-enum")  # type: ignore[arg-type]
    one = Spread(1, 1, 1)
    costs = CoreCosts(
        core=core, counted=core, cpi=one, is_cached=False, is_of_bus_time=False, cycles_per_byte=one,
        at_clock_hz=None, stalls_at_clock_hz=None, element_factor=1.0, basis=Basis.CALIBRATED, source="test",
    )  # fmt: skip
    counted = count_instructions(compile_table(_graph(model), build), costs, Firmware(build, "O2", True))
    measured = {
        int(row["layer"]): int(row["instructions"])
        for row in shared_csv("model_layers.csv")
        if (row["model"], row["core"], row["kernel_set"], row["opt"]) == (model, core, kernel_set, "-O2")
        and row["layer"] != "TOTAL"
    }
    assert len(measured) > 5
    predicted = sum(counted.value[row] - INTERPRETER_INSTRUCTIONS[0] for row in measured)
    return float(100 * (predicted / sum(measured.values()) - 1))


# Out of sample: no shape of these models was fitted. Reference depthwise windows of one column (sww) are
# outside the shapes that were counted.
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize(("kernel_set", "bound_pct"), [("cmsis-nn", 1.1), ("tflm-reference", 1.0)])
def test_instruction_totals_of_the_mlperf_models(
    core: str, model: str, kernel_set: str, bound_pct: float
) -> None:
    wider = {("m0", "ad", "cmsis-nn"): 2.0, ("m3", "ad", "cmsis-nn"): 3.2}
    if kernel_set == "tflm-reference" and model == "sww":
        bound_pct = 7.5
    bound_pct = wider.get((core, model, kernel_set), bound_pct)
    assert abs(_error_pct(core, kernel_set, model)) < bound_pct
