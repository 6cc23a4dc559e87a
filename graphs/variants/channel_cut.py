"""What is a model without some of its channels: tensors, what is known of them, and what ops say of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..dtype import DType
from ..evaluate import constant_array
from ..ir import ModelGraph, Quantization, Tensor, WeightForm
from .channel_groups import ModelChannels
from .channel_restated import restated
from .weights import packed_int4

Stays = npt.NDArray[np.bool_]  # along one axis; False goes
Cuts = Mapping[int, Stays]  # axis -> which positions stay

_BOUND_TO_SIZES = "OfflineMemoryAllocation"  # offsets of tensors of the old sizes, one per tensor


def cuts_of(channels: ModelChannels, stays: Stays) -> dict[int, dict[int, Stays]]:
    """tensor -> axis -> which positions stay, of the tensors that lose some.

    Args:
        stays: per channel number; read at the number that stands for those united with it.
    """
    found: dict[int, dict[int, Stays]] = {}
    for t, axes in channels.flow.places.items():
        for axis, numbers in axes.items():
            mask = stays[channels.least[numbers]]
            if not mask.all():
                found.setdefault(t, {})[axis] = mask
    return found


def without_channels(channels: ModelChannels, stays: Stays) -> ModelGraph:
    """The model without the channels that do not stay; the very same if all do."""
    cuts = cuts_of(channels, stays)
    if not cuts:
        return channels.graph
    old = channels.graph.main
    tensors = [_cut(t, cuts[t.index]) if t.index in cuts else t for t in old.tensors]
    graph = channels.graph.with_main(restated(old, tensors, cuts))
    metadata = tuple(entry for entry in graph.metadata if entry[0] != _BOUND_TO_SIZES)
    return replace(graph, metadata=metadata, _cache={})


def _cut(tensor: Tensor, cuts: Cuts) -> Tensor:
    """The tensor with only what stays along these axes."""
    shape = [int(cuts[d].sum()) if d in cuts else extent for d, extent in enumerate(tensor.shape)]
    signature = tensor.shape_signature
    if len(signature) == len(shape):
        signature = tuple(
            new if known == old else known
            for known, old, new in zip(signature, tensor.shape, shape, strict=True)
        )
    data = tensor.data
    if data is not None:
        values = _compressed(constant_array(tensor), cuts)
        whole = np.ascontiguousarray(values)
        data = packed_int4(whole) if tensor.dtype is DType.INT4 else whole.tobytes()
    return replace(
        tensor, shape=tuple(shape), shape_signature=signature, data=data,
        quantization=_cut_quantization(tensor.quantization, tensor, cuts),
        recorded=_cut_quantization(tensor.recorded, tensor, cuts),
        form=_cut_form(tensor.form, tensor, cuts),
    )  # fmt: skip


def _compressed(values: npt.NDArray[Any], cuts: Cuts) -> npt.NDArray[Any]:
    for axis, mask in cuts.items():
        values = np.compress(mask, values, axis=axis)
    return values


def _cut_quantization(q: Quantization | None, tensor: Tensor, cuts: Cuts) -> Quantization | None:
    """Scales, zero points and recorded ranges per channel lose the channels that go."""
    axis = 0 if len(tensor.shape) == 1 or q is None else q.axis  # biases often record their filter's axis
    if q is None or axis not in cuts:
        return q
    mask = cuts[axis]

    def along(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        is_per_channel = len(values) == len(mask) and len(values) > 1
        return values[mask] if is_per_channel else values

    low, high = (None if v is None else along(v) for v in (q.minimum, q.maximum))
    return replace(q, scales=along(q.scales), zero_points=along(q.zero_points), minimum=low, maximum=high)


def _cut_form(form: WeightForm | None, tensor: Tensor, cuts: Cuts) -> WeightForm | None:
    """Masks, codebooks and assignments lose what the values lose."""
    if form is None:
        return None
    mask, assignment, codebook = form.mask, form.assignment, form.codebook
    if codebook is not None and codebook.ndim == 2 and form.axis in cuts:
        codebook = codebook[cuts[form.axis]]
    return replace(
        form,
        mask=None if mask is None else np.ascontiguousarray(_compressed(mask, cuts)),
        assignment=None if assignment is None else np.ascontiguousarray(_compressed(assignment, cuts)),
        codebook=codebook,
        pattern=form.pattern if _pattern_holds(form.pattern, tensor, cuts) else "",
    )  # fmt: skip


def _pattern_holds(pattern: str, tensor: Tensor, cuts: Cuts) -> bool:
    """Whether zeros stay arranged like that: "2:4" counts along the last axis, "RxC" along rows of
    output channels and columns of the rest; "stride K" counts pixels."""
    last = len(tensor.shape) - 1
    is_depthwise = last in cuts and len(cuts) == 1 and tensor.shape[0] == 1 and last == 3
    if not pattern or pattern.startswith("stride"):
        return True
    if ":" in pattern:
        return last not in cuts or is_depthwise
    rows, _, columns = pattern.partition("x")
    output_axis = last if is_depthwise else 0
    is_row_cut = output_axis in cuts
    is_column_cut = any(axis != output_axis for axis in cuts)
    return not ((is_row_cut and rows != "1") or (is_column_cut and columns != "1"))
