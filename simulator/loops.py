"""What loops does an op run that has no window: runs of a copy, index steps of a reduction, broadcasting?

The structure is that of TFLM's reference kernels: a copy moves runs of neighbouring elements, a reduction
works out for every input element, over all dimensions, which output it belongs to.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import NamedTuple

from ..errors import PreflashError
from ..graphs.ir import Op, Subgraph
from ..graphs.reading import Reading
from ..graphs.slicing import strided_ranges
from .operands import is_broadcast, operand


class Loops(NamedTuple):
    """Counts of one op.

    Args:
        copy_runs: runs of neighbouring elements that are copied at once; 1 where nothing splits a copy.
        index_steps: input elements x dimensions, of a reduction.
        axis_tests: comparisons of a dimension with the reduced axes, over all input elements.
        is_broadcast: whether two operands differ in shape.
    """

    copy_runs: int = 1
    index_steps: int = 0
    axis_tests: int = 0
    is_broadcast: bool = False


def loops_of(subgraph: Subgraph, op: Op) -> Loops:
    """The loops of one op whose shapes are known; those of a plain loop where a constant is missing."""
    runs = _RUNS.get(op.kind)
    if runs is not None:
        return Loops(max(1, _or_one(runs, subgraph, op)))
    if op.kind in _REDUCTIONS:
        return _reduction(subgraph, op)
    return Loops(is_broadcast=len(op.inputs) == 2 and is_broadcast(subgraph, op))


def _or_one(runs: Callable[[Reading], int], subgraph: Subgraph, op: Op) -> int:
    try:
        return runs(Reading(subgraph, op))
    except (PreflashError, IndexError):  # other checks say what is wrong with such an op
        return 1


def _reduction(subgraph: Subgraph, op: Op) -> Loops:
    """Each dimension is compared with the axes until one matches: rank x axes - axes x (axes - 1) / 2."""
    data, axes = operand(subgraph, op, 0), operand(subgraph, op, 1)
    if data is None:
        return Loops()
    rank = len(data.shape)
    count = min(rank, axes.element_count if axes is not None else 1)
    tests = rank * count - count * (count - 1) // 2
    return Loops(index_steps=data.element_count * rank, axis_tests=data.element_count * tests)


def _joined(r: Reading) -> int:
    """CONCATENATION, PACK: every input gives one run per element of the dimensions before the axis."""
    shape = _result(r)
    return prod(shape[: r.axis(r.attribute("axis", 0), len(shape))]) * len(r.op.inputs)


def _unpacked(r: Reading) -> int:
    return prod(r.shape()[: r.axis(r.attribute("axis", 0), len(r.shape()))]) * len(r.op.outputs)


def _divided(data: int, axis: int) -> Callable[[Reading], int]:
    """SPLIT, SPLIT_V: the axis is a constant input."""

    def runs(r: Reading) -> int:
        shape, axes = r.shape(data), r.integers(axis)
        return prod(shape[: r.axis(axes[0], len(shape))]) * len(r.op.outputs) if axes else 1

    return runs


def _gathered(r: Reading) -> int:
    shape = r.shape()
    return prod(shape[: r.axis(r.attribute("axis", 0), len(shape))]) * prod(r.shape(1))


def _strided(r: Reading) -> int:
    """One run per row of the last input dimension; one per element where that is not read in steps of one."""
    ranges = strided_ranges(r)
    last = ranges[-1][0] if ranges else range(1)
    return prod(_result(r)) // max(1, len(last) if last.step == 1 else 1)


def _result(r: Reading) -> tuple[int, ...]:
    return r.subgraph.tensors[r.op.outputs[0]].shape


_REDUCTIONS = frozenset(
    {"MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD", "REDUCE_ALL", "REDUCE_ANY"}
)
_RUNS: dict[str, Callable[[Reading], int]] = {
    "CONCATENATION": _joined,
    "PACK": _joined,
    "UNPACK": _unpacked,
    "SPLIT": _divided(1, 0),
    "SPLIT_V": _divided(0, 2),
    "GATHER": _gathered,
    "GATHER_ND": lambda r: prod(r.shape(1)[:-1]),
    "EMBEDDING_LOOKUP": lambda r: prod(r.shape(0)),
    "STRIDED_SLICE": _strided,
    "RESIZE_NEAREST_NEIGHBOR": lambda r: prod(_result(r)[:-1]),
    "PAD": lambda r: prod(_result(r)[:-2]),
    "PADV2": lambda r: prod(_result(r)[:-2]),
}
