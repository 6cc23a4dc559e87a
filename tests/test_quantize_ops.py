"""Every op kind that becomes integer: the written file computes what real arithmetic says."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from kernels_oracle import computed, need_kernels
from preflash.errors import VariantInvalid
from preflash.graphs.evaluate import evaluate, quantize
from preflash.graphs.ir import DType, ModelGraph
from preflash.graphs.tflite.write import write_tflite
from preflash.graphs.variants.given import Given
from preflash.graphs.variants.quantize import Quantize, quantized
from preflash.graphs.variants.quantized_kinds import INT4_KINDS, QUANTIZED_KINDS
from quantize_models import BUILDS, SHAPE, single_op

SAMPLES = np.random.default_rng(0).uniform(-1, 1, (4, *SHAPE)).astype(np.float32)
TYPES = ("int8", "int16", "int4")  # int4 is of weights, beside int8 activations
# The interpreters lack these kinds altogether, in float too.
LACKING = {
    ("reference", "ELU"), ("reference", "DEPTH_TO_SPACE"), ("micro", "GELU"), ("micro", "TILE"),
    ("micro", "RELU_N1_TO_1"),
}  # fmt: skip
# Steps of the output's grid, of 65,536: 16-bit SOFTMAX and TANH look values up in tables, coarser than it.
STEPS = {("TANH", "int16"): 3, ("SOFTMAX", "int16"): 2}


def kinds_of(types: str) -> list[str]:
    if types == "int4":
        return sorted(INT4_KINDS["int8"])
    return sorted(kind for kind, kernels in QUANTIZED_KINDS.items() if DType(types) in kernels)


@cache
def models(types: str) -> dict[str, tuple[ModelGraph, np.ndarray]]:
    """Kind -> the integer model, and its integer inputs."""
    step = Quantize(weights="int4") if types == "int4" else Quantize(activations=types)
    found = {}
    for kind in kinds_of(types):
        graph = quantized(single_op(kind), step, Given(samples=(SAMPLES,))).graph
        found[kind] = (graph, quantize(graph.tensors[graph.inputs[0]], SAMPLES.astype(np.float64)))
    return found


@cache
def answers(types: str, kernels: str) -> dict[str, np.ndarray | str]:
    written = {kind: (write_tflite(graph), [x]) for kind, (graph, x) in models(types).items()}
    return computed(written, kernels)


def test_every_kind_with_integer_kernels_is_run_here() -> None:
    assert {kind for kind, kernels in QUANTIZED_KINDS.items() if kernels} == set(BUILDS)


@pytest.mark.parametrize("kernels", ["reference", "default", "micro"])
@pytest.mark.parametrize(("types", "kind"), [(t, k) for t in TYPES for k in kinds_of(t)])
def test_integer_kernels_compute_the_real_result_within_a_step(types: str, kind: str, kernels: str) -> None:
    need_kernels(kernels)
    graph, inputs = models(types)[kind]
    assert graph.ops[-1].kind == kind
    assert all(not graph.tensors[t].dtype.is_float for op in graph.ops for t in (*op.inputs, *op.outputs))
    answer = answers(types, kernels)[kind]
    if (kernels, kind) in LACKING:
        assert isinstance(answer, str)
        return
    assert not isinstance(answer, str), answer
    ours = np.stack([evaluate(graph, [one])[0] for one in inputs])
    assert ours.shape == answer.shape
    assert np.abs(ours.astype(np.int64) - answer.astype(np.int64)).max() <= STEPS.get((kind, types), 1)
    assert len(np.unique(ours)) > 2


@pytest.mark.parametrize(("types", "most"), [("int8", 0), ("int4", 0), ("int16", 1)])
def test_tflite_micro_and_the_reference_kernels_give_the_same_integers(types: str, most: int) -> None:
    """Bit for bit beside int8; 16-bit tables and roundings of LEAKY_RELU, RELU and SOFTMAX differ by one."""
    need_kernels("micro")
    reference, micro = answers(types, "reference"), answers(types, "micro")
    both = [k for k in reference if not isinstance(reference[k], str) and not isinstance(micro[k], str)]
    off = {k: np.abs(reference[k].astype(int) - micro[k].astype(int)).max() for k in both}
    assert len(both) >= 3
    assert {k: n for k, n in off.items() if n > most} == {}


@pytest.mark.parametrize(("activations", "kind"), [
    ("int16", "CONV_2D"), ("int16", "DEPTHWISE_CONV_2D"), ("int16", "FULLY_CONNECTED"), ("float", "CONV_2D"),
    ("float", "DEPTHWISE_CONV_2D"), ("int8", "TRANSPOSE_CONV"),
])  # fmt: skip
def test_int4_weights_are_refused_where_kernels_misread_them(activations: str, kind: str) -> None:
    """tflite-runtime 2.14 loads most of these and reads past the end of the packed weights."""
    step = Quantize(activations=activations, weights="int4")
    with pytest.raises(VariantInvalid, match=kind) as caught:
        quantized(single_op(kind), step, Given(samples=(SAMPLES,)))
    assert "quantize-weights" in caught.value.fix


HYBRID = {
    f"{kind}_{weights}_{per_channel}": (kind, Quantize("float", weights=weights, per_channel=per_channel))
    for kind in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
    for weights in ("int8", "int4") if weights == "int8" or kind in INT4_KINDS["float"]
    for per_channel in (True, False)
}  # fmt: skip


@cache
def hybrids() -> dict[str, ModelGraph]:
    return {name: quantized(single_op(kind), step).graph for name, (kind, step) in HYBRID.items()}


@cache
def hybrid_answers(kernels: str) -> dict[str, np.ndarray | str]:
    return computed({name: (write_tflite(g), [SAMPLES]) for name, g in hybrids().items()}, kernels)


@pytest.mark.parametrize("kernels", ["reference", "default"])
@pytest.mark.parametrize("name", HYBRID)
def test_integer_weights_beside_float_activations_run_as_hybrid_kernels(name: str, kernels: str) -> None:
    """The input is quantized as it comes, to 127 steps of its largest value: the error is below 2 %."""
    answer = hybrid_answers(kernels)[name]
    assert not isinstance(answer, str), answer
    ours = np.stack([evaluate(hybrids()[name], [one])[0] for one in SAMPLES])
    assert np.abs(ours - answer).max() <= 0.02 * np.abs(ours).max()


@pytest.mark.parametrize("kind", ["DIV", "SUM", "EXP", "SQRT", "NEG"])
def test_kinds_without_an_integer_kernel_are_known_with_a_reason(kind: str) -> None:
    assert QUANTIZED_KINDS[kind] == frozenset()
