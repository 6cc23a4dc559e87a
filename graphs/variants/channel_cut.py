"""What is a model with other channels: tensors, what is known of them, and what ops say of them.

Per position along an axis there is a count: 0 goes, 1 stays, 2 is there twice, side by side.
"""

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
Counts = npt.NDArray[np.bool_] | npt.NDArray[np.int64]  # along one axis; how often each position is there
Cuts = Mapping[int, Counts]  # axis -> counts

_BOUND_TO_SIZES = "OfflineMemoryAllocation"  # offsets of tensors of the old sizes, one per tensor


def cuts_of(channels: ModelChannels, counts: Counts) -> dict[int, dict[int, Counts]]:
    """tensor -> axis -> counts, of the tensors that change.

    Args:
        counts: per channel number; read at the number that stands for those united with it.
    """
    found: dict[int, dict[int, Counts]] = {}
    for t, axes in channels.flow.places.items():
        for axis, numbers in axes.items():
            along = counts[channels.least[numbers]]
            if not (along == 1).all():
                found.setdefault(t, {})[axis] = along
    return found


def with_channels(channels: ModelChannels, counts: Counts) -> ModelGraph:
    """The model in which each channel is there as often as its count says; the very same if all are once."""
    cuts = cuts_of(channels, counts)
    if not cuts:
        return channels.graph
    old = channels.graph.main
    tensors = [_cut(t, cuts[t.index]) if t.index in cuts else t for t in old.tensors]
    graph = channels.graph.with_main(restated(old, tensors, cuts))
    metadata = tuple(entry for entry in graph.metadata if entry[0] != _BOUND_TO_SIZES)
    return replace(graph, metadata=metadata, _cache={})


def _cut(tensor: Tensor, cuts: Cuts) -> Tensor:
    """The tensor with what its axes' counts say."""
    shape = [int(cuts[d].sum()) if d in cuts else extent for d, extent in enumerate(tensor.shape)]
    signature = tensor.shape_signature
    if len(signature) == len(shape):
        signature = tuple(
            new if known == old else known
            for known, old, new in zip(signature, tensor.shape, shape, strict=True)
        )
    data = tensor.data
    if data is not None:
        values = _counted(constant_array(tensor), cuts)
        whole = np.ascontiguousarray(values)
        data = packed_int4(whole) if tensor.dtype is DType.INT4 else whole.tobytes()
    return replace(
        tensor, shape=tuple(shape), shape_signature=signature, data=data,
        quantization=_cut_quantization(tensor.quantization, tensor, cuts),
        recorded=_cut_quantization(tensor.recorded, tensor, cuts),
        form=_cut_form(tensor.form, tensor, cuts),
    )  # fmt: skip


def _counted(values: npt.NDArray[Any], cuts: Cuts) -> npt.NDArray[Any]:
    for axis, counts in cuts.items():
        values = np.repeat(values, counts.astype(np.int64), axis=axis)
    return values


def _cut_quantization(q: Quantization | None, tensor: Tensor, cuts: Cuts) -> Quantization | None:
    """Scales, zero points and recorded ranges per channel follow the channels."""
    axis = 0 if len(tensor.shape) == 1 or q is None else q.axis  # biases often record their filter's axis
    if q is None or axis not in cuts:
        return q
    counts = cuts[axis]

    def along(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        is_per_channel = len(values) == len(counts) and len(values) > 1
        return _counted(values, {0: counts}) if is_per_channel else values

    low, high = (None if v is None else along(v) for v in (q.minimum, q.maximum))
    return replace(q, scales=along(q.scales), zero_points=along(q.zero_points), minimum=low, maximum=high)


def _cut_form(form: WeightForm | None, tensor: Tensor, cuts: Cuts) -> WeightForm | None:
    """Masks, codebooks and assignments follow the values."""
    if form is None:
        return None
    mask, assignment, codebook = form.mask, form.assignment, form.codebook
    if codebook is not None and codebook.ndim == 2 and form.axis in cuts:
        codebook = _counted(codebook, {0: cuts[form.axis]})
    return replace(
        form,
        mask=None if mask is None else np.ascontiguousarray(_counted(mask, cuts)),
        assignment=None if assignment is None else np.ascontiguousarray(_counted(assignment, cuts)),
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
