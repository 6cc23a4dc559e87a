"""How are weights alone stored as integers? In hybrid ops, beside float activations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...errors import VariantInvalid
from ..ir import ModelGraph, Op, Quantization, Tensor
from .compact import rewritten
from .dequantized import without_grids
from .integer_constants import Loss, integer_weights
from .quantized_kinds import HYBRID_KINDS
from .weights import WEIGHT_PLACES

# The version of a hybrid op: per tensor, per channel.
_VERSIONS = {"CONV_2D": (2, 5), "DEPTHWISE_CONV_2D": (4, 6), "FULLY_CONNECTED": (3, 3)}


def weight_only(
    graph: ModelGraph, *, bits: int, per_channel: bool, keep_float: frozenset[int]
) -> tuple[ModelGraph, tuple[Loss, ...], tuple[str, ...]]:
    """The float model with integer weights, what each lost, and which weights stay float.

    tflite-runtime runs it: it quantizes each input as it comes, by its own largest value. tflite-micro has
    no hybrid kernels.
    """
    tensors, losses, notes = list(graph.tensors), list[Loss](), list[str]()
    made: dict[tuple[int, str], int] = {}
    ops: list[Op] = []
    for op in graph.ops:
        weight = _weight(graph, op)
        if weight is None or op.index in keep_float or op.kind not in HYBRID_KINDS:
            ops.append(op)
            if weight is not None:
                why = "asked for" if op.index in keep_float else "there is no kernel for integer weights"
                notes.append(f"{op.label} (op {op.index}) stays float: {why}")
            continue
        key = (weight.index, op.kind)
        if key not in made:
            stored, loss = integer_weights(weight, op.kind, bits=bits, per_channel=per_channel)
            losses.append(loss)
            made[key] = len(tensors)
            tensors.append(replace(_spread(stored, op.kind), index=len(tensors)))
        ops.append(_hybrid(op, tensors[made[key]]))
    if not losses:
        fix = notes[0] if notes else "it has no convolutions and no fully connected ops"
        raise VariantInvalid("the model has no float weights to store as integers", where=graph.name, fix=fix)
    whole = without_grids(rewritten(graph, tensors, ops))
    return whole, tuple(losses), (*notes, "integer weights beside float activations: not for tflite-micro")


def _weight(graph: ModelGraph, op: Op) -> Tensor | None:
    place = WEIGHT_PLACES.get(op.kind, (-1, 0))[0]
    if not 0 <= place < len(op.inputs) or op.inputs[place] < 0:
        return None
    tensor = graph.tensors[op.inputs[place]]
    return tensor if tensor.is_constant and tensor.dtype.is_float and tensor.sparsity is None else None


def _spread(tensor: Tensor, kind: str) -> Tensor:
    """Hybrid depthwise kernels read a scale per channel, whatever the file has: a single one is repeated."""
    grid = tensor.quantization
    assert grid is not None
    if kind != "DEPTHWISE_CONV_2D" or len(grid.scales) > 1:
        return tensor
    channels = tensor.shape[3]
    repeated = Quantization(np.repeat(grid.scales, channels), np.repeat(grid.zero_points, channels), 3)
    return replace(tensor, quantization=repeated)


def _hybrid(op: Op, weight: Tensor) -> Op:
    place = WEIGHT_PLACES[op.kind][0]
    inputs = tuple(weight.index if i == place else t for i, t in enumerate(op.inputs))
    grid = weight.quantization
    assert grid is not None
    return replace(op, inputs=inputs, version=_VERSIONS[op.kind][grid.is_per_channel])
