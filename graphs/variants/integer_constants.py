"""What integers hold the constants of a float op: weights, biases, second operands?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, log10
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import VariantInvalid
from ..dtype import DType
from ..evaluate import constant_array, quantize
from ..ir import Quantization, Tensor, WeightForm
from ..quantities import symmetric
from .known import grid_axis
from .weights import WEIGHT_PLACES, packed_int4

Reals = npt.NDArray[Any]
_MOST_BIAS = 2**30  # int32 keeps half of its range free for the sum of products


@dataclass(frozen=True, slots=True)
class Loss:
    """What a weight tensor lost: sqnr_db = 10 log10(sum w^2 / sum (w - w')^2), infinite where nothing."""

    name: str
    sqnr_db: float


def sqnr_db(reals: Reals, kept: Reals) -> float:
    """10 log10(sum x^2 / sum (x - x')^2); infinite where they are equal.

    >>> round(sqnr_db(np.array([1.0, 2.0]), np.array([1.1, 2.0])), 1)
    27.0
    """
    error = (reals - kept).reshape(-1)
    noise = float(np.dot(error, error))
    flat = reals.reshape(-1)
    signal = float(np.dot(flat, flat))
    if noise == 0.0:
        return inf
    return 10 * log10(signal / noise) if signal else -inf


def integer_weights(
    tensor: Tensor, kind: str, *, bits: int, per_channel: bool, least: float | Reals = 0.0
) -> tuple[Tensor, Loss]:
    """Float weights as symmetric integers, and what that lost.

    Per channel along the op's outputs, but per tensor for FULLY_CONNECTED, and where all channels share one
    codebook: one scale keeps equal values equal. Values that already lie on a symmetric grid which the op
    takes stay on it and lose nothing. Zero stays zero, so pruned weights stay pruned.

    Args:
        least: smallest scale, one number or one per output channel, that biases need.

    Raises:
        VariantInvalid: a weight is no finite number.
    """
    reals = constant_array(tensor)
    if not np.isfinite(reals).all():
        raise VariantInvalid(
            "has weights that are infinite or no numbers", where=tensor.name, fix="export again"
        )
    known = _own_grid(tensor, kind, bits, reals)
    if known is not None:
        stored, grid = known
    else:
        is_one_grid = _has_one_grid(tensor)
        axis = _axis(tensor.form, kind, per_channel=per_channel, is_one_grid=is_one_grid)
        floor = least if axis is not None or not np.ndim(least) else float(np.max(least))
        stored, grid = symmetric(reals, axis=axis, bits=_grid_bits(tensor.form, bits), least=floor)
        if axis is not None:
            grid = _with_live_scales(grid, stored, least)
    kept = stored * _along(grid, stored.ndim)
    made = replace(
        tensor, dtype=DType.INT4 if bits == 4 else DType.INT8, quantization=grid, recorded=None,
        data=packed_int4(stored) if bits == 4 else stored.tobytes(),
        form=_form(tensor.form, grid, stored, bits),
    )  # fmt: skip
    return made, Loss(tensor.name, sqnr_db(reals, kept))


def least_scales(bias: Tensor | None, input_scale: float) -> float | npt.NDArray[np.float64]:
    """The weight scales below which a bias would overflow: |b| / (s_in * 2^30); 0 without one."""
    if bias is None:
        return 0.0
    values: npt.NDArray[np.float64] = np.abs(constant_array(bias).reshape(-1)).astype(np.float64)
    return values / (input_scale * _MOST_BIAS)


def integer_bias(bias: Tensor, input_scale: np.float32, weights: Quantization, dtype: DType) -> Tensor:
    """b / (s_in * s_w) as int32, or int64 beside int16 activations; zero point 0."""
    scales = (input_scale * weights.scales).astype(np.float32)
    wide = dtype is DType.INT16
    limit = 2**40 if wide else 2**31 - 1
    grid = np.rint(constant_array(bias).reshape(-1).astype(np.float64) / scales)
    stored = np.clip(grid, -limit, limit).astype(np.int64 if wide else np.int32)
    return replace(
        bias, dtype=DType.INT64 if wide else DType.INT32, data=stored.tobytes(), form=None, recorded=None,
        quantization=Quantization(scales, np.zeros(len(scales), np.int64)),
    )  # fmt: skip


def integer_operand(tensor: Tensor, grid: Quantization, dtype: DType) -> Tensor:
    """A float constant on a grid of activations."""
    typed = replace(tensor, dtype=dtype, quantization=grid, recorded=None, form=None)
    stored = quantize(typed, constant_array(tensor).astype(np.float64))
    return replace(typed, data=np.ascontiguousarray(stored).tobytes())


def _along(grid: Quantization, rank: int) -> Reals:
    shape = [1] * rank
    if len(grid.scales) > 1:
        shape[grid.axis] = len(grid.scales)
    return grid.scales.reshape(shape)


def _axis(form: WeightForm | None, kind: str, *, per_channel: bool, is_one_grid: bool = False) -> int | None:
    """The axis of the scales; None is one scale."""
    axis = WEIGHT_PLACES[kind][1]
    if not per_channel or kind == "FULLY_CONNECTED" or is_one_grid:
        return None
    if form is not None and form.codebook is not None and (form.codebook.ndim == 1 or form.axis != axis):
        return None
    return axis


def _has_one_grid(tensor: Tensor) -> bool:
    """Whether values of few bits lie on one grid for all channels."""
    form = tensor.form
    return form is not None and form.bits is not None and grid_axis(tensor, form) is None


def _grid_bits(form: WeightForm | None, bits: int) -> int:
    """Values of k bits get the scale max|w| / (2^(k-1) - 1), which finds their own grid again."""
    if form is None or form.bits is None or form.codebook is not None:
        return bits
    return max(2, min(bits, form.bits))


def _own_grid(
    tensor: Tensor, kind: str, bits: int, reals: Reals
) -> tuple[npt.NDArray[np.int8], Quantization] | None:
    """The integers that the values came from, if the op takes that grid as it is."""
    grid, axis = tensor.quantization, WEIGHT_PLACES[kind][1]
    if grid is None or grid.details is not None or not len(grid.scales) or grid.zero_points.any():
        return None
    if grid.is_per_channel and (kind == "FULLY_CONNECTED" or grid.axis != axis):
        return None
    if not (grid.scales > 0).all():
        return None
    stored = np.rint(reals / _along(grid, reals.ndim))
    highest = 2 ** (bits - 1) - 1
    if np.abs(stored).max(initial=0) > highest:
        return None
    return stored.astype(np.int8), replace(grid, minimum=None, maximum=None)


def _with_live_scales(grid: Quantization, stored: npt.NDArray[np.int8], least: float | Reals) -> Quantization:
    """A channel of zeros alone gets the scale its bias needs, or the smallest of its neighbours."""
    dead = ~stored.any(axis=tuple(d for d in range(stored.ndim) if d != grid.axis))
    if not dead.any() or dead.all():
        return grid
    scales = grid.scales.copy()
    floor = np.broadcast_to(np.asarray(least, np.float64), scales.shape)
    scales[dead] = np.maximum(floor[dead], scales[~dead].min()).astype(np.float32)
    return replace(grid, scales=scales)


def _form(
    form: WeightForm | None, grid: Quantization, stored: npt.NDArray[np.int8], bits: int
) -> WeightForm | None:
    """What is still known: the mask as it was, shared values where they lie now."""
    if form is None:
        return None
    narrow = form.bits if form.bits is not None and form.bits < bits else None
    codebook = form.codebook
    if codebook is not None:
        codebook = _moved(codebook, form, stored * _along(grid, stored.ndim).astype(np.float64))
    kept = replace(form, bits=narrow, codebook=codebook)
    is_empty = kept.bits is None and kept.mask is None and not kept.pattern and kept.codebook is None
    return None if is_empty else kept


def _moved(codebook: Reals, form: WeightForm, reals: Reals) -> Reals:
    """The codebook with every value where its weights lie now; unused values stay."""
    assert form.assignment is not None
    moved = codebook.astype(np.float64).copy()
    if codebook.ndim == 1:
        moved[form.assignment.reshape(-1)] = reals.reshape(-1)
        return moved
    places = np.moveaxis(form.assignment, form.axis, 0).reshape(len(codebook), -1)
    values = np.moveaxis(reals, form.axis, 0).reshape(len(codebook), -1)
    np.put_along_axis(moved, places.astype(np.int64), values, axis=1)
    return moved
