"""Bytes moved follow from how a kernel's loops block: hand-worked per kernel."""

from __future__ import annotations

import pytest
from cost_graphs import chain, conv, depthwise, elementwise, fully_connected, one_op, tensor
from hypothesis import given, settings
from hypothesis import strategies as st
from preflash.devices.catalog import load_target
from preflash.devices.target import Target
from preflash.graphs.geometry import Padding
from preflash.graphs.ir import ModelGraph
from preflash.simulator.traffic import TrafficColumns, kernel_traffic
from preflash.simulator.workload import compile_table

M4 = load_target("nucleo-l4r5zi", runtime="tflm-cmsis-nn")
REFERENCE = load_target("nucleo-l4r5zi", runtime="tflm-reference")
HELIUM = load_target("ek-ra8d1", runtime="tflm-cmsis-nn")


def moved(graph: ModelGraph, target: Target = M4) -> TrafficColumns:
    return kernel_traffic(compile_table(graph, target.kernels), target)


def test_a_1x1_convolution_reads_weights_once_per_two_pixels_and_inputs_once_per_two_outputs() -> None:
    found = moved(conv(3, 8, 6))  # 9 pixels: 5 passes over 48 weights, and 6 int32 biases
    assert found.weight_read_bytes.tolist() == [5 * 48 + 24]
    assert found.arena_read_bytes.tolist() == [9 * 8 * 3]
    assert found.arena_write_bytes.tolist() == [9 * 6]


def test_helium_reads_weights_once_per_four_pixels_and_inputs_once_per_output() -> None:
    found = moved(conv(3, 8, 6), HELIUM)
    assert found.weight_read_bytes.tolist() == [3 * 48 + 24]
    assert found.arena_read_bytes.tolist() == [9 * 8 * 6]


def test_a_window_is_copied_to_16_bits_before_it_is_multiplied() -> None:
    found = moved(conv(4, 4, 2, kernel=2, padding=Padding.VALID))  # 9 windows of 2 x 2 x 4
    window_bytes = 9 * 2 * 2 * 4
    assert found.arena_write_bytes.tolist() == [9 * 2 + 2 * window_bytes]
    assert found.arena_read_bytes.tolist() == [window_bytes + 2 * window_bytes]  # one pass for both outputs


def test_the_reference_convolution_reads_all_weights_at_every_pixel() -> None:
    found = moved(conv(4, 4, 2, kernel=2, padding=Padding.VALID), REFERENCE)
    assert found.weight_read_bytes.tolist() == [9 * 32 + 8]
    assert found.arena_read_bytes.tolist() == [9 * 2 * 2 * 4 * 2]  # once per multiplication
    assert found.arena_write_bytes.tolist() == [9 * 2]


def test_depthwise_skips_the_padding() -> None:
    found = moved(depthwise(3, 2))  # 7 x 7 of 9 x 9 (pixel, tap) pairs lie in the image; 9 pixels of 9 taps
    assert found.arena_read_bytes.tolist() == [49 * 2]
    assert found.weight_read_bytes.tolist() == [pytest.approx(49 * 2 + 8)]


def test_fully_connected_reads_every_weight_once_per_row() -> None:
    found = moved(fully_connected(64, 8, rows=3))
    assert found.weight_read_bytes.tolist() == [3 * 64 * 8]
    assert found.arena_read_bytes.tolist() == [3 * 64 * 2]  # 8 outputs in groups of 4


def test_an_elementwise_op_moves_each_byte_once() -> None:
    found = moved(elementwise("ADD", (1, 4, 4, 8), operands=2))
    assert (found.arena_read_bytes.tolist(), found.arena_write_bytes.tolist()) == ([256], [128])


def test_recurrent_weights_are_read_at_every_step() -> None:
    tensors = [tensor(0, (1, 5, 6)), *(tensor(1 + n, (4, 6), constant=True) for n in range(4)),
               *(tensor(5 + n, (4, 4), constant=True) for n in range(4)), tensor(9, (1, 5, 4))]  # fmt: skip
    inputs = (0, 1, 2, 3, 4, 5, 6, 7, 8, *[-1] * 15)
    graph = one_op("UNIDIRECTIONAL_SEQUENCE_LSTM", tensors, inputs=inputs, outputs=(9,))
    assert moved(graph, REFERENCE).weight_read_bytes.tolist() == [5 * 4 * (24 + 16)]


def test_bytes_go_to_the_memories_that_hold_them() -> None:
    found = moved(chain(conv(3, 8, 6), fully_connected(8, 4)))
    flash, arena = found.by_memory()
    assert (flash.memory, arena.memory) == (
        M4.device.home_of("weights").name,
        M4.device.home_of("arena").name,
    )
    assert flash.write_bytes == 0
    rows = [part for row in found.rows() for part in row]
    assert sum(p.read_bytes for p in rows if p.memory == flash.memory) == flash.read_bytes
    assert sum(p.write_bytes for p in rows if p.memory == arena.memory) == arena.write_bytes


def test_what_blocking_reads_again_and_copies_is_told_apart() -> None:
    weights, arena = moved(conv(3, 8, 6)).by_memory()
    assert weights.repeated_bytes == 4 * 48  # 5 passes, the first of them needed
    assert arena.repeated_bytes == 9 * 8 * 2  # inputs once per two of six outputs
    copied = moved(conv(4, 4, 2, kernel=2, padding=Padding.VALID)).by_memory()[1]
    assert copied.repeated_bytes == copied.read_bytes + copied.write_bytes - (4 * 4 * 4 + 9 * 2)


@settings(max_examples=40, deadline=None)
@given(side=st.integers(1, 12), in_c=st.integers(1, 20), out_c=st.integers(1, 20), kernel=st.integers(1, 4),
       stride=st.integers(1, 3), target=st.sampled_from([M4, REFERENCE, HELIUM]))  # fmt: skip
def test_no_kernel_moves_less_than_each_output_once(
    side: int, in_c: int, out_c: int, kernel: int, stride: int, target: Target
) -> None:
    table = compile_table(conv(side, in_c, out_c, kernel=kernel, stride=stride), target.kernels)
    found = kernel_traffic(table, target)
    assert found.arena_write_bytes[0] >= table.out_bytes[0]
    assert found.arena_read_bytes[0] >= table.in_bytes[0]
    assert found.unique_bytes[0] == table.weight_bytes[0] + table.in_bytes[0] + table.out_bytes[0]
