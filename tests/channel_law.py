"""The law of pruning by shape: the same results as the whole model whose removed channels are zero."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from preflash.graphs.evaluate import constant_array
from preflash.graphs.ir import OPTIONAL, ModelGraph, Tensor
from preflash.graphs.quantities import NUMPY_OF_DTYPE
from preflash.graphs.tflite.write import write_tflite
from preflash.graphs.variants.weights import WEIGHT_PLACES
from preflash.simulator.interpreter import run_tflite

Removed = Mapping[int, Mapping[int, npt.NDArray[np.bool_]]]  # tensor -> axis -> True is gone
Array = npt.NDArray[Any]

# kind -> the inputs that hold weights and bias
_BIASES = {"CONV_2D": 2, "DEPTHWISE_CONV_2D": 2, "FULLY_CONNECTED": 2, "TRANSPOSE_CONV": 3}


def silenced(graph: ModelGraph, removed: Removed) -> ModelGraph:
    """The whole model, with the filters and biases that make removed channels at real zero.

    What reads those channels is left as it is: it must not matter. Other constants (of ADD, MUL, PRELU) are
    zero at the channels they are cut at.
    """
    axes: dict[int, set[int]] = {}
    for op in graph.ops:
        place, axis = WEIGHT_PLACES.get(op.kind, (-1, 0))
        for n, t in enumerate(op.inputs):
            if t != OPTIONAL and _source(graph, t) in removed:
                axes.setdefault(_source(graph, t), set()).update(
                    {axis} if n == place else removed[_source(graph, t)]
                )
    tensors = [
        _zeroed(t, {a: mask for a, mask in removed[t.index].items() if a in axes.get(t.index, ())})
        if t.is_constant and t.index in removed else t
        for t in graph.tensors
    ]  # fmt: skip
    return graph.with_main(replace(graph.main, tensors=tuple(tensors)))


def kept_part(removed: Removed, tensor: int, values: Array) -> Array:
    """What of a whole model's tensor is still there."""
    for axis, mask in removed.get(tensor, {}).items():
        values = np.compress(~mask, values, axis=axis)
    return values


def gone_part(removed: Removed, tensor: int, values: Array) -> Array:
    (axis, mask) = next(iter(removed[tensor].items()))
    return np.compress(mask, values, axis=axis)


def random_inputs(graph: ModelGraph, seed: int = 0) -> list[Array]:
    """Values over the whole range of the inputs' types."""
    random = np.random.default_rng(seed)
    found = []
    for t in graph.inputs:
        tensor = graph.tensors[t]
        kind = np.dtype(NUMPY_OF_DTYPE[tensor.dtype])
        if kind.kind == "f":
            found.append(random.uniform(-1, 1, tensor.shape).astype(kind))
        elif kind.kind == "b":
            found.append(random.random(tensor.shape) < 0.5)
        else:
            low, high = (0, 4) if kind.itemsize > 2 else (np.iinfo(kind).min, np.iinfo(kind).max)
            found.append(random.integers(low, high + 1, tensor.shape).astype(kind))
    return found


def interpreted(graph: ModelGraph, inputs: Sequence[Array], *, keep_all: bool = False) -> list[Array]:
    return run_tflite(write_tflite(graph), inputs, keep_all=keep_all)


def _source(graph: ModelGraph, tensor: int) -> int:
    """The constant behind a DEQUANTIZE."""
    producer = graph.main.producer_of.get(tensor)
    if producer is None or graph.ops[producer].kind != "DEQUANTIZE":
        return tensor
    return graph.ops[producer].inputs[0]


def _zeroed(tensor: Tensor, axes: Mapping[int, npt.NDArray[np.bool_]]) -> Tensor:
    values = constant_array(tensor).copy()
    q = tensor.quantization
    zero = int(q.zero_points[0]) if q is not None and len(q.zero_points) else 0
    for axis, mask in axes.items():
        np.moveaxis(values, axis, 0)[mask] = zero
    return replace(tensor, data=values.tobytes())
