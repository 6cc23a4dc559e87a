"""Which k-bit grid do weights lie on? Symmetric steps per tensor or per channel, the widest or the best."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .known import by_channel

Scales = npt.NDArray[np.float32]

# Shares of max|w| that a grid may end at; 1 is among them, so the best is never worse than the widest.
_SHARES = tuple(np.linspace(1.0, 0.2, 21))


def most_steps(bits: int) -> int:
    """2^(k-1) - 1: the grid reaches as far below zero as above.

    >>> most_steps(4)
    7
    """
    return int((1 << (bits - 1)) - 1)


def grid_scales(values: npt.NDArray[Any], bits: int, *, axis: int | None, best: bool) -> Scales:
    """s = share max|w| / (2^(k-1) - 1), per channel of `axis` or one; share is 1, or the one of least error.

    The error is the squared one; channels of zeros have scale 0.
    """
    rows = by_channel(values, axis).astype(np.float32, copy=False)
    largest, steps = np.abs(rows).max(axis=1), most_steps(bits)
    chosen: Scales = (largest / np.float32(steps)).astype(np.float32)
    if not best:
        return chosen
    least = _squared_errors(rows, chosen, steps)
    for share in _SHARES[1:]:
        scales = (largest * np.float32(share / steps)).astype(np.float32)
        errors = _squared_errors(rows, scales, steps)
        chosen, least = np.where(errors < least, scales, chosen), np.minimum(errors, least)
    return chosen


def steps_of(values: npt.NDArray[Any], scales: npt.NDArray[Any], bits: int) -> npt.NDArray[np.float64]:
    """q = clip(round(x / s)) within +-(2^(k-1) - 1); scales broadcast, 0 where all values are 0."""
    most = most_steps(bits)
    safe = np.where(scales > 0, scales, 1.0).astype(np.float64)
    whole: npt.NDArray[np.float64] = np.clip(np.rint(values / safe), -most, most) + 0.0  # no -0.0
    return whole


def spread(scales: npt.NDArray[Any], rank: int, axis: int | None) -> npt.NDArray[np.float64]:
    """Scales shaped to broadcast over a tensor of this rank."""
    shape = [1] * rank
    if axis is not None:
        shape[axis] = len(scales)
    return scales.astype(np.float64).reshape(shape)


def _squared_errors(rows: npt.NDArray[np.float32], scales: Scales, steps: int) -> npt.NDArray[np.float64]:
    safe = np.where(scales > 0, scales, np.float32(1))[:, None]
    off = np.clip(np.rint(rows / safe), -steps, steps) * safe - rows
    errors: npt.NDArray[np.float64] = np.einsum("ij,ij->i", off, off).astype(np.float64)
    return errors
