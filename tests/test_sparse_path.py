"""The part of a network that XNNPACK runs sparse: what it asks for, and the reason where it is not met."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from preflash.devices.catalog import load_target
from preflash.graphs import ops as kinds
from preflash.graphs.build import GraphBuilder
from preflash.graphs.geometry import Padding
from preflash.graphs.ir import DType, ModelGraph, Op, Sparsity, wire
from preflash.graphs.passes.fusion import fuse
from preflash.graphs.zoo import build
from preflash.simulator.kernels.spmm import sparse_stream_bytes
from preflash.simulator.sparse_path import sparse_path
from preflash.simulator.validate.sparse_rows import randomly_pruned
from preflash.simulator.workload import compile_table

ONE_EACH = ((0, 0), (1, 1), (1, 1), (0, 0))
START = kinds.Conv2DAttributes(Padding.VALID, 2, 2)


def whys(graph: ModelGraph) -> set[str]:
    """Why 1x1 convolutions run dense; "" is one that runs sparse."""
    return set(sparse_path(fuse(graph, ("pad-conv", "any-pad-conv")).graph.main).why_dense.values())


def network(
    middle: Callable[[GraphBuilder, int], int], *, dtype: DType = DType.FLOAT32, channels: int = 3,
    zeros: float = 0.8, first: kinds.Conv2DAttributes = START,
) -> ModelGraph:  # fmt: skip
    """3x3 of stride 2, what `middle` appends, a 1x1 convolution, a mean over the picture."""
    b = GraphBuilder("path", dtype=dtype)
    x = b.input((1, 16, 16, channels))
    padded = b.pad(x, ONE_EACH) if first.padding is Padding.VALID else x
    y = middle(b, b.conv(padded, 8, (3, 3), first))
    graph = b.finish([b.mean(b.conv(y, 16), (1, 2))])
    return randomly_pruned(graph, zeros) if dtype is DType.FLOAT32 else graph


def _same(b: GraphBuilder, x: int) -> int:
    return x


def _depthwise(kernel: int, stride: int, padding: Padding) -> Callable[[GraphBuilder, int], int]:
    attributes = kinds.DepthwiseConv2DAttributes(padding, stride, stride)
    return lambda b, x: b.depthwise(x, (kernel, kernel), attributes)


@pytest.mark.parametrize(
    "middle",
    [
        _same,
        _depthwise(3, 1, Padding.SAME),
        _depthwise(5, 1, Padding.SAME),
        lambda b, x: b.add(x, b.conv(x, 8)),
        lambda b, x: b.unary("HARD_SWISH", x),
        lambda b, x: b.mul(x, b.unary("LOGISTIC", b.conv(b.mean(x, (1, 2), keep_dims=True), 8))),
    ],
)
def test_a_path_holds_these_ops(middle: Callable[[GraphBuilder, int], int]) -> None:
    assert whys(network(middle)) == {""}


@pytest.mark.parametrize(
    ("graph", "why"),
    [
        (network(_same, zeros=0.6), "60% of the weights of its 1x1 convolutions are zero"),
        (network(_same, channels=4), "3x3, stride 2, padding 1 on each side, 3 channels"),
        (network(_same, first=kinds.Conv2DAttributes(Padding.SAME, 2, 2)), "padding 1 on each side"),
        (network(_same, dtype=DType.INT8), "sparse kernels are for float32, not int8"),
        (network(_depthwise(3, 2, Padding.SAME)), "3x3 or 5x5 of stride 1 or 2 and pad 1 or 2 on each side"),
        (network(_depthwise(7, 1, Padding.SAME)), "a depthwise convolution must be 3x3 or 5x5"),
        (network(lambda b, x: b.unary("TANH", x)), "TANH before it: no kernel works channel by channel"),
        (network(lambda b, x: b.conv(x, 8, (3, 3))), "a larger convolution only starts a path"),
    ],
)
def test_what_keeps_a_path_from_being_one_is_the_reason(graph: ModelGraph, why: str) -> None:
    found = whys(graph)
    assert "" not in found
    assert any(why in one for one in found), found


def test_a_1x1_convolution_of_stride_2_is_no_part_of_a_path() -> None:
    strided = network(lambda b, x: b.conv(x, 8, (1, 1), kinds.Conv2DAttributes(Padding.SAME, 2, 2)))
    assert "a 1x1 convolution must have stride 1 and no padding" in whys(strided)


def test_a_result_that_an_op_outside_reads_breaks_the_path() -> None:
    b = GraphBuilder("leak", dtype=DType.FLOAT32)
    y = b.conv(b.conv(b.pad(b.input((1, 16, 16, 3)), ONE_EACH), 8, (3, 3), START), 8)
    graph = b.finish([b.mean(y, (1, 2)), b.softmax(y)])
    assert any("SOFTMAX reads from it" in why for why in whys(randomly_pruned(graph, 0.9)))


def test_a_path_that_ends_in_the_network_s_output_is_none() -> None:
    b = GraphBuilder("open", dtype=DType.FLOAT32)
    graph = b.finish([b.conv(b.conv(b.pad(b.input((1, 16, 16, 3)), ONE_EACH), 8, (3, 3), START), 8)])
    assert any(
        "the result of op 1 CONV_2D is the network's" in why for why in whys(randomly_pruned(graph, 0.9))
    )


def test_zeros_count_over_all_1x1_convolutions_of_the_path() -> None:
    """8 x 8 weights without a zero and 16 x 8 with 100: 100 / 192 is too few, with 129 it is just enough."""
    whole = network(lambda b, x: b.conv(x, 8), zeros=0.0)

    def with_zeros(count: int) -> ModelGraph:
        weight = whole.tensors[whole.ops[3].inputs[1]]
        values = np.ones(weight.element_count, np.float32)
        values[:count] = 0
        tensors = [replace(t, data=values.tobytes()) if t is weight else t for t in whole.tensors]
        return whole.with_main(replace(whole.main, tensors=tuple(tensors)))

    assert "" not in whys(with_zeros(128))  # 128 of 192 are 2/3: not more
    many = replace_first_zero(with_zeros(128))
    assert whys(many) == {""}


def replace_first_zero(graph: ModelGraph) -> ModelGraph:
    """One zero in the first 1x1 convolution."""
    weight = graph.tensors[graph.ops[2].inputs[1]]
    values = np.frombuffer(weight.data or b"", np.float32).copy()
    values[0] = 0
    tensors = [replace(t, data=values.tobytes()) if t is weight else t for t in graph.tensors]
    return graph.with_main(replace(graph.main, tensors=tuple(tensors)))


def test_the_keras_networks_pad_on_one_side_only_and_run_dense() -> None:
    assert "" not in whys(randomly_pruned(build("mobilenet-v1", dtype="float32", width=0.25), 0.9))


@pytest.mark.parametrize(("name", "products"), [("fast-mobilenet-v1", 13), ("fast-mobilenet-v2", 34)])
def test_the_published_networks_run_all_their_1x1_convolutions_sparse(name: str, products: int) -> None:
    graph = randomly_pruned(build(name, dtype="float32", width=0.35), 0.9)
    path = sparse_path(fuse(graph, ("pad-conv", "any-pad-conv")).graph.main)
    assert len(path.sparse) == products


def test_weights_behind_a_densify_count_as_they_are_stored() -> None:
    """As published sparse files have it: the constant is stored sparse, an op makes it dense."""
    dense = network(_same, zeros=0.9)
    weight = dense.tensors[dense.ops[2].inputs[1]]
    values = np.frombuffer(weight.data or b"", np.float32)
    stored = replace(weight, index=len(dense.tensors), name="stored", data=values[values != 0].tobytes(),
                     sparsity=Sparsity((0, 1, 2, 3), (), ()), form=None)  # fmt: skip
    tensors = (*(replace(t, data=None, form=None) if t is weight else t for t in dense.tensors), stored)
    densify = Op(0, "DENSIFY", (stored.index,), (weight.index,))
    main = wire(tensors, [densify, *dense.ops], inputs=dense.main.inputs, outputs=dense.main.outputs, name="")
    graph = fuse(dense.with_main(main), ("pad-conv", "any-pad-conv")).graph
    assert set(sparse_path(graph.main).why_dense.values()) == {""}
    table = compile_table(graph, load_target("pixel-2", "litert-xnnpack-sparse").kernels)
    assert table.nonzero_elements.tolist()[2] == np.count_nonzero(values)
    whole = compile_table(
        fuse(dense, ("pad-conv", "any-pad-conv")).graph,
        load_target("pixel-2", "litert-xnnpack-sparse").kernels,
    )
    assert sparse_stream_bytes(table)[2] == sparse_stream_bytes(whole)[1]
