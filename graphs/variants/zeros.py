"""Where are the zeros of a model's weights, and how does a constant get more of them?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import ModelError, VariantInvalid
from ..dtype import DType
from ..evaluate import constant_array, dequantize
from ..ir import ModelGraph, Tensor, WeightForm
from ..quantities import INTEGER_RANGE
from ..tflite.forms import most_distinct, shared_values
from .known import grid_axis
from .weights import packed_int4, weights

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class WeightZeros:
    """The zeros of one weight tensor, those that are stored: what rounds to zero is one."""

    op: int
    tensor: int
    kind: str
    name: str
    zeros: int
    count: int
    pattern: str = ""

    @property
    def sparsity(self) -> float:
        """Fraction of zeros."""
        return self.zeros / self.count


@dataclass(frozen=True, slots=True)
class ModelZeros:
    """The zeros of all weights.

    Args:
        unread: names of weights that are stored in a way that nobody here reads (sparse, sub-byte types):
            they are in no count.
    """

    weights: tuple[WeightZeros, ...]
    unread: tuple[str, ...] = ()

    @property
    def zeros(self) -> int:
        return sum(one.zeros for one in self.weights)

    @property
    def count(self) -> int:
        return sum(one.count for one in self.weights)

    @property
    def sparsity(self) -> float | None:
        """Fraction of zeros; None without weights."""
        return self.zeros / self.count if self.count else None


def sparsity_of(graph: ModelGraph) -> ModelZeros:
    """How many of the stored weights stand for zero, per tensor and in all."""
    found: list[WeightZeros] = []
    unread: list[str] = []
    for one in weights(graph):
        tensor = graph.tensors[one.tensor]
        try:
            zeros = one.count - int(np.count_nonzero(nonzero(tensor)))
        except ModelError:
            unread.append(one.name)
            continue
        pattern = tensor.form.pattern if tensor.form else ""
        found.append(WeightZeros(one.op, one.tensor, one.kind, one.name, zeros, one.count, pattern))
    return ModelZeros(tuple(found), tuple(unread))


def nonzero(tensor: Tensor) -> Mask:
    """Where a constant does not stand for zero.

    Raises:
        UnsupportedOp, VariantInvalid: its values cannot be read as numbers, or none of them is zero.
    """
    stored = constant_array(tensor)
    found: Mask = stored != _zero(tensor, stored)
    return found


def zeroed(tensor: Tensor, kept: Mask, pattern: str = "") -> Tensor:
    """The constant with the zero point where nothing is kept; all other stored values stay bit for bit.

    Its mask says False wherever the result is zero. An earlier pattern still holds, as zeros only become
    more; the new one takes its place. Shared values are counted again; they do not become more.

    Raises:
        UnsupportedOp, VariantInvalid: its values cannot be read as numbers, or have no room for zero.
    """
    stored = constant_array(tensor)
    zero = _zero(tensor, stored)
    values = np.where(kept, stored, zero).astype(stored.dtype, copy=False)
    packed = packed_int4(values) if tensor.dtype is DType.INT4 else values.tobytes()
    form = replace(tensor.form or WeightForm(), mask=values != zero)
    axis = grid_axis(tensor, tensor.form)
    if form.bits is not None and most_distinct(values, axis) > 1 << min(form.bits, 62):
        raise VariantInvalid(
            f"zero is none of the values that {form.bits} bits hold", where=tensor.name,
            fix="prune before the bit-width is lowered",
        )  # fmt: skip
    if form.codebook is not None:
        axis = form.axis if form.codebook.ndim == 2 else None
        codebook, assignment = shared_values(dequantize(tensor, values), axis)
        if codebook.shape[-1] > form.code_count:
            raise VariantInvalid(
                f"zero is none of its {form.code_count} shared values", where=tensor.name,
                fix="prune before clustering",
            )  # fmt: skip
        form = replace(form, codebook=codebook, assignment=assignment)
    return replace(tensor, data=packed, form=replace(form, pattern=pattern or form.pattern))


def _zero(tensor: Tensor, stored: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The stored value that stands for zero, of the stored type; broadcasts over the tensor."""
    if tensor.dtype.is_float:
        return np.zeros((), stored.dtype)
    q = tensor.quantization
    if q is None or not len(q.scales) or tensor.dtype not in INTEGER_RANGE:
        raise VariantInvalid(f"{tensor.dtype} values without a scale stand for nothing", where=tensor.name)
    low, high = INTEGER_RANGE[tensor.dtype]
    points = q.zero_points if len(q.zero_points) == len(q.scales) else q.zero_points[:1]
    if not len(points) or int(points.min()) < low or int(points.max()) > high:
        raise VariantInvalid(f"the zero point is no {tensor.dtype}: no value is zero", where=tensor.name)
    shape = [1] * stored.ndim
    if len(points) > 1:
        if not 0 <= q.axis < stored.ndim or stored.shape[q.axis] != len(points):
            raise VariantInvalid(
                f"{len(points)} zero points do not go with {stored.shape}", where=tensor.name
            )
        shape[q.axis] = len(points)
    return points.astype(stored.dtype).reshape(shape)
