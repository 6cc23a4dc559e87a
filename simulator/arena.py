"""What is a memory plan: buffers with lifetimes and offsets, and what the arena needs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlannedBuffer:
    """A buffer of the arena's head. Lifetimes are inclusive on the planner's clock.

    kind is "tensor" or "scratch"; `tensor` is the tensor's index (-1 for scratch), `op` the requesting op
    (-1 for a tensor); `size_bytes` is as placed, rounded up to the planner's alignment.
    """

    name: str
    kind: str
    subgraph: int
    tensor: int
    op: int
    size_bytes: int
    first: int
    last: int
    offset_bytes: int


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """Where every activation lies, and what the arena needs."""

    planner: str
    buffers: tuple[PlannedBuffer, ...]
    head_bytes: int
    tail_bytes: int
    used_bytes: int
    min_bytes: int
    clock_of_op: tuple[int, ...]  # main subgraph op index -> planner clock
    live_bytes: tuple[int, ...]  # main subgraph op index -> bytes live while it runs (16-byte rounded)
    lower_bound_bytes: int  # largest live sum over the whole clock
    tail_items: tuple[tuple[str, int], ...]  # what the tail holds, in bytes, by kind
    warnings: tuple[str, ...] = ()
    alignment_bytes: int = 16
    stages: tuple[tuple[str, int], ...] = ()  # bytes that running, planning and preparing need
    tail_range_bytes: tuple[int, int] | None = None  # p10 and p90 of a tail that is not replayed to the byte

    @property
    def decided_by(self) -> str:
        """The stage that decides min_bytes; "running" is head + tail."""
        return max(self.stages, key=lambda stage: stage[1])[0] if self.stages else "running"

    @property
    def temporary_bytes(self) -> int:
        """What the arena holds beyond head and tail while it is prepared or planned."""
        return max(0, max((size for _, size in self.stages), default=0) - self.used_bytes)

    @property
    def peak_op(self) -> int:
        """The main-subgraph op with the largest live sum; -1 without ops."""
        if not self.live_bytes:
            return -1
        return max(range(len(self.live_bytes)), key=self.live_bytes.__getitem__)
