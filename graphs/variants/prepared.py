"""How does a model look before it gets integers? Float, nothing left to compute ahead, activations fused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..ir import ModelGraph, Op
from ..ops import Activation
from ..passes.base import run_passes
from ..passes.fold import FoldBatchNorms, FoldConstants
from ..static_shapes import with_static_shapes
from .compact import compacted, rewritten
from .dequantized import real_model

# Kinds whose integer kernels take an activation, and the standalone op that it replaces.
_TAKES_ACTIVATION = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD", "SUB", "MUL"})
_ACTIVATIONS = {"RELU": Activation.RELU, "RELU6": Activation.RELU6, "RELU_N1_TO_1": Activation.RELU_N1_TO_1}
# What these entries say of a file does not hold for one made from it.
_STALE_METADATA = ("min_runtime_version", "CONVERSION_METADATA")


def prepared(graph: ModelGraph) -> tuple[ModelGraph, tuple[str, ...]]:
    """The float model whose ops quantization converts one by one, and what was done to get there."""
    folded = run_passes(with_static_shapes(real_model(graph)), [FoldConstants(), FoldBatchNorms()])
    fused, notes = _with_fused_activations(folded.graph)
    kept = tuple(entry for entry in fused.metadata if entry[0] not in _STALE_METADATA)
    return compacted(replace(fused, metadata=kept)), (*folded.notes, *notes)


def _with_fused_activations(graph: ModelGraph) -> tuple[ModelGraph, list[str]]:
    """RELU, RELU6 and RELU_N1_TO_1 become the activation of the op before, where it alone feeds them."""
    notes: list[str] = []
    ops: dict[int, Op] = {op.index: op for op in graph.ops}
    for op in graph.ops:
        source = ops.get(op.producers[0]) if op.kind in _ACTIVATIONS and op.producers else None
        if source is None or not _can_take(graph, source, op):
            continue
        attributes: Any = source.attributes
        attributes = replace(attributes, fused_activation_function=_ACTIVATIONS[op.kind])
        ops[source.index] = replace(source, outputs=op.outputs, attributes=attributes)
        del ops[op.index]
        notes.append(f"{op.label} (op {op.index}) moved into {source.label} (op {source.index})")
    return (rewritten(graph, graph.tensors, list(ops.values())) if notes else graph), notes


def _can_take(graph: ModelGraph, source: Op, op: Op) -> bool:
    return (
        source.kind in _TAKES_ACTIVATION
        and source.attributes is not None
        and getattr(source.attributes, "fused_activation_function", None) == Activation.NONE
        and source.consumers == (op.index,)
        and source.outputs == op.inputs
        and source.outputs[0] not in graph.outputs
    )
