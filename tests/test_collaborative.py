"""Steps after one another: pruned zeros, shared values and few bits are still true after each later step."""

from __future__ import annotations

from itertools import combinations, permutations

import numpy as np
import pytest
from preflash.errors import VariantInvalid
from preflash.graphs.check import check
from preflash.graphs.evaluate import evaluate, quantize
from preflash.graphs.ir import DType, ModelGraph, Tensor
from preflash.graphs.tflite.forms import most_distinct
from preflash.graphs.tflite.read import parse_tflite
from preflash.graphs.tflite.write import write_tflite
from preflash.graphs.variants.given import Given
from preflash.graphs.variants.known import exact_values
from preflash.graphs.variants.laws import broken_laws
from preflash.graphs.variants.recipe import parse_recipe
from preflash.graphs.variants.steps import step_types
from preflash.graphs.variants.weights import weights
from preflash.simulator.interpreter import run_tflite
from variant_models import halved, network, samples

GIVEN = Given(samples=samples(8))
EVERY = "depthwise=true first=true"
# word -> what it does to all weights
STEPS = {
    "prune": f"prune sparsity=0.5 {EVERY}",
    "cluster": f"cluster clusters=8 {EVERY}",
    "cluster per channel": f"cluster clusters=4 per_channel=true {EVERY}",
    "few bits": "quantize-weights bits=4",
    "few bits per tensor": "quantize-weights bits=4 per_channel=false",
    "mixed": "mixed bits=3,4,6 min_sqnr_db=8",
    "fake": "fake-quantize bits=8",
    "quantize": "quantize",
}
# (first, then): why the second cannot follow the first
REFUSED = {
    ("few bits", "cluster"): "can share no values",
    ("mixed", "cluster"): "can share no values",
    ("quantize", "fake"): "integers already",
    ("fake", "quantize"): "round its activations already",
}


def exists(*names: str) -> bool:
    return all(STEPS[name].split()[0] in step_types() for name in names)


def sparsity(tensor: Tensor) -> float:
    return float((exact_values(tensor) == 0).mean())


def applied_one_by_one(graph: ModelGraph, names: tuple[str, ...]) -> ModelGraph:
    """The model after the steps, judged after each against all models before it."""
    so_far = [graph]
    for name in names:
        so_far.append(parse_recipe(STEPS[name]).apply(so_far[-1], GIVEN))
        check(so_far[-1])
        for earlier in so_far[:-1]:
            assert broken_laws(earlier, so_far[-1]) == (), name
    return so_far[-1]


PAIRS = [
    (*names, dtype) for names in permutations(STEPS, 2) for dtype in (DType.FLOAT32, DType.INT8)
    if exists(*names) and names not in REFUSED and not (dtype is DType.INT8 and "fake" in names)
]  # fmt: skip


_THREE = ("prune", "cluster", "cluster per channel", "few bits", "quantize")
TRIPLES = [
    names for names in permutations(_THREE, 3)
    if exists(*names) and not any(pair in REFUSED for pair in combinations(names, 2))
]  # fmt: skip


@pytest.mark.parametrize("names", TRIPLES, ids=" | ".join)
def test_what_earlier_steps_made_is_true_after_all_three(names: tuple[str, str, str]) -> None:
    applied_one_by_one(network(), names)


@pytest.mark.parametrize(("first", "then", "dtype"), PAIRS)
def test_what_the_first_step_made_is_true_after_the_second(first: str, then: str, dtype: DType) -> None:
    applied_one_by_one(network(dtype), (first, then))


@pytest.mark.parametrize("dtype", [DType.FLOAT32, DType.INT8])
@pytest.mark.parametrize("cluster", ["cluster", "cluster per channel"])
@pytest.mark.parametrize("bits", ["few bits", "few bits per tensor", "mixed"])
def test_pruned_clustered_quantized_weights_have_all_three(dtype: DType, cluster: str, bits: str) -> None:
    """PCQ: at least as sparse, no more values, few bits; the file says so too."""
    pruned = halved(network(dtype))
    result = applied_one_by_one(pruned, (cluster, bits))
    again = parse_tflite(write_tflite(result))
    codes = 8 if cluster == "cluster" else 4
    for one in weights(pruned)[2:]:  # the others were not pruned
        tensor, read = result.tensors[one.tensor], again.tensors[one.tensor]
        assert sparsity(tensor) >= sparsity(pruned.tensors[one.tensor]) >= 0.5
        axis = one.output_axis if cluster != "cluster" or dtype is DType.INT8 else None
        assert most_distinct(exact_values(tensor), axis) <= codes
        assert tensor.form is not None and read.form is not None and tensor.form.mask is not None
        assert tensor.form.bits == read.form.bits and (tensor.form.bits or 8) <= 6
        assert tensor.form.code_count == read.form.code_count <= codes
        assert np.array_equal(tensor.form.mask, np.asarray(read.form.mask))
    assert broken_laws(result, again) == ()


@pytest.mark.parametrize("dtype", [DType.FLOAT32, DType.INT8])
def test_pruned_clustered_quantized_models_run(dtype: DType) -> None:
    result = applied_one_by_one(halved(network(dtype)), ("cluster", "few bits"))
    inputs = [quantize(result.tensors[result.inputs[0]], samples(1)[0])]
    ours, theirs = evaluate(result, inputs)[0], run_tflite(write_tflite(result), inputs)[0]
    assert np.abs(ours.astype(float) - theirs.astype(float)).max() <= (1 if dtype is DType.INT8 else 1e-4)


@pytest.mark.parametrize("bits", ["few bits", "few bits per tensor", "mixed"])
def test_weights_of_few_bits_lose_nothing_more_in_an_int8_model(bits: str) -> None:
    """Their grid becomes the int8 tensor's own: scale and all."""
    if not exists("quantize"):
        pytest.skip("no such step yet")
    few = parse_recipe(STEPS[bits]).apply(network(), GIVEN)
    whole = parse_recipe(STEPS["quantize"]).apply(few, GIVEN)
    for a, b in zip(weights(few), weights(whole), strict=True):
        assert whole.tensors[b.tensor].dtype is DType.INT8
        np.testing.assert_allclose(
            exact_values(few.tensors[a.tensor]), exact_values(whole.tensors[b.tensor]), rtol=1e-6
        )


@pytest.mark.parametrize("bits", ["few bits", "mixed"])
def test_int8_first_or_few_bits_first_come_out_alike(bits: str) -> None:
    """Float | few bits | int8 against float | int8 | few bits: the same grids, at most a step apart."""
    if not exists("quantize"):
        pytest.skip("no such step yet")
    orders = [(bits, "quantize"), ("quantize", bits)]
    one, other = (applied_one_by_one(network(), names) for names in orders)
    for a, b in zip(weights(one), weights(other), strict=True):
        first, second = exact_values(one.tensors[a.tensor]), exact_values(other.tensors[b.tensor])
        if one.tensors[a.tensor].form.bits == other.tensors[b.tensor].form.bits:  # type: ignore[union-attr]
            grid = one.tensors[a.tensor].quantization
            assert grid is not None
            assert np.abs(first - second).max() <= grid.scales.max() * 1.02


@pytest.mark.parametrize(("names", "why"), REFUSED.items(), ids=[" | ".join(names) for names in REFUSED])
def test_an_order_that_cannot_be_is_refused_with_a_reason(names: tuple[str, str], why: str) -> None:
    if not exists(*names):
        pytest.skip("no such step yet")
    first = parse_recipe(STEPS[names[0]]).apply(network(), GIVEN)
    with pytest.raises(VariantInvalid, match=why) as caught:
        parse_recipe(STEPS[names[1]]).apply(first, GIVEN)
    assert caught.value.fix


@pytest.mark.parametrize("dtype", [DType.FLOAT32, DType.INT8])
def test_pruning_after_clustering_may_not_add_a_value(dtype: DType) -> None:
    """One weight in a hundred: the eight values stay, and zero would be the ninth."""
    if not exists("prune"):
        pytest.skip("no such step yet")
    shared = parse_recipe("cluster clusters=8 keep_zeros=false only=4").apply(network(dtype), GIVEN)
    assert (exact_values(shared.tensors[weights(shared)[3].tensor]) != 0).all()
    with pytest.raises(VariantInvalid, match="zero is none of its 8 shared values") as caught:
        parse_recipe("prune sparsity=0.01 only=4").apply(shared, GIVEN)
    assert caught.value.fix == "prune before clustering"


@pytest.mark.parametrize("text", STEPS.values())
def test_a_step_is_told_in_the_words_that_make_it(text: str) -> None:
    if text.split()[0] not in step_types():
        pytest.skip("no such step yet")
    recipe = parse_recipe(text)
    assert parse_recipe(recipe.text).steps == recipe.steps
