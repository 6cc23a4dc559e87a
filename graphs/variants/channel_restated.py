"""What do ops say of shapes in constants and attributes, and what must they say of other channels?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..ir import Op, Subgraph, Tensor, wire
from ..ops import OpAttributes
from ..quantities import NUMPY_OF_DTYPE
from ..reading import Reading
from ..slicing import strided_ranges

Counts = npt.NDArray[np.bool_] | npt.NDArray[np.int64]  # along an axis: how often each position is there
AllCuts = Mapping[int, Mapping[int, Counts]]  # tensor -> axis -> counts
Integers = dict[int, list[int]]  # position of an input -> its new values


@dataclass(frozen=True, slots=True)
class _Change:
    """An op of the old subgraph, what changes, and its tensors' new shapes."""

    reading: Reading
    cuts: AllCuts
    tensors: Sequence[Tensor]

    def cut(self, tensor: int) -> tuple[int, Counts] | None:
        """The axis of an activation whose channels change, and their counts."""
        return next(iter(self.cuts.get(tensor, {}).items()), None)

    def new_shape(self, tensor: int) -> tuple[int, ...]:
        return self.tensors[tensor].shape


def restated(old: Subgraph, tensors: Sequence[Tensor], cuts: AllCuts) -> Subgraph:
    """The subgraph of the cut tensors, with ops that say what is now the case.

    A constant that several ops read and that shall say different things is kept, and copies are added.
    """
    whole = list(tensors)
    attributes: dict[int, OpAttributes] = {}
    wishes: dict[tuple[int, int], list[int]] = {}  # (op, position) -> values
    for op in old.ops:
        rule = _RULES.get(op.kind)
        if rule is None or not any(t in cuts for t in (*op.inputs, *op.outputs)):
            continue
        said, integers = rule(_Change(Reading(old, op), cuts, tensors))
        if said is not None:
            attributes[op.index] = said
        for position, values in integers.items():
            if values != Reading(old, op).integers(position):
                wishes[op.index, position] = values
    sources = _with_constants(old, whole, wishes)
    ops = [
        replace(
            op,
            attributes=attributes.get(op.index, op.attributes),
            inputs=tuple(sources.get((op.index, n), t) for n, t in enumerate(op.inputs)),
        )
        for op in old.ops
    ]
    return wire(whole, ops, inputs=old.inputs, outputs=old.outputs, name=old.name)


def _with_constants(
    old: Subgraph, whole: list[Tensor], wishes: Mapping[tuple[int, int], list[int]]
) -> dict[tuple[int, int], int]:
    """(op, position) -> the constant that it reads instead; new constants are put into `whole`."""
    by_tensor: dict[int, dict[tuple[int, int], list[int]]] = {}
    for (op, position), values in wishes.items():
        by_tensor.setdefault(old.ops[op].inputs[position], {})[op, position] = values
    sources: dict[tuple[int, int], int] = {}
    for t, wanted in by_tensor.items():
        readers = {(op, n) for op in old.consumers_of[t] for n, u in enumerate(old.ops[op].inputs) if u == t}
        distinct = {tuple(values) for values in wanted.values()}
        if len(distinct) == 1 and readers == set(wanted) and t not in old.outputs:
            whole[t] = _saying(whole[t], t, distinct.pop())
            continue
        made: dict[tuple[int, ...], int] = {}
        for place, values in wanted.items():
            if tuple(values) not in made:
                made[tuple(values)] = len(whole)
                whole.append(_saying(whole[t], len(whole), values))
            sources[place] = made[tuple(values)]
    return sources


def _saying(tensor: Tensor, index: int, values: Sequence[int]) -> Tensor:
    data = np.array(values, NUMPY_OF_DTYPE[tensor.dtype]).tobytes()
    return replace(tensor, index=index, data=data)


# One function per kind: (attributes or None for the same, new integers of constant inputs).
_Said = tuple[OpAttributes | None, Integers]


def _depthwise(change: _Change) -> _Said:
    """depth multiplier = output channels / input channels."""
    r = change.reading
    multiplier = change.new_shape(r.op.outputs[0])[3] // change.new_shape(r.op.inputs[0])[3]
    return _with(r.op, depth_multiplier=multiplier), {}


def _transpose_conv(change: _Change) -> _Said:
    return None, {0: list(change.new_shape(change.reading.op.outputs[0]))}


def _reshape(change: _Change) -> _Said:
    """The new shape; an extent that is left to be worked out stays so."""
    r = change.reading
    shape = change.new_shape(r.op.outputs[0])
    stated = tuple(r.attribute("new_shape", ()) or ())
    said = None
    if len(stated) == len(shape):
        said = _with(r.op, new_shape=tuple(-1 if s == -1 else e for s, e in zip(stated, shape, strict=True)))
    if not r.has(1):
        return said, {}
    given = r.integers(1) or []
    return said, {1: [-1 if g == -1 else e for g, e in zip(given, shape, strict=True)]}


def _squeeze(change: _Change) -> _Said:
    """Dimensions to drop by name, since channels may have become a single one."""
    r = change.reading
    if r.attribute("squeeze_dims", ()):
        return None, {}
    return _with(r.op, squeeze_dims=tuple(d for d, extent in enumerate(r.shape()) if extent == 1)), {}


def _pad(change: _Change) -> _Said:
    r = change.reading
    cut = change.cut(r.op.outputs[0])
    amounts = list(r.integers(1) or ())
    if cut is not None:
        axis, counts = cut
        before, extent = amounts[2 * axis], r.shape()[axis]
        amounts[2 * axis] = int(counts[:before].sum())
        amounts[2 * axis + 1] = int(counts[before + extent :].sum())
    return None, {1: amounts}


def _split_v(change: _Change) -> _Said:
    r = change.reading
    cut = change.cut(r.op.inputs[0])
    given = list(r.integers(1) or ())
    axis = r.axis((r.integers(2) or [0])[0], len(r.shape()))
    if cut is None or cut[0] != axis:
        return None, {}
    extents = [change.new_shape(t)[axis] for t in r.op.outputs]
    return None, {1: [-1 if g == -1 else e for g, e in zip(given, extents, strict=True)]}


def _slice(change: _Change) -> _Said:
    r = change.reading
    cut = change.cut(r.op.inputs[0])
    begin, extent = list(r.integers(1) or ()), list(r.integers(2) or ())
    if cut is None:
        return None, {}
    axis, counts = cut
    taken = change.new_shape(r.op.outputs[0])[axis]
    begin[axis], extent[axis] = int(counts[: begin[axis]].sum()), -1 if extent[axis] == -1 else taken
    return None, {1: begin, 2: extent}


def _strided_slice(change: _Change) -> _Said:
    r = change.reading
    cut, taken = change.cut(r.op.inputs[0]), strided_ranges(r)
    begin, end = list(r.integers(1) or ()), list(r.integers(2) or ())
    if cut is None or taken is None or cut[0] >= len(begin):
        return None, {}
    axis, counts = cut
    positions = taken[axis][0]
    begin[axis], end[axis] = int(counts[: positions.start].sum()), int(counts[: positions.stop].sum())
    return None, {1: begin, 2: end}


def _with(op: Op, **fields: Any) -> OpAttributes | None:
    """The op's attributes with other values; None where the file gives none."""
    return None if op.attributes is None else replace(op.attributes, **fields)


_RULES: dict[str, Callable[[_Change], _Said]] = {
    "DEPTHWISE_CONV_2D": _depthwise, "TRANSPOSE_CONV": _transpose_conv, "RESHAPE": _reshape,
    "SQUEEZE": _squeeze, "PAD": _pad, "PADV2": _pad, "SPLIT_V": _split_v, "SLICE": _slice,
    "STRIDED_SLICE": _strided_slice,
}  # fmt: skip
