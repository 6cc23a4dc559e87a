"""What is a tensor of which some positions are left out, or are there more than once?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..dtype import DType
from ..evaluate import constant_array
from ..ir import Quantization, Tensor, WeightForm
from .weights import packed_int4

Positions = npt.NDArray[np.int64]  # of the old tensor, along one axis, in their new order
Picks = Mapping[int, Positions]  # axis -> positions


def picked(tensor: Tensor, picks: Picks) -> Tensor:
    """The tensor with these positions along these axes; of a constant the values and what is known of them.

    Raises:
        UnsupportedOp: it is a constant stored sparse, or of a type that is no number.
    """
    data = tensor.data
    if data is not None:
        whole = np.ascontiguousarray(_taken(constant_array(tensor), picks))
        data = packed_int4(whole) if tensor.dtype is DType.INT4 else whole.tobytes()
    shape = [len(picks[d]) if d in picks else extent for d, extent in enumerate(tensor.shape)]
    return replace(
        reshaped(tensor, shape), data=data,
        quantization=_quantization(tensor.quantization, tensor, picks),
        recorded=_quantization(tensor.recorded, tensor, picks),
        form=_form(tensor.form, tensor, picks),
    )  # fmt: skip


def reshaped(tensor: Tensor, shape: list[int] | tuple[int, ...]) -> Tensor:
    """The tensor with another shape of the same rank; extents that its signature leaves open stay open."""
    signature = tensor.shape_signature
    if len(signature) == len(shape) == len(tensor.shape):
        signature = tuple(
            new if known == old else known
            for known, old, new in zip(signature, tensor.shape, shape, strict=True)
        )
    return replace(tensor, shape=tuple(shape), shape_signature=signature)


def _taken(values: npt.NDArray[Any], picks: Picks) -> npt.NDArray[Any]:
    for axis, positions in picks.items():
        values = np.take(values, positions, axis=axis)
    return values


def _quantization(q: Quantization | None, tensor: Tensor, picks: Picks) -> Quantization | None:
    """Scales, zero points and recorded ranges per channel follow the positions."""
    axis = 0 if len(tensor.shape) == 1 or q is None else q.axis  # biases often record their filter's axis
    if q is None or axis not in picks:
        return q
    positions, extent = picks[axis], tensor.shape[axis]

    def along(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        is_per_channel = len(values) == extent and len(values) > 1
        return values[positions] if is_per_channel else values

    low, high = (None if v is None else along(v) for v in (q.minimum, q.maximum))
    return replace(q, scales=along(q.scales), zero_points=along(q.zero_points), minimum=low, maximum=high)


def _form(form: WeightForm | None, tensor: Tensor, picks: Picks) -> WeightForm | None:
    """Masks, codebooks and assignments follow the values."""
    if form is None:
        return None
    mask, assignment, codebook = form.mask, form.assignment, form.codebook
    if codebook is not None and codebook.ndim == 2 and form.axis in picks:
        codebook = codebook[picks[form.axis]]
    return replace(
        form,
        mask=None if mask is None else np.ascontiguousarray(_taken(mask, picks)),
        assignment=None if assignment is None else np.ascontiguousarray(_taken(assignment, picks)),
        codebook=codebook,
        pattern=form.pattern if _pattern_holds(form.pattern, tensor, picks) else "",
    )  # fmt: skip


def _pattern_holds(pattern: str, tensor: Tensor, picks: Picks) -> bool:
    """Whether zeros stay arranged like that: "2:4" counts along the last axis, "RxC" along rows of
    output channels and columns of the rest; "stride K" counts pixels."""
    last = len(tensor.shape) - 1
    is_depthwise = last in picks and len(picks) == 1 and tensor.shape[0] == 1 and last == 3
    if not pattern or pattern.startswith("stride"):
        return True
    if ":" in pattern:
        return last not in picks or is_depthwise
    rows, _, columns = pattern.partition("x")
    output_axis = last if is_depthwise else 0
    is_row_cut = output_axis in picks
    is_column_cut = any(axis != output_axis for axis in picks)
    return not ((is_row_cut and rows != "1") or (is_column_cut and columns != "1"))
