"""What does each op keep in the tail from Prepare on? specs/tflm_memory.md section 5c; and 5b's states."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING

from ...graphs.ir import DType, Op, Subgraph
from ..operands import operand
from .custom_options import custom_option
from .departures import sizes_of
from .scratch_cmsis_nn import kernel_sums_in_tail
from .scratch_reference import LSTM_CELL_STATE, QUANTIZED, TRANSPOSE_CONV_INPUT, Rule, dtype_at
from .shapes import ELEMENT_BYTES, prepared_shape, tensor_bytes

if TYPE_CHECKING:
    from ...devices.target import KernelBuild

SOFTMAX_TABLE_BYTES = 1026
BATCH_MATMUL_QUANTIZATION_BYTES = 28
TWIDDLE_FACTORS_BYTES = 264


def prepare_data(subgraph: Subgraph, op: Op, build: KernelBuild) -> Sequence[int]:
    """The bytes of each allocation, in order; each is aligned to 16."""
    rule = _PREPARE.get(op.label)
    return rule(subgraph, op, build) if rule is not None and op.outputs else ()


def init_state(op: Op, input_bytes: int) -> Sequence[int]:
    """What signal ops allocate in Init after their own struct (5b)."""
    if op.kind != "CUSTOM":
        return ()
    if op.custom_code == "SignalRfft":
        n, c = custom_option(op, "fft_length"), 4 if input_bytes == 2 else 8
        return (12 + TWIDDLE_FACTORS_BYTES + c + c * (n // 2 - 1) + c * (3 * n // 4),)
    if op.custom_code == "SignalFilterBank":
        return (8 * (custom_option(op, "num_channels") + 1),)
    if op.custom_code == "SignalFilterBankSpectralSubtraction":
        return (4 * custom_option(op, "num_channels"),)
    return ()


def channel_parameters(subgraph: Subgraph, op: Op) -> Sequence[int]:
    """4*Cout multipliers, then 4*Cout shifts."""
    weight = operand(subgraph, op, 1)
    if weight is None or len(weight.shape) != 4:
        return ()
    channels = weight.shape[3 if op.kind == "DEPTHWISE_CONV_2D" else 0]
    return (4 * channels,) * 2


def _conv(subgraph: Subgraph, op: Op, build: KernelBuild) -> Sequence[int]:
    """Reference and ESP-NN allocate them for float too."""
    if build.library == "cmsis-nn" and dtype_at(subgraph, op, 0) not in QUANTIZED:
        return ()
    return channel_parameters(subgraph, op)


def _transpose_conv(subgraph: Subgraph, op: Op, _: KernelBuild) -> Sequence[int]:
    return channel_parameters(subgraph, op) if operand(subgraph, op, TRANSPOSE_CONV_INPUT) else ()


def _fully_connected(subgraph: Subgraph, op: Op, build: KernelBuild) -> Sequence[int]:
    """4*n_scales twice if per channel; MVE: kernel sums 4*Cout."""
    weight, data = operand(subgraph, op, 1), operand(subgraph, op, 0)
    if weight is None or data is None or not weight.shape:
        return ()
    sizes: list[int] = []
    if weight.quantization is not None and weight.quantization.is_per_channel and not data.dtype.is_float:
        sizes += [4 * len(weight.quantization.scales)] * 2
    if build.flavour == "mve" and kernel_sums_in_tail(subgraph, op):
        sizes.append(4 * weight.shape[0])
    return sizes


def _svdf(subgraph: Subgraph, op: Op, build: KernelBuild) -> Sequence[int]:
    """MVE, int8: 4*n_filters."""
    feature = operand(subgraph, op, 1)
    if build.flavour != "mve" or dtype_at(subgraph, op, 0) is not DType.INT8:
        return ()
    return (4 * feature.shape[0],) if feature is not None and feature.shape else ()


def _softmax(subgraph: Subgraph, op: Op, _: KernelBuild) -> Sequence[int]:
    return (SOFTMAX_TABLE_BYTES,) * 2 if dtype_at(subgraph, op, 0) is DType.INT16 else ()


def _lstm(subgraph: Subgraph, op: Op, build: KernelBuild) -> Sequence[int]:
    """CMSIS-NN: eight arrays of n_state x 4 (int8) or 8 (int16)."""
    state, dtype = operand(subgraph, op, LSTM_CELL_STATE), dtype_at(subgraph, op, 0)
    if build.library != "cmsis-nn" or state is None or not state.shape or dtype not in QUANTIZED:
        return ()
    return (state.shape[-1] * (4 if dtype is DType.INT8 else 8),) * 8


def _batch_matmul(subgraph: Subgraph, op: Op, build: KernelBuild) -> Sequence[int]:
    """[28 if quantized], a transposed copy of each operand that needs one, the output's dims."""
    left, right = operand(subgraph, op, 0), operand(subgraph, op, 1)
    if left is None or right is None:
        return ()
    quantized = (BATCH_MATMUL_QUANTIZATION_BYTES,) if left.dtype in QUANTIZED else ()
    sizes: list[int] = []
    for position, transposed in ((0, _flag(op, "adj_x")), (1, not _flag(op, "adj_y"))):
        if transposed:
            index = op.inputs[position]
            rank = len(subgraph.tensors[index].shape)
            sizes += [12, 4 + 4 * rank, tensor_bytes(subgraph, index)]
    sizes += _output_dims(subgraph, op, build)
    return (*sizes, *quantized) if build.library == "cmsis-nn" else (*quantized, *sizes)


def _flag(op: Op, name: str) -> bool:
    return bool(getattr(op.attributes, name, False))


def _output_dims(subgraph: Subgraph, op: Op, _: KernelBuild) -> Sequence[int]:
    """4 + 4*rank(output): a copy of the dims that the kernel rewrites."""
    return (4 + 4 * len(prepared_shape(subgraph, op.outputs[0])),)


def _reshape(subgraph: Subgraph, op: Op, build: KernelBuild) -> Sequence[int]:
    stored = subgraph.tensors[op.outputs[0]].shape
    return _output_dims(subgraph, op, build) if -1 in stored else ()


def _quantized_only(size_bytes: int) -> Rule:
    def rule(subgraph: Subgraph, op: Op, _: KernelBuild) -> Sequence[int]:
        return (size_bytes,) if dtype_at(subgraph, op, 0) is DType.INT8 else ()

    return rule


def _embedding_lookup(subgraph: Subgraph, op: Op, build: KernelBuild) -> Sequence[int]:
    """Its struct (8; two pointers' room on a 64-bit host), then the output's dims."""
    return (16 if build.abi == "host64" else 8, *_output_dims(subgraph, op, build))


def assigned_bytes(subgraph: Subgraph, op: Op) -> int:
    """The resource variable's data that ASSIGN_VARIABLE allocates."""
    value = operand(subgraph, op, 1)
    return 0 if value is None else prod(value.shape) * ELEMENT_BYTES[value.dtype]


def _decode(_: Subgraph, op: Op, build: KernelBuild) -> Sequence[int]:
    """A pointer per output, then a state each: 8 words and 3 bytes, in whole words (decode_state_lut.h)."""
    pointer = sizes_of(build).pointer
    return (pointer * len(op.outputs), *[9 * pointer] * len(op.outputs))


_PREPARE: dict[str, Rule] = {
    "TFLM_DECODE": _decode,
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _conv,
    "TRANSPOSE_CONV": _transpose_conv,
    "FULLY_CONNECTED": _fully_connected,
    "SVDF": _svdf,
    "SOFTMAX": _softmax,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _lstm,
    "BATCH_MATMUL": _batch_matmul,
    "ADD_N": _quantized_only(40),
    "LOG_SOFTMAX": _quantized_only(28),
    "CUMSUM": _quantized_only(36),
    "GATHER": _output_dims,
    "GATHER_ND": _output_dims,
    "DEPTH_TO_SPACE": _output_dims,
    "SPACE_TO_DEPTH": _output_dims,
    "L2_POOL_2D": _output_dims,
    "RESHAPE": _reshape,
    "EMBEDDING_LOOKUP": _embedding_lookup,
}
