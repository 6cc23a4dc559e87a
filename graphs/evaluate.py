"""What does a graph compute: the plain meaning of every op in numpy, without any runtime's shortcuts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ModelError, ShapeInvalid, UnsupportedOp
from .arithmetic import ARITHMETIC, Meaning, clamp
from .ir import OPTIONAL, DType, ModelGraph, Op, Subgraph, Tensor
from .movement import MOVEMENT
from .quantities import INTEGER_RANGE, NUMPY_OF_DTYPE
from .reading import Reading

Array = npt.NDArray[Any]
_MEANINGS = {**ARITHMETIC, **MOVEMENT}
BIASED = {  # kind -> its inputs: data, weights, bias
    "CONV_2D": (0, 1, 2),
    "DEPTHWISE_CONV_2D": (0, 1, 2),
    "FULLY_CONNECTED": (0, 1, 2),
    "TRANSPOSE_CONV": (2, 1, 3),
}


def evaluate(graph: ModelGraph, inputs: Sequence[Array]) -> list[Array]:
    """The graph's outputs for these inputs, all in the tensors' stored types.

    Each op dequantizes its inputs, computes in float64 and quantizes its outputs: q = round(x / scale + zero
    point), halves away from zero, clamped. A fused op runs its parts in order and keeps what lies
    between them to itself, rounded where the original ops rounded: fusing changes no bit of the result.
    """
    main = graph.main
    if len(inputs) != len(main.inputs):
        raise ModelError(
            f"the model takes {len(main.inputs)} inputs, {len(inputs)} were given", where=graph.name
        )
    values: dict[int, Array] = {}
    for index, given in zip(main.inputs, inputs, strict=True):
        values[index] = _accepted(main.tensors[index], np.asarray(given))
    for op in main.ops:
        values.update(_run_kernel(main, op, values))
    return [_value(main.tensors[t], values) for t in main.outputs]


def run_op(subgraph: Subgraph, op: Op, values: Mapping[int, Array]) -> dict[int, Array]:
    """The stored outputs of one op that is not fused, given the stored values of its activations."""
    meaning = _MEANINGS.get(op.kind)
    if meaning is None:
        raise UnsupportedOp(
            f"{op.label} cannot be evaluated",
            where=f"op {op.index}",
            fix="run the model with preflash's interpreter",
        )
    try:
        return _computed(subgraph, op, meaning, values)
    except (ValueError, IndexError, ZeroDivisionError) as error:
        raise ShapeInvalid(
            f"{op.label} cannot be computed: {error}",
            where=f"op {op.index}",
            fix="run check(graph) for its faults",
        ) from error


def real_results(subgraph: Subgraph, op: Op, values: Mapping[int, Array]) -> dict[int, Array]:
    """The outputs of one op on real numbers: constants dequantized, nothing rounded, any extents.

    Args:
        values: the real values of its activations.
    """
    meaning = _MEANINGS.get(op.kind)
    if meaning is None:
        raise UnsupportedOp(f"{op.label} cannot be evaluated", where=f"op {op.index}")
    tensors = subgraph.tensors
    real = [
        None if i == OPTIONAL
        else values[i] if i in values
        else dequantize(tensors[i], constant_array(tensors[i]))
        for i in op.inputs
    ]  # fmt: skip
    results = meaning(Reading(subgraph, op), real)
    activation = getattr(op.attributes, "fused_activation_function", 0)
    return {t: clamp(r, activation) for t, r in zip(op.outputs, results, strict=True)}


def _computed(subgraph: Subgraph, op: Op, meaning: Meaning, values: Mapping[int, Array]) -> dict[int, Array]:
    tensors = subgraph.tensors
    stored = [None if i == OPTIONAL else _value(tensors[i], values) for i in op.inputs]
    real = [None if s is None else dequantize(tensors[i], s) for i, s in zip(op.inputs, stored, strict=True)]
    if op.kind in BIASED:
        _rescale_bias(subgraph, op, stored, real)
    results = meaning(Reading(subgraph, op), real)
    clamped = [clamp(r, getattr(op.attributes, "fused_activation_function", 0)) for r in results]
    return {t: quantize(tensors[t], r) for t, r in zip(op.outputs, clamped, strict=True)}


def dequantize(tensor: Tensor, stored: Array) -> Array:
    """x = scale * (q - zero point) in float64; numbers without a scale stand for themselves."""
    q = tensor.quantization
    if q is None or not len(q.scales) or tensor.dtype.is_float:
        return stored.astype(np.float64)
    scales, zeros = q.scales.astype(np.float64), q.zero_points.astype(np.float64)
    if len(scales) > 1:
        along = [1] * stored.ndim
        along[q.axis] = len(scales)
        scales = scales.reshape(along)
        zeros = zeros.reshape(along) if len(zeros) > 1 else zeros
    real: Array = (stored.astype(np.float64) - zeros) * scales
    return real


def quantize(tensor: Tensor, real: Array) -> Array:
    """The values as the tensor stores them: round(x / scale + zero point), clamped; else a cast."""
    kind = NUMPY_OF_DTYPE.get(tensor.dtype)
    if kind is None:
        raise UnsupportedOp(f"values of type {tensor.dtype} cannot be stored", where=tensor.name, fix="")
    q = tensor.quantization
    if q is None or not len(q.scales) or tensor.dtype not in INTEGER_RANGE:
        whole = real if tensor.dtype.is_float else np.trunc(real)
        return whole.astype(kind)
    grid = real / np.float64(q.scales[0]) + np.float64(q.zero_points[0])
    rounded = np.copysign(np.floor(np.abs(grid) + 0.5), grid)
    return np.clip(rounded, *INTEGER_RANGE[tensor.dtype]).astype(kind)


def constant_array(tensor: Tensor) -> Array:
    """The stored values of a constant, int4 unpacked to int8."""
    if tensor.data is None or tensor.sparsity is not None:
        raise UnsupportedOp("no dense constant", where=tensor.name, fix="densify the model first")
    if len(tensor.data) != tensor.dense_bytes:
        raise ShapeInvalid(f"{len(tensor.data)} bytes for {tensor.dense_bytes}", where=tensor.name)
    if tensor.dtype is DType.INT4:
        packed = np.frombuffer(tensor.data, np.int8)
        low, high = (packed << 4).astype(np.int8) >> 4, packed >> 4
        unpacked: Array = np.stack([low, high], -1).reshape(-1)[: tensor.element_count]
        return unpacked.reshape(tensor.shape)
    kind = NUMPY_OF_DTYPE.get(tensor.dtype)
    if kind is None:
        raise UnsupportedOp(f"constants of type {tensor.dtype} cannot be read as numbers", where=tensor.name)
    return np.frombuffer(tensor.data, kind).reshape(tensor.shape)


def _run_kernel(subgraph: Subgraph, op: Op, values: Mapping[int, Array]) -> dict[int, Array]:
    if not op.fused:
        return run_op(subgraph, op, values)
    inside = {i: values[i] for i in op.inputs if i in values}
    for part in op.fused:
        inside.update(run_op(subgraph, part, inside))
    return {t: inside[t] for t in op.outputs}


def _accepted(tensor: Tensor, given: Array) -> Array:
    kind = NUMPY_OF_DTYPE.get(tensor.dtype)
    if given.shape != tensor.shape:
        raise ShapeInvalid(
            f"shape {given.shape} was given, {tensor.shape} is taken", where=f"input {tensor.name}"
        )
    if kind is None or given.dtype != np.dtype(kind):
        raise ModelError(f"{given.dtype} was given, {tensor.dtype} is taken", where=f"input {tensor.name}")
    return given


def _value(tensor: Tensor, values: Mapping[int, Array]) -> Array:
    if tensor.index in values:
        return values[tensor.index]
    if tensor.is_constant:
        return constant_array(tensor)
    raise UnsupportedOp(
        "is read before it has a value", where=f"tensor {tensor.name}", fix="run check(graph)"
    )


def bias_scales(subgraph: Subgraph, op: Op) -> npt.NDArray[np.float64] | None:
    """Integer biases have scale input x weight, whatever the file records for them (TFLite's 8-bit spec)."""
    data, weight, _ = BIASED[op.kind]
    a, b = (subgraph.tensors[op.inputs[i]].quantization for i in (data, weight))
    if a is None or b is None or not len(a.scales):
        return None
    scales: npt.NDArray[np.float64] = np.float64(a.scales[0]) * b.scales.astype(np.float64)
    return scales


def _rescale_bias(subgraph: Subgraph, op: Op, stored: list[Array | None], real: list[Array | None]) -> None:
    bias = BIASED[op.kind][2]
    if bias >= len(stored) or stored[bias] is None:
        return
    scales, values = bias_scales(subgraph, op), stored[bias]
    if scales is not None and values is not None and values.dtype.kind == "i":
        real[bias] = values.astype(np.float64) * scales
