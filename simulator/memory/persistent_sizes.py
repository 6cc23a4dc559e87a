"""How long are the persistent structs of TFLM and its kernels? Tables of specs/tflm_memory.md section 5.

32-bit figures of tflite-micro 90b983c; op data do not depend on the length of an enum unless noted.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AbiSizes:
    """Struct lengths that depend on pointers and enums, in bytes (section 5)."""

    allocator: int
    planner: int
    micro_allocator: int
    builtin_data_allocator: int
    subgraph: int
    eval_tensor: int
    node_and_registration: int
    tensor: int
    affine_quantization: int
    pointer: int
    resource_variables: int  # the object that holds them
    resource_variable: int
    enum_is_int: bool


_ARM32 = AbiSizes(36, 44, 36, 8, 8, 12, 32, 32, 12, 4, 12, 20, enum_is_int=False)
_INT32 = AbiSizes(36, 44, 36, 8, 8, 12, 32, 40, 12, 4, 12, 20, enum_is_int=True)
# the fixed objects and op data of a 64-bit build are not recorded: their 32-bit lengths are lower bounds
_HOST64 = AbiSizes(36, 44, 36, 8, 16, 24, 64, 64, 24, 8, 16, 40, enum_is_int=True)
ABI_SIZES = {"arm32-short-enum": _ARM32, "int32-enum": _INT32, "host64": _HOST64}

# 5a: option struct: (bytes with short enums, their alignment, bytes with int enums, their alignment)
OPTION_BYTES = {
    "ADD": (2, 1, 8, 4), "SUB": (2, 1, 8, 4), "CAST": (2, 1, 8, 4),
    "MUL": (1, 1, 4, 4), "DIV": (1, 1, 4, 4), "FULLY_CONNECTED": (5, 1, 16, 4),
    "ARG_MAX": (1, 1, 4, 4), "ARG_MIN": (1, 1, 4, 4), "SHAPE": (1, 1, 4, 4),
    "L2_NORMALIZATION": (1, 1, 4, 4), "MIRROR_PAD": (1, 1, 4, 4),
    "SVDF": (8, 4, 12, 4), "TRANSPOSE_CONV": (16, 4, 20, 4),
    "BATCH_MATMUL": (3, 1, 3, 1), "CUMSUM": (2, 1, 2, 1),
    "RESIZE_BILINEAR": (2, 1, 2, 1), "RESIZE_NEAREST_NEIGHBOR": (2, 1, 2, 1),
    "MEAN": (1, 1, 1, 1), "SUM": (1, 1, 1, 1), "REDUCE_MAX": (1, 1, 1, 1), "REDUCE_MIN": (1, 1, 1, 1),
    "REDUCE_ALL": (1, 1, 1, 1),
    "SOFTMAX": (4, 4, 4, 4), "LEAKY_RELU": (4, 4, 4, 4), "CALL_ONCE": (4, 4, 4, 4), "SPLIT": (4, 4, 4, 4),
    "SPLIT_V": (4, 4, 4, 4), "DEPTH_TO_SPACE": (4, 4, 4, 4), "SPACE_TO_DEPTH": (4, 4, 4, 4),
    "CONCATENATION": (8, 4, 8, 4), "PACK": (8, 4, 8, 4), "UNPACK": (8, 4, 8, 4), "GATHER": (8, 4, 8, 4),
    "IF": (8, 4, 8, 4), "WHILE": (8, 4, 8, 4), "VAR_HANDLE": (8, 4, 8, 4),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": (16, 4, 16, 4), "STRIDED_SLICE": (24, 4, 24, 4),
    "CONV_2D": (28, 4, 28, 4), "DEPTHWISE_CONV_2D": (28, 4, 28, 4),
    "RESHAPE": (36, 4, 36, 4), "SQUEEZE": (36, 4, 36, 4),
    "AVERAGE_POOL_2D": (40, 4, 40, 4), "MAX_POOL_2D": (40, 4, 40, 4), "L2_POOL_2D": (40, 4, 40, 4),
}  # fmt: skip

# 5b: Init data of the reference kernels
INIT_BYTES = {
    "CONV_2D": 56, "DEPTHWISE_CONV_2D": 56, "FULLY_CONNECTED": 48, "TRANSPOSE_CONV": 72,
    "AVERAGE_POOL_2D": 32, "MAX_POOL_2D": 32, "SOFTMAX": 56, "SVDF": 36, "BATCH_MATMUL": 16,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": 688, "ADD": 60, "SUB": 52, "MUL": 36, "DIV": 28, "PAD": 56, "PADV2": 56,
    "MEAN": 44, "SUM": 44, "REDUCE_MAX": 44, "REDUCE_MIN": 44, "REDUCE_ALL": 44,
    "STRIDED_SLICE": 84, "CONCATENATION": 24, "QUANTIZE": 32, "DEQUANTIZE": 32, "LOGISTIC": 16, "TANH": 16,
    "RELU": 28, "RELU6": 8, "LEAKY_RELU": 24, "PRELU": 28, "HARD_SWISH": 20, "ELU": 256,
    "EQUAL": 32, "NOT_EQUAL": 32, "GREATER": 32, "GREATER_EQUAL": 32, "LESS": 32, "LESS_EQUAL": 32,
    "IF": 8, "WHILE": 8, "CALL_ONCE": 8, "VAR_HANDLE": 4, "SELECT_V2": 1,
    "SPACE_TO_BATCH_ND": 4, "L2_NORMALIZATION": 4, "MIRROR_PAD": 20,
    "ABS": 20, "RSQRT": 20, "SQUARED_DIFFERENCE": 112, "CIRCULAR_BUFFER": 8,
    "TFLite_Detection_PostProcess": 112,
    "SignalEnergy": 8, "SignalFilterBankLog": 8, "SignalPCAN": 4, "SignalWindow": 8, "SignalRfft": 32,
    "SignalFilterBank": 36, "SignalFilterBankSpectralSubtraction": 44,
}  # fmt: skip
INIT_BYTES_INT_ENUM = {"ABS": 28, "RSQRT": 28}
INIT_BYTES_OF_LIBRARY = {
    "cmsis-nn": {
        "CONV_2D": 60, "DEPTHWISE_CONV_2D": 60, "FULLY_CONNECTED": 72, "TRANSPOSE_CONV": 76,
        "AVERAGE_POOL_2D": 36, "MAX_POOL_2D": 36, "SOFTMAX": 64, "SVDF": 40, "BATCH_MATMUL": 36,
        "UNIDIRECTIONAL_SEQUENCE_LSTM": 912,
    },
    "esp-nn": {"CONV_2D": 60, "DEPTHWISE_CONV_2D": 60, "SOFTMAX": 64},
}  # fmt: skip

# kernels without Init data; an op that is in neither table has a tail that is only known from below
NO_INIT_DATA = frozenset({
    "RESHAPE", "SQUEEZE", "EXPAND_DIMS", "TRANSPOSE", "PACK", "UNPACK", "GATHER", "GATHER_ND", "SHAPE",
    "ARG_MAX", "ARG_MIN", "CAST", "MINIMUM", "MAXIMUM", "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR",
    "FLOOR", "FLOOR_DIV", "FLOOR_MOD", "CEIL", "ROUND", "SQRT", "SQUARE", "LOG", "SIN", "COS", "EXP", "NEG",
    "LOGICAL_AND", "LOGICAL_OR", "LOGICAL_NOT", "SPLIT", "SPLIT_V", "SLICE", "FILL", "ZEROS_LIKE",
    "BROADCAST_ARGS", "BROADCAST_TO", "DYNAMIC_UPDATE_SLICE", "REVERSE_V2", "BATCH_TO_SPACE_ND",
    "DEPTH_TO_SPACE", "SPACE_TO_DEPTH", "L2_POOL_2D", "EMBEDDING_LOOKUP", "ADD_N", "LOG_SOFTMAX", "CUMSUM",
    "READ_VARIABLE", "ASSIGN_VARIABLE", "TFLM_DECODE", "SignalFftAutoScale", "SignalFilterBankSquareRoot",
})  # fmt: skip


def option_bytes(kind: str, *, enum_is_int: bool) -> tuple[int, int]:
    """(bytes, alignment) of an op's option struct; (0, 1) for a kind without one."""
    row = OPTION_BYTES.get(kind)
    if row is None:
        return 0, 1
    return (row[2], row[3]) if enum_is_int else (row[0], row[1])


def init_bytes(label: str, library: str, *, enum_is_int: bool) -> int | None:
    """Bytes of an op's Init data; 0 if it has none, None if nobody recorded it."""
    if enum_is_int and label in INIT_BYTES_INT_ENUM:
        return INIT_BYTES_INT_ENUM[label]
    own = INIT_BYTES_OF_LIBRARY.get(library, {}).get(label)
    if own is not None:
        return own
    known = INIT_BYTES.get(label)
    return 0 if known is None and label in NO_INIT_DATA else known
