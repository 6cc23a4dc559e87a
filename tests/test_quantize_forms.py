"""What pruning and clustering made of weights is still true after they became integers, in the file too."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from preflash.graphs.build import GraphBuilder
from preflash.graphs.evaluate import constant_array
from preflash.graphs.ir import DType, ModelGraph, Tensor, WeightForm
from preflash.graphs.passes.base import run_passes
from preflash.graphs.passes.fold import FoldBatchNorms
from preflash.graphs.tflite.read import parse_tflite
from preflash.graphs.tflite.write import write_tflite
from preflash.graphs.variants.given import Given
from preflash.graphs.variants.integer_constants import integer_weights, sqnr_db
from preflash.graphs.variants.quantize import Quantize, quantized
from preflash.graphs.variants.recipe import parse_recipe
from preflash.graphs.variants.weights import changed, real_values, weights, with_tensors

RANDOM = np.random.default_rng(11)
STEPS = [
    Quantize(), Quantize("int16"), Quantize("float"), Quantize(weights="int4"), Quantize(per_channel=False),
]  # fmt: skip
NAMES = ["int8", "int16", "float", "int4", "per tensor"]


def network() -> ModelGraph:
    b = GraphBuilder("small", dtype=DType.FLOAT32, seed=3)
    x = b.depthwise(b.conv(b.input((1, 6, 6, 3)), 8, (3, 3)))
    return b.finish([b.fully_connected(b.reshape(x, (1, 288)), 10)])


def clustered(reals: np.ndarray, codes: int, axis: int | None) -> tuple[np.ndarray, WeightForm]:
    """Every weight at the nearest of evenly spread values, per tensor or per channel of an axis."""
    moved = reals[None] if axis is None else np.moveaxis(reals, axis, 0)
    flat = moved.reshape(len(moved), -1).astype(np.float64)
    tables = np.stack([np.linspace(row.min(), row.max(), codes) for row in flat])
    places = np.abs(flat[:, :, None] - tables[:, None, :]).argmin(axis=2)
    values = np.take_along_axis(tables, places, axis=1)
    shaped = [x.reshape(moved.shape) for x in (values, places)]
    if axis is None:
        form = WeightForm(codebook=tables[0], assignment=shaped[1][0].astype(np.uint16))
        return shaped[0][0], form
    back = [np.moveaxis(x, 0, axis) for x in shaped]
    return back[0], WeightForm(codebook=tables, assignment=back[1].astype(np.uint16), axis=axis)


def with_form(index: int, reals: np.ndarray, form: WeightForm) -> ModelGraph:
    graph = network()
    return with_tensors(graph, [changed(graph.tensors[weights(graph)[index].tensor], reals, form)])


def converted(graph: ModelGraph, step: Quantize) -> list[Tensor]:
    """The weights after the step, as read back from the file."""
    given = Given(samples=(RANDOM.uniform(-1, 1, (4, 1, 6, 6, 3)).astype(np.float32),))
    again = parse_tflite(write_tflite(quantized(graph, step, given).graph))
    return [again.tensors[one.tensor] for one in weights(again)]


@pytest.mark.parametrize("step", STEPS, ids=NAMES)
@pytest.mark.parametrize("index", [0, 1, 2])
def test_pruned_weights_stay_exactly_zero(index: int, step: Quantize) -> None:
    graph = network()
    reals = real_values(graph.tensors[weights(graph)[index].tensor])
    mask = RANDOM.uniform(size=reals.shape) < 0.5
    if step.weights == "int4" and step.activations == "float":
        pytest.skip("int4 beside float is for fully connected ops alone")
    after = converted(with_form(index, reals * mask, WeightForm(mask=mask, pattern="1x2")), step)[index]
    assert not constant_array(after)[~mask].any()
    assert after.form is not None
    assert after.form.pattern == "1x2"
    assert after.form.mask is not None
    assert not after.form.mask[~mask].any()


@pytest.mark.parametrize("step", STEPS, ids=NAMES)
@pytest.mark.parametrize(("index", "axis"), [(0, None), (0, 0), (1, None), (1, 3), (2, None), (2, 0)])
def test_weights_that_share_a_value_share_an_integer(index: int, axis: int | None, step: Quantize) -> None:
    """One table for all channels: one scale, or equal values would differ between channels."""
    graph = network()
    values, form = clustered(real_values(graph.tensors[weights(graph)[index].tensor]), 6, axis)
    before = with_form(index, values, form)
    after = converted(before, step)[index]
    stored, reals = constant_array(after), real_values(after)
    assert form.assignment is not None
    for channel in range(1 if axis is None else values.shape[axis]):
        at = ... if axis is None else (slice(None),) * axis + (channel,)
        for code in range(6):
            assert len(np.unique(stored[at][form.assignment[at] == code])) <= 1
            assert len(np.unique(reals[at][form.assignment[at] == code])) <= 1
    assert after.form is not None
    assert after.form.code_count == 6


def test_the_codebook_says_where_the_values_lie_now() -> None:
    graph = network()
    values, form = clustered(real_values(graph.tensors[weights(graph)[0].tensor]), 6, None)
    tensor = with_form(0, values, form).tensors[weights(graph)[0].tensor]
    after, loss = integer_weights(tensor, "CONV_2D", bits=8, per_channel=True)
    assert after.form is not None
    assert after.form.codebook is not None
    assert after.form.assignment is not None
    assert after.form.codebook[after.form.assignment] == pytest.approx(real_values(after), rel=1e-6)
    assert after.quantization is not None
    assert len(after.quantization.scales) == 1
    assert 30 < loss.sqnr_db < 60


@pytest.mark.parametrize("axis", [None, 0])
def test_values_on_a_grid_of_few_bits_stay_on_it(axis: int | None) -> None:
    """-7..7 of any scale: nothing is lost, and the form still says 4 bits."""
    stored = RANDOM.integers(-7, 8, (8, 3, 3, 3))
    stored[:, 0, 0, 0] = 7
    scale = np.full((8, 1, 1, 1), 0.013) if axis is None else RANDOM.uniform(0.01, 0.1, (8, 1, 1, 1))
    graph = with_form(0, stored * scale, WeightForm(bits=4))
    given = Given(samples=(RANDOM.uniform(-1, 1, (4, 1, 6, 6, 3)).astype(np.float32),))
    result = quantized(graph, Quantize(), given)
    after = converted(graph, Quantize())[0]
    assert np.array_equal(constant_array(after), stored)
    assert after.form is not None
    assert after.form.bits == 4
    assert result.losses[0].sqnr_db > 100  # float32 rounding of the values


def test_integers_that_a_hybrid_model_has_are_kept_as_they_are() -> None:
    given = Given(samples=(RANDOM.uniform(-1, 1, (4, 1, 6, 6, 3)).astype(np.float32),))
    hybrid = quantized(network(), Quantize("float")).graph
    result = quantized(hybrid, Quantize(), given)
    for before, after in zip(weights(hybrid), weights(result.graph), strict=True):
        assert hybrid.tensors[before.tensor].data == result.graph.tensors[after.tensor].data
    # once through float32
    assert all(loss.sqnr_db > 120 for loss in result.losses)


def test_the_loss_of_weights_is_what_real_values_differ_by() -> None:
    """8 bits: noise is a uniform error of a step, 6.02 x 8 - 10.8 + the shape of the values."""
    given = Given(samples=(RANDOM.uniform(-1, 1, (4, 1, 6, 6, 3)).astype(np.float32),))
    graph = network()
    result = quantized(graph, Quantize(), given)
    for before, after, loss in zip(weights(graph), weights(result.graph), result.losses, strict=True):
        one = real_values(graph.tensors[before.tensor]).astype(np.float64)
        two = real_values(result.graph.tensors[after.tensor]).astype(np.float64)
        assert loss.sqnr_db == pytest.approx(sqnr_db(one, two), abs=0.01)
        assert 35 < loss.sqnr_db < 55


def test_batch_norms_move_into_pruned_weights_but_not_into_shared_ones() -> None:
    b = GraphBuilder("norm", dtype=DType.FLOAT32, seed=3)
    x = b.conv(b.input((1, 4, 4, 2)), 4)
    graph = b.finish([b.mul(x, b.constant(np.array([1.0, 2.0, 3.0, 4.0], np.float32)))])
    tensor = graph.tensors[weights(graph)[0].tensor]
    reals = real_values(tensor)
    mask = reals > 0
    pruned = with_tensors(graph, [changed(tensor, reals * mask, WeightForm(mask=mask))])
    folded = run_passes(pruned, [FoldBatchNorms()]).graph
    assert [op.kind for op in folded.ops] == ["CONV_2D"]
    assert np.array_equal(folded.tensors[weights(folded)[0].tensor].form.mask, mask)
    values, form = clustered(reals, 3, None)
    shared = with_tensors(graph, [changed(tensor, values, form)])
    assert [op.kind for op in run_passes(shared, [FoldBatchNorms()]).graph.ops] == ["CONV_2D", "MUL"]


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 1000), st.sampled_from([4, 8]), st.booleans(),
    st.sampled_from(["CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"]),
)  # fmt: skip
def test_no_weight_moves_further_than_half_a_step(seed: int, bits: int, per_channel: bool, kind: str) -> None:
    random = np.random.default_rng(seed)
    shape = {"CONV_2D": (4, 3, 3, 2), "DEPTHWISE_CONV_2D": (1, 3, 3, 6), "FULLY_CONNECTED": (5, 7)}[kind]
    reals = (random.standard_t(3, shape) * 10.0 ** random.integers(-3, 3)).astype(np.float32)
    tensor = Tensor(0, "w", DType.FLOAT32, shape, reals.tobytes())
    after, _ = integer_weights(tensor, kind, bits=bits, per_channel=per_channel)
    grid = after.quantization
    assert grid is not None
    along = [1] * len(shape)
    if len(grid.scales) > 1:
        along[grid.axis] = len(grid.scales)
    assert (np.abs(real_values(after) - reals) <= 0.501 * grid.scales.reshape(along)).all()
    assert np.abs(constant_array(after)).max() == 2 ** (bits - 1) - 1
    assert (real_values(after)[reals == 0] == 0).all()
    assert replace(after, form=None).form is None


@pytest.mark.parametrize("last", ["quantize", "quantize activations=int16", "quantize activations=float"])
def test_pruned_and_clustered_weights_keep_zeros_and_few_values_as_integers(last: str) -> None:
    """PCQ with the real steps: half the weights zero and 8 values per tensor, in the file too."""
    samples = RANDOM.uniform(-1, 1, (4, 1, 6, 6, 3)).astype(np.float32)
    recipe = parse_recipe(f"prune sparsity=0.5 | cluster clusters=8 | {last}")
    again = parse_tflite(write_tflite(recipe.apply(network(), Given(samples=(samples,)))))
    after = again.tensors[weights(again)[2].tensor]  # the first and depthwise weights are not pruned
    stored = constant_array(after)
    assert after.dtype is DType.INT8
    assert (stored == 0).mean() >= 0.5
    assert len(np.unique(stored)) <= 8
    assert after.form is not None
    assert after.form.mask is not None
    assert not after.form.mask.all()
    assert after.form.code_count <= 8
