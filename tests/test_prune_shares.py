"""A sparsity asked of a whole model is met by the weighted mean, whatever the rule that spreads it."""

from __future__ import annotations

import doctest
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import log

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from preflash.errors import NeedsSamples, VariantInvalid
from preflash.graphs.build import GraphBuilder
from preflash.graphs.evaluate import constant_array, evaluate
from preflash.graphs.ir import DType, ModelGraph
from preflash.graphs.variants import prune_shares
from preflash.graphs.variants.given import Given
from preflash.graphs.variants.prune import Prune
from preflash.graphs.variants.prune_losses import weight_curve
from preflash.graphs.variants.prune_masks import granularity_of, kept_mask
from preflash.graphs.variants.prune_shares import LossCurve, equal_loss_shares, heuristic_shares
from preflash.graphs.variants.weights import with_tensors
from preflash.graphs.variants.zeros import sparsity_of

COUNTS = st.lists(st.integers(1, 10**7), min_size=1, max_size=12)


def mean_of(counts: Sequence[int], shares: Sequence[float]) -> float:
    return float(np.dot(counts, shares) / sum(counts))


# PocketFlow's heuristic.


@given(COUNTS, st.floats(0, 1), st.floats(0.01, 1))
def test_the_weighted_mean_is_the_one_asked_for_and_no_tensor_is_above_the_highest(
    counts: list[int], part: float, highest: float
) -> None:
    shares = heuristic_shares(counts, part * highest, highest=highest)
    assert mean_of(counts, shares) == pytest.approx(part * highest, abs=1e-9)
    assert all(0 <= share <= highest * (1 + 1e-12) for share in shares)


@given(COUNTS, st.floats(0.01, 0.999))
def test_tensors_below_the_clip_stay_in_proportion_to_ln_n(counts: list[int], mean: float) -> None:
    assume(max(counts) > 1)
    shares = heuristic_shares(counts, mean)
    below = [(n, r) for n, r in zip(counts, shares, strict=True) if r < 1 and n > 1]
    slopes = [share / log(n) for n, share in below]
    assert not slopes or max(slopes) == pytest.approx(min(slopes), rel=1e-9)
    if len(below) == len(counts):
        assert slopes[0] == pytest.approx(prune_shares.heuristic_alpha(counts, mean), rel=1e-9)


def test_what_a_clipped_tensor_cannot_take_goes_to_the_others() -> None:
    """alpha = 0.9 x 110 / (10 ln 10 + 100 ln 100) would take 0.943 of the larger: 0.92 is taken.

    The other: (0.9 x 110 - 0.92 x 100) / 10 = 0.7.
    """
    assert heuristic_shares([10, 100], 0.9, highest=0.92) == pytest.approx((0.7, 0.92), abs=1e-12)


def test_tensors_of_one_weight_take_the_rest() -> None:
    """ln 1 = 0: 0.95 x 4 = 3.8 = 2 x 0.95 + 2 x 0.95."""
    assert heuristic_shares([2, 1, 1], 0.95, highest=0.95) == pytest.approx((0.95,) * 3)
    assert heuristic_shares([1, 1], 0.5) == (0.5, 0.5)


def test_a_mean_above_the_highest_is_refused() -> None:
    with pytest.raises(VariantInvalid, match="above the highest"):
        heuristic_shares([10, 20], 0.9, highest=0.8)


# The same loss everywhere.


@st.composite
def curves(draw: st.DrawFn) -> LossCurve:
    losses = draw(st.lists(st.floats(0, 2), min_size=5, max_size=5))
    return LossCurve(np.linspace(0, 0.99, 6), np.array([0.0, *losses]))


@given(
    st.lists(st.tuples(st.integers(1, 10**6), curves()), min_size=1, max_size=8),
    st.floats(0, 0.99) | st.just(0.99),
)
def test_equal_loss_meets_the_mean(tensors: list[tuple[int, LossCurve]], mean: float) -> None:
    counts, found = [n for n, _ in tensors], [curve for _, curve in tensors]
    shares = equal_loss_shares(counts, found, mean)
    assert mean_of(counts, shares) == pytest.approx(mean, abs=1e-9)
    assert all(0 <= share <= 0.99 + 1e-12 for share in shares)


def test_the_tensor_that_loses_half_as_much_is_pruned_twice_as_far() -> None:
    """Losses s and 2 s: at loss L the sparsities are L and L / 2, of mean 0.75 L over equal counts."""
    grid = np.array([0.0, 1.0])
    straight = [LossCurve(grid, grid), LossCurve(grid, 2 * grid)]
    assert equal_loss_shares([100, 100], straight, 0.3) == pytest.approx((0.4, 0.2), abs=1e-6)


def test_a_curve_that_ends_before_the_mean_is_refused() -> None:
    with pytest.raises(VariantInvalid, match=r"at most 0\.5"):
        equal_loss_shares([10], [LossCurve(np.array([0, 0.5]), np.array([0, 1.0]))], 0.6)


@pytest.mark.parametrize("word", ["weight", "1x4", "3x5"])
def test_the_curve_of_weights_is_what_masks_of_that_sparsity_lose(word: str) -> None:
    """Counts that a 65-point grid meets exactly lose just what the curve says; others lie between."""
    weights = np.random.default_rng(3).random((32, 2, 2, 16), np.float32)
    curve = weight_curve(weights, granularity_of(word), output_axis=0, highest=1.0)
    for sparsity, loss in zip(curve.sparsities[:-1:8], curve.losses[:-1:8], strict=True):
        kept = kept_mask(weights, granularity_of(word), sparsity=float(sparsity))
        lost = float((weights[~kept] ** 2).sum() / (weights**2).sum())
        assert loss == pytest.approx(lost, abs=0.003)


# In a model.


def network(dtype: DType = DType.FLOAT32) -> ModelGraph:
    """Ops 1 and 3 read 64x64 weights; of the first all but 1000 are tiny."""
    b = GraphBuilder("two", dtype=dtype, seed=1)
    x = b.fully_connected(b.input((1, 64)), 64)
    x = b.fully_connected(b.unary("RELU", b.fully_connected(x, 64)), 64)
    graph = b.finish([x])
    tensor = graph.tensors[graph.ops[1].inputs[1]]
    values = constant_array(tensor).copy()
    values.reshape(-1)[1000:] *= 1e-4
    return with_tensors(graph, [replace(tensor, data=values.tobytes())])


def activations(graph: ModelGraph, sample: Sequence[npt.NDArray]) -> Mapping[int, npt.NDArray]:
    return dict(zip(graph.outputs, evaluate(graph, list(sample)), strict=True))


def samples() -> tuple[npt.NDArray, ...]:
    return (np.random.default_rng(6).uniform(-1, 1, (20, 64)).astype(np.float32),)


@pytest.mark.parametrize(
    "given_more",
    [Given(), Given(samples(), activations), Given(score=lambda graph: _agreement(graph))],
    ids=["weights", "outputs", "score"],
)
def test_sensitivity_prunes_the_tensor_that_hardly_matters_and_meets_the_mean(given_more: Given) -> None:
    graph = network()
    step = Prune(0.6, distribution="sensitivity")
    first, second = step.shares(graph, given_more).values()
    assert first > 0.7 > 0.6 > second
    assert (first + second) / 2 == pytest.approx(0.6, abs=1e-9)
    zeros = sparsity_of(step.apply(graph, given_more))
    assert abs(zeros.zeros - 0.6 * 2 * 4096) <= 1


def _agreement(graph: ModelGraph) -> float:
    """How often the largest output is the same as before pruning."""
    same = [
        int(np.argmax(evaluate(graph, [x[None]])[0]) == np.argmax(evaluate(network(), [x[None]])[0]))
        for x in samples()[0][:10]
    ]
    return sum(same) / len(same)


def test_runs_tell_of_their_progress() -> None:
    told: list[tuple[int, int]] = []
    given_more = Given(samples(), activations, progress=lambda done, of, _what: told.append((done, of)))
    Prune(0.5, distribution="sensitivity").apply(network(), given_more)
    assert told == [(n, 10) for n in range(1, 11)]


@pytest.mark.parametrize("loss", ["outputs", "score"])
def test_a_loss_that_needs_data_says_so_without(loss: str) -> None:
    with pytest.raises(NeedsSamples, match="needs"):
        Prune(0.5, distribution="sensitivity", loss=loss).apply(network(), Given())  # type: ignore[arg-type]


def test_outputs_that_are_no_numbers_count_as_all_lost() -> None:
    def broken(graph: ModelGraph, sample: Sequence[npt.NDArray]) -> Mapping[int, npt.NDArray]:
        is_pruned = any(t.form is not None for t in graph.tensors)
        return {t: np.full(3, np.nan if is_pruned else 1.0) for t in graph.outputs}

    shares = Prune(0.5, distribution="sensitivity").shares(network(), Given(samples(), broken))
    assert list(shares.values()) == pytest.approx([0.5, 0.5])


def test_the_examples_in_the_docstrings_run() -> None:
    assert doctest.testmod(prune_shares).failed == 0
