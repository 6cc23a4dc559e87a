"""What RAM does LiteRT take on an operating system? Its arena planner, and the copies that nobody records.

LiteRT's ArenaPlanner and XNNPACK's own planner both place the largest tensor first (Pisarchyk and Lee 2020,
arXiv 2001.03288; tensorflow/lite/arena_planner.cc; XNNPACK src/memory-planner.c). XNNPACK keeps a packed copy
of every filter; kernels without XNNPACK may, and expand windows into a matrix. No figure was measured.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ...graphs.ir import ModelGraph
from ..arena import MemoryPlan, Taken
from ..operands import dims_of

if TYPE_CHECKING:
    from ...devices.target import Target

_FILTERED = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"})
_SOURCE = "greedy by size, as LiteRT and XNNPACK plan; copies of filters and windows are not measured"


def with_copies(plan: MemoryPlan, graph: ModelGraph, target: Target) -> MemoryPlan:
    """lo: the live bytes; value: the plan and XNNPACK's packed filters; hi: nothing shared, every copy."""
    packed = _filter_bytes(graph)
    kept = packed if target.runtime.kernel_library == "xnnpack" else 0
    apart = sum(buffer.size_bytes for buffer in plan.buffers)
    most = max(apart, plan.head_bytes) + packed + _largest_matrix_bytes(graph)
    value = plan.head_bytes + kept
    taken = Taken(min(plan.lower_bound_bytes, value), value, most, _SOURCE, is_fitted=False)
    return replace(plan, planner="litert", taken=taken)


def _filter_bytes(graph: ModelGraph) -> int:
    tensors = graph.main.tensors
    filters = {op.inputs[1] for op in graph.main.ops if op.kind in _FILTERED and len(op.inputs) > 1}
    return sum(tensors[t].stored_bytes for t in filters if t >= 0 and tensors[t].data is not None)


def _largest_matrix_bytes(graph: ModelGraph) -> int:
    """The windows of one convolution side by side: pixels x k_h x k_w x channels."""
    sizes = [0]
    for op in graph.main.ops:
        dims = dims_of(graph.main, op) if op.kind == "CONV_2D" else None
        if dims is not None and dims.k_h * dims.k_w > 1:
            element_bits = graph.main.tensors[op.inputs[0]].dtype.bits or 0
            windows = dims.batch * dims.out_h * dims.out_w * dims.k_h * dims.k_w * dims.in_c
            sizes.append(windows * element_bits // 8)
    return max(sizes)
