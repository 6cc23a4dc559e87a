"""How much scratch do the CMSIS-NN kernels request? specs/tflm_memory.md sections 8.1 to 8.4."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...graphs.dims import OpDims
from ...graphs.ir import DType, Op, Subgraph
from ..kernel_choice import choose_kernel
from ..operands import (
    dims_of,
    fc_is_conv,
    is_1x1_unpadded,
    is_1xn,
    is_depthwise_opt,
    odd_pad_1xn,
    operand,
    pads_1xn,
)
from .departures import asks_for_3x3_scratch
from .rounding import up
from .scratch_reference import QUANTIZED, Rule, is_constant, lstm, lstm_buffer_bytes
from .scratch_reference import RULES as REFERENCE

if TYPE_CHECKING:
    from ...devices.target import KernelBuild

DEPTHWISE_BLOCK = 124  # channels that the MVE depthwise kernel handles at once


def conv_int8_bytes(dims: OpDims, flavour: str) -> int:
    """1x1: 0; 1xN on MVE: two ragged ends; else the im2col columns (8.1)."""
    if is_1x1_unpadded(dims) and not dims.has_dilation and dims.filter_c == dims.in_c:
        return 0
    if flavour == "mve" and is_1xn(dims):
        _, right = pads_1xn(dims)
        if sum(pads_1xn(dims)) <= dims.out_w:
            pad, k, c = dims.cols.pad_before, dims.k_w, dims.in_c
            behind = right * c if odd_pad_1xn(dims) else pad * c
            return max(k * c + pad * c, (k - 1) * c + behind)
    return im2col_int8_bytes(dims, flavour)


def im2col_int8_bytes(dims: OpDims, flavour: str) -> int:
    """4*up(Kh*Kw*Cin, 4): two int16 columns; MVE 4*up(Kh*Kw*Cin, 16): four int8 columns (8.1 item 3)."""
    return 4 * up(dims.k_h * dims.k_w * dims.in_c, 16 if flavour == "mve" else 4)


def _conv(subgraph: Subgraph, op: Op, build: KernelBuild) -> Sequence[int]:
    dims = dims_of(subgraph, op)
    if dims is None:
        return ()
    window = dims.k_h * dims.k_w * dims.in_c
    if dims.input_dtype is DType.INT16:
        return some(8 * up(window, 8) if build.flavour == "mve" else 4 * window)
    if dims.input_dtype is DType.INT8:
        return some(conv_int8_bytes(dims, build.flavour))
    return REFERENCE["CONV_2D"](subgraph, op, build)


def _depthwise(subgraph: Subgraph, op: Op, build: KernelBuild) -> Sequence[int]:
    dims = dims_of(subgraph, op)
    if dims is None or dims.input_dtype is not DType.INT8:
        return ()
    taps, int4 = dims.k_h * dims.k_w, dims.weight_dtype is DType.INT4
    if build.flavour == "mve" and not int4 and dims.in_c == 1 and dims.out_c > 1:
        return (conv_int8_bytes(dims, "mve") + dims.out_c * taps,)
    if not is_depthwise_opt(dims):
        return ()
    if build.flavour == "mve":
        return (4 * DEPTHWISE_BLOCK * taps,)
    if int4:
        return (2 * dims.in_c * taps,)
    small = dims.k_h == 3 and dims.k_w == 3 and dims.rows.pad_before <= 1 and dims.cols.pad_before <= 1
    spared = small and not asks_for_3x3_scratch(build)
    return (2 * dims.in_c * taps,) if build.flavour == "dsp" and not spared else ()


def kernel_sums_in_tail(subgraph: Subgraph, op: Op) -> bool | None:
    """Where MVE keeps the 4*Cout kernel sums of an int8 FULLY_CONNECTED.

    True: computed in Prepare, in the tail (constant filter, constant or absent bias); False: scratch,
    recomputed in each run; None: not needed (8.3, 5c; KERNELS_OPTIMIZED_FOR_SPEED).
    """
    data, weight, bias = (operand(subgraph, op, i) for i in range(3))
    if data is None or weight is None or data.dtype is not DType.INT8 or weight.dtype is not DType.INT8:
        return None
    if fc_is_conv(subgraph, op, weight):
        return None
    return is_constant(weight) and (bias is None or is_constant(bias))


def _fully_connected(subgraph: Subgraph, op: Op, build: KernelBuild) -> Sequence[int]:
    weight = operand(subgraph, op, 1)
    if weight is None or not weight.shape:
        return ()
    # 8*Cout fakes per-channel parameters of a per-tensor filter
    if choose_kernel(subgraph, op, build).route == "fc_as_conv_1x1":
        per_channel = weight.quantization is not None and weight.quantization.is_per_channel
        return () if per_channel else some(8 * weight.shape[0])
    if build.flavour == "mve" and kernel_sums_in_tail(subgraph, op) is False:
        return some(4 * weight.shape[0])
    return ()


def _transpose_conv(subgraph: Subgraph, op: Op, build: KernelBuild) -> Sequence[int]:
    """Two requests: im2col and the reversed filter, or the accumulators of all columns and 0 (8.4)."""
    dims = dims_of(subgraph, op)
    if dims is None or dims.input_dtype is not DType.INT8:
        return REFERENCE["TRANSPOSE_CONV"](subgraph, op, build)
    if choose_kernel(subgraph, op, build).route == "transpose_conv_as_conv":
        reversed_filter = dims.in_c * dims.k_h * dims.k_w * dims.out_c
        return im2col_int8_bytes(dims, build.flavour), reversed_filter
    # max(Kw, Sh) mixes the axes, as CMSIS-NN does
    columns = (dims.in_w - 1) * dims.cols.stride + max(dims.k_w, dims.rows.stride)
    return 4 * dims.out_c * columns * max(dims.k_h, dims.rows.stride), 0


def _avg_pool(subgraph: Subgraph, op: Op, build: KernelBuild) -> Sequence[int]:
    data = operand(subgraph, op, 0)
    if build.flavour != "dsp" or data is None or data.dtype not in QUANTIZED or not data.shape:
        return ()
    return some(4 * data.shape[-1])


def _batch_matmul(subgraph: Subgraph, op: Op, build: KernelBuild) -> Sequence[int]:
    """int8 on MVE: 4*(last output dimension)."""
    left, right = operand(subgraph, op, 0), operand(subgraph, op, 1)
    if build.flavour != "mve" or left is None or right is None or left.dtype is not DType.INT8:
        return ()
    if len(right.shape) < 2:
        return ()
    return some(4 * right.shape[-2 if getattr(op.attributes, "adj_y", False) else -1])


def _lstm(subgraph: Subgraph, op: Op, build: KernelBuild) -> Sequence[int]:
    data = operand(subgraph, op, 0)
    if data is None or data.dtype not in QUANTIZED:
        return lstm(subgraph, op, build)
    return (lstm_buffer_bytes(subgraph, op),) * 3


def some(size_bytes: int) -> Sequence[int]:
    """One request, or none for 0 bytes."""
    return (size_bytes,) if size_bytes > 0 else ()


RULES: dict[str, Rule] = {
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _fully_connected,
    "TRANSPOSE_CONV": _transpose_conv,
    "AVERAGE_POOL_2D": _avg_pool,
    "BATCH_MATMUL": _batch_matmul,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _lstm,
}
