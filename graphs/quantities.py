"""What an integer stands for: scales and zero points from float ranges, and back (TFLite's 8-bit spec)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .ir import DType, Quantization

Array = npt.NDArray[Any]

NUMPY_OF_DTYPE: dict[DType, type[np.generic]] = {
    DType.BOOL: np.bool_, DType.INT8: np.int8, DType.INT16: np.int16, DType.INT32: np.int32,
    DType.INT64: np.int64,
    DType.UINT8: np.uint8, DType.UINT16: np.uint16, DType.UINT32: np.uint32, DType.UINT64: np.uint64,
    DType.FLOAT16: np.float16, DType.FLOAT32: np.float32, DType.FLOAT64: np.float64,
    DType.COMPLEX64: np.complex64, DType.COMPLEX128: np.complex128,
}  # fmt: skip
DTYPE_OF_NUMPY = {np.dtype(kind).name: dtype for dtype, kind in NUMPY_OF_DTYPE.items()}
INTEGER_RANGE = {
    DType.INT4: (-8, 7), DType.INT8: (-128, 127), DType.INT16: (-32768, 32767), DType.UINT8: (0, 255),
    DType.INT32: (-(2**31), 2**31 - 1), DType.INT64: (-(2**63), 2**63 - 1), DType.UINT16: (0, 65535),
}  # fmt: skip
# Softmax and logistic lie in 0..1, tanh in -1..1: their output grid is fixed (TFLite's quantization spec).
_FIXED = {
    ("SOFTMAX", DType.INT8): (1 / 256, -128), ("SOFTMAX", DType.UINT8): (1 / 256, 0),
    ("SOFTMAX", DType.INT16): (1 / 32768, 0), ("LOGISTIC", DType.INT8): (1 / 256, -128),
    ("LOGISTIC", DType.UINT8): (1 / 256, 0), ("LOGISTIC", DType.INT16): (1 / 32768, 0),
    ("TANH", DType.INT8): (1 / 128, 0), ("TANH", DType.UINT8): (1 / 128, 128),
    ("TANH", DType.INT16): (1 / 32768, 0), ("LOG_SOFTMAX", DType.INT8): (16 / 256, 127),
    ("L2_NORMALIZATION", DType.INT8): (1 / 128, 0),
}  # fmt: skip


def per_tensor(scale: float, zero_point: int = 0) -> Quantization:
    return Quantization(np.array([scale], np.float32), np.array([zero_point], np.int64))


def affine(low: float, high: float, dtype: DType) -> Quantization:
    """scale = (high - low) / (q_high - q_low), zero point = q_low - low / scale; 0 is in the range and exact.

    int16 is symmetric: scale = max(|low|, |high|) / 32767, zero point 0.

    >>> q = affine(-1.5, 4.5, DType.INT8)
    >>> round(float(q.scales[0]), 7), int(q.zero_points[0])
    (0.0235294, -64)
    """
    low, high = min(low, 0.0), max(high, 0.0)
    if high == low:
        high = 1.0
    if dtype is DType.INT16:
        return per_tensor(max(-low, high) / 32767)
    q_low, q_high = INTEGER_RANGE[dtype]
    scale = (high - low) / (q_high - q_low)
    return per_tensor(scale, int(np.clip(round(q_low - low / scale), q_low, q_high)))


def symmetric(
    values: Array, *, axis: int | None, bits: int = 8, least: float | Array = 0.0
) -> tuple[npt.NDArray[np.int8], Quantization]:
    """Weights in -q..q, q = 2^(bits - 1) - 1, and scales max|w| / q: per channel of `axis`, or one if None.

    Args:
        least: scales are no smaller; one number, or one per channel.
    """
    highest = 2 ** (bits - 1) - 1
    others = None if axis is None else tuple(d for d in range(values.ndim) if d != axis)
    largest = np.maximum(values.max(axis=others, keepdims=True), -values.min(axis=others, keepdims=True))
    scales = np.maximum(largest / highest, np.reshape(least, largest.shape) if np.ndim(least) else least)
    scales = np.where(scales > 0, scales, 1.0).astype(np.float32)
    stored = np.clip(np.rint(values / scales), -highest, highest).astype(np.int8)
    flat = scales.reshape(-1)
    return stored, Quantization(flat, np.zeros(len(flat), np.int64), axis or 0)


def is_fixed(kind: str, dtype: DType) -> bool:
    """Whether the output grid of such an op is fixed."""
    return (kind, dtype) in _FIXED


def fixed(kind: str, dtype: DType) -> Quantization:
    """The output grid of SOFTMAX, LOGISTIC, TANH, ..."""
    return per_tensor(*_FIXED[kind, dtype])
