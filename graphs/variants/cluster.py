"""How do weights come to share few values? The step `cluster`: k-means per tensor or per channel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, log2
from typing import Annotated, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from ...errors import VariantInvalid
from ..dtype import DType
from ..ir import ModelGraph, Tensor
from ..quantities import INTEGER_RANGE
from .given import Given
from .kmeans import Indices, Reals, Rows, Snap, distinct_counts, free, lloyd, rows_of, squared_errors, started
from .known import book_axis, by_channel, exact_values, from_channels, grid_axis, known_after
from .weights import Selection, Weight, changed, chosen, with_tensors


@dataclass(frozen=True)
class Cluster:
    """The weights of a tensor, or of each of its output channels, take at most `clusters` values.

    The values minimise the squared error of the weights (k-means; Lloyd's rounds from the initialisation).
    They lie on the tensor's own grid: of int8 weights with a scale per channel, one table per tensor
    is one table of stored integers. Per channel, each channel also starts from the table of the whole
    tensor and keeps the better end, so its error is never above that of the tensor's table.

    Args:
        keep_zeros: 0 stays one of the values of a tensor (a channel) that has zeros, so zeros stay zero;
            weights that were pruned must.
    """

    word: ClassVar[str] = "cluster"
    clusters: Annotated[int, Field(ge=2, le=256)] = 16
    per_channel: bool = False
    initialisation: Literal["linear", "random", "density", "k-means++"] = "linear"
    keep_zeros: bool = True
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    depthwise: bool = False
    first: bool = False

    def apply(self, graph: ModelGraph, given: Given) -> ModelGraph:
        """The model with shared weights."""
        meant = chosen(graph, Selection(self.only, self.skip, self.depthwise, self.first))
        done = []
        for number, weight in enumerate(meant):
            given.progress(number, len(meant), f"clustering {weight.name}")
            done.append(_clustered(graph.tensors[weight.tensor], weight, self, given.seed))
        given.progress(len(meant), len(meant), "clustered")
        return with_tensors(graph, done)


def clustered_bits(count: int, codes: int, *, value_bits: int, channels: int = 1) -> int:
    """N ceil(log2 K) + C K b: an index per weight and one table per channel (Deep Compression, section 3).

    >>> 16 * 32 / clustered_bits(16, 4, value_bits=32)
    3.2
    """
    return count * ceil(log2(codes)) + channels * codes * value_bits if codes > 1 else channels * value_bits


def _clustered(tensor: Tensor, weight: Weight, step: Cluster, seed: int) -> Tensor:
    form = tensor.form
    if form is not None and form.mask is not None and not step.keep_zeros:
        raise VariantInvalid("pruned weights would come back", where=tensor.name, fix="use keep_zeros=true")
    units, scale = _units(tensor)
    axis = weight.output_axis if step.per_channel else None
    if axis is not None and book_axis(tensor, None) not in (None, axis):
        raise VariantInvalid("its scales run along another dimension than its output channels",
                             where=tensor.name, fix="cluster it per tensor")  # fmt: skip
    rows, snap = _prepared(tensor, units, scale, axis=axis, keep_zeros=step.keep_zeros)
    if (distinct_counts(rows) <= step.clusters).all():
        result = tensor
    else:
        tables = _tables(rows, step, snap, (seed, tensor.index, len(rows.values)))
        if axis is not None:
            tables = _better(
                tables, rows, _for_all(tensor, units, scale, step, (seed, tensor.index, 1)), snap
            )
        new = from_channels(_nearest(tables, by_channel(units, axis), distinct_counts(rows), step.clusters),
                            tensor.shape, axis)  # fmt: skip
        result = changed(tensor, new * scale, None)
    bits = None if form is None else form.bits
    shared_axis = axis if axis is not None else book_axis(tensor, None)
    return replace(result, form=known_after(result, form, bits=bits, shared=True, axis=shared_axis))


def _units(tensor: Tensor) -> tuple[Reals, Reals | float]:
    """(values in steps of the tensor's own grid, zero at 0; the step that broadcasts over them)."""
    reals = exact_values(tensor)
    quantization = tensor.quantization
    if tensor.dtype.is_float or quantization is None:
        return reals, 1.0
    shape = [1] * reals.ndim
    if quantization.is_per_channel:
        shape[quantization.axis] = len(quantization.scales)
    scale = quantization.scales.astype(np.float64).reshape(shape)
    return np.rint(reals / scale), scale


def _prepared(tensor: Tensor, units: Reals, scale: Reals | float, *, axis: int | None,
              keep_zeros: bool) -> tuple[Rows, Snap]:  # fmt: skip
    """The values as rows, and what their centres may be.

    Steps of different channels differ in worth: the squared error of a weight counts scale^2.
    """
    worth = np.broadcast_to(np.square(np.asarray(scale)), units.shape)
    mass = None if np.size(scale) == 1 else by_channel(worth, axis)
    rows = rows_of(by_channel(units, axis), mass=mass, keep_zero=keep_zeros)
    if not tensor.dtype.is_float:
        return rows, _whole_steps(tensor)
    if tensor.form is None or tensor.form.bits is None:
        return rows, free
    if axis is None and grid_axis(tensor, tensor.form) is not None:
        fix = "cluster per channel, or before quantize-weights"
        raise VariantInvalid("channels on grids of their own can share no values", where=tensor.name, fix=fix)
    return rows, rows.members


def _whole_steps(tensor: Tensor) -> Snap:
    assert tensor.quantization is not None
    low, high = INTEGER_RANGE[tensor.dtype]
    zeros = tensor.quantization.zero_points
    least, most = low - int(zeros.min()), high - int(zeros.max())
    if tensor.dtype in (DType.INT8, DType.INT4) and not zeros.any():
        least = -most
    return lambda means, _rows: np.clip(np.rint(means), least, most)


def _tables(rows: Rows, step: Cluster, snap: Snap, seeds: tuple[int, ...]) -> Reals:
    everywhere = np.arange(len(rows.values))
    random = np.random.default_rng(seeds)
    start = snap(started(rows, step.clusters, step.initialisation, random), everywhere)
    return lloyd(rows, start, snap=snap)


def _for_all(
    tensor: Tensor, units: Reals, scale: Reals | float, step: Cluster, seeds: tuple[int, ...]
) -> Reals | None:
    """The table of the whole tensor, the one it gets per tensor; None where its channels can share none."""
    try:
        rows, snap = _prepared(tensor, units, scale, axis=None, keep_zeros=step.keep_zeros)
    except VariantInvalid:
        return None
    return _tables(rows, step, snap, seeds)


def _better(tables: Reals, rows: Rows, common: Reals | None, snap: Snap) -> Reals:
    """Per row the better of its own table and the one that Lloyd reaches from the common table."""
    if common is None:
        return tables
    start = np.repeat(common, len(tables), axis=0)
    # a common table that has a zero serves rows that keep zero; the others may move theirs
    other = lloyd(rows, snap(start, np.arange(len(rows.values))), snap=snap)
    is_less = squared_errors(rows, other) < squared_errors(rows, tables)
    return np.where(is_less[:, None], other, tables)


def _nearest(tables: Reals, values: Reals, distinct: Indices, clusters: int) -> npt.NDArray[np.float64]:
    """Every value's nearest table entry; rows with no more values than clusters stay as they are."""
    new = np.empty_like(values)
    for table, row, target, count in zip(tables, values, new, distinct, strict=True):
        middle = (table[:-1] + table[1:]) / 2
        target[:] = row if count <= clusters else table[np.searchsorted(middle, row)]
    return new
