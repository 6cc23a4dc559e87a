"""A quantized or hybrid model as the float model that it stands for."""

from __future__ import annotations

import numpy as np
import pytest
from preflash.errors import VariantInvalid
from preflash.graphs import ops as kinds
from preflash.graphs.build import GraphBuilder
from preflash.graphs.check import check
from preflash.graphs.evaluate import evaluate
from preflash.graphs.ir import DType, ModelGraph
from preflash.graphs.ops import Activation
from preflash.graphs.quantities import affine, per_tensor
from preflash.graphs.variants.dequantized import dequantized
from preflash.graphs.variants.given import Given
from preflash.graphs.variants.quantize import Quantize, quantized
from preflash.graphs.variants.weights import real_values, weights
from preflash.graphs.zoo import build

RANDOM = np.random.default_rng(2)


def small() -> ModelGraph:
    b = GraphBuilder("small", dtype=DType.FLOAT32, seed=3)
    x = b.conv(b.input((1, 6, 6, 3)), 8, (3, 3))
    return b.finish([b.softmax(b.fully_connected(b.reshape(b.depthwise(x), (1, 288)), 10))])


def integer(**options: object) -> tuple[ModelGraph, np.ndarray]:
    samples = RANDOM.uniform(-1, 1, (8, 1, 6, 6, 3)).astype(np.float32)
    step = Quantize(**options)
    return quantized(small(), step, Given(samples=(samples,))).graph, samples


@pytest.mark.parametrize("options", [
    {}, {"io": "float"}, {"activations": "int16", "io": "float"}, {"activations": "float"},
    {"weights": "int4"},
], ids=str)  # fmt: skip
def test_it_computes_in_float_with_the_weights_of_the_integer_model(options: dict[str, object]) -> None:
    graph, samples = integer(**options)
    real = dequantized(graph)
    check(real)
    assert [(op.kind, op.version) for op in real.ops] == [
        ("CONV_2D", 1), ("DEPTHWISE_CONV_2D", 1), ("RESHAPE", 1), ("FULLY_CONNECTED", 1), ("SOFTMAX", 1),
    ]  # fmt: skip
    assert {t.dtype for t in real.tensors} == {DType.FLOAT32, DType.INT32}  # int32: the shape of RESHAPE
    for one, other in zip(weights(graph), weights(real), strict=True):
        assert np.array_equal(real_values(graph.tensors[one.tensor]), real_values(real.tensors[other.tensor]))
    if options.get("io") == "float":
        difference = [np.abs(evaluate(real, [x])[0] - evaluate(graph, [x])[0]).max() for x in samples]
        assert max(difference) < 0.02


def test_the_ends_keep_their_names() -> None:
    for io in ("int8", "float"):
        real = dequantized(integer(io=io)[0])
        names = [real.tensors[t].name for t in (*real.inputs, *real.outputs)]
        assert names == [small().tensors[t].name for t in (*small().inputs, *small().outputs)]


def test_a_float_model_is_returned_as_it_is() -> None:
    graph = small()
    assert dequantized(graph) is graph


def test_there_and_back_again_is_the_same_integer_model() -> None:
    """From its own float model, on samples whose ranges are those of the grids, the weights do not move."""
    graph, samples = integer()
    again = quantized(dequantized(graph), Quantize(), Given(samples=(samples,))).graph
    for one, other in zip(weights(graph), weights(again), strict=True):
        a, b = graph.tensors[one.tensor], again.tensors[other.tensor]
        assert a.data == b.data
        assert a.quantization.scales == pytest.approx(b.quantization.scales, rel=1e-6)


def test_constants_behind_a_dequantize_become_float_constants() -> None:
    b = GraphBuilder("halves", dtype=DType.FLOAT32)
    half = b.constant(np.array([[1.5, -2.0]], np.float16))
    weight = b.op("DEQUANTIZE", (half,), outputs=[b.tensor((1, 2))])[0]
    x = b.input((1, 2))
    graph = dequantized(b.finish(b.op("FULLY_CONNECTED", (x, weight), kinds.FullyConnectedAttributes())))
    assert [op.kind for op in graph.ops] == ["FULLY_CONNECTED"]
    assert real_values(graph.tensors[weights(graph)[0].tensor]).tolist() == [[1.5, -2.0]]


def test_an_output_that_integers_cut_at_zero_gets_its_relu() -> None:
    """Zero point -128: nothing below zero can be stored, whatever the op's attributes say."""
    b = GraphBuilder("cut", dtype=DType.INT8)
    x = b.input((1, 2), quantization=affine(-1.0, 1.0, DType.INT8))
    y = b.tensor((1, 1), quantization=per_tensor(0.01, -128))
    weight = b.quantized_constant(np.array([[1.0, 1.0]]), name="w")
    b.op("FULLY_CONNECTED", (x, weight), kinds.FullyConnectedAttributes(), outputs=[y])
    real = dequantized(b.finish([y]))
    assert real.ops[0].attributes.fused_activation_function is Activation.RELU
    assert evaluate(real, [np.array([[-1.0, 0.5]], np.float32)])[0].tolist() == [[0.0]]


def test_ops_that_compute_with_the_integers_themselves_are_refused() -> None:
    b = GraphBuilder("cast", dtype=DType.INT8)
    y = b.tensor((1, 2), dtype=DType.FLOAT32)
    b.op("CAST", (b.input((1, 2)),), kinds.CastAttributes(), outputs=[y])
    with pytest.raises(VariantInvalid, match="CAST"):
        dequantized(b.finish([y]))


@pytest.mark.parametrize("name", ["ic01", "mobilenet-v2"])
def test_zoo_networks_of_integers_become_float_and_integers_again(name: str) -> None:
    graph = build(name, **({"resolution": 32} if name.startswith("mobile") else {}))
    real = dequantized(graph)
    assert not any(t.quantization is not None for t in real.tensors)
    again = quantized(graph, Quantize(random_samples=2)).graph
    assert [op.kind for op in again.ops] == [op.kind for op in graph.ops]
