"""What is still known of a constant after its values changed? Found again in the values themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import VariantInvalid
from ..evaluate import constant_array, dequantize
from ..ir import Tensor, WeightForm
from ..tflite.forms import most_distinct, shared_values

Reals = npt.NDArray[np.float64]


def exact_values(tensor: Tensor) -> Reals:
    """What the stored values stand for, in float64 as the formula gives them.

    Raises:
        VariantInvalid: some are no numbers.
        UnsupportedOp: it is stored sparse, or of a type that is no number.
    """
    values: Reals = dequantize(tensor, constant_array(tensor)).astype(np.float64)
    if not np.isfinite(values).all():
        raise VariantInvalid("infinite or undefined weights cannot be changed", where=tensor.name,
                             fix="export the model again")  # fmt: skip
    return values


def book_axis(tensor: Tensor, form: WeightForm | None) -> int | None:
    """The dimension along which shared values have one table each; None where one table serves all."""
    if form is not None and form.codebook is not None and form.codebook.ndim == 2:
        return form.axis
    quantization = tensor.quantization
    if quantization is not None and quantization.is_per_channel and not tensor.dtype.is_float:
        return quantization.axis
    return None


def grid_axis(tensor: Tensor, form: WeightForm | None) -> int | None:
    """The dimension along which values of few bits have one grid each; None where one grid serves all."""
    quantization = tensor.quantization
    if not tensor.dtype.is_float:
        return quantization.axis if quantization is not None and quantization.is_per_channel else None
    if form is None or form.bits is None:
        return None
    return form.axis if most_distinct(exact_values(tensor), None) > 1 << form.bits else None


def known_after(tensor: Tensor, before: WeightForm | None, *, bits: int | None, shared: bool,
                axis: int | None) -> WeightForm:  # fmt: skip
    """What is known of a constant whose values were changed.

    Args:
        tensor: with the new values.
        before: what was known of the old ones.
        bits: that one value needs now, where that is less than its type's.
        shared: whether the values are those of a codebook.
        axis: of the codebook's tables, or of the grids of a float constant; None is one for all.

    Raises:
        VariantInvalid: a pruned weight is not zero any more.
    """
    reals = exact_values(tensor)
    mask, pattern = (None, "") if before is None else (before.mask, before.pattern)
    if mask is not None:
        if np.any(reals[~mask]):
            raise VariantInvalid("a pruned weight would come back", where=tensor.name,
                                 fix="use a step that keeps zeros")  # fmt: skip
        mask = mask & (reals != 0)
    codebook: npt.NDArray[np.float64] | None = None
    assignment: npt.NDArray[np.uint16] | None = None
    if shared:
        codebook, assignment = shared_values(reals, axis)
    return WeightForm(bits, mask, pattern, codebook, assignment, axis or 0)


def by_channel(values: npt.NDArray[Any], axis: int | None) -> npt.NDArray[Any]:
    """(channels, values of each), or one row of all."""
    if axis is None:
        return values.reshape(1, -1)
    return np.moveaxis(values, axis, 0).reshape(values.shape[axis], -1)


def from_channels(rows: npt.NDArray[Any], shape: tuple[int, ...], axis: int | None) -> npt.NDArray[Any]:
    """The tensor whose `by_channel` these rows are."""
    if axis is None:
        return rows.reshape(shape)
    moved = (shape[axis], *(extent for d, extent in enumerate(shape) if d != axis))
    return np.moveaxis(rows.reshape(moved), 0, axis)
