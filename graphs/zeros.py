"""How many values of a constant do not stand for zero, and do its zeros lie as its form says?"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt

from .dtype import DType
from .ir import Tensor
from .quantities import NUMPY_OF_DTYPE

_UNSIGNED_OF_BYTES: dict[int, type[np.unsignedinteger[Any]]] = {2: np.uint16, 4: np.uint32, 8: np.uint64}
_FLOATS = {DType.FLOAT16: 2, DType.FLOAT32: 4, DType.FLOAT64: 8}
_NUMBERS = frozenset({
    DType.INT4, DType.INT8, DType.UINT8, DType.INT16, DType.UINT16, DType.INT32, DType.INT64, *_FLOATS,
})  # fmt: skip
_STEP = 1 << 16
_N_OF_M = re.compile(r"(\d{1,3}):(\d{1,3})")
_BLOCK = re.compile(r"(\d{1,3})x(\d{1,3})")
_IN_BLOCKS = 0.9  # of the zeros lie in blocks of nothing else: a block that stays may hold a zero of its own


def nonzero_count(tensor: Tensor) -> int:
    """Values that do not stand for zero; of a sparsely stored constant those that are stored and not zero.

    0 for what is no constant, all for types that are no numbers.
    """
    if tensor.data is None:
        return 0
    width = _FLOATS.get(tensor.dtype)
    if width is not None and len(tensor.data) % width == 0:
        return _nonzero_floats(tensor.data, width)
    if not _is_readable(tensor):
        return tensor.element_count
    return int(np.count_nonzero(_off_zero(tensor)))


def zero_pattern(tensor: Tensor) -> str:
    """The arrangement that the tensor's form states, if its values keep it; "" if not or if it states none.

    N:M: of M neighbours along the last dimension (OHWI, OI: input channels) at most N are not zero.
    RxC: nine of ten zeros lie in blocks of R output channels by C inputs that are zero altogether.
    """
    pattern = "" if tensor.form is None else tensor.form.pattern
    for shape, holds in ((_N_OF_M, _holds_n_of_m), (_BLOCK, _holds_blocks)):
        match = shape.fullmatch(pattern)
        if match:
            kept = tensor.shape and _is_readable(tensor)
            kept = kept and holds(_off_zero(tensor) != 0, int(match[1]), int(match[2]))
            return pattern if kept else ""
    return pattern


def _is_readable(tensor: Tensor) -> bool:
    """Whether it is stored densely, whole, as numbers."""
    dense = tensor.data is not None and tensor.sparsity is None and len(tensor.data) == tensor.dense_bytes
    return dense and tensor.dtype in _NUMBERS


def _off_zero(tensor: Tensor) -> npt.NDArray[Any]:
    """The stored values less what stands for zero."""
    values, q = _stored(tensor), tensor.quantization
    if q is None or not q.zero_points.any():
        return values
    if len(q.zero_points) == 1:
        return np.subtract(values, q.zero_points[0], dtype=np.int64)
    if not 0 <= q.axis < values.ndim or values.shape[q.axis] != len(q.zero_points):
        return values
    shape = [1] * values.ndim
    shape[q.axis] = len(q.zero_points)
    off: npt.NDArray[Any] = values.astype(np.int64) - q.zero_points.reshape(shape)
    return off


def _stored(tensor: Tensor) -> npt.NDArray[Any]:
    if tensor.dtype is DType.INT4:
        from .evaluate import constant_array  # few models have them

        return constant_array(tensor)
    flat: npt.NDArray[Any] = np.frombuffer(tensor.data or b"", NUMPY_OF_DTYPE[tensor.dtype])
    values: npt.NDArray[Any] = flat.reshape(tensor.shape)
    return values


def _nonzero_floats(data: bytes | memoryview, width: int) -> int:
    """All bits but the sign decide, in pieces that stay in the cache."""
    words = np.frombuffer(data, _UNSIGNED_OF_BYTES[width])
    return sum(int(np.count_nonzero(words[at : at + _STEP] << 1)) for at in range(0, len(words), _STEP))


def _holds_n_of_m(kept: npt.NDArray[np.bool_], n: int, m: int) -> bool:
    if not 0 < n <= m <= kept.shape[-1]:
        return False
    rest = -kept.shape[-1] % m
    padded = np.pad(kept.reshape(-1, kept.shape[-1]), ((0, 0), (0, rest)))
    return bool((padded.reshape(len(padded), -1, m).sum(axis=-1) <= n).all())


def _holds_blocks(kept: npt.NDArray[np.bool_], rows: int, columns: int) -> bool:
    if not rows or not columns or kept.ndim < 2:
        return False
    flat = kept.reshape(kept.shape[0], -1)
    padded = np.pad(~flat, ((0, -flat.shape[0] % rows), (0, -flat.shape[1] % columns)), constant_values=True)
    blocks = padded.reshape(padded.shape[0] // rows, rows, padded.shape[1] // columns, columns)
    whole = np.broadcast_to(blocks.all(axis=(1, 3), keepdims=True), blocks.shape).reshape(padded.shape)
    inside = whole[: flat.shape[0], : flat.shape[1]] & ~flat
    return bool(inside.sum() >= _IN_BLOCKS * (~flat).sum())
