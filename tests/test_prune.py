"""Pruned models are real ones: zeros are stored, stay, are known of in the file, and nothing else changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given as over
from hypothesis import settings
from hypothesis import strategies as st
from preflash.errors import RecipeInvalid, UnsupportedOp, VariantInvalid
from preflash.graphs.build import GraphBuilder
from preflash.graphs.evaluate import constant_array, dequantize, evaluate
from preflash.graphs.ir import DType, ModelGraph, Quantization, Sparsity, Tensor, WeightForm
from preflash.graphs.passes.live_channels import without_dead_channels
from preflash.graphs.quantities import per_tensor
from preflash.graphs.tflite.read import parse_tflite
from preflash.graphs.tflite.write import write_tflite
from preflash.graphs.variants.given import Given
from preflash.graphs.variants.prune import Prune
from preflash.graphs.variants.recipe import parse_recipe, recipe_of, recipe_schema
from preflash.graphs.variants.weights import packed_int4, weights, with_tensors
from preflash.graphs.variants.zeros import nonzero, sparsity_of, zeroed
from preflash.simulator.interpreter import run_tflite

NOTHING = Given()
PER_CHANNEL = Quantization(np.linspace(1, 9, 16, dtype=np.float32), np.zeros(16, np.int64))
STEPS = [
    Prune(0.5), Prune(0.5, "1x4"), Prune(0.3, "4x1"), Prune(0.6, "3x5"), Prune(granularity="2:4"),
    Prune(granularity="1:4"), Prune(granularity="stride-2", first=True, depthwise=True),
    Prune(0.5, distribution="heuristic"), Prune(0.5, distribution="sensitivity"),
    Prune(0.2, distribution="given", each=("2=0.9",)),
]  # fmt: skip


def network(dtype: DType = DType.INT8) -> ModelGraph:
    """Weights of 8x3x3x3, 1x3x3x8, 16x1x1x8 and 10x576 elements, read by ops 0, 1, 2 and 4."""
    b = GraphBuilder("small", dtype=dtype, seed=3)
    x = b.conv(b.input((1, 10, 10, 3)), 8, (3, 3))
    x = b.conv(b.depthwise(x, (3, 3)), 16)
    return b.finish([b.softmax(b.fully_connected(b.reshape(x, (1, -1)), 10))])


def held(graph: ModelGraph, op: int) -> Tensor:
    """The weights that an op reads."""
    return graph.tensors[graph.ops[op].inputs[1]]


def with_weights(op: int, dtype: DType, stored: npt.NDArray, q: Quantization | None) -> ModelGraph:
    graph = network(DType.FLOAT32 if dtype.is_float else DType.INT8)
    data = packed_int4(stored) if dtype is DType.INT4 else stored.tobytes()
    return with_tensors(graph, [replace(held(graph, op), dtype=dtype, data=data, quantization=q)])


# What is stored.


@pytest.mark.parametrize(
    ("dtype", "low", "high", "quantization"),
    [
        (DType.FLOAT32, -50, 50, None),
        (DType.FLOAT16, -50, 50, None),
        (DType.INT8, -128, 127, per_tensor(0.02)),
        (DType.INT8, -128, 127, PER_CHANNEL),
        (DType.UINT8, 0, 255, per_tensor(0.02, 121)),
        (DType.INT4, -8, 7, per_tensor(0.3)),
    ],
)  # fmt: skip
def test_zero_is_stored_as_the_type_has_it_and_all_else_stays_bit_for_bit(
    dtype: DType, low: int, high: int, quantization: Quantization | None
) -> None:
    kind = {DType.FLOAT32: np.float32, DType.FLOAT16: np.float16, DType.UINT8: np.uint8}.get(dtype, np.int8)
    stored = np.random.default_rng(2).integers(low, high, (16, 1, 1, 8), endpoint=True).astype(kind)
    graph = with_weights(2, dtype, stored, quantization)
    before, after = held(graph, 2), held(Prune(0.5, only=("2",)).apply(graph, NOTHING), 2)
    reals = dequantize(after, constant_array(after))
    assert (reals == 0).sum() == max(64, (~nonzero(before)).sum())
    assert after.form is not None and after.form.mask is not None
    assert (after.form.mask == (reals != 0)).all()
    kept = after.form.mask
    assert (constant_array(after)[kept] == constant_array(before)[kept]).all()
    large, small = np.abs(dequantize(before, constant_array(before)))[kept].min(), np.abs(reals[~kept]).max()
    assert small == 0 and large >= np.abs(dequantize(before, constant_array(before)))[~kept].max()
    assert len(after.data or b"") == len(before.data or b"")


def test_per_channel_weights_are_compared_by_what_they_stand_for() -> None:
    """Channel 0 stores large numbers of a tiny scale: they are the small ones."""
    scales = np.array([0.001] + [1.0] * 15, np.float32)
    stored = np.array([[100] * 8] + [[1] * 8] * 15, np.int8).reshape(16, 1, 1, 8)
    graph = with_weights(2, DType.INT8, stored, Quantization(scales, np.zeros(16, np.int64)))
    after = constant_array(held(Prune(8 / 128, only=("2",)).apply(graph, NOTHING), 2))
    assert not after[0].any() and after[1:].all()


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"quantization": None}, VariantInvalid, "stand for nothing"),
        ({"quantization": per_tensor(0.1, 300)}, VariantInvalid, "no value is zero"),
        ({"sparsity": Sparsity((0,), (), ())}, UnsupportedOp, "no dense constant"),
        ({"dtype": DType.INT2, "data": bytes(32)}, UnsupportedOp, "cannot be read as numbers"),
        ({"form": WeightForm(bits=1)}, VariantInvalid, "zero is none of the values that 1 bits hold"),
    ],
)
def test_weights_that_have_no_zero_or_cannot_be_read_are_refused(
    change: dict[str, object], error: type[Exception], says: str
) -> None:
    stored = np.where(np.arange(128) % 2, 5, -5).astype(np.int8).reshape(16, 1, 1, 8)
    graph = with_weights(2, DType.INT8, stored, per_tensor(0.1))
    with pytest.raises(error, match=says):
        Prune(0.5).apply(with_tensors(graph, [replace(held(graph, 2), **change)]), NOTHING)


@pytest.mark.parametrize("value", [np.nan, -np.inf])
def test_weights_that_are_no_finite_numbers_are_refused(value: float) -> None:
    graph = with_weights(2, DType.FLOAT32, np.full((16, 1, 1, 8), value, np.float32), None)
    with pytest.raises(VariantInvalid, match="no magnitude"):
        Prune(0.5).apply(graph, NOTHING)


@pytest.mark.parametrize("word", ["weight", "1x4", "2:4", "stride-2"])
def test_weights_of_a_strange_shape_are_refused(word: str) -> None:
    """A depthwise kernel with two dimensions has no output channels at the fourth."""
    graph = network()
    flat = with_tensors(graph, [replace(held(graph, 1), shape=(9, 8), quantization=per_tensor(0.1))])
    step = Prune(0.5, word, only=("1",))
    with pytest.raises(VariantInvalid, match="no output channels"):
        step.apply(flat, NOTHING)


# What is known of it.


@pytest.mark.parametrize("dtype", [DType.INT8, DType.FLOAT32])
@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step.granularity} {step.distribution}")
def test_mask_and_pattern_are_read_back_from_the_file(step: Prune, dtype: DType) -> None:
    graph = step.apply(network(dtype), NOTHING)
    again = parse_tflite(write_tflite(graph))
    pruned = [t.index for t in graph.tensors if t.form is not None]
    assert pruned
    for index in pruned:
        form, found = graph.tensors[index].form, again.tensors[index].form
        assert form is not None and found is not None and form.mask is not None and found.mask is not None
        assert (form.mask == found.mask).all() and form.pattern == found.pattern
        assert (form.mask == nonzero(graph.tensors[index])).all()


@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step.granularity} {step.distribution}")
def test_a_raw_file_is_as_long_as_before_but_for_our_own_entry(step: Prune) -> None:
    """SA-25: without the metadata entry the lengths are equal, and so is every constant's."""
    graph = network()
    pruned = step.apply(graph, NOTHING)
    plain = with_tensors(pruned, [replace(t, form=None) for t in pruned.tensors])
    assert len(write_tflite(plain)) == len(write_tflite(graph)) < len(write_tflite(pruned))
    assert [t.stored_bytes for t in pruned.tensors] == [t.stored_bytes for t in graph.tensors]


@settings(max_examples=25, deadline=None)
@over(st.lists(st.sampled_from(STEPS), min_size=1, max_size=3), st.sampled_from([DType.INT8, DType.FLOAT32]))
def test_zeros_stay_through_every_later_step(steps: list[Prune], dtype: DType) -> None:
    graph = network(dtype)
    for step in steps:
        before = {one.tensor: ~nonzero(graph.tensors[one.tensor]) for one in weights(graph)}
        graph = step.apply(graph, NOTHING)
        for index, zero in before.items():
            assert not (zero & nonzero(graph.tensors[index])).any()


def test_a_pattern_outlives_the_single_weights_that_go_later() -> None:
    graph = Prune(0.75).apply(Prune(granularity="2:4").apply(network(), NOTHING), NOTHING)
    form = held(graph, 2).form
    assert form is not None and form.mask is not None and form.pattern == "2:4"
    assert form.mask.reshape(-1, 4).sum(1).max() <= 2
    assert sparsity_of(graph).weights[2].sparsity == 0.75


@pytest.mark.parametrize("axis", [None, 0])
def test_shared_values_are_counted_again_with_zero_among_them(axis: int | None) -> None:
    book = np.array([-2.0, -0.5, 1.0, 3.0]) if axis is None else np.array([[-2.0, -0.5, 1.0, 3.0]] * 16)
    codes = (np.arange(128) % 4).reshape(16, 1, 1, 8)
    values = np.array([-2.0, -0.5, 1.0, 3.0], np.float32)[codes]
    graph = with_weights(2, DType.FLOAT32, values, None)
    form = WeightForm(codebook=book, assignment=codes.astype(np.uint16))
    graph = with_tensors(graph, [replace(held(graph, 2), form=form)])
    after = held(Prune(0.4, only=("2",)).apply(graph, NOTHING), 2)  # all of -0.5, and 19 of 32 of 1.0
    assert after.form is not None and after.form.codebook is not None and after.form.assignment is not None
    tables = after.form.codebook.reshape(-1, after.form.code_count)
    rows = np.broadcast_to(tables, (16, after.form.code_count))
    shared = np.take_along_axis(rows, after.form.assignment.reshape(16, -1).astype(np.int64), 1)
    assert (shared.reshape(16, 1, 1, 8) == constant_array(after)).all()
    assert 0.0 in tables[0] and -0.5 not in tables and after.form.code_count == 4


# Which weights, and how many.


def test_as_published_depthwise_and_first_weights_stay() -> None:
    zeros = sparsity_of(Prune(0.5).apply(network(DType.FLOAT32), NOTHING))
    assert [one.zeros for one in zeros.weights] == [0, 0, 64, zeros.weights[3].count // 2]
    assert zeros.zeros == sum(one.zeros for one in zeros.weights)


def test_what_rounds_to_zero_is_a_zero() -> None:
    stored = np.zeros((16, 1, 1, 8), np.int8)
    stored[:4] = 7
    graph = with_weights(2, DType.INT8, stored, per_tensor(0.1))
    assert sparsity_of(graph).weights[2].sparsity == 0.75
    assert sparsity_of(Prune(0.5, only=("2",)).apply(graph, NOTHING)).weights[2].sparsity == 0.75


def test_weights_that_nobody_reads_are_named_and_in_no_count() -> None:
    graph = network()
    strange = replace(held(graph, 2), dtype=DType.INT2, data=bytes(32), name="strange")
    zeros = sparsity_of(with_tensors(graph, [strange]))
    assert zeros.unread == ("strange",) and len(zeros.weights) == 3
    assert sparsity_of(GraphBuilder().finish([])).sparsity is None


def test_given_sparsities_reach_named_weights_and_leave_the_others() -> None:
    step = Prune(distribution="given", each=("0=0.25", "4=0.5"))
    zeros = sparsity_of(step.apply(network(DType.FLOAT32), NOTHING))
    assert [one.sparsity for one in zeros.weights] == [0.25, 0, 0, 0.5]


def test_a_filter_pruned_to_zero_is_seen_as_a_dead_channel() -> None:
    """Blocks of one row are whole filters: 1x8 in a pointwise convolution of 8 input channels."""
    b = GraphBuilder("two", seed=5)
    x = b.conv(b.conv(b.input((1, 4, 4, 8)), 8), 16)
    graph = b.finish([b.conv(x, 4)])
    pruned = Prune(0.5, "1x8", distribution="given", each=("1=0.5",), skip=("2",)).apply(graph, NOTHING)
    live = without_dead_channels(pruned)
    assert held(pruned, 1).shape == (16, 1, 1, 8) and held(live, 1).shape == (8, 1, 1, 8)
    assert held(live, 2).shape == (4, 1, 1, 8)


def test_a_pruned_model_runs_as_its_weights_say() -> None:
    graph = Prune(0.6, first=True, depthwise=True).apply(network(DType.FLOAT32), NOTHING)
    x = np.random.default_rng(4).uniform(-1, 1, (1, 10, 10, 3)).astype(np.float32)
    expected, found = evaluate(graph, [x])[0], run_tflite(write_tflite(graph), [x])[0]
    assert np.abs(expected - found).max() < 1e-5


# What a recipe may say.


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("prune", "sparsity: is missing"),
        ("prune sparsity=1", "less than 1"),
        ("prune sparsity=-0.1", "greater than or equal to 0"),
        ("prune sparsity=0.6 granularity=2:4", "2:4 makes it 0.5, 0.6 is asked for"),
        ("prune granularity=2:4 distribution=heuristic", "2:4 prunes all tensors alike"),
        ("prune sparsity=0.5 granularity=rows", "none of weight, RxC"),
        ("prune sparsity=0.5 distribution=given", "each:"),
        ("prune sparsity=0.5 each=a=0.5", "only with it"),
        ("prune distribution=given each=a=1", 'is not "name=0.5"'),
        ("prune distribution=given each=0.5", 'is not "name=0.5"'),
        ("prune sparsity=0.995 distribution=heuristic", "highest: 0.99 of each tensor"),
        ("prune sparsity=0.5 colour=red", "colour"),
    ],
)
def test_a_recipe_with_faults_says_which(text: str, fault: str) -> None:
    with pytest.raises(RecipeInvalid, match=fault):
        parse_recipe(text)


def test_a_step_made_in_code_is_held_to_the_same() -> None:
    with pytest.raises(RecipeInvalid, match="at least 0 and below 1"):
        Prune(1.5)


@pytest.mark.parametrize("step", STEPS)
def test_a_step_reads_the_same_from_text_and_from_toml(step: Prune) -> None:
    recipe = recipe_of({"step": [{"do": "prune", **{k: v for k, v in vars(step).items() if v is not None}}]})
    assert recipe.steps == (step,)
    assert parse_recipe(recipe.text).steps == (step,)


def test_both_spellings_of_a_stride_are_one_step() -> None:
    assert Prune(granularity="stride 2") == Prune(granularity="stride-2")


def test_the_schema_lists_the_step() -> None:
    kinds = recipe_schema()["properties"]["step"]["items"]["oneOf"]
    assert any(kind["properties"]["do"] == {"const": "prune"} for kind in kinds)


@pytest.mark.parametrize(
    ("step", "says"),
    [
        (Prune(0.5, skip=("2", "4")), "no weights are selected"),
        (Prune(granularity="stride-2"), "stride-2 leaves every selected weight"),
        (Prune(0.5, only=("conv_9",)), "no weights are called 'conv_9'"),
        (Prune(distribution="given", each=("conv_9=0.5",)), "no weights are called 'conv_9'"),
    ],
)
def test_a_step_that_would_do_nothing_says_so(step: Prune, says: str) -> None:
    with pytest.raises(VariantInvalid, match=says):
        step.apply(network(), NOTHING)


def test_nothing_asked_for_is_the_same_model() -> None:
    graph = network()
    assert Prune(0.0).apply(graph, NOTHING) is graph
    assert held(graph, 2).form is None


def test_a_mask_of_ones_changes_no_byte() -> None:
    tensor = held(network(), 2)
    assert zeroed(tensor, np.ones(tensor.shape, bool)).data == bytes(tensor.data or b"")


def test_relative_magnitudes_do_not_see_the_scale_of_a_channel() -> None:
    """Rows 1 2 3 4 and 100 200 300 400: by value the first row goes, relatively half of each."""
    stored = np.array([[1, 2, 3, 4]] * 8 + [[100, 200, 300, 400]] * 8, np.float32)
    stored = np.repeat(stored, 2, axis=1).reshape(16, 1, 1, 8)
    graph = with_weights(2, DType.FLOAT32, stored, None)
    by_value = held(Prune(0.5, only=("2",)).apply(graph, NOTHING), 2)
    relative = held(Prune(0.5, only=("2",), relative=True).apply(graph, NOTHING), 2)
    assert [int((row != 0).sum()) for row in constant_array(by_value)] == [0] * 8 + [8] * 8
    assert [int((row != 0).sum()) for row in constant_array(relative)] == [4] * 16
