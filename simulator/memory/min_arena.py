"""What is the smallest arena that works? Not only the final use counts, but also two moments on the way.

Rules: specs/tflm_memory.md section 7 (32-bit figures).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...graphs.ir import ModelGraph
from .departures import sizes_of
from .persistent import Tail
from .rounding import up
from .temporaries import opens_after_data, temporary_bytes

if TYPE_CHECKING:
    from ...devices.target import KernelBuild

SCRATCH_REQUEST_BYTES = 12
SCRATCH_REQUESTS_PER_OP = 12
LIFETIME_RECORD_BYTES = 24
PLANNER_RECORD_BYTES = 40


RUNNING, PLANNING, PREPARING = "running", "planning", "preparing"


def arena_stages(
    graph: ModelGraph, build: KernelBuild, *, tail: Tail, head_bytes: int, scratch_of_op: Sequence[int],
    planned_count: int,
) -> tuple[tuple[str, int], ...]:  # fmt: skip
    """What each stage of the arena's life needs: head + tail while running, planning, preparing.

    The smallest arena is up(max of the three, 16); `scratch_of_op` counts requests per op.
    """
    planning = plan_stage_bytes(graph, tail, scratch_count=sum(scratch_of_op), planned_count=planned_count)
    preparing = prepare_stage_bytes(graph, build, tail, scratch_of_op)
    return (RUNNING, head_bytes + tail.depth_bytes), (PLANNING, planning), (PREPARING, preparing)


def smallest_arena_bytes(stages: Sequence[tuple[str, int]]) -> int:
    return up(max(size for _, size in stages), 16)


def plan_stage_bytes(graph: ModelGraph, tail: Tail, *, scratch_count: int, planned_count: int) -> int:
    """up(12*(n_scratch+12) + 4*n_subgraphs + 24*(n_tensors+n_scratch), 16) + 40*n_planned + up(tail, 16)."""
    tensors = sum(len(s.tensors) for s in graph.subgraphs)
    lists = (
        SCRATCH_REQUEST_BYTES * (scratch_count + SCRATCH_REQUESTS_PER_OP)
        + 4 * len(graph.subgraphs)
        + LIFETIME_RECORD_BYTES * (tensors + scratch_count)
    )
    return up(lists, 16) + PLANNER_RECORD_BYTES * planned_count + up(tail.before_io, 16)


def prepare_stage_bytes(
    graph: ModelGraph, build: KernelBuild, tail: Tail, scratch_of_op: Sequence[int]
) -> int:
    """Largest over ops of 12*(n_scratch so far + 12) + opened tensors + tail at that moment."""
    opened = temporary_bytes(graph, sizes_of(build))
    ops = [op for s in graph.subgraphs for op in s.ops]
    largest = requested = 0
    for i, op in enumerate(ops):
        depth = tail.after_prepare[i] if opens_after_data(op) else tail.before_prepare[i]
        head_mark = SCRATCH_REQUEST_BYTES * (requested + SCRATCH_REQUESTS_PER_OP)
        largest = max(largest, head_mark + opened[i] + depth)
        requested += scratch_of_op[i]
    return largest
