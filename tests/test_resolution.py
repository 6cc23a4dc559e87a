"""Another resolution of a read model: which shapes follow, which constants with them, and what is refused."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from channel_law import interpreted, random_inputs
from hypothesis import given, settings
from hypothesis import strategies as st
from preflash.devices.catalog import load_target
from preflash.errors import RecipeInvalid, VariantInvalid
from preflash.graphs.build import GraphBuilder
from preflash.graphs.check import check
from preflash.graphs.evaluate import constant_array, evaluate
from preflash.graphs.geometry import Padding
from preflash.graphs.ir import DType, ModelGraph
from preflash.graphs.ops import (
    Conv2DAttributes,
    PackAttributes,
    Pool2DAttributes,
    ReshapeAttributes,
    ResizeNearestNeighborAttributes,
    StridedSliceAttributes,
    TransposeConvAttributes,
)
from preflash.graphs.tflite.read import parse_tflite
from preflash.graphs.tflite.write import write_tflite
from preflash.graphs.variants.given import Given
from preflash.graphs.variants.recipe import parse_recipe
from preflash.graphs.variants.resolution import Resolution
from preflash.graphs.zoo import ZOO, build, options_of
from preflash.simulator.simulate import simulate
from preflash.simulator.workload import op_macs

FLOAT = DType.FLOAT32
SAME2 = Conv2DAttributes(Padding.SAME, 2, 2)
HALF = Resolution(scale=0.5)


def resized(graph: ModelGraph, step: Resolution = HALF) -> ModelGraph:
    """The model at that resolution, accepted by the judge and by our reader, and computed."""
    found = step.apply(graph, Given())
    check(found)
    check(parse_tflite(write_tflite(found)))
    return found


def macs(graph: ModelGraph) -> int:
    return sum(op_macs(graph.main, op) or 0 for op in graph.ops)


def constant(b: GraphBuilder, *numbers: int) -> int:
    return b.constant(np.array(numbers, np.int32))


def _pairs(b: GraphBuilder, *numbers: int) -> int:
    return b.constant(np.array(numbers, np.int32).reshape(-1, 2))


def start(shape: tuple[int, ...] = (1, 8, 12, 3)) -> tuple[GraphBuilder, int]:
    b = GraphBuilder("picture", dtype=FLOAT)
    return b, b.input(shape)


def made(graph: ModelGraph, op: int) -> tuple[int, ...]:
    """The shape of what an op makes."""
    return graph.tensors[graph.ops[op].outputs[0]].shape


def said(graph: ModelGraph, op: int, position: int = 1) -> list[int]:
    """The integers of a constant input."""
    return [int(v) for v in constant_array(graph.tensors[graph.ops[op].inputs[position]]).reshape(-1)]


def described(graph: ModelGraph) -> list[object]:
    return [
        (op.kind, op.attributes, [graph.tensors[t].shape for t in (*op.inputs, *op.outputs)])
        for op in graph.ops
    ]


_SCALABLE = [
    name for name in ZOO if options_of(name) == ("width", "resolution", "classes", "picture_channels")
]


@pytest.mark.parametrize("name", _SCALABLE)
@pytest.mark.parametrize(("before", "after"), [(64, 96), (96, 50), (50, 75), (128, 33)])
def test_a_network_becomes_the_one_built_at_that_resolution(name: str, before: int, after: int) -> None:
    """Op by op: windows, PAD amounts as Keras chooses them, global pools, shapes of RESHAPE."""
    options = {"width": 0.25, "classes": 5}
    found = resized(build(name, resolution=before, **options), Resolution(edge=after))  # type: ignore[arg-type]
    assert described(found) == described(build(name, resolution=after, **options))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["kws01", "micronet-kws-s"])
def test_a_spectrum_gets_other_frames(name: str) -> None:
    assert described(resized(build(name), Resolution(height=31))) == described(build(name, resolution=31))


def test_the_same_resolution_is_the_very_model() -> None:
    graph = build("ic01")
    assert Resolution(edge=32).apply(graph, Given()) is graph
    assert Resolution(scale=1.0).apply(graph, Given()) is graph


def test_filters_stay_the_same_numbers() -> None:
    graph = build("mobilenet-v2", width=0.25, resolution=64, classes=5)
    found = resized(graph, Resolution(edge=40))
    for old, new in zip(graph.ops, found.ops, strict=True):
        if old.kind in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
            before, after = (g.tensors[op.inputs[1]].data for g, op in ((graph, old), (found, new)))
            assert bytes(before or b"") == bytes(after or b"")


@settings(max_examples=30, deadline=None)
@given(st.integers(16, 80), st.integers(16, 80))
def test_a_smaller_picture_is_never_more_work_and_outputs_keep_their_shape(height: int, width: int) -> None:
    graph = build("mobilenet-v1", width=0.25, resolution=64, classes=5)
    found = resized(graph, Resolution(height=height, width=width))
    assert made(found, -1) == made(graph, -1) == (1, 5)
    if height <= 64 and width <= 64:
        assert macs(found) <= macs(graph)
    if height >= 64 and width >= 64:
        assert macs(found) >= macs(graph)


def test_a_dense_op_on_a_flat_picture_gets_as_many_weights_as_it_needs() -> None:
    """4 x 6 x 5 = 120 columns become 2 x 3 x 5 = 30 and 8 x 12 x 5 = 480: repeated, channel by channel."""
    b, x = start()
    y = b.conv(x, 5, (3, 3), SAME2)
    graph = b.finish([b.fully_connected(b.reshape(y, (1, 120)), 7)])
    for step, count in ((HALF, 30), (Resolution(scale=2.0), 480)):
        found = resized(graph, step)
        old, new = (constant_array(g.tensors[g.ops[2].inputs[1]]) for g in (graph, found))
        assert new.shape == (7, count)
        np.testing.assert_array_equal(new, old[:, np.arange(count) % 120])
        assert evaluate(found, random_inputs(found))[0].shape == (1, 7)


def test_a_dense_op_on_every_pixel_keeps_its_weights() -> None:
    b, x = start()
    graph = b.finish([b.fully_connected(x, 7, keep_num_dims=True)])
    found = resized(graph)
    assert made(found, 0) == (1, 4, 6, 7)
    assert found.tensors[found.ops[0].inputs[1]].shape == (7, 3)


def test_weights_that_two_ops_share_become_two() -> None:
    b, x = start((1, 4, 4, 2))
    weight = b.constant(np.arange(8, dtype=np.float32).reshape(1, 8))
    flat = b.reshape(b.conv(x, 2, (1, 1), SAME2), (1, 8))
    other = b.op("FULLY_CONNECTED", (b.constant(np.ones((1, 8), np.float32)), weight))[0]
    graph = b.finish([b.op("FULLY_CONNECTED", (flat, weight))[0], other])
    found = resized(graph)
    shapes = {found.tensors[op.inputs[1]].shape for op in found.ops if op.kind == "FULLY_CONNECTED"}
    assert shapes == {(1, 2), (1, 8)}


def test_a_pool_over_the_whole_picture_still_is_one_and_another_stays() -> None:
    b, x = start((1, 8, 8, 3))
    pair = Pool2DAttributes(stride_w=2, stride_h=2, filter_width=2, filter_height=2)
    y = b.pool("MAX_POOL_2D", x, pair)
    almost = Pool2DAttributes(stride_w=3, stride_h=3, filter_width=4, filter_height=3)  # 3 of 4 rows
    graph = b.finish([b.pool("AVERAGE_POOL_2D", y), b.pool("AVERAGE_POOL_2D", y, almost)])
    found = resized(graph, Resolution(height=12, width=20))
    windows = [
        (a.filter_height, a.filter_width)
        for op in found.ops
        if isinstance(a := op.attributes, Pool2DAttributes)
    ]
    assert windows == [(2, 2), (6, 10), (5, 10)]
    assert [made(found, n) for n in (1, 2)] == [(1, 1, 1, 3), (1, 1, 1, 3)]


def test_a_maximum_over_two_by_two_that_left_one_pixel_is_no_global_one() -> None:
    b, x = start((1, 2, 2, 3))
    pair = Pool2DAttributes(stride_w=2, stride_h=2, filter_width=2, filter_height=2)
    found = resized(b.finish([b.pool("MAX_POOL_2D", x, pair)]), Resolution(scale=4.0))
    assert made(found, 0) == (1, 4, 4, 3)


def test_an_enlarged_picture_fits_the_one_it_is_added_to() -> None:
    """9 rows halve to 5, which shall become 9 again, not 10; 1 x 1 after a global pool becomes the whole."""
    b, x = start((1, 8, 8, 3))
    small = b.conv(x, 3, (3, 3), SAME2)
    size = b.constant(np.array([8, 8], np.int32))
    nearest = ResizeNearestNeighborAttributes()
    back = b.op("RESIZE_NEAREST_NEIGHBOR", (small, size), nearest)[0]
    mean = b.op("RESIZE_NEAREST_NEIGHBOR", (b.mean(x, (1, 2), keep_dims=True), size), nearest)[0]
    found = resized(b.finish([b.add(b.add(back, x), mean)]), Resolution(edge=9))
    assert [made(found, n) for n in range(4)] == [(1, 5, 5, 3), (1, 9, 9, 3), (1, 1, 1, 3), (1, 9, 9, 3)]
    interpreted(found, random_inputs(found))


def test_a_transposed_convolution_grows_by_its_stride() -> None:
    b, x = start((1, 4, 6, 3))
    weight = b.constant(np.ones((2, 3, 3, 3), np.float32))
    y = b.op(
        "TRANSPOSE_CONV", (constant(b, 1, 8, 12, 2), weight, x), TransposeConvAttributes(Padding.SAME, 2, 2)
    )[0]
    found = resized(b.finish([y]), Resolution(height=5, width=3))
    assert said(found, 0, 0) == [1, 10, 6, 2]
    interpreted(found, random_inputs(found))


def test_constants_per_pixel_are_stretched() -> None:
    b, x = start((1, 4, 4, 2))
    positions = np.arange(32, dtype=np.float32).reshape(1, 4, 4, 2)
    graph = b.finish([b.add(x, b.constant(positions)), b.add(x, b.constant(np.ones(2, np.float32)))])
    found = resized(graph)
    values = constant_array(found.tensors[found.ops[0].inputs[1]])
    np.testing.assert_array_equal(values, positions[:, ::2, ::2])
    assert found.tensors[found.ops[1].inputs[1]].shape == (2,)


def test_cuts_that_end_with_the_picture_still_do() -> None:
    b, x = start((1, 8, 8, 2))
    whole = b.op(
        "STRIDED_SLICE", (x, constant(b, 0, 1, 0, 0), constant(b, 1, 8, 8, 2), constant(b, 1, 2, 2, 1)),
        StridedSliceAttributes(),
    )[0]  # fmt: skip
    rest = b.op("SLICE", (x, constant(b, 0, 3, 0, 0), constant(b, 1, 5, 8, 2)))[0]
    found = resized(b.finish([whole, rest]), Resolution(scale=2.0))
    assert [made(found, 0), made(found, 1)] == [(1, 8, 8, 2), (1, 13, 16, 2)]
    interpreted(found, random_inputs(found))


def test_a_dilated_convolution_of_three_ops_follows() -> None:
    b, x = start((1, 8, 8, 2))
    blocks = constant(b, 2, 2)
    y = b.op("SPACE_TO_BATCH_ND", (x, blocks, _pairs(b, 2, 2, 2, 2)))[0]
    y = b.conv(y, 2, (3, 3), Conv2DAttributes(Padding.VALID))
    graph = b.finish([b.op("BATCH_TO_SPACE_ND", (y, blocks, _pairs(b, 0, 0, 0, 0)))[0]])
    for edge in (5, 6, 16):
        found = resized(graph, Resolution(edge=edge))
        assert made(found, -1) == (1, edge, edge, 2)
        interpreted(found, random_inputs(found))


def test_a_shape_that_is_computed_becomes_a_constant() -> None:
    """SHAPE, STRIDED_SLICE, PACK as Keras flattens: the ops that worked it out are gone."""
    b, x = start((1, 4, 4, 2))
    dims = b.op("SHAPE", (x,), shapes=[(4,)], outputs=[b.tensor((4,), dtype=DType.INT32)])[0]
    first = b.op(
        "STRIDED_SLICE", (dims, constant(b, 0), constant(b, 1), constant(b, 1)),
        StridedSliceAttributes(shrink_axis_mask=1), outputs=[b.tensor((), dtype=DType.INT32)],
    )[0]  # fmt: skip
    count = b.constant(np.array(32, np.int32))
    shape = b.op("PACK", (first, count), PackAttributes(2, 0), outputs=[b.tensor((2,), dtype=DType.INT32)])[0]
    flat = b.op("RESHAPE", (x, shape), ReshapeAttributes(), shapes=[(1, 32)])[0]
    found = resized(b.finish([b.fully_connected(flat, 3)]))
    assert [op.kind for op in found.ops] == ["RESHAPE", "FULLY_CONNECTED"]
    assert said(found, 0) == [1, 8]
    interpreted(found, random_inputs(found))


def test_a_flat_input_that_is_a_picture_at_once_follows() -> None:
    b = GraphBuilder("flat", dtype=FLOAT)
    y = b.conv(b.reshape(b.input((1, 1960)), (1, 49, 40, 1)), 2, (3, 3), SAME2)
    found = resized(b.finish([b.fully_connected(b.reshape(y, (1, 1000)), 4)]), Resolution(height=25))
    assert found.tensors[found.inputs[0]].shape == (1, 1000)
    assert [made(found, 0), made(found, 1)] == [(1, 25, 40, 1), (1, 13, 20, 2)]
    interpreted(found, random_inputs(found))


def test_a_picture_with_its_channels_first_is_seen_by_its_transposition() -> None:
    b, x = start((1, 3, 8, 12))
    y = b.op("TRANSPOSE", (x, constant(b, 0, 2, 3, 1)))[0]
    found = resized(b.finish([b.conv(y, 4, (3, 3), SAME2)]))
    assert found.tensors[found.inputs[0]].shape == (1, 3, 4, 6)
    assert made(found, 1) == (1, 2, 3, 4)


def _dense() -> ModelGraph:
    b = GraphBuilder("dense", dtype=FLOAT)
    return b.finish([b.fully_connected(b.input((1, 640)), 8)])


def _cropped() -> ModelGraph:
    b, x = start((1, 8, 8, 2))
    return b.finish([b.op("SLICE", (x, constant(b, 0, 2, 2, 0), constant(b, 1, 4, 4, 2)))[0]])


def _picked() -> ModelGraph:
    b, x = start((1, 8, 8, 2))
    return b.finish([b.op("TOPK_V2", (x, constant(b, 1)), shapes=[(1, 8, 8, 1), (1, 8, 8, 1)])[0]])


def _features() -> ModelGraph:
    b = GraphBuilder("features", dtype=FLOAT)
    x = b.reshape(b.input((1, 10, 6)), (1, 10, 1, 6))
    return b.finish([b.conv(x, 4)])


def _without_weights() -> ModelGraph:
    """A file may say so; the judge would refuse it."""
    b, x = start((1, 4, 4, 2))
    y = b.tensor((1, 4, 4, 2))
    return b.finish([b.op("FULLY_CONNECTED", (b.add(x, x),), outputs=[y])[0]])


def _too_deep() -> ModelGraph:
    b, x = start((1, 4, 4, 2))
    return b.finish([b.conv(x, 2, (3, 3), Conv2DAttributes(Padding.VALID))])


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (_dense, "no input is a picture: 1x640"),
        (_cropped, "op 0 SLICE cuts 4 of 8 along axis 1, which changes"),
        (_picked, "op 0 TOPK_V2 is not understood"),
        (_features, "op 1 CONV_2D reads what changes as channels"),
        (_without_weights, "op 1 FULLY_CONNECTED cannot follow: FULLY_CONNECTED lacks input 1"),
        (_too_deep, "op 0 CONV_2D cannot follow: nothing would be left: the input is too small"),
    ],
)
def test_what_cannot_follow_is_named(model: Callable[[], ModelGraph], reason: str) -> None:
    with pytest.raises(VariantInvalid) as caught:
        HALF.apply(model(), Given())
    assert reason in str(caught.value)
    assert caught.value.fix


def test_a_refusal_says_which_extents_would_do() -> None:
    """25 rows halve to 12 in the pool and to 13 beside it; 24 halve alike."""
    b, x = start((1, 32, 32, 3))
    pair = Pool2DAttributes(stride_w=2, stride_h=2, filter_width=2, filter_height=2)
    graph = b.finish([b.add(b.pool("MAX_POOL_2D", x, pair), b.conv(x, 3, (3, 3), SAME2))])
    with pytest.raises(VariantInvalid) as caught:
        Resolution(edge=25).apply(graph, Given())
    assert caught.value.fix == "height=24 width=24 would do"
    resized(graph, Resolution(edge=24))


def test_what_was_done_is_said() -> None:
    b, x = start()
    notes: list[str] = []
    HALF.apply(b.finish([b.conv(x, 2)]), Given(note=notes.append))
    assert notes[-1] == "1x8x12x3 becomes 1x4x6x3: shape only, retrain needed"
    assert notes[:-1] == ["output conv_2d_0: 1x8x12x2 becomes 1x4x6x2"]


def test_a_smaller_picture_is_priced_as_faster() -> None:
    target, graph = load_target("nucleo-l4r5zi"), build("ic01")
    whole, half = (simulate(g, target).metric("latency_s").value for g in (graph, resized(graph)))
    assert whole is not None and half is not None and half < whole / 2


@pytest.mark.parametrize(
    "text", ["resolution", "resolution scale=0.5 edge=9", "resolution height=0", "resolution edge=9 width=3"]
)
def test_what_is_no_resolution_is_a_fault_of_the_recipe(text: str) -> None:
    with pytest.raises(RecipeInvalid):
        parse_recipe(text)
