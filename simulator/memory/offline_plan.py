"""Can TFLM execute another placement than its planner's? Yes: it follows offsets written into the model.

The metadata entry OfflineMemoryAllocation names an offset per tensor (specs/tflm_memory.md section 4).
Scratch is always planned by TFLM itself, around the tensors.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ...graphs.ir import ModelGraph
from ..estimate import MemoryPlan
from .plan import plan_tflm
from .planners.problem import ONLINE, Request, extent, live_bytes
from .planners.tflm_greedy import place
from .requests import OFFLINE_PLAN

if TYPE_CHECKING:
    from ...devices.target import KernelBuild

PLAN_VERSION = 1
_LARGEST_OFFSET = (1 << 31) - 1  # the metadata hold int32
Layouter = Callable[[Sequence[Request]], Sequence[int]]


def with_offline_plan(graph: ModelGraph, offsets: Mapping[tuple[int, int], int]) -> ModelGraph:
    """The model with these offsets of (subgraph, tensor); tensors that are not named are planned by TFLM."""
    every = [(number, t.index) for number, s in enumerate(graph.subgraphs) for t in s.tensors]
    words = [PLAN_VERSION, 0, len(every), *(offsets.get(one, ONLINE) for one in every)]
    others = without_offline_plan(graph).metadata
    return replace(
        graph, metadata=(*others, (OFFLINE_PLAN, struct.pack(f"<{len(words)}i", *words))), file_bytes=None,
        _cache={},
    )  # fmt: skip


def without_offline_plan(graph: ModelGraph) -> ModelGraph:
    rest = tuple(entry for entry in graph.metadata if entry[0] != OFFLINE_PLAN)
    return graph if len(rest) == len(graph.metadata) else replace(
        graph, metadata=rest, file_bytes=None, _cache={}
    )  # fmt: skip


def with_best_offsets(graph: ModelGraph, build: KernelBuild, layout: Layouter | None = None) -> ModelGraph:
    """The model with the offsets of `layout` (the best of several orders by default) as its offline plan.

    The model is given back without a plan where TFLM's own is as small, or where no int32 holds the offsets.
    """
    plain = without_offline_plan(graph)
    own = plan_tflm(plain, build)
    offsets = (layout or best_of_orders)(_requests(own))
    named = {
        (b.subgraph, b.tensor): offset
        for b, offset in zip(own.buffers, offsets, strict=True) if b.kind == "tensor"
    }  # fmt: skip
    if max(named.values(), default=0) > _LARGEST_OFFSET:
        return plain
    placed = with_offline_plan(plain, named)
    return placed if plan_tflm(placed, build).head_bytes < own.head_bytes else plain


def _requests(plan: MemoryPlan) -> list[Request]:
    return [Request(b.size_bytes, b.first, b.last) for b in plan.buffers]


def best_of_orders(requests: Sequence[Request]) -> list[int]:
    """The smallest of TFLM's own plan and of placing by size, by lifetime, by area and by what it meets."""
    bound = max(live_bytes(requests, max((r.last for r in requests), default=0)), default=0)
    best = place(requests)
    for key in _ORDERS:
        if extent(requests, best) <= bound:
            break
        found = _place_in_order(requests, sorted(range(len(requests)), key=lambda i: key(requests[i])))
        best = min(best, found, key=lambda offsets: extent(requests, offsets))
    return best


_ORDERS: tuple[Callable[[Request], tuple[int, int]], ...] = (
    lambda r: (-r.size_bytes, r.first),
    lambda r: (r.first - r.last, -r.size_bytes),
    lambda r: ((r.first - r.last - 1) * r.size_bytes, r.first),
    lambda r: (r.first, -r.size_bytes),
    lambda r: (-r.last, -r.size_bytes),
)


def _place_in_order(requests: Sequence[Request], order: Sequence[int]) -> list[int]:
    """Each request at the lowest offset that is free during its life."""
    offsets = [0] * len(requests)
    placed: list[int] = []
    for i in order:
        r, spot = requests[i], 0
        for j in sorted(placed, key=lambda j: offsets[j]):
            other = requests[j]
            if other.first <= r.last and r.first <= other.last:
                if offsets[j] - spot >= r.size_bytes:
                    break
                spot = max(spot, offsets[j] + other.size_bytes)
        offsets[i] = spot
        placed.append(i)
    return offsets
