"""Which part of its inputs does an op need for a part of its output? One rule per kind, along one axis.

Ranges are half-open. They come in arrays, one entry per part, so that a whole grid costs one call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...graphs.geometry import Window
from ...graphs.ir import OPTIONAL, Op, Subgraph, Tensor
from ...graphs.reading import Reading
from ..operands import dims_of

Ints = npt.NDArray[np.int64]
Axes = tuple[int, int]  # where a tensor has its rows and its columns
PICTURE: Axes = (1, 2)  # NHWC
_MOST_DILATED_TAPS = 64  # a dilated window is looked at tap by tap
_MOST_ELEMENTS = 1 << 32  # of one tensor: far beyond any device, and sums of bytes stay within 64 bits


class Spans(NamedTuple):
    """Half-open ranges along one axis, one entry per part; `first >= stop` is empty."""

    first: Ints
    stop: Ints


class Edge(NamedTuple):
    """One activation input of an op, and where it and the output have the axis in question."""

    subgraph: Subgraph
    op: Op
    position: int
    axis_in: int
    axis_out: int

    @property
    def source(self) -> Tensor:
        return self.subgraph.tensors[self.op.inputs[self.position]]

    @property
    def result(self) -> Tensor:
        return self.subgraph.tensors[self.op.outputs[0]]


def window_reads(window: Window, out: Spans) -> Spans:
    """From the first to the last input position that a tap of the windows out[first:stop) falls on.

    Tap t of window y reads y*S + t*D - pad_before, if that is inside the input. Undilated windows are
    intervals: [max(0, first*S - P), min(in, (stop-1)*S - P + K)).
    """
    stride, pad, extent = window.stride, window.pad_before, window.extent_in
    if window.dilation == 1 or window.kernel == 1:
        reach = (window.kernel - 1) * window.dilation + 1
        first, stop = out.first * stride - pad, (out.stop - 1) * stride - pad + reach
        return Spans(np.maximum(first, 0), np.minimum(stop, extent))
    first, last = np.full_like(out.first, extent), np.full_like(out.first, -1)
    for tap in range(window.kernel):
        shift = tap * window.dilation - pad
        lowest = np.maximum(out.first, -(shift // stride))  # y*S + shift >= 0
        highest = np.minimum(out.stop - 1, (extent - 1 - shift) // stride)
        reads = lowest <= highest
        first = np.where(reads, np.minimum(first, lowest * stride + shift), first)
        last = np.where(reads, np.maximum(last, highest * stride + shift), last)
    return Spans(first, last + 1)


def _window(e: Edge, out: Spans) -> Spans:
    dims = dims_of(e.subgraph, e.op)
    assert dims is not None  # `why_whole` looked
    return window_reads(dims.rows if e.axis_in == PICTURE[0] else dims.cols, out)


def _same_place(e: Edge, out: Spans) -> Spans:
    """Element by element; an operand of extent 1 is broadcast."""
    if e.source.shape[e.axis_in] == 1:
        return Spans(np.zeros_like(out.first), np.ones_like(out.stop))
    return out


def _padded(e: Edge, out: Spans) -> Spans:
    """Output [a, b) holds input [a - before, b - before), as far as that exists."""
    before, extent = pad_amounts(e.subgraph, e.op)[e.axis_in][0], e.source.shape[e.axis_in]
    return Spans(np.maximum(out.first - before, 0), np.minimum(out.stop - before, extent))


Rule = Callable[[Edge, Spans], Spans]
_ELEMENTWISE = (
    "ABS", "ADD", "CAST", "CEIL", "COS", "DEQUANTIZE", "DIV", "ELU", "EXP", "FLOOR", "GELU", "HARD_SWISH",
    "LEAKY_RELU", "LOG", "LOGISTIC", "MAXIMUM", "MINIMUM", "MUL", "NEG", "PRELU", "QUANTIZE", "RELU", "RELU6",
    "RELU_0_TO_1", "RELU_N1_TO_1", "ROUND", "RSQRT", "SIN", "SQRT", "SQUARE", "SQUARED_DIFFERENCE", "SUB",
    "TANH",
)  # fmt: skip
WINDOWED = ("CONV_2D", "DEPTHWISE_CONV_2D", "AVERAGE_POOL_2D", "MAX_POOL_2D")
_RULES: dict[str, Rule] = {
    **dict.fromkeys(WINDOWED, _window),
    **dict.fromkeys(_ELEMENTWISE, _same_place),
    "CONCATENATION": _same_place,
    "PAD": _padded,
    "PADV2": _padded,
    "TRANSPOSE": lambda _, out: out,
}


def needed(e: Edge, out: Spans) -> Spans:
    """The part of one input that the part of the output needs, along one axis."""
    return _RULES[e.op.kind](e, out)


def activation_inputs(subgraph: Subgraph, op: Op) -> list[int]:
    """The positions of the inputs that are not constants."""
    return [n for n, t in enumerate(op.inputs) if t != OPTIONAL and not subgraph.tensors[t].is_constant]


def pad_amounts(subgraph: Subgraph, op: Op) -> list[tuple[int, int]]:
    """(before, after) of PAD per dimension; [] where they are known only when running."""
    amounts = Reading(subgraph, op).integers(1) or []
    return list(zip(amounts[::2], amounts[1::2], strict=False))


def order_of(subgraph: Subgraph, op: Op) -> list[int]:
    """Which input dimension each dimension of TRANSPOSE's output is; [] where known only when running."""
    return Reading(subgraph, op).integers(1) or []


def input_axes(subgraph: Subgraph, op: Op, axes: Axes) -> Axes | None:
    """Where the activation inputs have rows and columns if the output has them at `axes`; None: nowhere."""
    if op.kind == "TRANSPOSE":
        order = order_of(subgraph, op)
        return order[axes[0]], order[axes[1]]
    if op.kind in WINDOWED and axes != PICTURE:
        return None
    if op.kind == "CONCATENATION" and _joined_axis(subgraph, op) in axes:
        return None
    return axes


def _joined_axis(subgraph: Subgraph, op: Op) -> int:
    rank = len(subgraph.tensors[op.outputs[0]].shape)
    return int(getattr(op.attributes, "axis", 0)) % rank


def why_whole(subgraph: Subgraph, op: Op) -> str:
    """Why the op cannot run on patches, a clause that follows the op's name; "" if it can."""
    if op.kind not in _RULES:
        return "needs its whole input, or has no rule for a part of it"
    if len(op.outputs) != 1 or op.fused or op.pads is not None:
        return "has several outputs or is fused"
    out = subgraph.tensors[op.outputs[0]]
    read = [subgraph.tensors[op.inputs[n]] for n in activation_inputs(subgraph, op)]
    if not read or any(len(t.shape) != 4 or min(t.shape) < 1 or t.is_variable for t in (out, *read)):
        return "has operands that are not pictures (rank 4, fixed shape)"
    if any(t.element_count > _MOST_ELEMENTS for t in (out, *read)):
        return "has operands of more than 4 Gi elements"
    return _LOOKS.get(op.kind, _elementwise_look)(subgraph, op, out)


def _window_look(subgraph: Subgraph, op: Op, out: Tensor) -> str:
    dims = dims_of(subgraph, op)
    if dims is None or activation_inputs(subgraph, op) != [0]:
        return "has weights that are not constants"
    if out.shape != (dims.batch, dims.out_h, dims.out_w, dims.out_c):
        return "has shapes that contradict each other"
    for window in (dims.rows, dims.cols):
        if window.kernel < 1:
            return "has a window without taps"
        if window.dilation > 1 and window.kernel > _MOST_DILATED_TAPS:
            return f"has a dilated window of more than {_MOST_DILATED_TAPS} taps"
    return ""


def _elementwise_look(subgraph: Subgraph, op: Op, out: Tensor) -> str:
    """Operands as large as the output or of extent 1; constants without rows and columns."""
    for t in op.inputs:
        if t == OPTIONAL:
            continue
        shape = (1, 1, 1, 1, *subgraph.tensors[t].shape)[-4:]
        fits = all(d in (1, o) for d, o in zip(shape, out.shape, strict=True))
        if not fits or len(subgraph.tensors[t].shape) > 4:
            return "has shapes that contradict each other"
        if subgraph.tensors[t].is_constant and (shape[1] > 1 or shape[2] > 1):
            return "has a constant operand with rows or columns of its own"
    return ""


def _concatenation_look(subgraph: Subgraph, op: Op, out: Tensor) -> str:
    if any(t == OPTIONAL or subgraph.tensors[t].is_constant for t in op.inputs):
        return "joins a constant"
    joined = _joined_axis(subgraph, op)
    parts = [subgraph.tensors[t].shape for t in op.inputs]
    others = [[d for n, d in enumerate(shape) if n != joined] for shape in (out.shape, *parts)]
    if any(other != others[0] for other in others) or sum(s[joined] for s in parts) != out.shape[joined]:
        return "has shapes that contradict each other"
    return ""


def _pad_look(subgraph: Subgraph, op: Op, out: Tensor) -> str:
    amounts, source = pad_amounts(subgraph, op), subgraph.tensors[op.inputs[0]].shape
    if len(amounts) != 4 or any(a < 0 or b < 0 for a, b in amounts):
        return "pads by amounts known only when running"
    if tuple(a + d + b for (a, b), d in zip(amounts, source, strict=True)) != out.shape:
        return "has shapes that contradict each other"
    return ""


def _transpose_look(subgraph: Subgraph, op: Op, out: Tensor) -> str:
    order, source = order_of(subgraph, op), subgraph.tensors[op.inputs[0]].shape
    if sorted(order) != [0, 1, 2, 3] or tuple(source[n] for n in order) != out.shape:
        return "reorders in a way known only when running"
    return ""


_LOOKS: dict[str, Callable[[Subgraph, Op, Tensor], str]] = {
    **dict.fromkeys(WINDOWED, _window_look),
    "CONCATENATION": _concatenation_look,
    "PAD": _pad_look,
    "PADV2": _pad_look,
    "TRANSPOSE": _transpose_look,
}
