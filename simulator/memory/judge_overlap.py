"""May this output lie over this input? Written pixel by pixel, it must not reach a byte still to be read.

From the op's own geometry; shares no code with the planners.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from ...graphs.ir import ModelGraph, Op, Tensor
from ...graphs.ops import Conv2DAttributes, DepthwiseConv2DAttributes, Pool2DAttributes
from ..estimate import MemoryPlan, PlannedBuffer

Pixels = npt.NDArray[np.int64]
OVERLAPPING = frozenset({"x-cube-ai"})  # planners whose outputs may lie over inputs
_IN_PLACE = frozenset({
    "ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM", "RELU", "RELU6", "LOGISTIC", "TANH", "HARD_SWISH",
    "LEAKY_RELU", "SOFTMAX", "RESHAPE", "SQUEEZE", "EXPAND_DIMS", "QUANTIZE", "ABS", "NEG", "SQUARE", "SQRT",
    "RSQRT",
})  # fmt: skip
_NEVER = np.iinfo(np.int64).max // 2


def occupied_bytes(plan: MemoryPlan, instant: int) -> int:
    """Bytes alive at this instant; where outputs may lie over inputs, a byte counts once."""
    alive = [b for b in plan.buffers if b.first <= instant <= b.last]
    if plan.planner not in OVERLAPPING:
        return sum(b.size_bytes for b in alive)
    edges = sorted({e for b in alive for e in (b.offset_bytes, b.offset_bytes + b.size_bytes)})
    return sum(
        end - start
        for start, end in pairwise(edges)
        if any(b.offset_bytes <= start and end <= b.offset_bytes + b.size_bytes for b in alive)
    )


def copied_at(plan: MemoryPlan, graph: ModelGraph, op: Op) -> int:
    """When the op's data are read: as it runs, or earlier by a copy that holds them with their border."""
    clock, frame, data = plan.clock_of_op[op.index], _frame(graph, op), _tensor(graph, op, 0)
    if plan.planner not in OVERLAPPING or frame is None or data is None:
        return clock
    size_bytes = frame[2] * frame[3] * data.shape[3] * _item_bytes(data)
    own = [b for b in plan.buffers if b.kind == "scratch" and b.op == op.index]
    copies = [b.first for b in own if b.first < clock <= b.last and b.size_bytes >= size_bytes]
    return min(copies, default=clock)


def may_share(plan: MemoryPlan, graph: ModelGraph, a: PlannedBuffer, b: PlannedBuffer) -> bool:
    """Whether the one may overwrite the other at the instant at which both are alive."""
    if plan.planner not in OVERLAPPING or a.subgraph != b.subgraph:
        return False
    return _overwrites(graph, a, b, plan=plan) or _overwrites(graph, b, a, plan=plan)


def _overwrites(graph: ModelGraph, new: PlannedBuffer, old: PlannedBuffer, *, plan: MemoryPlan) -> bool:
    """`new` comes to be as `old` is read for the last time, by the op that makes `new`."""
    if new.first != old.last:
        return False
    ops = graph.subgraphs[new.subgraph].ops
    if new.kind == "scratch":  # a padded copy, made before its op runs
        op = ops[new.op]
        made = new.first < plan.clock_of_op[op.index] <= new.last and old.tensor == op.inputs[0]
        return made and _is_safe(_copied(graph, op), new, old)
    op = next((op for op in ops if new.tensor in op.outputs), ops[0])
    if op.kind in _IN_PLACE:
        same = old.tensor in op.inputs and old.size_bytes == new.size_bytes
        return same and new.offset_bytes <= old.offset_bytes
    reads = old.tensor == op.inputs[0] if old.kind == "tensor" else old.op == op.index
    return reads and _is_safe(_windows(graph, op, is_padded=old.kind == "scratch"), new, old)


def _is_safe(pixels: tuple[Pixels, int] | None, new: PlannedBuffer, old: PlannedBuffer) -> bool:
    """For every output pixel: the end of its bytes <= the first byte that any later pixel reads."""
    if pixels is None:
        return False
    first_read, pixel_bytes = pixels
    later = np.append(np.minimum.accumulate(first_read[::-1])[::-1][1:], _NEVER)
    ends = new.offset_bytes + (np.arange(len(first_read)) + 1) * pixel_bytes
    return bool((ends <= old.offset_bytes + later).all())


def _copied(graph: ModelGraph, op: Op) -> tuple[Pixels, int] | None:
    """Per pixel of the padded copy the input byte it is moved from, and bytes per pixel."""
    data, frame = _tensor(graph, op, 0), _frame(graph, op)
    if data is None or frame is None or len(data.shape) != 4:
        return None
    (top, left, rows, cols), (_, height, width, channels) = frame, data.shape
    pixel_bytes = channels * _item_bytes(data)
    first = np.full((rows, cols), _NEVER, np.int64)
    first[top : top + height, left : left + width] = (
        np.arange(height * width).reshape(height, width) * pixel_bytes
    )
    return first.ravel(), pixel_bytes


def _windows(graph: ModelGraph, op: Op, *, is_padded: bool) -> tuple[Pixels, int] | None:
    """Per output pixel the first input byte of its window, and bytes per output pixel."""
    a = op.attributes
    data, result = _tensor(graph, op, 0), graph.main.tensors[op.outputs[0]]
    if data is None or len(data.shape) != 4 or len(result.shape) != 4:
        return None
    if not isinstance(a, Conv2DAttributes | DepthwiseConv2DAttributes | Pool2DAttributes):
        return None
    top = left = 0
    width = data.shape[2]
    if is_padded:
        frame = _frame(graph, op)
        if frame is None:
            return None
        width = frame[3]
    else:
        top, left = _same_padding(graph, op)
    _, out_height, out_width, out_channels = result.shape
    rows = np.maximum(0, np.arange(out_height) * a.stride_h - top)
    cols = np.maximum(0, np.arange(out_width) * a.stride_w - left)
    first = (rows[:, None] * width + cols) * data.shape[3] * _item_bytes(data)
    return first.ravel().astype(np.int64), out_channels * _item_bytes(result)


def _frame(graph: ModelGraph, op: Op) -> tuple[int, int, int, int] | None:
    """Of a padded copy: rows above and columns left of the picture, rows and columns in all."""
    data, weight = _tensor(graph, op, 0), _tensor(graph, op, 1)
    if data is None or weight is None or len(data.shape) != 4 or len(weight.shape) != 4:
        return None
    if op.fused and op.fused[0].kind == "PAD":
        amounts = graph.main.tensors[op.fused[0].inputs[1]]
        values = np.frombuffer(amounts.data or b"", np.int32).reshape(4, 2)
        return (int(values[1, 0]), int(values[2, 0]), data.shape[1] + int(values[1].sum()),
                data.shape[2] + int(values[2].sum()))  # fmt: skip
    top, left = _same_padding(graph, op)
    return top, left, data.shape[1] + weight.shape[1] - 1, data.shape[2] + weight.shape[2] - 1


def _same_padding(graph: ModelGraph, op: Op) -> tuple[int, int]:
    """Rows above and columns left of the picture: max(0, (out - 1) s + k - in) // 2; 0 without SAME."""
    a: Any = op.attributes
    if str(getattr(a, "padding", "valid")).rpartition(".")[2].lower() != "same":
        return 0, 0
    data, result = graph.main.tensors[op.inputs[0]], graph.main.tensors[op.outputs[0]]
    weight = _tensor(graph, op, 1)
    kernel = (a.filter_height, a.filter_width) if weight is None else weight.shape[1:3]
    found = [
        max(0, (result.shape[axis] - 1) * stride + size - data.shape[axis]) // 2
        for axis, stride, size in ((1, a.stride_h, kernel[0]), (2, a.stride_w, kernel[1]))
    ]
    return found[0], found[1]


def _tensor(graph: ModelGraph, op: Op, position: int) -> Tensor | None:
    if position >= len(op.inputs) or op.inputs[position] < 0:
        return None
    return graph.main.tensors[op.inputs[position]]


def _item_bytes(tensor: Tensor) -> int:
    return max(1, (tensor.dtype.bits or 8) // 8)
