"""Which tensors must lie on one grid, and what grid does each get? From the ranges of their values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..dtype import DType
from ..evaluate import constant_array
from ..grids import KEEPS_QUANTIZATION
from ..ir import OPTIONAL, Op, Quantization, Subgraph
from ..quantities import INTEGER_RANGE, affine, fixed, is_fixed
from .ranges import Range

# Kinds whose integer kernels clip, negate or copy on the grid of their input, beside those of the spec.
_CLIPS_ON_GRID = frozenset({"RELU6", "RELU_N1_TO_1"})
# Kernels write the bounds of a fused RELU6 in steps of the grid, as int32: 6 / scale stays below 2^31.
_SMALLEST_SCALE = 6 / 2**30


@dataclass(frozen=True)
class Grids:
    """The grid of every real tensor that integer ops touch.

    Args:
        of: activation (or constant that shares a grid) -> its grid.
        inside: (op, input) -> the grid that the op needs there, where it is not that of the tensor itself.
    """

    of: Mapping[int, Quantization]
    inside: Mapping[tuple[int, int], Quantization]


def keeps_grid(op: Op) -> bool:
    """Whether an integer kernel wants all real inputs and outputs of this op on one grid."""
    return op.kind in KEEPS_QUANTIZATION or op.kind in _CLIPS_ON_GRID


def real_ends(main: Subgraph, op: Op) -> tuple[int, ...]:
    """Indices of the op's float inputs and outputs, constants too."""
    ends = (t for t in (*op.inputs, *op.outputs) if t != OPTIONAL)
    return tuple(t for t in ends if main.tensors[t].dtype is DType.FLOAT32)


def grids(main: Subgraph, integer_ops: Iterable[Op], ranges: Mapping[int, Range], dtype: DType) -> Grids:
    """A grid per activation: of its group's whole range, or the fixed one of the op that makes it.

    A group are activations that ops with one grid link. Its range is that of what enters it. What comes
    from SOFTMAX, LOGISTIC, TANH, ... keeps its fixed grid: alone in a group it lends it to the rest; with
    others, the linking op reads a copy on the group's grid.
    """
    ops = list(integer_ops)
    groups = _Groups(ranges)
    linked: dict[int, int] = {}  # activation -> the op with one grid that makes it
    settled = {t: fixed(op.kind, dtype) for op in ops if is_fixed(op.kind, dtype) for t in op.outputs}
    for op in ops:
        if keeps_grid(op):
            ends = real_ends(main, op)
            groups.join(ends)
            linked.update((t, op.index) for t in op.outputs if t in ends)
    of: dict[int, Quantization] = {}
    for members in groups.all():
        entering = [t for t in members if t not in linked]
        stated = [settled[t] for t in entering if t in settled]
        if stated and len(stated) == len(entering) and all(_same(q, stated[0]) for q in stated):
            of.update(dict.fromkeys(members, stated[0]))
            continue
        grid = _grid(*_whole_range(main, entering, ranges), dtype)
        of.update((t, settled.get(t, grid)) for t in members)
    return Grids(of, _inside(main, ops, of))


def _grid(low: float, high: float, dtype: DType) -> Quantization:
    grid = affine(low, high, dtype)
    if grid.scales[0] >= _SMALLEST_SCALE:
        return grid
    q_low, q_high = INTEGER_RANGE[dtype]
    return affine(0.0, _SMALLEST_SCALE * (q_high if dtype is DType.INT16 else q_high - q_low), dtype)


def _same(a: Quantization, b: Quantization) -> bool:
    return bool(a.scales[0] == b.scales[0] and a.zero_points[0] == b.zero_points[0])


def _inside(
    main: Subgraph, ops: list[Op], of: Mapping[int, Quantization]
) -> dict[tuple[int, int], Quantization]:
    found = {}
    for op in ops:
        if not keeps_grid(op):
            continue
        ends = real_ends(main, op)
        outputs = [t for t in op.outputs if t in ends]
        goal = of[outputs[0]] if outputs else of[ends[0]]
        for place, t in enumerate(op.inputs):
            if t in ends and not _same(of[t], goal):
                found[op.index, place] = goal
    return found


def _whole_range(main: Subgraph, entering: list[int], ranges: Mapping[int, Range]) -> Range:
    low, high = 0.0, 0.0
    for t in entering:
        tensor = main.tensors[t]
        if tensor.is_constant:
            values = constant_array(tensor)
            one = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
        else:
            one = ranges[t]
        low, high = min(low, one[0]), max(high, one[1])
    return low, high


class _Groups:
    """Disjoint sets of tensors, joined pairwise."""

    def __init__(self, members: Iterable[int]) -> None:
        self._parent = {t: t for t in members}

    def _root(self, t: int) -> int:
        self._parent.setdefault(t, t)
        while self._parent[t] != t:
            self._parent[t] = self._parent[self._parent[t]]
            t = self._parent[t]
        return t

    def join(self, members: Iterable[int]) -> None:
        first, *rest = (self._root(t) for t in members)
        for root in rest:
            self._parent[self._root(root)] = self._root(first)

    def all(self) -> list[list[int]]:
        found: dict[int, list[int]] = {}
        for t in sorted(self._parent):
            found.setdefault(self._root(t), []).append(t)
        return list(found.values())
