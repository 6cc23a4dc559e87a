"""Cycles are instructions times CPI plus fetched bytes times stall; seconds are cycles over the clock."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from cost_graphs import chain, conv, depthwise, elementwise, fully_connected, one_op, tensor
from hypothesis import given, settings
from hypothesis import strategies as st
from preflash.devices.calibration import Given, shipped_calibration
from preflash.devices.catalog import load_target
from preflash.devices.spec import AccessSpec
from preflash.devices.target import Target
from preflash.graphs.ir import DType, ModelGraph, wire
from preflash.simulator.estimate import Word
from preflash.simulator.interval import Basis
from preflash.simulator.kernels.cores import core_costs, error_ratios
from preflash.simulator.kernels.instructions import count_instructions, firmware_of
from preflash.simulator.latency import CycleColumns, kernel_cycles, op_latency
from preflash.simulator.rows import total_latency_s
from preflash.simulator.traffic import kernel_traffic
from preflash.simulator.verdict import check_budget
from preflash.simulator.workload import compile_table

L4R5 = load_target("nucleo-l4r5zi", runtime="tflm-cmsis-nn")
ACCELERATOR = load_target("example-npu")


def cycles(graph: ModelGraph, target: Target = L4R5) -> CycleColumns:
    return kernel_cycles(compile_table(graph, target.kernels), target)


def weights_in_ram(target: Target) -> Target:
    """The same board with code and weights in its RAM: nothing waits for flash."""
    homes = {"flash": (), "ram": ("weights", "code", "arena", "static")}
    ram = target.device.home_of("arena").name
    memories = tuple(
        memory.model_copy(update={"holds": homes["ram"] if memory.name == ram else ()})
        for memory in target.device.memories
    )
    return replace(target, device=target.device.model_copy(update={"memories": memories}))


def test_cycles_are_instructions_times_cpi_plus_stalls_of_the_weights() -> None:
    table = compile_table(conv(9, 16, 16), L4R5.kernels)
    costs = core_costs(L4R5)
    assert costs is not None
    counted = count_instructions(table, costs, firmware_of(L4R5))
    fetched = kernel_traffic(table, L4R5).weight_read_bytes
    found = kernel_cycles(table, L4R5)
    by_hand = counted.value[0] * costs.cpi.value + fetched[0] * costs.cycles_per_byte.value
    assert found.value[0] == pytest.approx(by_hand)
    assert found.compute_cycles[0] + found.weight_stall_cycles[0] == pytest.approx(found.value[0])


@settings(max_examples=25, deadline=None)
@given(
    side=st.integers(1, 12), in_c=st.integers(1, 32), out_c=st.integers(1, 32), clock_mhz=st.integers(2, 120)
)
def test_halving_the_clock_doubles_compute_bound_time(
    side: int, in_c: int, out_c: int, clock_mhz: int
) -> None:
    graph, ram = conv(side, in_c, out_c), weights_in_ram(L4R5)
    full, half = replace(ram, clock_hz=clock_mhz * 1e6), replace(ram, clock_hz=clock_mhz * 0.5e6)
    fast, slow = (op_latency(cycles(graph, target), 0, target) for target in (full, half))
    assert fast.value is not None and slow.value == pytest.approx(2 * fast.value)


def test_fewer_wait_states_stall_less() -> None:
    graph = fully_connected(640, 128)
    access = L4R5.device.home_of("weights").access
    assert access is not None
    fast, slow = (replace(L4R5, clock_hz=hz) for hz in (120e6, 48e6))
    stalls = [cycles(graph, target).weight_stall_cycles[0] for target in (fast, slow)]
    assert stalls[1] / stalls[0] == pytest.approx(access.wait_states_at(48e6) / access.wait_states_at(120e6))


def test_weights_in_ram_do_not_stall() -> None:
    graph = fully_connected(640, 128)
    assert cycles(graph, weights_in_ram(L4R5)).weight_stall_cycles[0] == 0
    assert cycles(graph).weight_stall_cycles[0] > 0


def test_the_figure_lies_in_its_interval_and_a_fitted_board_is_calibrated() -> None:
    found = cycles(chain(conv(9, 16, 16, kernel=3), depthwise(9, 16)))
    assert (found.lo <= found.value).all() and (found.value <= found.hi).all()
    assert found.basis == [Basis.CALIBRATED, Basis.CALIBRATED]
    assert all("its own among them" in source for source in found.source)


def test_another_board_of_a_measured_core_is_calibrated_by_the_others_and_wider() -> None:
    graph = conv(9, 16, 16, kernel=3)
    fitted, other = cycles(graph), cycles(graph, load_target("nucleo-f446re", runtime="tflm-cmsis-nn"))
    assert other.basis == [Basis.CALIBRATED]
    assert "none of them this one; p10..p90 of boards left out" in other.source[0]
    assert other.hi[0] / other.lo[0] >= 0.999 * fitted.hi[0] / fitted.lo[0]


@pytest.mark.parametrize("library", ["cmsis-nn", "x-cube-ai"])
def test_whoever_knows_less_of_a_board_is_never_surer(library: str) -> None:
    known: tuple[Given, ...] = ("board", "core", "nothing")
    ends = [error_ratios(shipped_calibration(), library, given) for given in known]
    for (low, high), (lower, higher) in pairwise(ends):
        assert lower <= low <= 1 <= high <= higher


def test_a_core_that_was_never_measured_is_analytic_and_wider_still() -> None:
    graph = conv(9, 16, 16, kernel=3)
    other = cycles(graph, load_target("nucleo-f446re", runtime="tflm-cmsis-nn"))
    never = cycles(graph, load_target("rp2040", runtime="tflm-cmsis-nn"))
    assert never.basis == [Basis.ANALYTIC]
    assert never.hi[0] / never.lo[0] > other.hi[0] / other.lo[0]


@pytest.mark.parametrize("board", ["raspberry-pi-4b", "gap9-evk"])
def test_a_core_without_a_cost_model_is_unknown_and_named(board: str) -> None:
    target = load_target(board, "tflm-reference")
    found = cycles(conv(4, 4, 4), target)
    assert np.isnan(found.value[0])
    interval = op_latency(found, 0, target)
    assert interval.value is None
    assert target.device.core.name in interval.reason
    assert found.bound == ["unknown"]


def test_an_unpriced_op_does_not_spoil_its_neighbours() -> None:
    mystery = one_op("IF", [tensor(0, (4,)), tensor(1, (4,))], inputs=(0,), outputs=(1,))
    found = cycles(chain(mystery, conv(4, 4, 4)))
    assert np.isnan(found.value[0]) and found.value[1] > 0
    assert "known only when running" in found.interval(0).reason


@settings(max_examples=15, deadline=None)
@given(side=st.integers(1, 12), in_c=st.integers(1, 32), out_c=st.integers(1, 32))
@pytest.mark.parametrize("board", ["nucleo-l4r5zi", "stm32f030r8", "ek-ra8d1", "esp32-s3", "esp32"])
def test_a_row_takes_the_same_time_alone_and_in_company(board: str, side: int, in_c: int, out_c: int) -> None:
    target = load_target(board)
    one, other = conv(side, in_c, out_c, kernel=3), elementwise("ADD", (1, side, side, out_c), operands=2)
    together = cycles(chain(one, other), target).value.tolist()
    assert together == pytest.approx([cycles(one, target).value[0], cycles(other, target).value[0]])


def test_streaming_more_than_computing_is_bound_by_the_memory() -> None:
    slow = load_target("esp32", runtime="tflm-esp-nn")  # 25 cycles for every byte of external flash
    assert cycles(fully_connected(640, 128), slow).bound == [slow.device.home_of("weights").name]
    assert cycles(conv(16, 16, 16, kernel=3), slow).bound == ["compute"]


def test_an_external_memory_takes_at_least_the_time_of_its_bandwidth() -> None:
    target = load_target("esp32-s3")
    flash = target.device.home_of("weights")
    assert flash.access is not None and flash.access.bandwidth_bytes_per_s is not None
    found = op_latency(cycles(fully_connected(640, 128), target), 0, target)
    assert found.lo is not None and found.lo >= 640 * 128 / flash.access.bandwidth_bytes_per_s


def test_an_arena_in_slow_external_memory_holds_the_kernel_back() -> None:
    ram = L4R5.device.home_of("arena")
    access = AccessSpec.model_validate({"bandwidth": "1 MB/s", "source": "test", "confidence": "assumed"})
    memories = tuple(
        memory.model_copy(update={"access": access}) if memory.name == ram.name else memory
        for memory in L4R5.device.memories
    )
    slow = replace(L4R5, device=L4R5.device.model_copy(update={"memories": memories}))
    graph = elementwise("ADD", (1, 32, 32, 8), operands=2)
    found = op_latency(cycles(graph, slow), 0, slow)
    assert cycles(graph, slow).bound == [ram.name]
    assert found.lo is not None and found.lo >= 3 * 32 * 32 * 8 / 1e6


def test_another_clock_than_the_fitted_one_is_no_longer_calibrated() -> None:
    graph = conv(9, 16, 16, kernel=3)
    assert cycles(graph, replace(L4R5, clock_hz=48e6)).basis == [Basis.ANALYTIC]


def test_the_source_says_what_was_taken_for_granted() -> None:
    found = cycles(conv(9, 16, 16, kernel=3, dtype=DType.INT16))
    assert "counted for int8 only" in found.source[0]


def test_an_accelerator_divides_work_by_rate_and_adds_its_overhead() -> None:
    rate = ACCELERATOR.runtime.rate
    assert rate is not None
    found = cycles(conv(16, 64, 64), ACCELERATOR)
    npu = ACCELERATOR.device.npu
    ratio = ACCELERATOR.clock_hz / npu.clock_hz if npu and npu.clock_hz else 1.0
    busy = 16 * 16 * 64 * 64 / rate.macs_per_cycle
    assert found.compute_cycles[0] == pytest.approx(
        ratio * (busy / (rate.utilisation_lo * rate.utilisation_hi) ** 0.5 + rate.overhead_cycles_per_kernel)
    )
    assert found.lo[0] <= found.value[0] <= found.hi[0]


def test_fusing_an_op_into_a_kernel_saves_its_overhead_and_its_traffic() -> None:
    both = chain(conv(16, 8, 8), elementwise("RELU", (1, 16, 16, 8)))
    apart = cycles(both, ACCELERATOR)
    kernel = replace(both.ops[0], fused=both.ops)
    fused = both.with_main(wire(both.tensors, [kernel], inputs=both.inputs, outputs=both.outputs))
    assert cycles(fused, ACCELERATOR).value.sum() < apart.value.sum()


def test_an_empty_model_takes_no_cycles() -> None:
    empty = ModelGraph((wire([tensor(0, (1, 4))], [], inputs=(0,), outputs=(0,)),))
    for target in (L4R5, ACCELERATOR, load_target("raspberry-pi-4b")):
        assert cycles(empty, target).value.sum() == 0


def fed_from_unstated_flash() -> Target:
    """The RP2350 board with its external flash's speed struck out."""
    target = load_target("rp2350")
    flash = target.device.home_of("weights")
    assert flash.kind == "external-flash"
    memories = tuple(
        memory.model_copy(update={"access": None}) if memory.name == flash.name else memory
        for memory in target.device.memories
    )
    return replace(target, device=target.device.model_copy(update={"memories": memories}))


def test_weights_in_an_external_memory_of_unknown_speed_have_no_latency_but_a_lower_bound() -> None:
    target = fed_from_unstated_flash()
    found = op_latency(cycles(fully_connected(640, 128), target), 0, target)
    assert found.value is None and found.hi is None
    assert found.lo is not None and found.lo > 0
    assert "no access speed" in found.reason


def test_a_kernel_without_weights_keeps_its_price_there() -> None:
    found = cycles(elementwise("ADD", (1, 8, 8, 8), operands=2), fed_from_unstated_flash())
    assert found.basis[0] is not Basis.UNKNOWN


def test_a_deadline_below_the_lower_bound_is_a_no_although_the_latency_is_unknown() -> None:
    target = fed_from_unstated_flash()
    table = compile_table(fully_connected(640, 128), target.kernels)
    whole = total_latency_s(table, kernel_cycles(table, target), target.clock_hz)
    assert whole.value is None and whole.lo is not None and whole.lo > 0
    late = check_budget("latency", whole, whole.lo / 2, unit="s", tight_headroom=0.1)
    early = check_budget("latency", whole, whole.lo * 2, unit="s", tight_headroom=0.1)
    assert (late.word, early.word) == (Word.NO, Word.UNKNOWN)
