"""Structured pruning: how many channels go, which ones, and what is left of shapes and constants."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from channel_law import random_inputs
from preflash.devices.catalog import load_target
from preflash.errors import RecipeInvalid, VariantInvalid
from preflash.graphs.build import GraphBuilder
from preflash.graphs.check import check
from preflash.graphs.dims import op_dims
from preflash.graphs.evaluate import constant_array, evaluate
from preflash.graphs.geometry import Padding
from preflash.graphs.ir import DType, ModelGraph, Quantization, Tensor, WeightForm
from preflash.graphs.ops import (
    Conv2DAttributes,
    DepthwiseConv2DAttributes,
    SplitVAttributes,
    SqueezeAttributes,
    StridedSliceAttributes,
    TransposeConvAttributes,
)
from preflash.graphs.tflite.read import parse_tflite
from preflash.graphs.tflite.write import write_tflite
from preflash.graphs.variants.channels import PruneChannels, kept_count, removed_channels
from preflash.graphs.variants.given import Given
from preflash.graphs.variants.recipe import parse_recipe
from preflash.graphs.variants.weights import packed_int4
from preflash.graphs.zoo import build
from preflash.simulator.simulate import simulate

FLOAT = DType.FLOAT32
VALID = Conv2DAttributes(Padding.VALID)
HALF = PruneChannels(fraction=0.5, first=True)


def pruned(graph: ModelGraph, step: PruneChannels = HALF) -> ModelGraph:
    """The model after the step, accepted by the judge and by our reader."""
    found = step.apply(graph, Given())
    check(found)
    check(parse_tflite(write_tflite(found)))
    return found


def macs(graph: ModelGraph) -> list[int]:
    """Of every op with a filter: output elements x filter taps x filter depth."""
    found = (op_dims(graph.main, op) for op in graph.ops)
    return [d.out_h * d.out_w * d.out_c * d.k_h * d.k_w * d.filter_c for d in found if d and d.weight_dtype]


def filters(b: GraphBuilder, norms: list[float], depth: int = 1) -> int:
    """1x1 filters that are constant: channel n has the value norms[n]."""
    return b.constant(np.repeat(np.array(norms, np.float32), depth).reshape(len(norms), 1, 1, depth))


def conv(b: GraphBuilder, x: int, norms: list[float], depth: int = 1) -> int:
    return b.op("CONV_2D", (x, filters(b, norms, depth)), VALID)[0]


def values(graph: ModelGraph, op: int, position: int = 1) -> npt.NDArray[Any]:
    return constant_array(graph.tensors[graph.ops[op].inputs[position]])


def float_start(norms: list[float], shape: tuple[int, ...] = (1, 4, 4, 1)) -> tuple[GraphBuilder, int]:
    b = GraphBuilder("channels", dtype=FLOAT)
    return b, conv(b, b.input(shape), norms, shape[3])


def constant(b: GraphBuilder, *numbers: int) -> int:
    return b.constant(np.array(numbers, np.int32))


@pytest.mark.parametrize(("size", "fraction", "multiple", "kept"), [
    (64, 0.5, 1, 32), (64, 0.4, 1, 38), (64, 0.4, 8, 40), (64, 0.99, 8, 8), (6, 0.5, 8, 6), (20, 0.5, 8, 8),
    (20, 0.4, 8, 16), (3, 0.5, 1, 2), (10, 0.1, 1, 9), (2, 0.9, 1, 1),
])  # fmt: skip
def test_so_many_channels_stay(size: int, fraction: float, multiple: int, kept: int) -> None:
    assert kept_count(size, fraction, multiple) == kept


def test_multiply_accumulates_shrink_as_worked_by_hand() -> None:
    b = GraphBuilder("separable")
    x = b.conv(b.input((1, 4, 4, 3)), 8, (3, 3))
    x = b.depthwise(x)
    graph = b.finish([b.conv(x, 4)])
    # 16 pixels: 8 filters x 27; 8 x 9; 4 filters x 8
    assert macs(graph) == [16 * 8 * 27, 16 * 8 * 9, 16 * 4 * 8]
    assert macs(pruned(graph)) == [16 * 4 * 27, 16 * 4 * 9, 16 * 4 * 4]
    assert macs(pruned(graph, PruneChannels(keep=0.25, first=True))) == [16 * 2 * 27, 16 * 2 * 9, 16 * 4 * 2]


def test_the_channels_with_the_smallest_filters_go_and_order_is_kept() -> None:
    b, x = float_start([4, 1, 3, 2])
    graph = pruned(b.finish([conv(b, x, [9, 8, 7], 4)]))
    assert values(graph, 0).reshape(-1).tolist() == [4, 3]
    assert values(graph, 1).shape == (3, 1, 1, 2)


def test_the_channel_criterion_looks_at_what_reads_them() -> None:
    b, x = float_start([4, 1, 3, 2])
    reader = np.array([[0.1, 5, 0.2, 6]], np.float32).reshape(1, 1, 1, 4)
    x = b.op("CONV_2D", (x, b.constant(reader)), VALID)[0]
    graph = pruned(b.finish([x]), PruneChannels(fraction=0.5, first=True, criterion="channel"))
    assert values(graph, 0).reshape(-1).tolist() == [1, 2]
    assert values(graph, 1).reshape(-1).tolist() == [5, 6]


@pytest.mark.parametrize(("norm", "kept"), [("l1", [[2, 2]]), ("l2", [[0, 3]])])
def test_the_norm_says_which_of_two_filters_is_smaller(norm: Any, kept: list[list[float]]) -> None:
    b = GraphBuilder(dtype=FLOAT)
    both = b.constant(np.array([[2, 2], [0, 3]], np.float32).reshape(2, 1, 1, 2))  # l1 4, 3; l2 2.83, 3
    x = b.op("CONV_2D", (b.input((1, 4, 4, 2)), both), VALID)[0]
    graph = pruned(b.finish([conv(b, x, [1], 2)]), PruneChannels(fraction=0.5, first=True, norm=norm))
    assert values(graph, 0).reshape(1, 2).tolist() == kept


def test_norms_of_tied_filters_add_up() -> None:
    b, x = float_start([1, 5, 2])
    y = conv(b, 0, [1, 1, 9])
    graph = b.finish([conv(b, b.add(x, y), [1], 3)])
    found = pruned(graph, PruneChannels(fraction=0.34, first=True))  # sums 2, 6, 11
    assert values(found, 0).reshape(-1).tolist() == [5, 2]
    assert values(found, 1).reshape(-1).tolist() == [1, 9]


def test_concatenated_channels_leave_at_their_offset() -> None:
    b, x = float_start([1, 2])
    y = conv(b, 0, [6, 5, 4, 3])
    reader = b.constant(np.arange(6, dtype=np.float32).reshape(1, 1, 1, 6))
    graph = pruned(b.finish([b.op("CONV_2D", (b.concat((x, y)), reader), VALID)[0]]))
    assert values(graph, 3).reshape(-1).tolist() == [1, 2, 3]  # channel 1 of two, 0 and 1 of four
    assert graph.tensors[graph.ops[2].outputs[0]].shape == (1, 4, 4, 3)


def test_a_flattened_channel_leaves_with_the_columns_of_its_pixels() -> None:
    b, x = float_start([2, 1, 3], (1, 1, 2, 1))
    flat = b.reshape(x, (1, 6))
    dense = b.constant(np.arange(6, dtype=np.float32).reshape(1, 6))
    graph = pruned(
        b.finish([b.op("FULLY_CONNECTED", (flat, dense))[0]]), PruneChannels(keep=0.67, first=True)
    )
    assert values(graph, 2).tolist() == [[0, 2, 3, 5]]  # two pixels of channels 0 and 2
    assert values(graph, 1).tolist() == [1, 4]


def test_an_extent_that_is_left_to_be_worked_out_stays_so() -> None:
    b, x = float_start([2, 1], (1, 1, 2, 1))
    flat = b.op("RESHAPE", (x, constant(b, -1, 4)), shapes=[(1, 4)])[0]
    dense = b.constant(np.ones((1, 4), np.float32))
    graph = pruned(b.finish([b.op("FULLY_CONNECTED", (flat, dense))[0]]))
    assert values(graph, 1).tolist() == [-1, 2]


def test_a_depth_multiplier_is_kept_or_follows_its_single_source() -> None:
    twice = DepthwiseConv2DAttributes(depth_multiplier=2)
    b, x = float_start([2, 1, 3, 4])
    graph = pruned(b.finish([b.conv(b.depthwise(x, attributes=twice), 2)]))
    assert graph.ops[1].attributes == twice
    assert values(graph, 1).shape == (1, 3, 3, 4)
    b = GraphBuilder()
    x = b.depthwise(b.input((1, 4, 4, 1)), attributes=replace(twice, depth_multiplier=8))
    graph = pruned(b.finish([b.conv(x, 2)]))
    assert getattr(graph.ops[0].attributes, "depth_multiplier", 0) == 4


def test_a_shape_constant_that_others_still_need_is_copied() -> None:
    b, x = float_start([2, 1], (1, 2, 2, 1))
    target = constant(b, 1, 8)
    flat = b.op("RESHAPE", (x, target))[0]
    other = b.op("RESHAPE", (b.input((1, 2, 2, 2), name="other"), target))[0]
    graph = pruned(b.finish([b.fully_connected(flat, 2), other]))
    assert values(graph, 1).tolist() == [1, 4]
    assert values(graph, 2).tolist() == [1, 8]


def test_parts_of_given_extents_get_new_ones() -> None:
    b, x = float_start([4, 3, 2, 1, 8, 7])  # 4, 3 of the first four and 8 of the rest stay
    parts = b.op("SPLIT_V", (x, constant(b, 4, -1), constant(b, 3)), SplitVAttributes(2))
    graph = pruned(b.finish([b.conv(part, 2) for part in parts]))
    assert values(graph, 1).tolist() == [2, -1]
    assert values(graph, 0).reshape(-1).tolist() == [4, 3, 8]


def test_slices_begin_where_their_channels_are_now() -> None:
    b, x = float_start([4, 3, 2, 1, 8, 7])
    x1 = b.op("SLICE", (x, constant(b, 0, 0, 0, 4), constant(b, -1, -1, -1, 2)))[0]
    bounds = [constant(b, 0, 0, 0, 0), constant(b, 0, 0, 0, 4), constant(b, 1, 1, 1, 1)]
    x2 = b.op("STRIDED_SLICE", (x, *bounds), StridedSliceAttributes(begin_mask=7, end_mask=7))[0]
    graph = pruned(b.finish([b.conv(x1, 2), b.conv(x2, 2)]))
    assert (values(graph, 1, 1).tolist(), values(graph, 1, 2).tolist()) == ([0, 0, 0, 2], [-1, -1, -1, 1])
    assert values(graph, 2, 2).tolist() == [0, 0, 0, 2]


def test_padding_of_channels_shrinks_with_its_residual() -> None:
    b, x = float_start([1, 2])
    wide = b.pad(x, ((0, 0), (0, 0), (0, 0), (1, 1)))
    y = conv(b, x, [9, 1, 1, 8], 2)  # of 0 and 3, tied to padding, 0 stays; of 1 and 2, tied to op 0, 2 stays
    found = pruned(b.finish([conv(b, b.add(y, wide), [1], 4)]))
    assert values(found, 0).reshape(-1).tolist() == [2]
    assert values(found, 1).tolist() == [[0, 0], [0, 0], [0, 0], [1, 0]]
    assert values(found, 2).reshape(-1).tolist() == [9, 1]


def test_the_stated_shape_of_a_transposed_convolution_follows() -> None:
    b, x = float_start([2, 1])
    weight = b.constant(np.array([1, 2, 3, 4, 5, 6], np.float32).repeat(8).reshape(6, 2, 2, 2))
    wide = b.tensor((1, 8, 8, 6))
    inputs = (constant(b, 1, 8, 8, 6), weight, x)
    b.op("TRANSPOSE_CONV", inputs, TransposeConvAttributes(Padding.SAME, 2, 2), outputs=[wide])
    graph = pruned(b.finish([conv(b, wide, [1], 6)]))
    assert values(graph, 1, 0).tolist() == [1, 8, 8, 3]
    assert values(graph, 1, 1).shape == (3, 2, 2, 1)


def test_a_squeeze_names_its_dimensions_once_a_single_channel_is_left() -> None:
    b, x = float_start([2, 1], (1, 1, 1, 1))
    flat = b.op("SQUEEZE", (x,), SqueezeAttributes())[0]  # to rank 1
    graph = b.finish([b.fully_connected(b.reshape(flat, (1, 2)), 2)])
    found = pruned(graph)
    assert found.ops[1].attributes == SqueezeAttributes((0, 1, 2))
    assert found.tensors[found.ops[1].outputs[0]].shape == (1,)


def test_slopes_and_offsets_per_channel_follow() -> None:
    b, x = float_start([4, 1, 3, 2])
    slopes = b.constant(np.array([0.1, 0.2, 0.3, 0.4], np.float32).reshape(1, 1, 4))
    x = b.op("PRELU", (x, slopes))[0]
    x = b.mul(x, b.constant(np.array([1, 2, 3, 4], np.float32)))
    x = b.add(x, b.constant(np.array([7], np.float32)))
    graph = pruned(b.finish([conv(b, x, [1], 4)]))
    assert values(graph, 1).reshape(-1).tolist() == pytest.approx([0.1, 0.3])
    assert values(graph, 2).tolist() == [1, 3]
    assert values(graph, 3).tolist() == [7]


def with_tensor(graph: ModelGraph, index: int, **fields: Any) -> ModelGraph:
    tensors = list(graph.tensors)
    tensors[index] = replace(tensors[index], **fields)
    return graph.with_main(replace(graph.main, tensors=tuple(tensors)))


def chain() -> ModelGraph:
    """int8, 3 -> 4 -> 2 channels."""
    b = GraphBuilder("chain")
    return b.finish([b.conv(b.conv(b.input((1, 4, 4, 3)), 4), 2)])


def test_scales_per_channel_and_recorded_ranges_are_sliced() -> None:
    graph = chain()
    weight, bias = graph.tensors[graph.ops[0].inputs[1]], graph.tensors[graph.ops[0].inputs[2]]
    q = weight.quantization
    assert q is not None
    ranges = replace(q, minimum=-q.scales, maximum=q.scales * 2)
    assert bias.quantization is not None
    graph = with_tensor(graph, weight.index, quantization=ranges)
    graph = with_tensor(graph, bias.index, quantization=replace(bias.quantization, axis=3))
    gone = removed_channels(graph, HALF)[weight.index][0]
    found = pruned(graph)
    new = found.tensors[weight.index].quantization
    new_bias = found.tensors[bias.index]
    assert new is not None
    assert new_bias.quantization is not None
    assert new.minimum is not None
    assert gone.sum() == 2
    assert np.array_equal(new.scales, q.scales[~gone])
    assert len(new.zero_points) == 2
    assert np.array_equal(new.minimum, -q.scales[~gone])
    assert np.array_equal(new_bias.quantization.scales, bias.quantization.scales[~gone])
    assert np.array_equal(constant_array(new_bias), constant_array(bias)[~gone])
    activation = graph.ops[0].outputs[0]
    assert found.tensors[activation].quantization is graph.tensors[activation].quantization


def known(tensor: Tensor, pattern: str = "") -> WeightForm:
    """A mask, a table per output channel and an assignment that all tell positions apart."""
    positions = np.arange(tensor.element_count).reshape(tensor.shape)
    table = np.arange(tensor.shape[0] * 2, dtype=np.float64).reshape(-1, 2)
    return WeightForm(4, positions % 3 > 0, pattern, table, positions.astype(np.uint16), 0)


def form_after(pattern: str, op: int) -> tuple[WeightForm, dict[int, npt.NDArray[np.bool_]]]:
    graph = chain()
    index = graph.ops[op].inputs[1]
    graph = with_tensor(graph, index, form=known(graph.tensors[index], pattern))
    found = HALF.apply(graph, Given()).tensors[index].form
    assert found is not None
    return found, {axis: ~mask for axis, mask in removed_channels(graph, HALF)[index].items()}


def test_what_is_known_of_weights_is_sliced_like_them() -> None:
    form, stays = form_after("", 0)
    before = known(chain().tensors[chain().ops[0].inputs[1]])
    assert form.bits == 4
    for new, old in (
        (form.mask, before.mask),
        (form.assignment, before.assignment),
        (form.codebook, before.codebook),
    ):
        assert new is not None
        assert old is not None
        assert np.array_equal(new, old[stays[0]])
    form, stays = form_after("", 1)  # input channels: tables per output channel stay
    assert form.codebook is not None
    assert form.codebook.shape == (2, 2)
    assert form.mask is not None
    assert form.mask.shape == (2, 1, 1, 2)


@pytest.mark.parametrize(("pattern", "after_outputs_go", "after_inputs_go"), [
    ("2:4", "2:4", ""), ("1x4", "1x4", ""), ("4x1", "", "4x1"), ("4x4", "", ""),
    ("stride 2", "stride 2", "stride 2"),
])  # fmt: skip
def test_a_pattern_is_claimed_only_where_the_cut_leaves_it(
    pattern: str, after_outputs_go: str, after_inputs_go: str
) -> None:
    assert form_after(pattern, 0)[0].pattern == after_outputs_go
    assert form_after(pattern, 1)[0].pattern == after_inputs_go


def test_packed_weights_of_four_bits_are_packed_anew() -> None:
    b = GraphBuilder()
    x = b.input((1, 3))
    stored = np.array([[1, 2, 3], [7, 7, 7], [-1, -2, -3], [0, 1, 0]], np.int8)
    q = Quantization(np.ones(1, np.float32), np.zeros(1, np.int64))
    weight = b.tensor((4, 3), dtype=DType.INT4, quantization=q, data=packed_int4(stored))
    y = b.op("FULLY_CONNECTED", (x, weight))[0]
    graph = HALF.apply(b.finish([b.fully_connected(y, 2)]), Given())
    assert values(graph, 0).tolist() == [[7, 7, 7], [-1, -2, -3]]
    assert graph.tensors[weight].stored_bytes == 3


def test_weights_behind_a_dequantization_are_cut_where_they_are_stored() -> None:
    b = GraphBuilder(dtype=FLOAT)
    half = b.constant(np.array([4, 1, 3, 2], np.float16).reshape(4, 1, 1, 1), name="half")
    x = b.op("CONV_2D", (b.input((1, 4, 4, 1)), b.op("DEQUANTIZE", (half,))[0]), VALID)[0]
    graph = pruned(b.finish([conv(b, x, [1], 4)]))
    assert values(graph, 0, 0).reshape(-1).tolist() == [4, 3]
    assert graph.tensors[graph.ops[0].outputs[0]].shape == (2, 1, 1, 1)


def named(graph: ModelGraph, *names: str) -> ModelGraph:
    """The filters of op n are called names[n]."""
    for op, name in enumerate(names):
        graph = with_tensor(graph, graph.ops[op].inputs[1], name=name)
    return graph


def sizes(graph: ModelGraph) -> list[int]:
    return [graph.tensors[op.outputs[0]].shape[-1] for op in graph.ops]


def three() -> ModelGraph:
    """Filters a, b, c, d: 8, 16, 32 and 4 channels."""
    b = GraphBuilder("three")
    x = b.input((1, 4, 4, 3))
    for channels in (8, 16, 32, 4):
        x = b.conv(x, channels)
    return named(b.finish([x]), "a", "b", "c", "d")


@pytest.mark.parametrize(("recipe", "left"), [
    ("prune-channels fraction=0.5", [8, 8, 16, 4]),
    ("prune-channels fraction=0.5 first=true", [4, 8, 16, 4]),
    ("prune-channels keep=0.25 multiple_of=8", [8, 8, 8, 4]),
    ("prune-channels fraction=0.5 skip=b", [8, 16, 16, 4]),
    ("prune-channels fraction=0.5 only=a,2", [4, 16, 16, 4]),
    ("prune-channels distribution=given each=a=0.25,c=0.75", [6, 16, 8, 4]),
    ("prune-channels fraction=0.5 distribution=given each=1=0.25", [8, 12, 16, 4]),
])  # fmt: skip
def test_recipes_say_which_channels_are_meant(recipe: str, left: list[int]) -> None:
    graph = parse_recipe(recipe).apply(three())
    check(graph)
    assert sizes(graph) == left


def test_a_recipe_is_written_as_it_is_read() -> None:
    text = "prune-channels distribution=given each=a=0.25,c=0.75 norm=l2"
    assert parse_recipe(text).text == text


def test_a_group_stays_if_one_of_its_filters_is_skipped() -> None:
    b = GraphBuilder()
    x = b.conv(b.input((1, 4, 4, 3)), 8)
    graph = named(b.finish([b.conv(b.add(b.conv(x, 8), x), 2)]), "first", "second")
    with pytest.raises(VariantInvalid, match="no channels can go"):
        PruneChannels(fraction=0.5).apply(graph, Given())
    assert sizes(pruned(graph))[:2] == [4, 4]
    with pytest.raises(VariantInvalid, match="no channels can go"):
        PruneChannels(fraction=0.5, first=True, skip=("second",)).apply(graph, Given())


@pytest.mark.parametrize(("recipe", "fault"), [
    ("prune-channels", "give one of fraction and keep"),
    ("prune-channels fraction=0.5 keep=0.5", "give one of fraction and keep"),
    ("prune-channels fraction=1.0", "less than 1"),
    ("prune-channels distribution=given each=a", "is not"),
    ("prune-channels distribution=given each=a=2", "is not"),
    ("prune-channels fraction=0.5 each=a=0.2", "goes with distribution=given"),
    ("prune-channels distribution=given", "goes with distribution=given"),
    ("prune-channels fraction=0.5 norm=l3", "l1"),
    ("prune-channels fraction=0.5 multiple_of=0", "greater than or equal to 1"),
])  # fmt: skip
def test_options_that_make_no_sense_are_faults(recipe: str, fault: str) -> None:
    with pytest.raises(RecipeInvalid) as caught:
        parse_recipe(recipe)
    assert fault in " ".join(caught.value.faults)


def test_unknown_filters_are_named_with_those_that_are_known() -> None:
    with pytest.raises(VariantInvalid, match="no filters are called 'e'") as caught:
        PruneChannels(fraction=0.5, skip=("e",)).apply(three(), Given())
    assert "a, b, c, d" in caught.value.fix


def test_weights_that_are_no_numbers_are_refused_by_name() -> None:
    b, x = float_start([1, float("nan"), 3])
    graph = named(b.finish([conv(b, x, [1], 3)]), "broken")
    with pytest.raises(VariantInvalid, match="no finite numbers") as caught:
        HALF.apply(graph, Given())
    assert caught.value.where == "broken"


def test_a_model_whose_channels_all_stay_says_why() -> None:
    b = GraphBuilder()
    graph = b.finish([b.conv(b.input((1, 4, 4, 3)), 8)])
    with pytest.raises(VariantInvalid, match="no channels can go: they are an output of the model"):
        HALF.apply(graph, Given())


def test_the_heuristic_takes_more_from_groups_with_more_weights() -> None:
    graph = parse_recipe("prune-channels fraction=0.5 distribution=heuristic first=true").apply(three())
    # weights 24, 128, 512: a = 0.5 x 664 / (24 ln 24 + 128 ln 128 + 512 ln 512) = 0.085885
    # fractions 0.2729, 0.4167, 0.5358: 5.8, 9.3, 14.9 channels stay
    assert sizes(graph) == [6, 9, 15, 4]


@pytest.mark.parametrize("name", ["kws01", "ic01", "vww01", "ad01", "squeezenet-v1.0", "mobilenet-v3-small"])
@pytest.mark.parametrize("dtype", ["int8", "float32"])
def test_networks_of_the_zoo_are_pruned_to_multiples(name: str, dtype: str) -> None:
    graph = build(name, dtype=dtype)
    step = PruneChannels(keep=0.5, multiple_of=4, first=True)
    found = pruned(graph, step)
    cut = {index for index in removed_channels(graph, step) if not graph.tensors[index].is_constant}
    assert cut
    assert all(found.tensors[t].shape[-1] % 4 == 0 for t in cut)
    assert sum(macs(found)) < 0.55 * sum(macs(graph))
    assert [found.tensors[t].shape for t in found.outputs] == [graph.tensors[t].shape for t in graph.outputs]


def test_a_pruned_network_is_simulated_as_any_other() -> None:
    graph, target = build("kws01"), load_target("nucleo-l4r5zi", runtime="tflm-cmsis-nn")
    before, after = simulate(graph, target), simulate(pruned(graph), target)
    for name in ("latency_s", "flash_bytes", "arena_min_bytes"):
        smaller, whole = after.metric(name).value, before.metric(name).value
        assert smaller is not None
        assert whole is not None
        assert smaller < whole, name


@pytest.mark.parametrize("recipe", [
    "prune sparsity=0.6 | prune-channels fraction=0.5", "prune granularity=2:4 | prune-channels keep=0.5",
    "prune-channels fraction=0.5 | prune sparsity=0.6 granularity=1x4",
])  # fmt: skip
def test_pruned_weights_stay_zero_and_are_known_in_the_file(recipe: str) -> None:
    graph = parse_recipe(recipe).apply(build("ic01"))
    check(graph)
    again = parse_tflite(write_tflite(graph))
    forms = [(t, t.form, again.tensors[t.index].form) for t in graph.tensors if t.form is not None]
    assert len(forms) > 5
    for tensor, form, stored in forms:
        assert form.mask is not None
        assert stored is not None
        assert stored.mask is not None
        assert form.mask.shape == tensor.shape
        assert not constant_array(tensor)[~form.mask].any()
        assert not (stored.mask & ~form.mask).any()


def test_the_model_that_was_given_is_left_as_it_is() -> None:
    graph = three()
    inputs = random_inputs(graph)
    before = evaluate(graph, inputs)
    pruned(graph)
    assert sizes(graph) == [8, 16, 32, 4]
    assert np.array_equal(evaluate(graph, inputs)[0], before[0])
