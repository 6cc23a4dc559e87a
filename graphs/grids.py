"""What does TFLite's quantization spec ask of op kinds: which version, and which share one grid?"""

from __future__ import annotations

from .dtype import DType

# The version TFLite's converter writes: kind -> (float, int8, int16); 1 where not listed.
VERSIONS = {
    "CONV_2D": (1, 3, 4), "DEPTHWISE_CONV_2D": (1, 3, 5), "FULLY_CONNECTED": (1, 4, 7),
    "TRANSPOSE_CONV": (3, 3, 3), "ADD": (1, 2, 4), "SUB": (1, 2, 5), "MUL": (1, 2, 4),
    "AVERAGE_POOL_2D": (1, 2, 3), "MAX_POOL_2D": (1, 2, 3), "SOFTMAX": (1, 2, 3), "LOGISTIC": (1, 2, 3),
    "TANH": (1, 2, 3), "RELU": (1, 2, 3), "RELU6": (1, 2, 3), "LEAKY_RELU": (1, 2, 2), "PAD": (1, 2, 2),
    "MEAN": (1, 2, 2), "SUM": (1, 2, 2), "CONCATENATION": (1, 2, 3), "MAXIMUM": (1, 2, 4),
    "MINIMUM": (1, 2, 4), "TRANSPOSE": (1, 2, 4), "SPLIT": (1, 2, 2), "STRIDED_SLICE": (1, 2, 4),
    "SLICE": (1, 2, 3), "DEQUANTIZE": (1, 2, 3), "RESIZE_BILINEAR": (1, 2, 3),
    "RESIZE_NEAREST_NEIGHBOR": (1, 2, 3), "BATCH_MATMUL": (1, 2, 3), "LOG_SOFTMAX": (1, 2, 2),
    "L2_NORMALIZATION": (1, 2, 2), "SQUARED_DIFFERENCE": (1, 2, 2), "SPACE_TO_DEPTH": (1, 2, 2),
    "DEPTH_TO_SPACE": (1, 2, 2), "REDUCE_MAX": (1, 2, 3), "REDUCE_MIN": (1, 2, 3), "GATHER": (1, 2, 4),
    "SPLIT_V": (1, 2, 2), "PACK": (1, 2, 3), "UNPACK": (1, 2, 3), "PADV2": (1, 2, 2), "ARG_MAX": (1, 2, 2),
    "ARG_MIN": (1, 2, 2), "SPACE_TO_BATCH_ND": (1, 2, 3), "BATCH_TO_SPACE_ND": (1, 2, 3),
    "EXPAND_DIMS": (1, 1, 1), "MIRROR_PAD": (1, 2, 3), "QUANTIZE": (1, 1, 2), "ABS": (1, 2, 3),
    "RSQRT": (1, 2, 3), "BROADCAST_TO": (2, 2, 3),
}  # fmt: skip
_VERSION_COLUMN = {DType.INT8: 1, DType.UINT8: 0, DType.INT16: 2}

# Real inputs and outputs all on one grid.
KEEPS_QUANTIZATION = frozenset({
    "AVERAGE_POOL_2D", "MAX_POOL_2D", "RESHAPE", "SQUEEZE", "EXPAND_DIMS", "PAD", "PADV2", "MIRROR_PAD",
    "TRANSPOSE", "STRIDED_SLICE", "SLICE", "SPLIT", "SPLIT_V", "CONCATENATION", "PACK", "UNPACK", "GATHER",
    "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR", "MAXIMUM", "MINIMUM", "REDUCE_MAX",
    "REDUCE_MIN", "SPACE_TO_DEPTH", "DEPTH_TO_SPACE", "SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND",
    "BROADCAST_TO", "TILE",
})  # fmt: skip


def version_of(kind: str, dtype: DType) -> int:
    """The version of an op whose activations have this type."""
    return VERSIONS.get(kind, (1, 1, 1))[_VERSION_COLUMN.get(dtype, 0)]
