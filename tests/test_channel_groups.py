"""Which channels can go, which only together, and what holds the others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from preflash.graphs.build import GraphBuilder
from preflash.graphs.geometry import Padding
from preflash.graphs.ir import DType, ModelGraph, Sparsity
from preflash.graphs.ops import (
    Conv2DAttributes,
    DepthToSpaceAttributes,
    DepthwiseConv2DAttributes,
    GatherAttributes,
    PackAttributes,
    SpaceToDepthAttributes,
    SplitAttributes,
    TransposeConvAttributes,
    UnpackAttributes,
)
from preflash.graphs.variants.channel_groups import ChannelGroup, channel_groups, channel_notes
from preflash.graphs.zoo import build

VALID = Conv2DAttributes(Padding.VALID)


def free(graph: ModelGraph) -> list[tuple[int, tuple[int, ...]]]:
    """(size, makers) of the groups whose channels can go."""
    return [(group.size, group.makers) for group in channel_groups(graph) if not group.pinned]


def group_made_by(graph: ModelGraph, op: int) -> ChannelGroup:
    return next(group for group in channel_groups(graph) if op in group.makers)


def start(channels: int = 6, shape: tuple[int, ...] = (1, 4, 4, 3)) -> tuple[GraphBuilder, int]:
    """A builder and a first convolution, op 0."""
    b = GraphBuilder("channels")
    return b, b.conv(b.input(shape), channels)


def constant(b: GraphBuilder, *values: int) -> int:
    return b.constant(np.array(values, np.int32))


def like(b: GraphBuilder, x: int, shape: tuple[int, ...]) -> int:
    """An activation on the grid of another."""
    return b.on_grid_of(b.tensor(shape), x)


def ended(b: GraphBuilder, x: int) -> ModelGraph:
    """The model with a last convolution, whose channels stay as outputs do."""
    return b.finish([b.conv(x, 2)])


def test_channels_of_a_chain_are_a_group_per_convolution_and_outputs_stay() -> None:
    b, x = start()
    graph = ended(b, b.conv(x, 5))
    assert [(g.size, g.makers, g.readers, g.pinned) for g in channel_groups(graph)] == [
        (6, (0,), (1,), ""),
        (5, (1,), (2,), ""),
        (2, (2,), (), "they are an output of the model"),
    ]


def test_a_depthwise_kernel_is_in_the_group_of_what_it_filters() -> None:
    b, x = start()
    assert free(ended(b, b.depthwise(x))) == [(6, (0, 1))]


def test_a_depth_multiplier_makes_channels_that_go_with_their_source() -> None:
    b, x = start()
    x = b.depthwise(x, attributes=DepthwiseConv2DAttributes(depth_multiplier=2))
    graph = ended(b, x)
    assert free(graph) == [(6, (0, 1))]
    assert graph.tensors[x].shape[3] == 12


def test_a_depthwise_kernel_on_one_channel_makes_channels_of_its_own() -> None:
    b = GraphBuilder()
    x = b.depthwise(b.input((1, 4, 4, 1)), attributes=DepthwiseConv2DAttributes(depth_multiplier=8))
    assert free(ended(b, x)) == [(8, (0,))]


def test_a_depthwise_kernel_on_the_models_input_stays() -> None:
    b = GraphBuilder()
    graph = ended(b, b.depthwise(b.input((1, 4, 4, 3))))
    assert channel_notes(graph)[0] == (
        "3 channels of depthwise_conv_2d_0 stay: DEPTHWISE_CONV_2D 0 filters channels that stay"
    )


def test_operands_of_an_addition_are_one_group() -> None:
    b, x = start()
    graph = ended(b, b.add(b.conv(x, 6), x))
    assert free(graph) == [(6, (0, 1))]


def test_a_chain_of_residual_blocks_is_one_group() -> None:
    sizes = [(group.size, len(group.makers)) for group in channel_groups(build("resnet-v1-32"))]
    # stacks of 16, 32, 64 with 5 blocks: first convolution or shortcut + 5 second ones; 15 first ones alone
    assert sorted(sizes)[:-1] == sorted([(16, 6), (32, 6), (64, 6)] + [(c, 1) for c in (16, 32, 64)] * 5)


def test_a_gate_of_squeeze_and_excite_goes_with_what_it_gates() -> None:
    b, x = start()
    gate = b.unary("LOGISTIC", b.conv(b.mean(x, (1, 2), keep_dims=True), 6))
    assert free(ended(b, b.mul(x, gate))) == [(6, (0, 2))]


def test_concatenated_channels_stay_apart() -> None:
    b, x = start()
    y = b.conv(x, 4)
    graph = ended(b, b.concat((x, b.on_grid_of(y, x))))
    assert free(graph) == [(6, (0,)), (4, (1,))]
    assert group_made_by(graph, 0).readers == (1, 3)


def test_rows_joined_along_the_height_have_the_same_channels() -> None:
    b, x = start()
    y = b.on_grid_of(b.conv(x, 6), x)
    assert free(ended(b, b.concat((x, y), axis=1))) == [(6, (0, 1))]


def test_equal_parts_of_a_split_lose_channels_by_rank() -> None:
    b, x = start()
    halves = [like(b, x, (1, 4, 4, 3)) for _ in range(2)]
    b.op("SPLIT", (constant(b, 3), x), SplitAttributes(2), outputs=halves)
    assert free(ended(b, b.conv(halves[0], 4))) == [(3, (0,)), (4, (2,))]


def test_channels_that_are_padded_up_to_a_residual_are_a_group_of_their_own() -> None:
    b, x = start(4)
    wide = b.pad(x, ((0, 0), (0, 0), (0, 0), (1, 1)))
    graph = ended(b, b.add(b.conv(x, 6), wide))
    # four channels of op 2 are tied to op 0's, two to the padding
    assert free(graph) == [(4, (0, 2)), (2, (2,))]


@pytest.mark.parametrize("kind", ["RELU", "LEAKY_RELU", "HARD_SWISH", "QUANTIZE", "LOGISTIC"])
def test_elementwise_ops_hand_channels_on(kind: str) -> None:
    b, x = start()
    assert free(ended(b, b.unary(kind, x))) == [(6, (0,))]


def test_a_dense_op_reads_a_column_per_pixel_of_a_flattened_channel() -> None:
    b, x = start()
    flat = b.reshape(x, (1, 96))
    graph = b.finish([b.fully_connected(flat, 5)])
    assert free(graph) == [(6, (0,))]
    assert group_made_by(graph, 0).readers == (2,)


def test_units_that_become_a_picture_are_tied_over_its_pixels() -> None:
    b = GraphBuilder()
    x = b.reshape(b.fully_connected(b.input((1, 10)), 4 * 4 * 6), (1, 4, 4, 6))
    assert free(ended(b, x)) == [(6, (0,))]


def test_a_channel_shuffle_ties_channels_of_the_same_rank() -> None:
    b, x = start()
    x = b.reshape(x, (1, 4, 4, 2, 3))
    x = b.op("TRANSPOSE", (x, constant(b, 0, 1, 2, 4, 3)))[0]
    assert free(ended(b, b.reshape(x, (1, 4, 4, 6)))) == [(3, (0,))]


def test_channels_survive_a_transposition_to_the_front_and_back() -> None:
    b, x = start()
    x = b.unary("RELU", b.op("TRANSPOSE", (x, constant(b, 0, 3, 1, 2)))[0])
    assert free(ended(b, b.op("TRANSPOSE", (x, constant(b, 0, 2, 3, 1)))[0])) == [(6, (0,))]


def test_blocks_of_pixels_and_channels_are_tied() -> None:
    b, x = start(8)
    x = b.op("DEPTH_TO_SPACE", (x,), DepthToSpaceAttributes(2))[0]
    assert free(ended(b, x)) == [(2, (0,))]
    b, x = start(8)
    x = b.op("SPACE_TO_DEPTH", (x,), SpaceToDepthAttributes(2))[0]
    assert free(ended(b, x)) == [(8, (0,))]


def test_stacked_pictures_have_the_same_channels() -> None:
    b, x = start()
    y = b.on_grid_of(b.conv(x, 6), x)
    stack = b.op("PACK", (x, y), PackAttributes(2, 1))[0]
    parts = b.op("UNPACK", (stack,), UnpackAttributes(2, 1), shapes=[(1, 4, 4, 6)] * 2)
    assert free(ended(b, parts[1])) == [(6, (0, 1))]


def test_a_transposed_convolution_makes_and_reads_channels() -> None:
    b, x = start()
    weight = b.quantized_constant(np.random.default_rng(1).standard_normal((5, 2, 2, 6)), axis=0)
    wide = like(b, x, (1, 8, 8, 5))
    stride = TransposeConvAttributes(Padding.SAME, 2, 2)
    b.op("TRANSPOSE_CONV", (constant(b, 1, 8, 8, 5), weight, x), stride, outputs=[wide])
    assert free(ended(b, wide)) == [(6, (0,)), (5, (1,))]


def shared_weights() -> ModelGraph:
    """Two convolutions with one filter, on two inputs with channels of their own."""
    b, x = start()
    y = b.conv(x, 6)
    weight = b.quantized_constant(np.ones((4, 1, 1, 6)), axis=0)
    parts = [b.op("CONV_2D", (t, weight), VALID)[0] for t in (x, y)]
    return b.finish([b.conv(p, 2) for p in parts])


def test_ops_that_share_a_filter_share_their_channels() -> None:
    assert free(shared_weights()) == [(6, (0, 1)), (4, (2, 3))]


def _softmax(b: GraphBuilder, x: int) -> int:
    return b.softmax(x)


def _unknown(b: GraphBuilder, x: int) -> int:
    return b.op("CUSTOM", (x,), shapes=[(1, 4, 4, 6)])[0]


def _gathered(b: GraphBuilder, x: int) -> int:
    return b.op("GATHER", (x, constant(b, 1, 0, 2, 3, 4, 5)), GatherAttributes(3))[0]


def _summed(b: GraphBuilder, x: int) -> int:
    return b.mean(x, (3,), keep_dims=True)


def _shape_read(b: GraphBuilder, x: int) -> int:
    return b.op("SHAPE", (x,), shapes=[(4,)])[0]


def _added_to_input(b: GraphBuilder, x: int) -> int:
    return b.add(x, b.input((1, 4, 4, 6), name="other"))


def _rows_flattened(b: GraphBuilder, x: int) -> int:
    return b.reshape(x, (1, 4, 2, 12))


def _grouped(b: GraphBuilder, x: int) -> int:
    weight = b.quantized_constant(np.ones((4, 1, 1, 3)), axis=0)
    return b.op("CONV_2D", (x, weight), VALID)[0]


@pytest.mark.parametrize(("append", "reason"), [
    (_softmax, "SOFTMAX 1 mixes them"),
    (_unknown, "CUSTOM 1 is not understood"),
    (_gathered, "GATHER 1 is not understood"),
    (_summed, "MEAN 1 mixes them"),
    (_shape_read, "SHAPE 1 is not understood"),
    (_added_to_input, "ADD 1 joins them with other, which stays"),
    (_grouped, "CONV_2D 1 convolves in groups"),
])  # fmt: skip
def test_what_is_not_understood_holds_its_channels(append: object, reason: str) -> None:
    b, x = start()
    y = append(b, x)  # type: ignore[operator]
    graph = b.finish([y])
    assert not free(graph)
    assert channel_notes(graph)[0] == f"6 channels of CONV_2D 0 stay: {reason}"


def test_a_reshape_across_pixels_and_channels_ties_what_it_joins() -> None:
    b, x = start()
    assert free(ended(b, _rows_flattened(b, x))) == [(6, (0,))]  # 12 = two pixels of six channels
    b, x = start()
    graph = b.finish([b.conv(b.reshape(x, (1, 4, 8, 3)), 2)])
    assert free(graph) == [(3, (0,))]  # half a pixel each
    b, x = start()
    graph = b.finish([b.conv(b.reshape(x, (1, 6, 4, 4)), 2)])
    assert free(graph) == [(2, (0,))]  # even channels are in even columns of 4


def test_a_reshape_that_cuts_through_pictures_holds_their_channels() -> None:
    b, x = start()
    x = b.op("TRANSPOSE", (x, constant(b, 0, 3, 1, 2)))[0]
    graph = b.finish([b.reshape(x, (1, 8, 12))])  # 6 pictures of 16 pixels in rows of 12
    assert channel_notes(graph)[0] == "6 channels of CONV_2D 0 stay: RESHAPE 2 cuts across them"


def test_a_sparse_filter_stays() -> None:
    b, x = start()
    graph = ended(b, b.conv(x, 5))
    index = graph.ops[1].inputs[1]
    tensors = list(graph.tensors)
    tensors[index] = replace(tensors[index], sparsity=Sparsity((), (), ()))
    graph = graph.with_main(replace(graph.main, tensors=tuple(tensors)))
    reason = "CONV_2D 1 has weights that are sparse, in blocks or computed"
    assert [note.rpartition("stay: ")[2] for note in channel_notes(graph)[:2]] == [reason] * 2


def test_a_shape_known_only_when_running_holds_its_channels() -> None:
    b, x = start()
    target = b.op("CAST", (b.input((2,), name="target"),), shapes=[(2,)])[0]
    flat = b.op("RESHAPE", (x, target), shapes=[(1, 96)])[0]
    graph = b.finish([flat])
    assert "RESHAPE 2 has a shape known only when running" in channel_notes(graph)[0]


def test_a_constant_that_is_read_in_two_ways_stays() -> None:
    b, x = start()
    weight = b.quantized_constant(np.ones((5, 1, 1, 6)), name="twice", axis=0)
    y = b.op("CONV_2D", (x, weight), VALID)[0]
    graph = b.finish([b.conv(y, 2), b.op("RESHAPE", (weight, constant(b, 30)), shapes=[(30,)])[0]])
    assert not free(graph)
    assert "RESHAPE 3 reads twice otherwise" in channel_notes(graph)[0]


def test_float_weights_behind_a_dequantization_are_filters() -> None:
    b = GraphBuilder(dtype=DType.FLOAT32)
    half = b.constant(np.ones((6, 1, 1, 3), np.float16), name="half")
    weight = b.op("DEQUANTIZE", (half,))[0]
    x = b.op("CONV_2D", (b.input((1, 4, 4, 3)), weight), VALID)[0]
    assert free(ended(b, x)) == [(6, (1,))]
