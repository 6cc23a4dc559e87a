"""Passes never change a graph in place, and a folded graph computes what the original did."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from preflash.errors import GraphInvalid, ShapeInvalid
from preflash.graphs.build import GraphBuilder
from preflash.graphs.check import check
from preflash.graphs.evaluate import evaluate
from preflash.graphs.ir import DType, ModelGraph
from preflash.graphs.ops import (
    Activation,
    AddAttributes,
    Conv2DAttributes,
    DepthwiseConv2DAttributes,
    Padding,
)
from preflash.graphs.passes.base import PassResult, Sequential, run_passes
from preflash.graphs.passes.fold import FoldBatchNorms, FoldConstants
from preflash.graphs.passes.pad_fold import FoldPads

VALID = Conv2DAttributes(Padding.VALID)


def _values(graph: ModelGraph, seed: int = 0) -> np.ndarray:
    tensor, random = graph.tensors[graph.inputs[0]], np.random.default_rng(seed)
    if tensor.dtype is DType.INT8:
        return random.integers(-128, 128, tensor.shape).astype(np.int8)
    return random.uniform(-1, 1, tensor.shape).astype(np.float32)


def _kinds(graph: ModelGraph) -> list[str]:
    return [op.kind for op in graph.ops]


def _vector(b: GraphBuilder, *values: float) -> int:
    return b.constant(np.array(values, np.float32))


# The runner.


@dataclass(frozen=True)
class _Noting:
    name: str

    def apply(self, graph: ModelGraph) -> PassResult:
        return PassResult(graph, False, ("seen",))


@dataclass(frozen=True)
class _Failing:
    name: str = "breaks"

    def apply(self, graph: ModelGraph) -> PassResult:
        raise ShapeInvalid("shapes do not fit")


def _relu() -> ModelGraph:
    b = GraphBuilder(dtype=DType.FLOAT32)
    return b.finish([b.unary("RELU", b.input((1, 4)))])


def test_passes_run_in_order_and_a_sequence_is_a_pass() -> None:
    both = Sequential((_Noting("one"), Sequential((_Noting("two"),), "inner")))
    assert both.apply(_relu()).notes == ("one: seen", "inner: two: seen")


def test_an_error_names_the_pass_and_those_before_it() -> None:
    with pytest.raises(GraphInvalid) as caught:
        run_passes(_relu(), [_Noting("one"), _Noting("two"), _Failing()])
    assert "pass breaks failed" in str(caught.value)
    assert "shapes do not fit" in str(caught.value)
    assert "ran before it: one, two" in str(caught.value)


@pytest.mark.parametrize("one", [FoldConstants(), FoldBatchNorms(), FoldPads()], ids=lambda p: p.name)
def test_a_pass_without_work_returns_the_very_same_graph(one: FoldConstants) -> None:
    graph = _relu()
    result = one.apply(graph)
    assert result.graph is graph
    assert not result.changed


# Constants.


def test_ops_on_constants_become_constants_through_whole_chains() -> None:
    b = GraphBuilder(dtype=DType.FLOAT32)
    x = b.input((1, 2))
    doubled = b.add(_vector(b, 1, 2), _vector(b, 1, 2))
    graph = b.finish([b.mul(x, b.unary("RELU", doubled))])
    result = FoldConstants().apply(graph)
    check(result.graph)
    assert _kinds(result.graph) == ["MUL"]
    assert len(result.notes) == 2
    assert evaluate(result.graph, [np.ones((1, 2), np.float32)])[0].tolist() == [[2, 4]]
    assert _kinds(graph) == ["ADD", "RELU", "MUL"]  # the first graph is as it was


def test_quantized_constants_fold_to_the_same_bits() -> None:
    b = GraphBuilder(dtype=DType.INT8)
    x = b.input((1, 4))
    c = b.add(b.activation_constant(np.array([0.1, -0.4, 0.3, 0.9])), b.activation_constant(np.array([0.5])))
    graph = b.finish([b.add(x, c)])
    folded = FoldConstants().apply(graph).graph
    assert _kinds(folded) == ["ADD"]
    np.testing.assert_array_equal(evaluate(folded, [_values(graph)])[0], evaluate(graph, [_values(graph)])[0])


def test_an_op_that_cannot_be_evaluated_stays() -> None:
    b = GraphBuilder(dtype=DType.FLOAT32)
    graph = b.finish(b.op("CUSTOM", (_vector(b, 1),), shapes=[(1,)]))
    assert FoldConstants().apply(graph).graph is graph


# Batch-norms.


def _anchor(b: GraphBuilder, kind: str, x: int, padding: Padding) -> int:
    if kind == "CONV_2D":
        return b.conv(x, 4, (3, 3), Conv2DAttributes(padding))
    if kind == "DEPTHWISE_CONV_2D":
        return b.depthwise(x, (3, 3), DepthwiseConv2DAttributes(padding))
    return b.fully_connected(x, 4)


@pytest.mark.parametrize("kind", ["CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"])
def test_scale_and_shift_after_an_op_move_into_weights_and_bias(kind: str) -> None:
    b = GraphBuilder(dtype=DType.FLOAT32)
    x = b.input((1, 4) if kind == "FULLY_CONNECTED" else (1, 6, 6, 4))
    y = b.mul(_anchor(b, kind, x, Padding.SAME), _vector(b, 1, -2, 0.5, 3))
    y = b.sub(y, _vector(b, 0.1, 0.2, 0.3, 0.4))
    graph = b.finish([b.add(y, _vector(b, 1.0), Activation.RELU)])
    result = FoldBatchNorms().apply(graph)
    check(result.graph)
    assert _kinds(result.graph) == [kind]
    assert len(result.notes) == 3
    given_values = _values(graph)
    np.testing.assert_allclose(
        evaluate(result.graph, [given_values])[0], evaluate(graph, [given_values])[0], atol=1e-5
    )


@pytest.mark.parametrize(
    ("kind", "norm", "padding", "folds"),
    [
        ("CONV_2D", "MUL", Padding.SAME, True),  # zeros scaled are zeros
        ("CONV_2D", "ADD", Padding.VALID, True),
        ("CONV_2D", "ADD", Padding.SAME, False),  # the border is not shifted
        ("DEPTHWISE_CONV_2D", "SUB", Padding.VALID, True),
        ("DEPTHWISE_CONV_2D", "SUB", Padding.SAME, False),
        ("FULLY_CONNECTED", "ADD", Padding.VALID, True),
    ],
)
def test_scale_or_shift_before_an_op_moves_only_where_exact(
    kind: str, norm: str, padding: Padding, folds: bool
) -> None:
    b = GraphBuilder(dtype=DType.FLOAT32)
    x = b.input((1, 4) if kind == "FULLY_CONNECTED" else (1, 6, 6, 4))
    y = b.op(norm, (x, _vector(b, 1, -2, 0.5, 3)), AddAttributes() if norm == "ADD" else None)[0]
    graph = b.finish([_anchor(b, kind, y, padding)])
    folded = FoldBatchNorms().apply(graph).graph
    assert (_kinds(folded) == [kind]) is folds
    np.testing.assert_allclose(
        evaluate(folded, [_values(graph)])[0], evaluate(graph, [_values(graph)])[0], atol=1e-5
    )


def test_a_batch_norm_stays_where_another_op_reads_between_or_an_activation_lies_between() -> None:
    b = GraphBuilder(dtype=DType.FLOAT32)
    x = b.input((1, 6, 6, 4))
    y = b.conv(x, 4)
    shared = b.finish([b.mul(y, _vector(b, 2)), b.unary("TANH", y)])
    assert FoldBatchNorms().apply(shared).graph is shared
    b = GraphBuilder(dtype=DType.FLOAT32)
    y = b.conv(b.input((1, 6, 6, 4)), 4, (1, 1), Conv2DAttributes(fused_activation_function=Activation.RELU))
    active = b.finish([b.mul(y, _vector(b, -2))])
    assert FoldBatchNorms().apply(active).graph is active


def test_a_residual_add_is_no_batch_norm() -> None:
    b = GraphBuilder(dtype=DType.FLOAT32)
    x = b.input((1, 6, 6, 4))
    graph = b.finish([b.add(b.conv(x, 4), x)])
    assert FoldBatchNorms().apply(graph).graph is graph


def test_replaced_weights_lose_their_bytes_unless_somebody_still_reads_them() -> None:
    b = GraphBuilder(dtype=DType.FLOAT32)
    graph = b.finish([b.mul(b.conv(b.input((1, 6, 6, 4)), 4), _vector(b, 2))])
    old = graph.ops[0].inputs[1]
    folded = FoldBatchNorms().apply(graph).graph
    assert folded.tensors[old].data is None
    assert graph.tensors[old].data is not None


# Pads.


def _padded(pads: list[tuple[int, int]], stride: int, dtype: DType = DType.INT8, size: int = 8) -> ModelGraph:
    b = GraphBuilder(dtype=dtype)
    x = b.pad(b.input((1, size, size, 3)), [(0, 0), *pads, (0, 0)])
    return b.finish([b.conv(x, 4, (3, 3), Conv2DAttributes(Padding.VALID, stride, stride))])


@pytest.mark.parametrize(
    ("pads", "stride", "folds"),
    [
        # SAME over 8 with kernel 3: stride 1 pads (1, 1); stride 2: (4-1)*2 + 3 - 8 = 1, behind: (0, 1)
        ([(1, 1), (1, 1)], 1, True),
        ([(0, 1), (0, 1)], 2, True),
        ([(1, 1), (1, 1)], 2, False),
        ([(1, 0), (1, 0)], 2, False),
        ([(2, 2), (2, 2)], 1, False),
        ([(1, 1), (0, 0)], 1, False),
    ],
)
@pytest.mark.parametrize("dtype", [DType.INT8, DType.FLOAT32])
def test_a_pad_becomes_same_padding_exactly_where_the_borders_are_equal(
    pads: list[tuple[int, int]], stride: int, folds: bool, dtype: DType
) -> None:
    graph = _padded(pads, stride, dtype)
    folded = FoldPads().apply(graph).graph
    check(folded)
    assert (_kinds(folded) == ["CONV_2D"]) is folds
    np.testing.assert_array_equal(evaluate(folded, [_values(graph)])[0], evaluate(graph, [_values(graph)])[0])


@given(
    size=st.integers(3, 12), stride=st.integers(1, 3),
    top=st.integers(0, 2), below=st.integers(0, 2),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_folding_pads_never_changes_the_result(size: int, stride: int, top: int, below: int) -> None:
    graph = _padded([(top, below), (top, below)], stride, size=size)
    folded = FoldPads().apply(graph).graph
    np.testing.assert_array_equal(evaluate(folded, [_values(graph)])[0], evaluate(graph, [_values(graph)])[0])


def test_a_pad_that_a_pool_reads_too_stays() -> None:
    b = GraphBuilder()
    x = b.pad(b.input((1, 8, 8, 3)), [(0, 0), (1, 1), (1, 1), (0, 0)])
    graph = b.finish([b.conv(x, 4, (3, 3), VALID), b.pool("MAX_POOL_2D", x)])
    assert FoldPads().apply(graph).graph is graph
