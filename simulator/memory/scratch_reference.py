"""How much scratch do TFLM's reference kernels request? specs/tflm_memory.md section 6."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import TYPE_CHECKING

from ...graphs.ir import DType, Op, Subgraph, Tensor
from ..operands import operand
from .custom_options import custom_option
from .shapes import ELEMENT_BYTES, prepared_shape

if TYPE_CHECKING:
    from ...devices.target import KernelBuild

Rule = Callable[[Subgraph, Op, "KernelBuild"], Sequence[int]]
QUANTIZED = (DType.INT8, DType.INT16)
POINTER_BYTES = {"host64": 8}

LSTM_CELL_STATE = 19
TRANSPOSE_CONV_INPUT = 2


def output_elements(subgraph: Subgraph, op: Op) -> int:
    return prod(prepared_shape(subgraph, op.outputs[0])) if op.outputs else 0


def dtype_at(subgraph: Subgraph, op: Op, position: int) -> DType | None:
    tensor = operand(subgraph, op, position)
    return tensor.dtype if tensor is not None else None


def unpacked_filter(subgraph: Subgraph, op: Op, _: KernelBuild) -> Sequence[int]:
    """An int4 filter is unpacked into one byte per element."""
    weight = operand(subgraph, op, 1)
    return (weight.element_count,) if weight is not None and weight.dtype is DType.INT4 else ()


def transpose_conv(subgraph: Subgraph, op: Op, _: KernelBuild) -> Sequence[int]:
    """int8: 4*out; int16: 8*out (+ 8*bias elements if the bias is int16)."""
    dtype, bias = dtype_at(subgraph, op, TRANSPOSE_CONV_INPUT), operand(subgraph, op, 3)
    elements = output_elements(subgraph, op)
    if dtype is DType.INT8:
        return (4 * elements,)
    if dtype is not DType.INT16:
        return ()
    if bias is not None and bias.dtype is DType.INT16:
        return 8 * elements, 8 * bias.element_count
    return (8 * elements,)


def svdf(subgraph: Subgraph, op: Op, _: KernelBuild) -> Sequence[int]:
    """int8: 4*batch*filters, 4*batch*units; float: 4*batch*filters."""
    data, feature = operand(subgraph, op, 0), operand(subgraph, op, 1)
    if data is None or feature is None or not data.shape or not feature.shape:
        return ()
    batch, filters = data.shape[0], feature.shape[0]
    rank = getattr(op.attributes, "rank", 1) or 1
    if data.dtype is DType.INT8:
        return 4 * batch * filters, 4 * batch * (filters // rank)
    return (4 * batch * filters,)


def lstm_buffer_bytes(subgraph: Subgraph, op: Op) -> int:
    """batch * state * bytes of the cell state's type."""
    data, state = operand(subgraph, op, 0), operand(subgraph, op, LSTM_CELL_STATE)
    if data is None or state is None or len(data.shape) < 2 or not state.shape:
        return 0
    batch = data.shape[1] if getattr(op.attributes, "time_major", False) else data.shape[0]
    return batch * state.shape[-1] * ELEMENT_BYTES[state.dtype]


def lstm(subgraph: Subgraph, op: Op, _: KernelBuild) -> Sequence[int]:
    return (lstm_buffer_bytes(subgraph, op),) * 4


def mean_or_sum(subgraph: Subgraph, op: Op, build: KernelBuild) -> Sequence[int]:
    """[4*out if int8 or int16], 4*rank, 4*axes."""
    rest = reduction(subgraph, op, build)
    if dtype_at(subgraph, op, 0) in QUANTIZED:
        return (4 * output_elements(subgraph, op), *rest)
    return rest


def reduction(subgraph: Subgraph, op: Op, _: KernelBuild) -> Sequence[int]:
    """4*rank, 4*axes."""
    data, axes = operand(subgraph, op, 0), operand(subgraph, op, 1)
    if data is None or axes is None:
        return ()
    return 4 * len(data.shape), 4 * axes.element_count


def add_n(_: Subgraph, op: Op, build: KernelBuild) -> Sequence[int]:
    """A pointer per input."""
    return (POINTER_BYTES.get(build.abi, 4) * len(op.inputs),)


def mirror_pad(subgraph: Subgraph, op: Op, _: KernelBuild) -> Sequence[int]:
    data = operand(subgraph, op, 0)
    return () if data is None else (4 * len(data.shape),) * 2


def rfft(subgraph: Subgraph, op: Op, _: KernelBuild) -> Sequence[int]:
    """fft_length * element bytes."""
    data = operand(subgraph, op, 0)
    return () if data is None else (custom_option(op, "fft_length") * ELEMENT_BYTES[data.dtype],)


def detection_postprocess(subgraph: Subgraph, op: Op, _: KernelBuild) -> Sequence[int]:
    """B; 16B; 4BK; 4B; 4B; 4MB; 4MB; 4B; 4MB; 4B*max(N, M); 4B*min(B, M).

    B boxes, K classes in the score tensor, M max_detections, N num_classes.
    """
    boxes, scores = operand(subgraph, op, 0), operand(subgraph, op, 1)
    if boxes is None or scores is None or len(boxes.shape) < 2 or len(scores.shape) < 3:
        return ()
    b, k = boxes.shape[1], scores.shape[2]
    m, n = custom_option(op, "max_detections"), custom_option(op, "num_classes")
    return (
        b, 16 * b, 4 * b * k, 4 * b, 4 * b, 4 * m * b, 4 * m * b, 4 * b, 4 * m * b,
        4 * b * max(n, m), 4 * b * min(b, m),
    )  # fmt: skip


def is_constant(tensor: Tensor | None) -> bool:
    return tensor is not None and tensor.is_constant


RULES: dict[str, Rule] = {
    "CONV_2D": unpacked_filter,
    "DEPTHWISE_CONV_2D": unpacked_filter,
    "FULLY_CONNECTED": unpacked_filter,
    "TRANSPOSE_CONV": transpose_conv,
    "SVDF": svdf,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": lstm,
    "MEAN": mean_or_sum,
    "SUM": mean_or_sum,
    "REDUCE_MAX": reduction,
    "REDUCE_MIN": reduction,
    "REDUCE_ALL": reduction,
    "ADD_N": add_n,
    "MIRROR_PAD": mirror_pad,
    "SignalRfft": rfft,
    "TFLite_Detection_PostProcess": detection_postprocess,
}
