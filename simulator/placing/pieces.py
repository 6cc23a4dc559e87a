"""What may lie apart where a runtime takes several pools: each activation, each scratch, each op's weights.

A piece's cost in a memory is its share of what the kernels wait for that memory, so that the costs of all
pieces in one memory sum to what `simulate` says of that placement.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...devices.homes import homes_of
from ...devices.target import Target
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
    shares = [_share(table, plan, buffer) for buffer in plan.buffers]
    return [
        Piece(b.name, b.kind, b.size_bytes, b.first, b.last, {a: _cost(s, share) for a, s in known.items()})
        for b, share in zip(plan.buffers, shares, strict=True)
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


def _share(table: KernelTable, plan: MemoryPlan, buffer: PlannedBuffer) -> Floats:
    """bytes of this buffer / bytes of all buffers that the kernel touches, per kernel."""
    share = np.zeros(len(table))
    if buffer.subgraph:
        return share
    for row, op in enumerate(table.ops):
        touched = (*op.inputs, *op.outputs)
        all_bytes = sum(_times(b, touched, op.index) * b.size_bytes for b in plan.buffers if b.subgraph == 0)
        mine = _times(buffer, touched, op.index) * buffer.size_bytes
        share[row] = mine / all_bytes if all_bytes else 0.0
    return share


def _times(buffer: PlannedBuffer, touched: tuple[int, ...], op: int) -> int:
    if buffer.kind == "scratch":
        return int(buffer.op == op)
    return touched.count(buffer.tensor)


def _cost(stalls: Stalls, share: Floats) -> tuple[float, float, float]:
    value, lo, hi = (float(share @ np.nan_to_num(part, neginf=0.0)) for part in stalls[:3])
    return value, lo, hi
