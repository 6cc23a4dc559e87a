"""Each op kind's output shape, worked by hand; and every recorded shape of every shared model."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from preflash.errors import ShapeInvalid
from preflash.graphs import ops
from preflash.graphs.build import GraphBuilder
from preflash.graphs.ir import DType
from preflash.graphs.ops import (
    ConcatenationAttributes,
    Conv2DAttributes,
    DepthwiseConv2DAttributes,
    FullyConnectedAttributes,
    OpAttributes,
    Padding,
    Pool2DAttributes,
    ReducerAttributes,
    ReshapeAttributes,
    TransposeConvAttributes,
)
from preflash.graphs.reading import Shapes, broadcast
from preflash.graphs.shapes import RULES, infer_shapes
from preflash.graphs.static_shapes import with_static_shapes
from preflash.graphs.tflite.read import read_tflite
from shared_data import shared_dir, shared_models

Given = tuple[int, ...] | list[int] | list[list[int]] | int
PACK = ops.PackAttributes(values_count=2, axis=1)
STRIDED = ops.StridedSliceAttributes(begin_mask=1, end_mask=0, shrink_axis_mask=4)


def _infer(kind: str, inputs: list[Given], attributes: OpAttributes | None = None) -> Shapes | None:
    """A tuple is an activation of that shape; a list or a number is an int32 constant."""
    b = GraphBuilder(dtype=DType.FLOAT32)
    made = [b.tensor(i) if isinstance(i, tuple) else b.constant(np.array(i, np.int32)) for i in inputs]
    b.op(kind, made, attributes, shapes=[])
    graph = b.finish([])
    return infer_shapes(graph.main, graph.ops[0])


CASES: list[tuple[str, list[Given], OpAttributes | None, Shapes]] = [
    # SAME: ceil(10 / 2) = 5; VALID 3x3: 10 - 2 = 8; dilation 2: 10 - 4 = 6
    ("CONV_2D", [(1, 10, 10, 3), (8, 3, 3, 3), (8,)], Conv2DAttributes(Padding.SAME, 2, 2), ((1, 5, 5, 8),)),
    ("CONV_2D", [(2, 10, 9, 3), (8, 3, 3, 3), (8,)], Conv2DAttributes(Padding.VALID), ((2, 8, 7, 8),)),
    ("CONV_2D", [(1, 10, 10, 4), (8, 3, 3, 2)],
     Conv2DAttributes(Padding.VALID, 1, 1, ops.Activation.NONE, 2, 2),
     ((1, 6, 6, 8),)),
    ("DEPTHWISE_CONV_2D", [(1, 10, 10, 3), (1, 3, 3, 6), (6,)],
     DepthwiseConv2DAttributes(Padding.SAME, 1, 2, 2),
     ((1, 5, 10, 6),)),
    ("TRANSPOSE_CONV", [[1, 8, 8, 5], (5, 3, 3, 2), (1, 4, 4, 2)],
     TransposeConvAttributes(Padding.SAME, 2, 2),
     ((1, 8, 8, 5),)),
    ("AVERAGE_POOL_2D", [(1, 9, 9, 4)], Pool2DAttributes(Padding.VALID, 2, 2, 2, 2), ((1, 4, 4, 4),)),
    ("MAX_POOL_2D", [(1, 9, 9, 4)], Pool2DAttributes(Padding.SAME, 2, 2, 2, 2), ((1, 5, 5, 4),)),
    ("FULLY_CONNECTED", [(2, 3, 4), (5, 4)], FullyConnectedAttributes(), ((6, 5),)),
    ("FULLY_CONNECTED", [(2, 3, 4), (5, 4)], FullyConnectedAttributes(keep_num_dims=True), ((2, 3, 5),)),
    ("ADD", [(1, 4, 4, 8), (8,)], None, ((1, 4, 4, 8),)),
    ("MUL", [(3, 1), (1, 5)], None, ((3, 5),)),
    ("ADD_N", [(2, 3), (2, 3), (2, 3)], None, ((2, 3),)),
    ("RESHAPE", [(2, 3, 4), [4, -1]], ReshapeAttributes((4, -1)), ((4, 6),)),
    ("RESHAPE", [(2, 3, 4)], ReshapeAttributes((24,)), ((24,),)),
    ("RESHAPE", [(1,)], ReshapeAttributes((0,)), ((),)),
    ("SQUEEZE", [(1, 3, 1, 4)], ops.SqueezeAttributes((2,)), ((1, 3, 4),)),
    ("SQUEEZE", [(1, 3, 1, 4)], ops.SqueezeAttributes(()), ((3, 4),)),
    ("EXPAND_DIMS", [(3, 4), [-1]], None, ((3, 4, 1),)),
    ("PAD", [(1, 4, 4, 2), [[0, 0], [1, 2], [0, 1], [0, 0]]], None, ((1, 7, 5, 2),)),
    ("CONCATENATION", [(1, 2, 3), (1, 2, 5)], ConcatenationAttributes(-1), ((1, 2, 8),)),
    ("MEAN", [(1, 4, 4, 8), [1, 2]], ReducerAttributes(False), ((1, 8),)),
    ("SUM", [(1, 4, 4, 8), [-1]], ReducerAttributes(True), ((1, 4, 4, 1),)),
    ("SOFTMAX", [(2, 10)], None, ((2, 10),)),
    ("SPLIT", [[1], (2, 6)], ops.SplitAttributes(3), ((2, 2), (2, 2), (2, 2))),
    ("SPLIT_V", [(2, 6), [1, -1], [1]], ops.SplitVAttributes(2), ((2, 1), (2, 5))),
    ("PACK", [(3, 4), (3, 4)], PACK, ((3, 2, 4),)),
    ("UNPACK", [(3, 2, 4)], ops.UnpackAttributes(num=2, axis=1), ((3, 4), (3, 4))),
    # dimension 0 from the front to 2 (begin ignored), dimension 1 every second of 1..5, dimension 2 dropped
    ("STRIDED_SLICE", [(4, 6, 3), [9, 1, 2], [2, 6, 3], [1, 2, 1]], STRIDED, ((2, 3),)),
    ("SLICE", [(4, 6), [1, 2], [-1, 3]], None, ((3, 3),)),
    ("TRANSPOSE", [(1, 2, 3), [2, 0, 1]], None, ((3, 1, 2),)),
    ("RESIZE_BILINEAR", [(1, 4, 4, 3), [8, 6]], None, ((1, 8, 6, 3),)),
    ("BATCH_MATMUL", [(2, 3, 4), (1, 4, 5)], None, ((2, 3, 5),)),
    ("GATHER", [(5, 6, 7), (2, 3)], ops.GatherAttributes(axis=1), ((5, 2, 3, 7),)),
    ("ARG_MAX", [(2, 7), [1]], None, ((2,),)),
    ("SPACE_TO_DEPTH", [(1, 4, 6, 2)], ops.SpaceToDepthAttributes(2), ((1, 2, 3, 8),)),
    ("DEPTH_TO_SPACE", [(1, 2, 3, 8)], ops.DepthToSpaceAttributes(2), ((1, 4, 6, 2),)),
    ("SPACE_TO_BATCH_ND", [(1, 4, 6, 2), [2, 2], [[0, 0], [0, 2]]], None, ((4, 2, 4, 2),)),
    ("BATCH_TO_SPACE_ND", [(4, 2, 4, 2), [2, 2], [[0, 0], [0, 2]]], None, ((1, 4, 6, 2),)),
    ("SHAPE", [(4, 5, 6)], None, ((3,),)),
    ("TILE", [(2, 3), [2, 1]], None, ((4, 3),)),
    ("QUANTIZE", [(2, 3)], None, ((2, 3),)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "inputs", "attributes", "expected"), CASES, ids=[f"{i}-{c[0]}" for i, c in enumerate(CASES)]
)
def test_shapes_follow_from_inputs_and_attributes(
    kind: str, inputs: list[Given], attributes: OpAttributes | None, expected: Shapes
) -> None:
    assert _infer(kind, inputs, attributes) == expected


@pytest.mark.parametrize(
    ("kind", "inputs", "attributes"),
    [
        ("CONV_2D", [(1, 10, 10, 3), (8, 3, 3, 2)], Conv2DAttributes()),  # 3 channels, filter depth 2
        ("CONV_2D", [(1, 10, 10, 3), (8, 3, 3, 3), (7,)], Conv2DAttributes()),  # 8 channels, 7 biases
        ("CONV_2D", [(1, 10, 10, 3), (8, 3, 3, 3)], Conv2DAttributes(stride_w=0)),
        ("CONV_2D", [(10, 3), (8, 3, 3, 3)], Conv2DAttributes()),
        ("DEPTHWISE_CONV_2D", [(1, 10, 10, 4), (1, 3, 3, 6)], DepthwiseConv2DAttributes()),
        ("FULLY_CONNECTED", [(2, 5), (3, 4)], FullyConnectedAttributes()),
        ("ADD", [(1, 4), (1, 3)], None),
        ("RESHAPE", [(2, 3), [4, -1]], None),
        ("RESHAPE", [(2, 3), [-1, -1]], None),
        ("CONCATENATION", [(1, 2), (2, 3)], ConcatenationAttributes(1)),
        ("CONCATENATION", [(1, 2), (1, 3)], ConcatenationAttributes(2)),
        ("PAD", [(1, 2), [[0, 0]]], None),
        ("SPLIT", [[1], (2, 5)], ops.SplitAttributes(2)),
        ("TRANSPOSE", [(1, 2), [0, 0]], None),
        ("SLICE", [(4, 6), [1, 5], [1, 3]], None),
        ("BATCH_MATMUL", [(2, 3, 4), (2, 5, 4)], None),
        ("MEAN", [(2, 3), [2]], None),
    ],
)
def test_contradictions_are_refused_by_name(
    kind: str, inputs: list[Given], attributes: OpAttributes | None
) -> None:
    with pytest.raises(ShapeInvalid, match=kind):
        _infer(kind, inputs, attributes)


def test_a_missing_input_is_refused() -> None:
    with pytest.raises(ShapeInvalid, match="lacks input 1"):
        _infer("RESIZE_BILINEAR", [(1, 4, 4, 3)])


def test_a_kind_without_a_rule_and_a_shape_known_only_when_running_give_none() -> None:
    assert _infer("CUSTOM", [(1, 2)]) is None
    assert _infer("RESHAPE", [(2, 3), (2,)]) is None  # the target is an activation
    assert _infer("SOFTMAX", [(2, -1)]) is None


shapes = st.lists(st.integers(1, 4), max_size=4).map(tuple)


@given(shapes, shapes)
def test_broadcasting_is_that_of_numpy(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    try:
        expected: tuple[int, ...] | None = np.broadcast_shapes(a, b)
    except ValueError:
        expected = None
    assert broadcast(a, b) == expected == broadcast(b, a)


def test_extents_left_to_the_runtime_are_settled() -> None:
    b = GraphBuilder(dtype=DType.FLOAT32)
    x = b.input((1, 4, 4, 2))
    flat = b.tensor((1, -1))
    b.op("RESHAPE", (x, b.constant(np.array([1, -1], np.int32))), outputs=[flat])
    last = b.tensor((1, -1))
    b.op("SOFTMAX", (flat,), outputs=[last])
    settled = with_static_shapes(b.finish([last]))
    assert [settled.tensors[t].shape for t in (flat, last)] == [(1, 32), (1, 32)]
    assert with_static_shapes(settled) is settled


def test_recorded_shapes_of_all_shared_models_follow_from_the_rules() -> None:
    """A recorded () stands for one element; -1 and dynamic signatures are left out."""
    shared_dir()
    ruled, unruled, wrong = Counter[str](), Counter[str](), []
    for path in shared_models():
        graph = with_static_shapes(read_tflite(path))
        for subgraph in graph.subgraphs:
            for op in subgraph.ops:
                tensors = [subgraph.tensors[t] for t in op.outputs]
                inferred = infer_shapes(subgraph, op)
                if inferred is None:
                    unruled[op.kind] += 1
                    continue
                ruled[op.kind] += 1
                for tensor, shape in zip(tensors, inferred, strict=True):
                    if tensor.has_rank and tensor.shape != shape and {tensor.shape, shape} != {(), (1,)}:
                        wrong.append((path.name, op.index, op.kind, tensor.shape, shape))
    assert not wrong
    # bodies of control flow, custom ops, and shapes that an activation states while running
    assert set(unruled) <= {"CUSTOM", "IF", "WHILE", "TRANSPOSE_CONV", "RESHAPE"}
    assert ruled.total() > 20 * unruled.total()
    assert set(ruled) <= set(RULES)


extents = st.lists(st.integers(0, 4), max_size=5).map(tuple)
values = st.lists(st.integers(-3, 5), max_size=6)


@pytest.mark.parametrize("kind", RULES)
@given(inputs=st.lists(st.one_of(extents, values), max_size=4))
@settings(max_examples=40, deadline=None)
def test_any_inputs_give_a_shape_or_a_named_contradiction(kind: str, inputs: list[Given]) -> None:
    try:
        found = _infer(kind, inputs, _DEFAULTS.get(kind))
    except ShapeInvalid as error:
        assert kind in str(error)
    else:
        assert found is None or all(extent >= 0 for shape in found for extent in shape)


_DEFAULTS: dict[str, OpAttributes] = {
    "CONV_2D": Conv2DAttributes(), "DEPTHWISE_CONV_2D": DepthwiseConv2DAttributes(),
    "TRANSPOSE_CONV": TransposeConvAttributes(), "AVERAGE_POOL_2D": Pool2DAttributes(),
    "MAX_POOL_2D": Pool2DAttributes(), "SPLIT": ops.SplitAttributes(2),
    "SPACE_TO_DEPTH": ops.SpaceToDepthAttributes(2),
    "DEPTH_TO_SPACE": ops.DepthToSpaceAttributes(2), "GATHER": ops.GatherAttributes(axis=-1, batch_dims=-1),
    "STRIDED_SLICE": STRIDED, "PACK": PACK, "UNPACK": ops.UnpackAttributes(num=2, axis=-1),
}  # fmt: skip


def test_every_rule_survives_an_op_without_inputs() -> None:
    for kind in RULES:
        b = GraphBuilder()
        b.op(kind, (), shapes=[])
        subgraph = b.finish([]).main
        try:
            assert infer_shapes(subgraph, subgraph.ops[0]) in (None, ())
        except ShapeInvalid as error:
            assert kind in str(error)
