"""Does a changed model still have what earlier steps gave it? The judge; it shares no code with the steps."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ..evaluate import constant_array, dequantize
from ..ir import ModelGraph, Tensor
from .weights import Weight, weights

Reals = npt.NDArray[np.float64]


def broken_laws(before: ModelGraph, after: ModelGraph) -> tuple[str, ...]:
    """What a step destroyed: pruned zeros, shared values, few bits; () is nothing.

    Weights are compared in the order of their ops. Where a step changed the shape of a tensor (channels were
    removed), only what the new tensor says of itself is judged.
    """
    old, new = weights(before), weights(after)
    if len(old) != len(new):
        return (f"{len(old)} weight tensors became {len(new)}",)
    return tuple(
        fault
        for a, b in zip(old, new, strict=True)
        for fault in (
            *_contradictions(after.tensors[b.tensor], b),
            *_losses(before.tensors[a.tensor], after.tensors[b.tensor], b),
        )
    )


def _losses(before: Tensor, after: Tensor, weight: Weight) -> Iterator[str]:
    old, new, name = before.form, after.form, f"{weight.name} (op {weight.op})"
    if old is None or before.shape != after.shape:
        return
    if old.mask is not None:
        values = dequantize(after, constant_array(after))
        if np.count_nonzero(values[~old.mask]):
            yield f"{name}: {np.count_nonzero(values[~old.mask])} pruned weights came back"
        if new is None or new.mask is None or new.mask[~old.mask].any():
            yield f"{name}: its mask was lost"
    if old.codebook is not None:
        if new is None or new.codebook is None:
            yield f"{name}: its codebook was lost"
        else:
            # one table for all may become one per channel, where channels got scales of their own
            tables = old if old.codebook.ndim == 2 else new
            axis = tables.axis if tables.codebook is not None and tables.codebook.ndim == 2 else None
            count = _distinct(constant_array(after), axis)
            if count > old.code_count:
                yield f"{name}: {old.code_count} shared values became {count}"
    if old.bits is not None and (new is None or new.bits is None or new.bits > old.bits):
        yield f"{name}: {old.bits} bits became {None if new is None else new.bits}"


def _contradictions(tensor: Tensor, weight: Weight) -> Iterator[str]:
    """What is said of a tensor against its stored values."""
    form, name = tensor.form, f"{weight.name} (op {weight.op})"
    if form is None:
        return
    stored = constant_array(tensor)
    values = dequantize(tensor, stored)
    if form.mask is not None and np.count_nonzero(values[~form.mask]):
        yield f"{name}: a masked weight is not zero"
    if form.codebook is not None and (
        form.assignment is None
        or not np.array_equal(_looked_up(form.codebook, form.assignment, form.axis), values)
    ):
        yield f"{name}: its codebook gives other values than are stored"
    if form.bits is not None and (distinct := _most_distinct(tensor, stored)) > 2**form.bits:
        yield f"{name}: {distinct} values do not fit in {form.bits} bits"


def _most_distinct(tensor: Tensor, stored: npt.NDArray[np.generic]) -> int:
    """Distinct values of the channel that has most; of the tensor where it has one scale."""
    quantization, axis = tensor.quantization, 0 if tensor.form is None else tensor.form.axis
    if tensor.dtype.is_float or quantization is None:
        return _distinct(stored, axis)
    return _distinct(stored, quantization.axis if quantization.is_per_channel else None)


def _distinct(stored: npt.NDArray[np.generic], axis: int | None) -> int:
    channels = stored.reshape(1, -1) if axis is None else np.moveaxis(stored, axis, 0)
    return max(len(set(channel.reshape(-1).tolist())) for channel in channels)


def _looked_up(codebook: Reals, assignment: npt.NDArray[np.uint16], axis: int) -> Reals:
    if codebook.ndim == 1:
        return codebook[assignment]
    channels = np.moveaxis(assignment, axis, 0)
    values = np.stack([table[codes] for table, codes in zip(codebook, channels, strict=True)])
    return np.moveaxis(values, 0, axis)
