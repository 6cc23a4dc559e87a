"""Layer normalisation becomes a gain and a shift: found in whatever ops it is written, the rest untouched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from channel_law import interpreted, random_inputs
from hypothesis import given, settings
from hypothesis import strategies as st
from preflash.errors import VariantInvalid
from preflash.graphs.build import GraphBuilder
from preflash.graphs.check import check
from preflash.graphs.evaluate import constant_array, evaluate
from preflash.graphs.ir import DType, ModelGraph
from preflash.graphs.tflite.read import parse_tflite
from preflash.graphs.tflite.write import write_tflite
from preflash.graphs.variants.given import Given
from preflash.graphs.variants.norms import norms
from preflash.graphs.variants.swap_activations import SwapActivations
from preflash.graphs.variants.swap_norms import SwapNorms
from preflash.graphs.zoo import build
from preflash.simulator.workload import op_macs
from transformer_models import SMALL, layer_norm, mobilebert

FLOAT, INT8 = DType.FLOAT32, DType.INT8
CHANNELS = 8
GAIN, SHIFT = np.linspace(0.5, 1.5, CHANNELS), np.linspace(-1, 1, CHANNELS)
Write = Callable[[GraphBuilder, int], int]


def swapped(graph: ModelGraph) -> ModelGraph:
    """The model after the step, accepted by the judge and by our reader."""
    found = SwapNorms().apply(graph, Given())
    check(found)
    check(parse_tflite(write_tflite(found)))
    return found


def between_products(write: Write, dtype: DType = FLOAT, shape: tuple[int, ...] = (1, 5, 6)) -> ModelGraph:
    """A dense op per token, the normalisation, a dense op."""
    b = GraphBuilder("normalised", dtype=dtype)
    x = b.fully_connected(b.input(shape), CHANNELS, keep_num_dims=True)
    return b.finish([b.fully_connected(write(b, x), 3, keep_num_dims=True)])


def number(b: GraphBuilder, value: float) -> int:
    return b.activation_constant(np.array([value]))


def _last(b: GraphBuilder, x: int) -> tuple[int, ...]:
    return (len(b._tensors[x].shape) - 1,)


def _as_batch_norm(b: GraphBuilder, x: int) -> int:
    """x * s + (shift - mean * s)."""
    axis, gain, shift = _last(b, x), b.activation_constant(GAIN), b.activation_constant(SHIFT)
    mean = b.mean(x, axis, keep_dims=True)
    variance = b.mean(b.op("SQUARED_DIFFERENCE", (x, mean))[0], axis, keep_dims=True)
    scale = b.mul(b.unary("RSQRT", b.add(variance, number(b, 1e-5))), gain)
    return b.add(b.mul(x, scale), b.sub(shift, b.mul(mean, scale)))


def _as_written(b: GraphBuilder, x: int) -> int:
    """(x - mean) / sqrt(mean((x - mean)^2) + 1e-6) * gain + shift, the square a product."""
    axis = _last(b, x)
    centred = b.sub(x, b.mean(x, axis, keep_dims=True))
    variance = b.mean(b.mul(centred, centred), axis, keep_dims=True)
    plain = b.op("DIV", (centred, b.unary("SQRT", b.add(variance, number(b, 1e-6)))))[0]
    return b.add(b.mul(plain, b.activation_constant(GAIN)), b.activation_constant(SHIFT))


def _by_power(b: GraphBuilder, x: int) -> int:
    """As PyTorch's export: the square by POW, the root by SQRT."""
    axis = _last(b, x)
    centred = b.sub(x, b.mean(x, axis, keep_dims=True))
    variance = b.mean(b.op("POW", (centred, number(b, 2.0)))[0], axis, keep_dims=True)
    plain = b.op("DIV", (centred, b.unary("SQRT", b.add(variance, number(b, 1e-5)))))[0]
    return b.add(b.mul(plain, b.activation_constant(GAIN)), b.activation_constant(SHIFT))


def _without_shift(b: GraphBuilder, x: int) -> int:
    axis = _last(b, x)
    centred = b.sub(x, b.mean(x, axis, keep_dims=True))
    variance = b.mean(b.unary("SQUARE", centred), axis, keep_dims=True)
    return b.mul(centred, b.unary("RSQRT", variance))


def _root_mean_square(b: GraphBuilder, x: int) -> int:
    mean = b.mean(b.mul(x, x), _last(b, x), keep_dims=True)
    return b.mul(b.mul(x, b.unary("RSQRT", mean)), b.activation_constant(GAIN))


def _of_rows(b: GraphBuilder, x: int) -> int:
    """As Keras does it with a batch norm: rows of a reshaped tensor, then gain and shift."""
    shape = b._tensors[x].shape
    rows = b.reshape(x, (1, int(np.prod(shape[:-1])), CHANNELS, 1))
    mean = b.mean(rows, (2,), keep_dims=True)
    variance = b.mean(b.op("SQUARED_DIFFERENCE", (rows, mean))[0], (2,), keep_dims=True)
    scale = b.unary("RSQRT", b.add(variance, number(b, 1e-3)))
    plain = b.reshape(b.sub(b.mul(rows, scale), b.mul(mean, scale)), shape)
    return b.add(b.mul(plain, b.activation_constant(GAIN)), b.activation_constant(SHIFT))


WRITTEN: list[tuple[str, Write, np.ndarray, np.ndarray]] = [
    ("LayerNorm", _as_batch_norm, GAIN, SHIFT),
    ("LayerNorm", _as_written, GAIN, SHIFT),
    ("LayerNorm", _by_power, GAIN, SHIFT),
    ("LayerNorm", _of_rows, GAIN, SHIFT),
    ("LayerNorm", _without_shift, np.ones(CHANNELS), np.zeros(CHANNELS)),
    ("RMSNorm", _root_mean_square, GAIN, np.zeros(CHANNELS)),
]


@pytest.mark.parametrize(("word", "write", "gain", "shift"), WRITTEN)
@pytest.mark.parametrize("shape", [(1, 5, 6), (7, 6), (1, 2, 3, 6), (1, 6)])
def test_a_norm_is_told_by_what_it_computes(
    word: str, write: Write, gain: np.ndarray, shift: np.ndarray, shape: tuple[int, ...]
) -> None:
    (found,) = norms(between_products(write, shape=shape))
    assert found.word == word
    np.testing.assert_allclose(found.gain, gain, atol=1e-3)
    np.testing.assert_allclose(found.shift, shift, atol=1e-3)


@pytest.mark.parametrize(("_word", "write", "gain", "shift"), WRITTEN)
def test_the_swapped_model_computes_gain_times_x_plus_shift(
    _word: str, write: Write, gain: np.ndarray, shift: np.ndarray
) -> None:
    graph = between_products(write)
    found = swapped(graph)
    assert [op.kind for op in found.ops] == ["FULLY_CONNECTED", "MUL", "ADD", "FULLY_CONNECTED"]
    x = random_inputs(graph)
    first, last = ([constant_array(graph.tensors[t]) for t in graph.ops[n].inputs[1:]] for n in (0, -1))
    wanted = ((x[0] @ first[0].T + first[1]) * gain + shift) @ last[0].T + last[1]
    np.testing.assert_allclose(evaluate(found, x)[0], wanted, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(interpreted(found, x)[0], wanted, rtol=1e-3, atol=1e-3)


def test_an_integer_norm_is_found_and_swapped() -> None:
    graph = between_products(_without_shift, INT8)
    found = swapped(graph)
    assert [op.kind for op in found.ops] == ["FULLY_CONNECTED", "MUL", "ADD", "FULLY_CONNECTED"]
    assert len(np.unique(interpreted(found, random_inputs(found))[0])) > 1


def test_a_mean_that_something_else_reads_is_no_part_of_a_norm() -> None:
    b = GraphBuilder("tapped", dtype=FLOAT)
    x = b.input((4, CHANNELS))
    mean = b.mean(x, (1,), keep_dims=True)
    centred = b.sub(x, mean)
    root = b.unary("RSQRT", b.mean(b.unary("SQUARE", centred), (1,), keep_dims=True))
    graph = b.finish([b.mul(centred, root), mean])
    # what is left normalises the centred tensor by its root mean square
    assert [one.word for one in norms(graph)] == ["RMSNorm"]


@pytest.mark.parametrize("name", ["kws01", "mobilenet-v3-small"])
def test_a_model_without_norms_says_so(name: str) -> None:
    with pytest.raises(VariantInvalid, match="no layer normalisation") as caught:
        SwapNorms().apply(build(name), Given())
    assert "skip this step" in caught.value.fix


def test_a_transformer_loses_all_of_them_and_nothing_else() -> None:
    graph = mobilebert(2)
    said: list[str] = []
    found = SwapNorms().apply(graph, Given(note=said.append))
    assert said == ["12 x LayerNorm becomes a gain and a shift: shape only, retrain needed"]
    before, after = (Counter(op.kind for op in g.ops) for g in (graph, found))
    norm_kinds = {"MEAN", "SQUARED_DIFFERENCE", "RSQRT", "SUB", "MUL", "ADD"}
    assert {k: n for k, n in after.items() if k not in norm_kinds} == {
        k: n for k, n in before.items() if k not in norm_kinds
    }
    assert not {"MEAN", "RSQRT", "SQUARED_DIFFERENCE"} & set(after)
    macs = [sum(op_macs(g.main, op) or 0 for op in g.ops) for g in (graph, found)]
    assert macs[0] == macs[1]


def test_both_swaps_make_a_transformer_that_runs() -> None:
    found = SwapActivations(("gelu",), "relu").apply(swapped(mobilebert(2)), Given())
    check(found)
    fused = [op for op in found.ops if getattr(op.attributes, "fused_activation_function", 0)]
    assert len(fused) == 2 * SMALL.stacks
    x = random_inputs(found)
    np.testing.assert_allclose(interpreted(found, x)[0], evaluate(found, x)[0], rtol=1e-3, atol=1e-3)


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 24), st.integers(1, 9))
def test_any_extents_will_do(channels: int, tokens: int) -> None:
    b = GraphBuilder("any", dtype=FLOAT)
    graph = b.finish([layer_norm(b, b.input((tokens, channels)), channels)])
    assert [op.kind for op in swapped(graph).ops] == ["MUL", "ADD"]
