"""Weights that share values: on the tensor's own grid, really stored, zeros kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from preflash.errors import RecipeInvalid, VariantInvalid
from preflash.graphs.build import GraphBuilder
from preflash.graphs.evaluate import constant_array, evaluate, quantize
from preflash.graphs.ir import DType, ModelGraph, Tensor
from preflash.graphs.quantities import per_tensor
from preflash.graphs.tflite.read import parse_tflite
from preflash.graphs.tflite.write import write_tflite
from preflash.graphs.variants.cluster import Cluster, clustered_bits
from preflash.graphs.variants.given import Given
from preflash.graphs.variants.known import exact_values
from preflash.graphs.variants.laws import broken_laws
from preflash.graphs.variants.quantize_weights import QuantizeWeights
from preflash.graphs.variants.recipe import parse_recipe
from preflash.graphs.variants.weights import weights, with_tensors
from preflash.simulator.interpreter import run_tflite
from variant_models import halved, network, samples

INITIALISATIONS = ["linear", "random", "density", "k-means++"]
EVERYWHERE = {"depthwise": True, "first": True}


def one_row(values: list[float], dtype: DType = DType.FLOAT32) -> ModelGraph:
    """A fully connected op with one output and these weights; int8 in steps of 0.5."""
    b = GraphBuilder(dtype=DType.FLOAT32 if dtype.is_float else dtype)
    x = b.input((1, len(values)))
    if dtype.is_float:
        w = b.constant(np.array([values], np.float32))
    else:
        w = b.constant((np.array([values]) * 2).astype(np.int8), quantization=per_tensor(0.5))
    y = b.tensor((1, 1), quantization=None if dtype.is_float else per_tensor(1.0))
    b.op("FULLY_CONNECTED", (x, w), None, outputs=[y])
    return b.finish([y])


def tensors_of(graph: ModelGraph) -> list[Tensor]:
    return [graph.tensors[one.tensor] for one in weights(graph)]


def squared_error(graph: ModelGraph, other: ModelGraph, place: int) -> float:
    a, b = (exact_values(tensors_of(g)[place]) for g in (graph, other))
    return float(np.square(a - b).sum())


def test_two_values_by_hand() -> None:
    """0.5 1 | 8 10 -> 0.75 and 9."""
    graph = Cluster(clusters=2, **EVERYWHERE).apply(one_row([8, 0.5, 10, 1]), Given())
    form = tensors_of(graph)[0].form
    assert exact_values(tensors_of(graph)[0]).tolist() == [[9, 0.75, 9, 0.75]]
    assert form is not None and form.codebook is not None and form.assignment is not None
    assert form.codebook.tolist() == [0.75, 9] and form.assignment.tolist() == [[1, 0, 1, 0]]


def test_shared_values_of_int8_weights_lie_on_their_grid() -> None:
    """Steps of 0.5: the mean of 0.5 1 1 is 5/6, between 0.5 and 1, and 1 is nearer."""
    graph = Cluster(clusters=2, **EVERYWHERE).apply(one_row([8, 0.5, 1, 1], DType.INT8), Given())
    assert constant_array(tensors_of(graph)[0]).tolist() == [[16, 2, 2, 2]]


def test_zeros_stay_zero_and_count_as_a_cluster() -> None:
    """0 0 0.25 | 8 with two clusters: without keeping zeros, the first would be 1/12."""
    kept = Cluster(clusters=2, **EVERYWHERE).apply(one_row([0, 0, 0.25, 8]), Given())
    assert exact_values(tensors_of(kept)[0]).tolist() == [[0, 0, 0, 8]]
    moved = Cluster(clusters=2, keep_zeros=False, **EVERYWHERE).apply(one_row([0, 0, 0.25, 8]), Given())
    np.testing.assert_allclose(exact_values(tensors_of(moved)[0]), [[1 / 12, 1 / 12, 1 / 12, 8]])


@pytest.mark.parametrize("dtype", [DType.FLOAT32, DType.INT8])
@pytest.mark.parametrize("initialisation", INITIALISATIONS)
@pytest.mark.parametrize("per_channel", [False, True])
def test_what_is_stored_is_the_codebook_looked_up(
    dtype: DType, initialisation: str, per_channel: bool
) -> None:
    graph = halved(network(dtype))
    step = Cluster(5, per_channel, initialisation, **EVERYWHERE)  # type: ignore[arg-type]
    result = step.apply(graph, Given(seed=1))
    assert broken_laws(graph, result) == ()
    for tensor in tensors_of(result):
        assert tensor.form is not None and 1 < tensor.form.code_count <= 5


@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("dtype", [DType.FLOAT32, DType.INT8])
def test_the_file_carries_the_codebook_and_is_as_long_as_before(dtype: DType, per_channel: bool) -> None:
    graph = network(dtype)
    result = Cluster(8, per_channel, **EVERYWHERE).apply(graph, Given())
    data = write_tflite(result)
    again = parse_tflite(data)
    assert write_tflite(again) == data
    bare = [replace(t, form=None) for t in result.tensors]
    assert len(write_tflite(with_tensors(result, bare))) == len(write_tflite(graph))
    for mine, read in zip(tensors_of(result), tensors_of(again), strict=True):
        assert mine.form is not None and read.form is not None
        assert mine.form.codebook is not None and read.form.codebook is not None
        assert np.array_equal(mine.form.codebook, read.form.codebook)
        assert np.array_equal(np.asarray(mine.form.assignment), np.asarray(read.form.assignment))


def test_one_table_for_int8_channels_of_different_scales_is_one_of_stored_integers() -> None:
    result = Cluster(6, **EVERYWHERE).apply(network(DType.INT8), Given())
    for tensor in tensors_of(result):
        assert len(np.unique(constant_array(tensor))) <= 6
    form = tensors_of(result)[0].form
    assert form is not None and form.codebook is not None
    assert form.codebook.ndim == 2  # real values differ from channel to channel


@pytest.mark.parametrize("dtype", [DType.FLOAT32, DType.INT8])
@pytest.mark.parametrize("initialisation", INITIALISATIONS)
@pytest.mark.parametrize("clusters", [2, 3, 8])
def test_a_table_per_channel_is_never_worse_than_one_for_all(
    dtype: DType, initialisation: str, clusters: int
) -> None:
    graph = network(dtype)
    common, own = (
        Cluster(clusters, per_channel, initialisation, **EVERYWHERE).apply(graph, Given())  # type: ignore[arg-type]
        for per_channel in (False, True)
    )
    for place in range(4):
        assert squared_error(graph, own, place) <= squared_error(graph, common, place) * (1 + 1e-6)


@pytest.mark.parametrize("dtype", [DType.FLOAT32, DType.INT8])
def test_as_many_clusters_as_values_change_no_value(dtype: DType) -> None:
    graph = network(dtype)
    once = Cluster(16, **EVERYWHERE).apply(graph, Given())
    more = Cluster(32, **EVERYWHERE).apply(once, Given())
    assert [bytes(t.data or b"") for t in tensors_of(once)] == [
        bytes(t.data or b"") for t in tensors_of(more)
    ]
    assert broken_laws(once, more) == ()


@settings(max_examples=40)
@given(st.lists(st.integers(-127, 127), min_size=2, max_size=30), st.integers(2, 9))
def test_int8_values_stay_within_their_range_and_their_zeros(stored: list[int], clusters: int) -> None:
    graph = one_row([q / 2 for q in stored], DType.INT8)
    result = Cluster(clusters, **EVERYWHERE).apply(graph, Given())
    new = constant_array(tensors_of(result)[0]).reshape(-1).tolist()
    assert len(set(new)) <= clusters
    assert all(min(stored) <= q <= max(stored) for q in new)
    assert all(after == 0 for before, after in zip(stored, new, strict=True) if before == 0)
    order = np.argsort(stored)
    assert (np.diff(np.array(new)[order]) >= 0).all()  # nearest values keep the order


def test_the_lowest_int8_value_takes_part() -> None:
    graph = one_row([-64, -64, -60, 20], DType.INT8)  # stored -128: outside the symmetric range
    result = Cluster(2, **EVERYWHERE).apply(graph, Given())
    assert constant_array(tensors_of(result)[0]).tolist() == [[-125, -125, -125, 40]]


@pytest.mark.parametrize("dtype", [DType.FLOAT32, DType.INT8])
def test_the_clustered_model_runs_and_means_what_its_graph_means(dtype: DType) -> None:
    graph = Cluster(8, **EVERYWHERE).apply(network(dtype), Given())
    (x,) = samples(1)
    inputs = [quantize(graph.tensors[graph.inputs[0]], x)]
    ours, theirs = evaluate(graph, inputs)[0], run_tflite(write_tflite(graph), inputs)[0]
    np.testing.assert_allclose(
        ours.astype(float), theirs.astype(float), atol=1 if dtype is DType.INT8 else 1e-4
    )


def test_values_of_few_bits_stay_on_their_grid() -> None:
    for dtype in (DType.FLOAT32, DType.INT8):
        before = QuantizeWeights(4).apply(network(dtype), Given())
        after = Cluster(4, per_channel=True, **EVERYWHERE).apply(before, Given())
        assert broken_laws(before, after) == ()
        for old, new in zip(tensors_of(before), tensors_of(after), strict=True):
            assert set(constant_array(new).reshape(-1)) <= set(constant_array(old).reshape(-1))


def test_channels_on_grids_of_their_own_share_no_table() -> None:
    before = QuantizeWeights(4).apply(network(), Given())
    with pytest.raises(VariantInvalid, match="can share no values"):
        Cluster(4, **EVERYWHERE).apply(before, Given())


def test_pruned_weights_may_not_come_back() -> None:
    with pytest.raises(VariantInvalid, match="would come back"):
        Cluster(4, keep_zeros=False).apply(halved(network()), Given())


def test_weights_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(VariantInvalid, match="infinite or undefined"):
        Cluster(2, **EVERYWHERE).apply(one_row([0, float("nan"), 1]), Given())


def test_the_first_weights_and_depthwise_ones_stay_unless_asked_for() -> None:
    result = Cluster(4).apply(network(), Given())
    assert [t.form is not None for t in tensors_of(result)] == [False, False, True, True]


def test_progress_is_told_and_ends() -> None:
    told: list[tuple[int, int]] = []
    Cluster(4).apply(network(), Given(progress=lambda done, of, _: told.append((done, of))))
    assert told == [(0, 2), (1, 2), (2, 2)]


def test_the_same_seed_gives_the_same_model() -> None:
    step = Cluster(4, initialisation="k-means++")
    assert write_tflite(step.apply(network(), Given(seed=7))) == write_tflite(
        step.apply(network(), Given(seed=7))
    )


@pytest.mark.parametrize(
    "text", ["cluster clusters=1", "cluster clusters=300", "cluster initialisation=best", "cluster k=3"]
)
def test_options_outside_their_range_are_faults(text: str) -> None:
    with pytest.raises(RecipeInvalid, match="cluster"):
        parse_recipe(text)


@pytest.mark.parametrize(
    ("count", "codes", "value_bits", "channels", "expected"),
    [
        (16, 4, 32, 1, 16 * 2 + 4 * 32),  # Deep Compression's example
        (100, 5, 8, 1, 100 * 3 + 5 * 8),  # five values need three bits
        (64, 16, 8, 4, 64 * 4 + 4 * 16 * 8),  # one table per channel
        (10, 1, 8, 1, 8),  # one value needs no index
    ],
)
def test_bits_of_shared_weights(
    count: int, codes: int, value_bits: int, channels: int, expected: int
) -> None:
    assert clustered_bits(count, codes, value_bits=value_bits, channels=channels) == expected
