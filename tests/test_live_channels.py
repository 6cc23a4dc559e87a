"""Channels whose weights are all zero are cut out of shapes and filters, where every reader allows it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from preflash.devices.catalog import load_target
from preflash.graphs.build import GraphBuilder
from preflash.graphs.check import check
from preflash.graphs.dims import op_dims
from preflash.graphs.geometry import Padding
from preflash.graphs.ir import ModelGraph
from preflash.graphs.ops import Activation, Conv2DAttributes, DepthwiseConv2DAttributes
from preflash.graphs.passes.live_channels import dead_channels, without_dead_channels
from preflash.graphs.tflite.read import read_tflite
from preflash.graphs.zoo import build
from preflash.simulator.work_graph import work_graph
from preflash.simulator.workload import compile_table
from shared_data import shared_dir

SAME = Conv2DAttributes(Padding.SAME, 1, 1, Activation.RELU)
DEPTHWISE = DepthwiseConv2DAttributes(Padding.SAME, 1, 1)


def macs(graph: ModelGraph) -> list[int]:
    """Of every op with a filter: output elements x filter taps x filter depth."""
    found = (op_dims(graph.main, op) for op in graph.ops)
    return [d.out_h * d.out_w * d.out_c * d.k_h * d.k_w * d.filter_c for d in found if d and d.weight_dtype]


def with_zero_filters(graph: ModelGraph, op: int, channels: list[int]) -> ModelGraph:
    """The graph with these output channels of the op's filter set to zero."""
    index = graph.ops[op].inputs[1]
    weight = graph.tensors[index]
    values = np.frombuffer(weight.data or b"", np.int8).reshape(weight.shape).copy()
    values[channels] = 0
    tensors = list(graph.tensors)
    tensors[index] = replace(weight, data=values.tobytes())
    return graph.with_main(replace(graph.main, tensors=tuple(tensors)))


def separable() -> ModelGraph:
    """4x4x3 -> 3x3 to 8 channels -> depthwise 3x3 -> 1x1 to 4 channels."""
    b = GraphBuilder("separable")
    x = b.depthwise(b.conv(b.input((1, 4, 4, 3)), 8, (3, 3), SAME), (3, 3), DEPTHWISE)
    return b.finish([b.conv(x, 4, (1, 1), SAME)])


def residual() -> ModelGraph:
    """4x4x4 -> 3x3 to 4 channels -> + what went in."""
    b = GraphBuilder("residual")
    x = b.conv(b.input((1, 4, 4, 4)), 4, (1, 1), SAME)
    return b.finish([b.conv(b.add(x, b.conv(x, 4, (3, 3), SAME)), 2, (1, 1), SAME)])


def test_a_network_without_zero_filters_is_the_same_object() -> None:
    graph = separable()
    assert without_dead_channels(graph) is graph
    assert dead_channels(graph.main) == {}


def test_a_zero_filter_leaves_its_op_the_depthwise_behind_it_and_the_filter_that_reads_it() -> None:
    """16 pixels: 3x3x3 to 8, 3x3 of 8, 8 to 4 channels; with 3 zero filters 5 of the 8 channels stay."""
    whole = with_zero_filters(separable(), 0, [1, 4, 6])
    live = without_dead_channels(whole)
    assert macs(whole) == [16 * 8 * 27, 16 * 8 * 9, 16 * 8 * 4]
    assert macs(live) == [16 * 5 * 27, 16 * 5 * 9, 16 * 5 * 4]
    check(live)


def test_what_stays_of_the_filters_are_the_weights_of_the_live_channels() -> None:
    whole = with_zero_filters(separable(), 0, [1, 4, 6])
    live, kept = without_dead_channels(whole), [0, 2, 3, 5, 7]

    def values(graph: ModelGraph, op: int) -> np.ndarray:
        weight = graph.tensors[graph.ops[op].inputs[1]]
        return np.frombuffer(weight.data or b"", np.int8).reshape(weight.shape)

    np.testing.assert_array_equal(values(live, 0), values(whole, 0)[kept])
    np.testing.assert_array_equal(values(live, 1), values(whole, 1)[..., kept])
    np.testing.assert_array_equal(values(live, 2), values(whole, 2)[..., kept])
    filters = live.tensors[live.ops[0].inputs[1]].quantization
    assert filters is not None and len(filters.scales) == 5


def test_an_addition_keeps_all_channels_of_both_its_inputs() -> None:
    whole = with_zero_filters(residual(), 1, [0, 2])
    assert without_dead_channels(whole) is whole


def test_the_outputs_of_a_network_keep_their_channels() -> None:
    whole = with_zero_filters(separable(), 2, [0])
    assert without_dead_channels(whole) is whole


def test_a_convolution_with_nothing_but_zero_filters_is_left_alone() -> None:
    whole = with_zero_filters(separable(), 0, list(range(8)))
    assert without_dead_channels(whole) is whole


def test_only_the_releases_that_drop_channels_count_fewer_multiplications() -> None:
    whole = with_zero_filters(separable(), 0, [1, 4, 6])
    counted = {}
    for name in ("x-cube-ai@7.3", "x-cube-ai@8.1", "tflm-cmsis-nn"):
        target = load_target("nucleo-l4r5zi", name)
        counted[name] = compile_table(work_graph(whole, target), target.kernels).macs.sum()
    assert counted == {
        "x-cube-ai@7.3": 16 * 8 * 40, "x-cube-ai@8.1": 16 * 5 * 40, "tflm-cmsis-nn": 16 * 8 * 40
    }  # fmt: skip


def test_half_of_the_published_person_network_multiplies_by_zero() -> None:
    """vww_96_int8 of MLPerf Tiny: 7,489,664 MACs, of which 3,742,091 are of live channels."""
    graph = read_tflite(shared_dir() / "models" / "vww_96_int8.tflite")
    live = without_dead_channels(graph)
    assert (sum(macs(graph)), sum(macs(live))) == (7_489_664, 3_742_091)
    assert sum(macs(build("vww01-live"))) == 3_742_091
    assert without_dead_channels(live) is live
