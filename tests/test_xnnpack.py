"""LiteRT on Cortex-A boards and phones: what its NEON kernels do, what it costs, how well it is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cost_graphs import chain, conv, depthwise, elementwise, fully_connected, one_op, tensor
from hypothesis import given, settings
from hypothesis import strategies as st
from preflash import cli
from preflash.devices.catalog import device_names, load_device, load_target
from preflash.devices.target import Target
from preflash.errors import TargetInvalid
from preflash.graphs.ir import DType, ModelGraph
from preflash.graphs.tflite.write import write_tflite
from preflash.graphs.zoo import build
from preflash.simulator.interval import Basis
from preflash.simulator.kernels.xnnpack import NeonTerms, neon_terms
from preflash.simulator.kernels.xnnpack_data import CLASSES, neon_costs
from preflash.simulator.latency import CycleColumns, kernel_cycles
from preflash.simulator.memory.plan import plan_memory
from preflash.simulator.simulate import simulate
from preflash.simulator.workload import compile_table

PIXEL = load_target("pixel", "litert-xnnpack")
PI_4 = load_target("raspberry-pi-4b")
FLOAT = DType.FLOAT32


def cycles(graph: ModelGraph, target: Target = PIXEL) -> CycleColumns:
    return kernel_cycles(compile_table(graph, target.kernels), target)


def terms(graph: ModelGraph, dtype: str = "float32") -> NeonTerms:
    return neon_terms(compile_table(graph, PIXEL.kernels), dtype)


def total_s(graph: ModelGraph, target: Target) -> float:
    return float(cycles(graph, target).value.sum()) / target.clock_hz


@pytest.mark.parametrize(
    ("dtype", "macs"),
    [
        ("float32", 30 * 24 * 16),  # 25 pixels in tiles of 6 are 30, 20 channels in tiles of 8 are 24
        ("int8", 28 * 32 * 16),  # in tiles of 4 and 16: 28 and 32
    ],
)
def test_a_1x1_convolution_computes_whole_tiles(dtype: str, macs: int) -> None:
    assert terms(conv(5, 16, 20), dtype).gemm.tolist() == [macs]


def test_a_3x3_convolution_is_a_class_of_its_own() -> None:
    found = terms(conv(6, 8, 8, kernel=3))
    assert found.window.tolist() == [36 * 8 * 9 * 8]
    assert found.gemm.sum() == found.depthwise.sum() == 0


def test_a_depthwise_convolution_rounds_its_channels_up() -> None:
    assert terms(depthwise(4, 12)).depthwise.tolist() == [16 * 16 * 9]  # 12 channels in passes of 8


def test_one_row_of_a_matrix_is_dense_and_several_are_a_product() -> None:
    assert terms(fully_connected(64, 10)).dense.tolist() == [640]
    assert terms(fully_connected(64, 16, rows=12)).gemm.tolist() == [12 * 16 * 64]


def test_weights_and_activations_are_streamed_once() -> None:
    graph = conv(4, 8, 16, dtype=FLOAT)
    assert terms(graph).streamed_bytes.tolist() == [4 * (16 * 8 + 16 * 16 + 8 * 16 + 16)]


def test_cycles_are_work_over_rate_plus_overhead_and_streaming() -> None:
    graph = conv(6, 8, 8, kernel=3, dtype=FLOAT)
    costs, found = neon_costs(PIXEL, "float32"), terms(graph)
    work = found.window[0] * costs.cost_of["window"] + found.outputs[0] * costs.cost_of["outputs"]
    streamed = found.streamed_bytes[0] * costs.bytes_factor / costs.stream_bytes_per_s * PIXEL.clock_hz
    by_hand = work / costs.macs_per_cycle + costs.overhead_cycles + streamed
    assert cycles(graph).value[0] == pytest.approx(by_hand)


@settings(max_examples=20, deadline=None)
@given(
    side=st.integers(1, 12), in_c=st.integers(1, 40), out_c=st.integers(1, 40), kernel=st.sampled_from([1, 3])
)
def test_more_channels_never_run_faster_and_the_interval_holds_the_value(
    side: int, in_c: int, out_c: int, kernel: int
) -> None:
    small = cycles(conv(side, in_c, out_c, kernel=kernel))
    large = cycles(conv(side, in_c + 1, out_c + 1, kernel=kernel))
    assert small.value[0] <= large.value[0]
    assert small.lo[0] <= small.value[0] <= small.hi[0]
    assert small.stream_cycles[0] <= small.value[0]


@pytest.mark.parametrize(
    "name", [name for name in device_names() if "litert" in load_device(name).default_runtime]
)
def test_every_phone_and_linux_board_prices_a_network_in_both_types(name: str) -> None:
    for dtype in ("float32", "int8"):
        latency = simulate(build("kws01", dtype=dtype), load_target(name)).metric("latency_s")
        assert latency.value is not None and latency.lo is not None and latency.hi is not None
        assert latency.lo <= latency.value <= latency.hi


def test_half_the_clock_doubles_the_arithmetic_not_the_streaming() -> None:
    graph = conv(28, 64, 64, dtype=FLOAT)
    fast, slow = cycles(graph), cycles(graph, load_target("pixel", "litert-xnnpack", PIXEL.clock_hz / 2))
    assert slow.compute_cycles[0] == pytest.approx(fast.compute_cycles[0])
    assert slow.weight_stall_cycles[0] == pytest.approx(fast.weight_stall_cycles[0] / 2)


def test_threads_share_the_arithmetic_but_not_the_memory() -> None:
    graph = conv(56, 128, 128, dtype=FLOAT)
    one, four = (cycles(graph, load_target("raspberry-pi-4b", threads=count)) for count in (1, 4))
    assert one.value[0] / 4 < four.value[0] < one.value[0]
    assert one.weight_stall_cycles[0] == pytest.approx(four.weight_stall_cycles[0])


def test_int8_is_faster_than_float32() -> None:
    for target in (PIXEL, PI_4):
        assert total_s(build("mobilenet-v1", dtype="int8", width=0.25), target) < total_s(
            build("mobilenet-v1", dtype="float32", width=0.25), target
        )


def test_equal_macs_do_not_mean_equal_time_where_elements_are_worked_on() -> None:
    """SA-34: normalisation and GELU cost MobileBERT more than its products."""
    plain = fully_connected(128, 512, rows=128, dtype=FLOAT)
    curved = chain(plain, elementwise("GELU", (128, 512), dtype=FLOAT))
    for kind in ("SQUARED_DIFFERENCE", "MUL", "SUB", "ADD"):
        curved = chain(curved, elementwise(kind, (128, 512), operands=2, dtype=FLOAT))
    assert terms(plain).gemm.sum() == terms(curved).gemm.sum()
    assert total_s(curved, PIXEL) > 1.2 * total_s(plain, PIXEL)


def test_an_element_that_needs_an_exponential_costs_more_than_a_sum() -> None:
    add = cycles(elementwise("ADD", (1, 64, 64, 8), operands=1, dtype=FLOAT)).compute_cycles[0]
    assert cycles(elementwise("LOGISTIC", (1, 64, 64, 8), dtype=FLOAT)).compute_cycles[0] > add


@pytest.mark.parametrize(
    ("target", "basis", "word"),
    [
        (PIXEL, Basis.CALIBRATED, "fitted to phones.csv on kryo"),
        (PI_4, Basis.CALIBRATED, "with several threads"),
        (load_target("raspberry-pi-5"), Basis.ANALYTIC, "never measured on cortex-a76"),
    ],
)
def test_the_basis_says_what_of_the_target_was_measured(target: Target, basis: Basis, word: str) -> None:
    costs = neon_costs(target, "float32")
    assert costs.basis is basis
    assert word in costs.source


def test_what_was_measured_less_has_the_wider_interval() -> None:
    def width(target: Target) -> float:
        costs = neon_costs(target, "float32")
        return costs.hi_ratio / costs.lo_ratio

    known, few = load_target("raspberry-pi-4b", threads=4), load_target("raspberry-pi-5")
    assert width(known) < width(PI_4)
    assert width(known) < width(few)


def test_a_dot_product_that_nobody_measured_reaches_to_the_time_without() -> None:
    costs = neon_costs(load_target("raspberry-pi-5"), "int8")
    assert costs.hi_ratio > 2 > 1 / costs.lo_ratio


def test_types_that_nobody_measured_are_unknown_and_named() -> None:
    found = cycles(conv(4, 4, 4, dtype=DType.INT16))
    assert np.isnan(found.value[0])
    assert "int16" in found.interval(0).reason
    old = cycles(conv(4, 4, 4), load_target("pixel", "litert-2018"))
    assert old.interval(0).reason == "nobody measured int8 kernels of eigen"


def test_an_op_of_unknown_work_does_not_spoil_its_neighbours() -> None:
    mystery = one_op("IF", [tensor(0, (4,)), tensor(1, (4,))], inputs=(0,), outputs=(1,))
    found = cycles(chain(mystery, conv(4, 4, 4)))
    assert np.isnan(found.value[0]) and found.value[1] > 0
    assert "IF" in found.interval(0).reason


def test_every_class_of_work_is_a_column_of_the_terms() -> None:
    assert set(CLASSES) < set(NeonTerms._fields)


def test_the_arena_is_a_model_between_live_bytes_and_no_sharing() -> None:
    plan = plan_memory(build("mobilenet-v1", width=0.25, resolution=96), PI_4)
    assert plan.taken is not None and not plan.taken.is_fitted
    assert plan.lower_bound_bytes == plan.taken.lo_bytes <= plan.taken.value_bytes <= plan.taken.hi_bytes
    assert plan.taken.value_bytes > plan.head_bytes  # XNNPACK's packed filters


def test_the_verdict_is_unknown_while_the_code_is() -> None:
    estimate = simulate(build("kws01"), PI_4)
    assert estimate.verdict.word.value == "UNKNOWN"


@pytest.mark.parametrize(
    ("board", "runtime", "threads", "why"),
    [
        ("pixel", None, 3, "pixel has 2 such cores"),
        ("pixel", None, 0, "pixel has 2 such cores"),
        ("nucleo-l4r5zi", None, 2, "has one"),
        ("raspberry-pi-4b", "tflm-reference", 4, "tflm-reference has one"),
    ],
)
def test_threads_that_cannot_be_had_are_refused(
    board: str, runtime: str | None, threads: int, why: str
) -> None:
    with pytest.raises(TargetInvalid, match=why):
        load_target(board, runtime, threads=threads)


def test_check_takes_threads_and_says_so_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "kws.tflite"
    path.write_bytes(write_tflite(build("kws01")))
    assert cli.run(["check", str(path), "-d", "raspberry-pi-4b", "--threads", "4"]) == 0
    shown = capsys.readouterr().out
    assert "--threads 4" in shown and "calibrated" in shown
