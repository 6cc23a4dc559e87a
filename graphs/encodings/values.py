"""What does an encoding see of a constant? Bit patterns whose zero is the real zero."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ...errors import PreflashError
from ..evaluate import constant_array
from ..ir import DType, Tensor
from .bits import Patterns

_HISTOGRAM_BITS = 16  # wider patterns are counted by sorting
_UNSIGNED = {1: np.uint8, 2: np.uint16, 4: np.uint32}
Counts = tuple[Patterns, npt.NDArray[np.int64]]


@dataclass(frozen=True, eq=False)
class Values:
    """The values of one constant, as bits.

    Args:
        patterns: unsigned, the tensor's shape: (stored - zero point) mod 2^bits; a float's own bits.
        bits: of one pattern: the form's where it states fewer than the type has and the values keep to it.
        type_bits: of one value as the file stores it.
        axis: the dimension whose channels have tables of their own; None is one table.
    """

    patterns: Patterns
    bits: int
    type_bits: int
    axis: int | None = None

    @property
    def count(self) -> int:
        return int(self.patterns.size)

    @property
    def raw_bits(self) -> int:
        """As the file stores them."""
        return self.count * self.type_bits

    @property
    def flat(self) -> Patterns:
        return self.patterns.reshape(-1)

    @cached_property
    def counts(self) -> Counts:
        """The distinct patterns, ascending, and how often each occurs."""
        if self.bits <= _HISTOGRAM_BITS:
            histogram = np.bincount(self.flat, minlength=1)
            used = np.flatnonzero(histogram)
            return used.astype(np.uint32), histogram[used].astype(np.int64)
        used, occurrences = np.unique(self.flat, return_counts=True)
        return used, occurrences.astype(np.int64)

    @cached_property
    def nonzero_places(self) -> npt.NDArray[np.int64]:
        """Where values are not zero, in storage order."""
        return np.flatnonzero(self.flat)

    @property
    def nonzero_count(self) -> int:
        used, occurrences = self.counts
        return self.count - int(occurrences[0] if len(used) and used[0] == 0 else 0)

    @property
    def sparsity(self) -> float:
        """The fraction of zeros."""
        return 1 - self.nonzero_count / self.count if self.count else 0.0

    @property
    def entropy_bits(self) -> float:
        """Shannon entropy of one value, -sum p log2 p: a code of single values needs no fewer."""
        shares = self.counts[1] / max(1, self.count)
        return float(-(shares * np.log2(shares)).sum()) + 0.0

    @cached_property
    def channels(self) -> Patterns:
        """(channels, values of one): along `axis`, or one row."""
        if self.axis is None:
            return self.patterns.reshape(1, -1)
        return np.moveaxis(self.patterns, self.axis, 0).reshape(self.patterns.shape[self.axis], -1)

    def unchannelled(self, rows: Patterns) -> Patterns:
        """The inverse of `channels`: rows back to the tensor's shape."""
        if self.axis is None:
            return rows.reshape(self.patterns.shape)
        shape = list(self.patterns.shape)
        moved = [shape.pop(self.axis), *shape]
        return np.moveaxis(rows.reshape(moved), 0, self.axis)


def values_of_tensor(tensor: Tensor) -> Values | None:
    """The values of a constant; None for one without any, of more than 32 bits, or stored sparse."""
    try:
        stored = constant_array(tensor) if tensor.is_constant and tensor.element_count else None
    except PreflashError:
        return None
    if stored is None or stored.dtype.itemsize not in _UNSIGNED:
        return None
    type_bits = tensor.dtype.bits or 0
    if tensor.dtype.is_float or tensor.dtype is DType.BOOL:
        patterns: Patterns = np.ascontiguousarray(stored).view(_UNSIGNED[stored.dtype.itemsize])
        return Values(patterns, type_bits, type_bits, channel_axis(tensor))
    return _integers(tensor, stored, type_bits)


def _integers(tensor: Tensor, stored: npt.NDArray[np.generic], type_bits: int) -> Values:
    """(stored - zero point) mod 2^bits, bits of the form where all values lie within them."""
    unsigned = _UNSIGNED[stored.dtype.itemsize]
    shifted = np.ascontiguousarray(stored).view(unsigned) - _zeros(tensor).astype(unsigned)
    stated, bits = None if tensor.form is None else tensor.form.bits, type_bits
    if stated is not None and 0 < stated < type_bits:
        signed = shifted.view(np.dtype(f"i{stored.dtype.itemsize}"))
        if int(signed.min()) >= -(1 << (stated - 1)) and int(signed.max()) < 1 << (stated - 1):
            bits = stated
    if bits < 8 * stored.dtype.itemsize:
        shifted = shifted & unsigned((1 << bits) - 1)
    return Values(shifted, bits, type_bits, channel_axis(tensor))


def restored(tensor: Tensor, values: Values, patterns: Patterns) -> Patterns:
    """The stored array of a constant from its patterns: the inverse of `values_of_tensor`."""
    kind = constant_array(tensor).dtype
    unsigned, signed = np.dtype(f"u{kind.itemsize}"), np.dtype(f"i{kind.itemsize}")
    whole = patterns.reshape(tensor.shape).astype(unsigned)
    if tensor.dtype.is_float or tensor.dtype is DType.BOOL:
        return whole.view(kind)
    if values.bits < 8 * kind.itemsize:  # the sign is the highest of these bits
        spare = 8 * kind.itemsize - values.bits
        whole = (np.left_shift(whole, spare).view(signed) >> spare).view(unsigned)
    stored: Patterns = (whole + _zeros(tensor).astype(unsigned)).view(kind)
    return stored


def channel_axis(tensor: Tensor) -> int | None:
    """The dimension along which tables differ: the codebooks', else the scales'; None for one of each."""
    form, quantization = tensor.form, tensor.quantization
    if form is not None and form.codebook is not None:
        return form.axis if form.codebook.ndim == 2 else None
    if quantization is not None and quantization.is_per_channel and quantization.axis < len(tensor.shape):
        return quantization.axis
    return None


def _zeros(tensor: Tensor) -> npt.NDArray[np.int64]:
    """Zero points, shaped to broadcast over the tensor; 0 without a scale."""
    q = tensor.quantization
    if q is None or not len(q.scales) or not len(q.zero_points):
        return np.zeros((1,) * max(1, len(tensor.shape)), np.int64)
    shape = [1] * max(1, len(tensor.shape))
    if len(q.zero_points) > 1:
        shape[q.axis] = len(q.zero_points)
    return q.zero_points.reshape(shape)
