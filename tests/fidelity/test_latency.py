"""Published latencies of MLPerf Tiny and of ESP32 boards against the estimate."""

from __future__ import annotations

import math
from functools import cache

import pytest
from placed_targets import with_memories
from preflash.devices.catalog import load_target
from preflash.graphs.ir import ModelGraph
from preflash.graphs.tflite.read import read_tflite
from preflash.graphs.zoo import build
from preflash.simulator.calibrate.shipped import fit_shipped
from preflash.simulator.kernels.cores import core_costs
from preflash.simulator.kernels.factors import kernel_factors
from preflash.simulator.kernels.instructions import count_instructions, firmware_of
from preflash.simulator.latency import kernel_cycles
from preflash.simulator.workload import compile_table
from shared_data import shared_csv, shared_dir

MODELS = {"kws": "kws_ref_model", "vww": "vww_96_int8", "ic": "pretrainedResnet_quant",
          "ad": "model_ToyCar_quant_fullint_micro_intio", "person_detect": "person_detect"}  # fmt: skip
FITTED = {"nucleo-l4r5zi": "NUCLEO-L4R5ZI (v1.0 OctoML microTVM+CMSIS-NN",
          "nrf5340-dk": "nRF5340-DK (v1.0 OctoML microTVM+CMSIS-NN"}  # fmt: skip
RUNTIME = "microtvm-cmsis-nn"


@cache
def graph(model: str) -> ModelGraph:
    return read_tflite(shared_dir() / "models" / f"{MODELS[model]}.tflite")


def published(board: str) -> dict[str, dict[str, str]]:
    start = FITTED[board]
    return {
        row["model"]: row for row in shared_csv("cpi_check.csv") if row["board_submission"].startswith(start)
    }


def estimate_ms(board: str, runtime: str, model: str) -> tuple[float, float, float]:
    target = load_target(board, runtime=runtime)
    found = kernel_cycles(compile_table(graph(model), target.kernels), target)
    low, value, high = (
        float(part.sum()) / target.clock_hz * 1e3 for part in (found.lo, found.value, found.hi)
    )
    return low, value, high


@pytest.mark.parametrize("board", FITTED)
@pytest.mark.parametrize("model", ["kws", "vww", "ic", "ad"])
def test_our_count_times_the_release_factor_is_the_count_of_the_submitted_sources(
    board: str, model: str
) -> None:
    """Instructions of CMSIS-NN of 2022, counted in an emulator; three factors stand between the two."""
    target, row = load_target(board, runtime=RUNTIME), published(board)[model]
    costs = core_costs(target)
    assert costs is not None
    table = compile_table(graph(model), target.kernels)
    counted = count_instructions(table, costs, firmware_of(target))
    factors = kernel_factors(table, target, counted)
    assert factors is not None
    assert abs((counted.value * factors).sum() / int(row["instructions_qemu"]) - 1) * 100 < 6


@pytest.mark.parametrize("board", FITTED)
@pytest.mark.parametrize("model", ["kws", "vww", "ic", "ad"])
def test_the_calibration_gives_the_published_latency_within_its_interval(board: str, model: str) -> None:
    """In sample: these rows are among those that the calibration was fitted to."""
    measured_ms = float(published(board)[model]["latency_ms"])
    low, value, high = estimate_ms(board, RUNTIME, model)
    assert low <= measured_ms <= high
    assert abs(value / measured_ms - 1) < 0.10


@pytest.mark.parametrize("board", FITTED)
@pytest.mark.parametrize("model", ["kws", "vww", "ic", "ad"])
def test_without_any_row_of_the_board_its_core_gives_the_published_latency(board: str, model: str) -> None:
    """Held out: fitted to the rows of all other boards."""
    (one,) = (
        held for held in fit_shipped().board_out
        if (held.features.device, held.features.row.runtime, held.features.row.network)
        == (board, RUNTIME, f"zoo:{model}01")
    )  # fmt: skip
    assert abs(1 / one.ratio - 1) < 0.15


OTHERS = [
    ("ek-ra8d1", "tflm-cmsis-nn", "kws", 3.465),  # MLPerf Tiny v1.2
    ("ek-ra8d1", "tflm-cmsis-nn", "ad", 0.531),
    ("esp32", "tflm-esp-nn", "person_detect", 474.2),  # mcufit_bench_models.csv
    ("esp32", "tflm-esp-nn", "kws", 162.3),
    ("esp32", "tflm-esp-nn", "ic", 724.4),
    ("esp32", "tflm-esp-nn", "ad", 49.29),
    ("arduino-nano-33-ble", "tflm-arduino", "person_detect", 655.1),
    ("arduino-nano-33-ble", "tflm-arduino", "ad", 22.0),
    ("esp32-s3", "tflm-esp-nn", "person_detect", 54),  # measured_other.csv, esp-nn README
    ("esp32-c3", "tflm-esp-nn", "person_detect", 426),
    ("esp32-c3", "tflm-reference", "person_detect", 3355),
]


@pytest.mark.parametrize(("board", "runtime", "model", "measured_ms"), OTHERS)
def test_the_interval_holds_what_others_measured(
    board: str, runtime: str, model: str, measured_ms: float
) -> None:
    """In sample: the bounds in cores.csv and kernel_forms.csv were set with these figures in view."""
    low, _, high = estimate_ms(board, runtime, model)
    assert low <= measured_ms <= high


def test_one_published_latency_lies_above_its_interval() -> None:
    """An interval from p10 to p90 is passed by one row in five. Here the 3x3 convolutions of ic01 take a fifth
    longer than on the other boards of this core (CONV_2D 1167.56 of 1241.8 ms, mcufit_bench_ops.csv).
    """
    _, value, high = estimate_ms("arduino-nano-33-ble", "tflm-arduino", "ic")
    assert high < 1241.8 < 1.25 * value


def test_a_published_latency_lies_above_the_lower_bound_where_the_flash_speed_is_unknown() -> None:
    """ESP32-P4, person_detect with ESP-NN: 73 ms (esp-nn README), the flash without its speed."""
    target = with_memories(load_target("esp32-p4", clock="360 MHz"), flash={"access": None})
    found = kernel_cycles(compile_table(graph("person_detect"), target.kernels), target)
    assert math.isnan(found.value.sum()) and math.isnan(found.hi.sum())
    assert 0 < found.lo.sum() / target.clock_hz * 1e3 <= 73


def test_the_person_detector_of_the_zoo_is_the_published_one_op_by_op() -> None:
    made, published_graph = build("person-detect"), graph("person_detect")
    for built, read in zip(made.ops, published_graph.ops, strict=True):
        shapes = (made.tensors[built.outputs[0]].shape, published_graph.tensors[read.outputs[0]].shape)
        assert (built.kind, shapes[0]) == (read.kind, shapes[1])
