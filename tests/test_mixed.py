"""Bit-widths per tensor: averages by hand, sensitivity, and the greedy choice within its budget."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st
from preflash.errors import DataInvalid, NeedsSamples, RecipeInvalid
from preflash.graphs.ir import DType, ModelGraph
from preflash.graphs.tflite.read import parse_tflite
from preflash.graphs.tflite.write import write_tflite
from preflash.graphs.variants.answers import activations, answers, sqnr_db, stored_inputs
from preflash.graphs.variants.bit_widths import average_bits, bits_of, packed_weight_bytes
from preflash.graphs.variants.given import Given
from preflash.graphs.variants.laws import broken_laws
from preflash.graphs.variants.mixed import Mixed, choices, sensitivity
from preflash.graphs.variants.quantize_weights import QuantizeWeights
from preflash.graphs.variants.recipe import parse_recipe
from variant_models import halved, network, samples

GIVEN = Given(samples=samples())


def reached(graph: ModelGraph, variant: ModelGraph) -> float:
    return sqnr_db(answers(graph, GIVEN, 4), answers(variant, GIVEN, 4))


def test_the_average_counts_weights() -> None:
    """Weights 216, 72, 128 and 10,240; the last in 4 bits, the rest in 8: (416 * 8 + 10240 * 4) / 10656."""
    graph = QuantizeWeights(4, only=("4",)).apply(network(DType.INT8), Given())
    assert [(one.weight.count, one.bits) for one in bits_of(graph)] == [
        (216, 8),
        (72, 8),
        (128, 8),
        (10240, 4),
    ]
    assert average_bits(graph) == pytest.approx((416 * 8 + 10240 * 4) / 10656)
    assert packed_weight_bytes(graph) == 416 + 5120


def test_packed_tensors_end_on_whole_bytes() -> None:
    """3 bits: 81, 27, 48 and 3840 bytes."""
    graph = QuantizeWeights(3).apply(network(DType.INT8), Given())
    assert packed_weight_bytes(graph) == 81 + 27 + 48 + 3840


def test_sqnr_by_hand() -> None:
    """Signal 3^2 + 4^2 = 25, noise 0.5^2: 10 log10(100) = 20; of two outputs the worse counts."""
    y, z = np.array([3.0, 4.0]), np.array([3.0, 4.5])
    assert sqnr_db([[y]], [[z]]) == pytest.approx(20)
    assert sqnr_db([[y, y]], [[y, z]]) == pytest.approx(20)
    assert sqnr_db([[y]], [[y]]) == inf


def test_every_tensor_is_measured_alone_at_every_bit_width() -> None:
    graph = network()
    found = sensitivity(graph, (2, 4, 8), GIVEN)
    assert [(one.weight.op, one.bits) for one in found] == [(op, b) for op in (0, 1, 2, 4) for b in (2, 4, 8)]
    for one in found:
        alone = QuantizeWeights(one.bits, only=(str(one.weight.op),)).apply(graph, Given())
        assert one.sqnr_db == pytest.approx(reached(graph, alone)) and one.accuracy is None


def test_more_bits_are_less_noise() -> None:
    found = sensitivity(network(), (2, 4, 6, 8), GIVEN)
    for place in range(0, len(found), 4):
        noise = [one.sqnr_db for one in found[place : place + 4]]
        assert noise == sorted(noise)  # type: ignore[type-var]


def test_a_score_is_measured_where_it_is_given() -> None:
    found = sensitivity(network(), (4,), Given(score=average_bits))
    assert all(one.sqnr_db is None and one.accuracy is not None for one in found)


@pytest.mark.parametrize("dtype", [DType.FLOAT32, DType.INT8])
@pytest.mark.parametrize("budget", [5.0, 15.0, 25.0])
def test_the_whole_model_stays_within_the_budget(dtype: DType, budget: float) -> None:
    graph = network(dtype)
    result = Mixed((2, 3, 4, 6), min_sqnr_db=budget).apply(graph, GIVEN)
    assert reached(graph, result) >= budget


def test_the_largest_tensors_choose_first_and_each_takes_the_fewest_bits_that_do() -> None:
    """The greedy choice, told again without its code: bits are tried upwards on what was chosen before."""
    graph, step = network(), Mixed((2, 3, 4, 6), min_sqnr_db=15.0)
    made = choices(graph, step, GIVEN)
    assert [one.weight.count for one in made] == [10240, 216, 128, 72]
    now = graph
    for choice in made:
        where = (str(choice.weight.op),)
        tried = {b: QuantizeWeights(b, only=where).apply(now, Given()) for b in (2, 3, 4, 6)}
        fit = [b for b in (2, 3, 4, 6) if reached(graph, tried[b]) >= 15.0]
        assert choice.bits == (fit[0] if fit else None)
        now = tried[fit[0]] if fit else now
    assert average_bits(now) == average_bits(step.apply(graph, GIVEN))


@settings(max_examples=12, deadline=None)
@drawn(st.floats(0, 40), st.integers(0, 3))
def test_the_average_never_rises_while_tensors_choose(budget: float, seed: int) -> None:
    graph = network(DType.INT8, seed)
    counts = {one.weight.op: one.weight.count for one in bits_of(graph)}
    bits = {one.weight.op: one.bits for one in bits_of(graph)}
    averages = [average_bits(graph)]
    for choice in choices(graph, Mixed((2, 4, 6), min_sqnr_db=budget, most_samples=2), GIVEN):
        bits[choice.weight.op] = choice.bits or bits[choice.weight.op]
        averages.append(sum(counts[op] * b for op, b in bits.items()) / sum(counts.values()))
        assert choice.reached >= budget
    assert averages == sorted(averages, reverse=True)


def test_a_budget_that_nothing_keeps_leaves_the_model() -> None:
    graph = network()
    assert Mixed((2,), min_sqnr_db=300.0).apply(graph, GIVEN) is graph
    assert [one.bits for one in choices(graph, Mixed((2,), min_sqnr_db=300.0), GIVEN)] == [None] * 4


def test_a_drop_of_the_score_is_a_budget_too() -> None:
    """A score that allows 4 bits for the largest tensor only: 1 minus a tenth per tensor below 5 bits."""

    def score(graph: ModelGraph) -> float:
        return 1.0 - 0.1 * sum(one.bits < 5 for one in bits_of(graph))

    result = Mixed((4, 6), max_drop=0.15).apply(network(), Given(score=score))
    assert {one.weight.count: one.bits for one in bits_of(result)} == {10240: 4, 216: 6, 128: 6, 72: 6}


def test_the_file_lists_the_chosen_bits() -> None:
    result = Mixed((2, 4, 6), min_sqnr_db=16.0).apply(network(DType.INT8), GIVEN)
    again = parse_tflite(write_tflite(result))
    assert [one.bits for one in bits_of(again)] == [one.bits for one in bits_of(result)]
    assert len({one.bits for one in bits_of(result)}) > 1


@pytest.mark.parametrize("dtype", [DType.FLOAT32, DType.INT8])
def test_mixed_bits_keep_pruned_zeros(dtype: DType) -> None:
    before = halved(network(dtype))
    after = Mixed((2, 4, 6), min_sqnr_db=12.0).apply(before, GIVEN)
    assert broken_laws(before, after) == () and average_bits(after) < average_bits(before)


def test_a_given_runner_answers_instead_of_numpy() -> None:
    graph = network(DType.INT8)
    asked: list[np.dtype] = []

    def runner(model: ModelGraph, inputs: list[np.ndarray]) -> dict[int, np.ndarray]:
        asked.append(inputs[0].dtype)
        return dict(activations(model, Given(samples=tuple(x[None] for x in inputs)), 0))

    told = answers(graph, Given(samples=samples(), activations=runner), 4)  # type: ignore[arg-type]
    assert asked == [np.dtype(np.int8)] * 4
    for number, (output,) in enumerate(told):
        assert np.array_equal(output, dict(activations(graph, GIVEN, number))[graph.outputs[0]])


@pytest.mark.parametrize("dtype", [DType.FLOAT32, DType.INT8])
def test_samples_at_once_are_answered_as_one_by_one(dtype: DType) -> None:
    graph = network(dtype)
    told = answers(graph, GIVEN, 4)
    assert len(told) == 4
    for number, (at_once,) in enumerate(told):
        alone = dict(activations(graph, GIVEN, number))[graph.outputs[0]]
        assert at_once.shape == alone.shape
        np.testing.assert_allclose(at_once, alone, rtol=1e-6)


def test_samples_are_taken_as_the_input_stores_them() -> None:
    """-1..1 in steps of 2/255 around 0: 0.5 is 63.75 steps."""
    graph = network(DType.INT8)
    real = Given(samples=(np.full((1, 8, 8, 3), 0.5, np.float32),))
    whole = Given(samples=(np.full((1, 8, 8, 3), 64, np.int8),))
    for given in (real, whole):
        (stored,) = stored_inputs(graph, given, 0)
        assert stored.shape == (1, 8, 8, 3) and stored.dtype == np.int8 and (stored == 64).all()


@pytest.mark.parametrize(
    "options", [{}, {"min_sqnr_db": 20.0, "max_drop": 0.01}, {"bits": (), "min_sqnr_db": 20.0}]
)
def test_one_budget_and_some_bits_must_be_stated(options: dict[str, object]) -> None:
    with pytest.raises(RecipeInvalid, match="either min_sqnr_db or max_drop"):
        Mixed(**options)  # type: ignore[arg-type]


def test_a_recipe_states_bits_and_budget() -> None:
    assert parse_recipe("mixed bits=4 min_sqnr_db=20").steps == (Mixed((4,), min_sqnr_db=20.0),)
    assert parse_recipe("mixed bits=2,4,8 max_drop=0.01").steps == (Mixed((2, 4, 8), max_drop=0.01),)
    with pytest.raises(RecipeInvalid, match="either min_sqnr_db or max_drop"):
        parse_recipe("mixed bits=2,4")
    with pytest.raises(RecipeInvalid, match="greater than or equal to 2"):
        parse_recipe("mixed bits=1,4 max_drop=0.01")


@pytest.mark.parametrize("step", [Mixed(min_sqnr_db=20.0), Mixed(max_drop=0.01)])
def test_without_samples_or_score_there_is_nothing_to_choose_by(step: Mixed) -> None:
    with pytest.raises(NeedsSamples):
        step.apply(network(), Given())
    with pytest.raises(NeedsSamples):
        sensitivity(network(), (4,), Given())


def test_samples_of_another_shape_are_refused() -> None:
    with pytest.raises(DataInvalid, match="does not go with"):
        Mixed(min_sqnr_db=20.0).apply(network(), Given(samples=(np.zeros((2, 5), np.float32),)))
    with pytest.raises(DataInvalid, match="the model has 1 inputs"):
        Mixed(min_sqnr_db=20.0).apply(network(), Given(samples=samples() * 2))
