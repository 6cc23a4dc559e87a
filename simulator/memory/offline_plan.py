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
from .optimum import requests_of
from .plan import plan_tflm
from .planners.best import best_greedy
from .planners.problem import ONLINE, Request
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
    """The model with the offsets of `layout` (the best greedy rule by default) as its offline plan.

    The model is given back without a plan where TFLM's own is as small, or where no int32 holds the offsets.
    """
    plain = without_offline_plan(graph)
    own = plan_tflm(plain, build)
    offsets = (layout or quick_offsets)(requests_of(own))
    named = {
        (b.subgraph, b.tensor): offset
        for b, offset in zip(own.buffers, offsets, strict=True) if b.kind == "tensor"
    }  # fmt: skip
    if max(named.values(), default=0) > _LARGEST_OFFSET:
        return plain
    placed = with_offline_plan(plain, named)
    return placed if plan_tflm(placed, build).head_bytes < own.head_bytes else plain


def quick_offsets(requests: Sequence[Request]) -> Sequence[int]:
    """The offsets of the best greedy rule."""
    return best_greedy(requests).offsets
