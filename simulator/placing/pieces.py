"""What may lie apart where a runtime takes several pools: each activation, each scratch, each op's weights.

A piece's cost in a memory is its share of what the kernels wait for that memory, so that the costs of all
pieces in one memory sum to what `simulate` says of that placement.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...devices.homes import homes_of
from ...devices.target import Target
from ...graphs.ir import Op
from ..columns import Floats, KernelTable
from ..estimate import MemoryPlan, PlannedBuffer
from ..kernels.cores import CoreCosts
from ..memory.rounding import up
from ..stalls import Stalls, arena_stalls, weight_stalls
from ..traffic import kernel_traffic
from .options import placements


@dataclass(frozen=True, slots=True)
class Piece:
    """Something that lies in one memory.

    Args:
        kind: "tensor", "scratch" or "weights".
        first, last: inclusive on the planner's clock; weights live throughout.
        cycles: memory -> (taken, at least, at most), beyond the core's own time.
    """

    name: str
    kind: str
    size_bytes: int
    first: int
    last: int
    cycles: dict[str, tuple[float, float, float]]


def activation_pieces(table: KernelTable, plan: MemoryPlan, target: Target) -> list[Piece]:
    """One per planned buffer; buffers of called subgraphs cost nothing that anybody knows."""
    own = homes_of(target.device)
    streams = {
        arena: arena_stalls(table, placed, kernel_traffic(table, placed))
        for arena in dict.fromkeys(homes.arena for homes in placements(target))
        for placed in [target.placed(replace(own, arena=arena))]
    }
    known = {arena: stalls for arena, stalls in streams.items() if not stalls.unknown}
    return [
        Piece(b.name, b.kind, b.size_bytes, b.first, b.last, {a: _cost(s, share) for a, s in known.items()})
        for b, share in zip(plan.buffers, _shares(table, plan), strict=True)
    ]


def weight_pieces(
    table: KernelTable, costs: CoreCosts, *, fetched: Floats, target: Target, end: int
) -> list[Piece]:
    """One per op with constants: used in place, or copied into RAM from the weights' own home."""
    own = homes_of(target.device)
    known: dict[str, Stalls] = {}
    for homes in placements(target):
        if homes.weights in known or homes.weights_image not in ("", own.weights):
            continue
        placed = target.placed(replace(own, weights=homes.weights, weights_image=homes.weights_image))
        traffic = kernel_traffic(table, placed)
        stalls = weight_stalls(table, placed, traffic, costs=costs, fetched=fetched)
        if not stalls.unknown:
            known[homes.weights] = stalls
    rows, sizes_bytes = np.eye(len(table)), [up(int(size), 16) for size in table.weight_bytes]
    return [
        Piece(
            f"weights of {op.label} {op.index}", "weights", sizes_bytes[row], 0, end,
            {memory: _cost(stalls, rows[row]) for memory, stalls in known.items()},
        )
        for row, op in enumerate(table.ops) if sizes_bytes[row]
    ]  # fmt: skip


def _shares(table: KernelTable, plan: MemoryPlan) -> Floats:
    """(buffer, kernel) -> bytes of the buffer / bytes of all buffers that the kernel touches."""
    touched = np.array(
        [[_times(buffer, op) * buffer.size_bytes for op in table.ops] for buffer in plan.buffers], dtype=float
    ).reshape(len(plan.buffers), len(table))
    all_bytes = touched.sum(axis=0)
    shares: Floats = np.divide(touched, all_bytes, out=np.zeros_like(touched), where=all_bytes > 0)
    return shares


def _times(buffer: PlannedBuffer, op: Op) -> int:
    if buffer.subgraph:
        return 0
    if buffer.kind == "scratch":
        return int(buffer.op == op.index)
    return (*op.inputs, *op.outputs).count(buffer.tensor)


def _cost(stalls: Stalls, share: Floats) -> tuple[float, float, float]:
    value, lo, hi = (float(share @ np.nan_to_num(part, neginf=0.0)) for part in stalls[:3])
    return value, lo, hi
