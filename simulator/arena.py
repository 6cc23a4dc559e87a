"""What is a memory plan: buffers with lifetimes and offsets, what the arena needs, how good it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

_MIN_STEP_BYTES = 16  # the smallest arena is a multiple of this


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
class Layout:
    """A planner's answer.

    Args:
        planner: the planner's name, as in the table of planners, or the runtime's.
        offsets: one per request, in the order they were given.
        extent_bytes: max(offset + size).
        lower_bound_bytes: no plan of these requests can be smaller; at least the largest live sum.
        proof: why extent_bytes is the optimum ("equals the live sum", "CP-SAT: proved"); "" if nobody knows.
        note: what would tell more, where the optimum is not proven.
    """

    planner: str
    offsets: tuple[int, ...]
    extent_bytes: int
    lower_bound_bytes: int
    proof: str = ""
    note: str = ""

    @property
    def is_optimal(self) -> bool:
        return self.extent_bytes == self.lower_bound_bytes

    @property
    def gap(self) -> float:
        """extent / lower bound - 1; 0 for a proven optimum."""
        return self.extent_bytes / self.lower_bound_bytes - 1 if self.lower_bound_bytes else 0.0


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
    inferred: str = ""  # which rules were worked out from measured totals; "" where all were read in sources
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

    def with_layout(self, layout: Layout) -> MemoryPlan:
        """The same buffers at the layout's offsets; the tail stays.

        Where planning's own working memory sets the smallest arena, it goes on doing so.

        Raises:
            ValueError: the layout has not one offset per buffer.
        """
        placed = zip(self.buffers, layout.offsets, strict=True)
        used = layout.extent_bytes + self.tail_bytes
        is_planning = self.min_bytes >= self.used_bytes + _MIN_STEP_BYTES
        least = max(-(-used // _MIN_STEP_BYTES) * _MIN_STEP_BYTES, self.min_bytes if is_planning else 0)
        return replace(
            self, planner=layout.planner, head_bytes=layout.extent_bytes, used_bytes=used, min_bytes=least,
            buffers=tuple(replace(buffer, offset_bytes=offset) for buffer, offset in placed),
        )  # fmt: skip


class Option(NamedTuple):
    """One way to get a smaller arena: what it needs, what it costs, who can execute it."""

    label: str
    arena_bytes: int
    cost: str
    executed_by: str = ""


@dataclass(frozen=True, slots=True)
class Rung:
    """One budget and the measures that reach it, in the order they were given (the cheapest first)."""

    budget_bytes: int
    options: tuple[Option, ...]

    @property
    def best(self) -> Option:
        return self.options[0]
