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
class Taken:
    """Bytes the runtime is found to take for such a plan, p10..p90, where the plan is a model of its own.

    Args:
        is_fitted: whether published figures stand behind it, not the plan alone.
    """

    lo_bytes: float
    value_bytes: float
    hi_bytes: float
    source: str
    is_fitted: bool = True


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """Where every activation lies, and what the arena needs.

    Args:
        taken: None where the plan is the runtime's own, to the byte.
    """

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
    taken: Taken | None = None

    @property
    def peak_op(self) -> int:
        """The main-subgraph op with the largest live sum; -1 without ops."""
        if not self.live_bytes:
            return -1
        return max(range(len(self.live_bytes)), key=self.live_bytes.__getitem__)
