"""Which ops of a model run on integers, which stay float, and why?"""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import VariantInvalid
from ..dtype import DType
from ..ir import ModelGraph, Op
from .quantized_kinds import float_reason
from .shared_grids import keeps_grid, real_ends
from .weights import WEIGHT_PLACES


@dataclass(frozen=True)
class Choice:
    """Ops that run on integers, in order, and a note per op that stays float."""

    ops: tuple[Op, ...]
    notes: tuple[str, ...]


def integer_ops(graph: ModelGraph, dtype: DType, apart: frozenset[int], *, integer_ends: bool) -> Choice:
    """All ops with integer kernels but those set apart, and those that only move values between float ops.

    Raises:
        VariantInvalid: none is left.
    """
    reasons: dict[int, str] = {}
    for op in graph.ops:
        reason = "asked for" if op.index in apart else float_reason(graph.main, op, dtype)
        if reason:
            reasons[op.index] = reason
    chosen = [op for op in graph.ops if op.index not in reasons]
    while True:
        idle = [op for op in chosen if _is_idle(graph, op, {o.index for o in chosen}, integer_ends)]
        if not idle:
            break
        chosen = [op for op in chosen if op not in idle]
    real = [op for op in graph.ops if op.index in reasons and real_ends(graph.main, op)]
    notes = tuple(f"{op.label} (op {op.index}) stays float: {reasons[op.index]}" for op in real)
    if not chosen:
        fix = notes[0] if notes else "its ops move values or compute with no float32 numbers"
        raise VariantInvalid("no op of this model can run on integers", where=graph.name, fix=fix)
    return Choice(tuple(chosen), notes)


def kept_float(graph: ModelGraph, names: tuple[str, ...]) -> frozenset[int]:
    """The ops that users name by index or by the name of their weights.

    Raises:
        VariantInvalid: a name is of no op.
    """
    found: dict[str, set[int]] = {str(op.index): {op.index} for op in graph.ops}
    for op in graph.ops:
        place = WEIGHT_PLACES.get(op.kind, (-1, 0))[0]
        if 0 <= place < len(op.inputs) and op.inputs[place] >= 0:
            found.setdefault(graph.tensors[op.inputs[place]].name, set()).add(op.index)
    strange = [name for name in names if name not in found]
    if strange:
        raise VariantInvalid(
            f"no op has weights called {strange[0][:80]!r}", where=graph.name,
            fix="name weights, or the index of an op after folding",
        )  # fmt: skip
    return frozenset(index for name in names for index in found[name])


def _is_idle(graph: ModelGraph, op: Op, chosen: set[int], integer_ends: bool) -> bool:
    """Whether an op that only moves values has no integer op, and no integer end of the model, beside it."""
    if not keeps_grid(op):
        return False
    around = {p for p in op.producers if p >= 0} | set(op.consumers)
    ends = set(graph.inputs) | set(graph.outputs)
    at_end = integer_ends and any(t in ends for t in (*op.inputs, *op.outputs))
    return not at_end and not around & chosen
