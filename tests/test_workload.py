"""Multiply-accumulates are counted from shapes; a model becomes one table row per kernel."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cost_graphs import chain, conv, depthwise, elementwise, fully_connected, one_op, pool, tensor
from preflash.devices.target import KernelBuild
from preflash.graphs.geometry import Padding
from preflash.graphs.ir import DType, ModelGraph, wire
from preflash.graphs.ops import TransposeConvAttributes
from preflash.simulator.workload import MACS_OF, NO_MACS, compile_table, op_macs

DSP = KernelBuild("cmsis-nn", "dsp", "arm32-short-enum")


def macs(graph: ModelGraph) -> int | None:
    return op_macs(graph.main, graph.ops[0])


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        (conv(96, 3, 8, kernel=3, stride=2), 48 * 48 * 8 * 27),  # padding taps count, as published
        (conv(10, 64, 64), 10 * 10 * 64 * 64),
        (conv(8, 3, 64, kernel=3, padding=Padding.VALID), 6 * 6 * 64 * 27),
        (depthwise(12, 4, kernel=5, multiplier=8), 12 * 12 * 32 * 25),
        (fully_connected(640, 128), 640 * 128),
        (fully_connected(640, 128, rows=7), 7 * 640 * 128),
        (pool("AVERAGE_POOL_2D", 8, 64, window=8), 0),
        (elementwise("ADD", (1, 4, 4, 8), operands=2), 0),
    ],
    ids=["conv", "conv 1x1", "conv valid", "depthwise", "fc", "fc rows", "pool", "add"],
)
def test_macs_are_outputs_times_the_taps_of_one_filter(graph: ModelGraph, expected: int) -> None:
    assert macs(graph) == expected


def test_depthwise_counts_one_filter_per_channel() -> None:
    assert macs(depthwise(16, 16)) == 16 * 16 * 16 * 9


def test_transposed_convolution_spreads_every_input_over_one_window() -> None:
    tensors = [tensor(0, (4,), dtype=DType.INT32, constant=True), tensor(1, (6, 3, 3, 8), constant=True),
               tensor(2, (1, 5, 5, 8)), tensor(3, (1, 10, 10, 6))]  # fmt: skip
    graph = one_op("TRANSPOSE_CONV", tensors, inputs=(0, 1, 2), outputs=(3,),
                   attributes=TransposeConvAttributes(Padding.SAME, 2, 2))  # fmt: skip
    assert macs(graph) == 5 * 5 * 8 * 3 * 3 * 6


@pytest.mark.parametrize("left", [(2, 3, 5), (2, 5, 3)], ids=["plain", "transposed"])
def test_batch_matmul_multiplies_rows_depth_columns(left: tuple[int, ...]) -> None:
    tensors = [tensor(0, left), tensor(1, (2, 5, 4)), tensor(2, (2, 3, 4))]
    assert macs(one_op("BATCH_MATMUL", tensors, inputs=(0, 1), outputs=(2,))) == 2 * 3 * 5 * 4


def test_svdf_runs_feature_and_time_weights_once() -> None:
    tensors = [tensor(0, (2, 10)), tensor(1, (16, 10), constant=True), tensor(2, (16, 8), constant=True),
               tensor(3, (2, 16 * 8)), tensor(4, (2, 8))]  # fmt: skip
    assert macs(one_op("SVDF", tensors, inputs=(0, 1, 2, -1, 3), outputs=(4,))) == 2 * (160 + 128)


def test_lstm_runs_four_gates_of_both_matrices_at_every_step() -> None:
    data = tensor(0, (1, 5, 6))
    gates = [tensor(1 + n, (4, 6), constant=True) for n in range(4)]
    recurrent = [tensor(5 + n, (4, 4), constant=True) for n in range(4)]
    out = tensor(9, (1, 5, 4))
    inputs = (0, 1, 2, 3, 4, 5, 6, 7, 8, *[-1] * 15)
    graph = one_op(
        "UNIDIRECTIONAL_SEQUENCE_LSTM", [data, *gates, *recurrent, out], inputs=inputs, outputs=(9,)
    )
    assert macs(graph) == 5 * 4 * (4 * 6 + 4 * 4)


def test_conv_3d_counts_five_extents() -> None:
    tensors = [
        tensor(0, (1, 4, 4, 4, 2)),
        tensor(1, (3, 3, 3, 2, 5), constant=True),
        tensor(2, (1, 2, 2, 2, 5)),
    ]
    assert macs(one_op("CONV_3D", tensors, inputs=(0, 1), outputs=(2,))) == 2 * 2 * 2 * 5 * 27 * 2


@pytest.mark.parametrize("kind", ["IF", "WHILE", "CUSTOM", "NO_SUCH_KIND"])
def test_nobody_counts_what_depends_on_data_or_is_not_known(kind: str) -> None:
    graph = one_op(kind, [tensor(0, (4,)), tensor(1, (4,))], inputs=(0,), outputs=(1,), custom_code="mystery")
    assert macs(graph) is None


def test_no_kind_is_both_free_and_counted() -> None:
    assert not NO_MACS & MACS_OF.keys()


def test_a_fused_kernel_does_the_work_of_all_its_ops() -> None:
    both = chain(conv(8, 4, 4), fully_connected(16, 4))
    fused = replace(both.ops[0], fused=both.ops)
    assert op_macs(both.main, fused) == 8 * 8 * 4 * 4 + 64


def test_a_fused_kernel_counts_the_elements_of_the_ops_it_swallowed() -> None:
    both = chain(conv(8, 4, 4), elementwise("RELU", (1, 8, 8, 4)))
    kernel = replace(both.ops[0], fused=both.ops)
    graph = both.with_main(wire(both.tensors, [kernel], inputs=both.inputs, outputs=both.outputs))
    table = compile_table(graph, DSP)
    assert table.swallowed_elements.tolist() == [8 * 8 * 4]


def test_a_row_holds_the_bytes_of_its_op() -> None:
    table = compile_table(conv(10, 8, 16, kernel=3, dtype=DType.INT16), DSP)
    assert len(table) == 1
    assert table.in_bytes.tolist() == [2 * 10 * 10 * 8]
    assert table.out_bytes.tolist() == [2 * 10 * 10 * 16]
    assert table.filter_bytes.tolist() == [16 * 9 * 8]
    assert table.weight_bytes.tolist() == [16 * 9 * 8 + 16 * 4]


def test_taps_inside_leave_out_the_padding() -> None:
    extents = compile_table(conv(3, 1, 1, kernel=3), DSP).extents
    # 3 positions x 3 taps = 9, one falls off on either side
    assert (extents.row_taps.tolist(), extents.col_taps.tolist()) == ([7.0], [7.0])


def test_an_op_without_a_window_is_a_row_of_pixels() -> None:
    extents = compile_table(elementwise("ADD", (1, 5, 4, 6), operands=2), DSP).extents
    assert (extents.out_w.tolist(), extents.out_c.tolist()) == ([20.0], [6.0])


def test_a_table_is_made_once_per_graph_and_build() -> None:
    graph = conv(8, 8, 8)
    assert compile_table(graph, DSP) is compile_table(graph, DSP)
    assert compile_table(graph, DSP) is not compile_table(graph, replace(DSP, flavour="mve"))


def test_a_model_without_ops_is_an_empty_table() -> None:
    graph = ModelGraph((wire([tensor(0, (1, 4))], [], inputs=(0,), outputs=(0,)),))
    assert len(compile_table(graph, DSP)) == 0
