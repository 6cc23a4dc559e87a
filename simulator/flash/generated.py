"""How much flash does ST's code generator take: the weights alone, and code as published per release."""

from __future__ import annotations

from dataclasses import replace

from ...devices.target import Target
from ...graphs.ir import DType, ModelGraph
from ..interval import Basis, Interval
from ..releases import op_terms, release_figure

# X-CUBE-AI: the rows of facts/st_model_zoo.csv agree to their 0.01 KiB, but for SqueezeNet 1.0, which takes
# up to 0.12 % more.
_RAW_EXCESS = 0.0012
_RAW_SOURCE = "weights and int32 biases of the kernels, as st_model_zoo.csv has them"
_RELEASED_CORE = "cortex-m7"
_WITH_BIAS = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"})
_INDEX_TYPES = frozenset({DType.INT32, DType.INT64})


def raw_weights(graph: ModelGraph) -> Interval:
    """`raw_weight_bytes` with the excess that published rows show."""
    size = raw_weight_bytes(graph)
    most = -int(-size * (1 + _RAW_EXCESS) // 1)
    return Interval(size, size, most, Basis.CALIBRATED, _RAW_SOURCE)


def raw_weight_bytes(graph: ModelGraph) -> int:
    """Weights and biases as they are in the file; no shapes, axes or paddings, no quantization, no graph."""
    kept = set()
    for number, subgraph in enumerate(graph.subgraphs):
        for op in (part for kernel in subgraph.ops for part in (kernel.fused or (kernel,))):
            for position, t in enumerate(op.inputs):
                is_bias = position == 2 and op.kind in _WITH_BIAS
                if t >= 0 and (is_bias or subgraph.tensors[t].dtype not in _INDEX_TYPES):
                    kept.add((number, t))
    return sum(graph.subgraphs[number].tensors[t].stored_bytes for number, t in kept)


def released_code(graph: ModelGraph, target: Target) -> Interval:
    """What the release takes for these ops; ST's figures are of a Cortex-M7."""
    size = release_figure(target.runtime.memory_version, "code", op_terms(graph))
    if size.value is None or target.device.core.name == _RELEASED_CORE:
        return size
    source = f"{size.source}; of a {_RELEASED_CORE}, not of this core"
    return replace(size, basis=Basis.ANALYTIC, source=source)
