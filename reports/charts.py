"""Where does every mark of a chart lie: figures -> rectangles and lines in percent of the drawing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..simulator.estimate import MemoryPlan, OpEstimate, PlannedBuffer
from . import format as shown
from .sections import Gauge, Segment

_Across = Callable[[int], float]


@dataclass(frozen=True, slots=True)
class Mark:
    """One rectangle; x, y, w, h in percent, y from the top.

    Args:
        kind: what it stands for; the colour follows from it.
        title: the whole story, for a tooltip and a screen reader.
        label: what is written inside if there is room; "" for nothing.
        ops: indices of the ops it belongs to.
    """

    x: float
    y: float
    w: float
    h: float
    kind: str
    title: str
    label: str = ""
    ops: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Bullet:
    """A gauge: used, p10..p90 whisker, budget line, reserved part; all in percent of the axis.

    Args:
        limit: None for a figure without a budget; its axis ends at its p90.
    """

    used: float
    lo: float
    hi: float
    limit: float | None
    reserved_from: float
    reserved: float


def share(part: float, whole: float) -> float:
    """part / whole in percent, two decimals, within 0..100."""
    return round(max(0.0, min(100.0, 100 * part / whole)), 2) if whole > 0 else 0.0


def bullet(gauge: Gauge) -> Bullet | None:
    """The marks of one gauge; None for a figure that is unknown. The axis ends at the largest figure."""
    if gauge.value is None:
        return None
    lo, hi = gauge.lo or 0.0, gauge.hi if gauge.hi is not None else gauge.value
    if gauge.limit is None:
        return Bullet(share(gauge.value, hi), share(lo, hi), share(hi, hi), None, 100.0, 0.0)
    capacity = gauge.capacity if gauge.capacity is not None else gauge.limit
    end = max(capacity, hi, gauge.limit * 1.02)
    return Bullet(
        share(gauge.value, end), share(lo, end), share(hi, end), share(gauge.limit, end),
        share(gauge.limit, end), share(max(0.0, capacity - gauge.limit), end),
    )  # fmt: skip


def stack_end(segments: Sequence[Segment], capacity_bytes: float) -> float:
    """What a memory's bar ends at: its capacity, or what lies in it where that is more."""
    return max(capacity_bytes, sum(s.size_bytes or 0.0 for s in segments if s.kind != "missing"))


def capacity_mark(segments: Sequence[Segment], capacity_bytes: float) -> float:
    """Where the capacity lies on a memory's bar, in percent; 100 unless it overflows."""
    return share(capacity_bytes, stack_end(segments, capacity_bytes))


def stack(segments: Sequence[Segment], capacity_bytes: float) -> tuple[Mark, ...]:
    """Segments side by side along one bar; if they overflow, the bar ends where they do."""
    segments = [s for s in segments if s.kind != "missing"]
    sizes = [s.size_bytes or 0.0 for s in segments]
    end = stack_end(segments, capacity_bytes)
    marks, start = [], 0.0
    for segment, size in zip(segments, sizes, strict=True):
        if size > 0:
            title = f"{segment.label}: {shown.memory(size)} ({shown.exact_bytes(size)})"
            x = share(start, end)
            marks.append(Mark(x, 0, round(share(start + size, end) - x, 2), 100, segment.kind, title))
        start += size
    return tuple(marks)


@dataclass(frozen=True, slots=True)
class Timeline:
    """The arena over time: x is the planner's clock, y the address, low addresses at the bottom."""

    buffers: tuple[Mark, ...]
    tail: Mark | None
    peak: Mark | None
    lower_bound_y: float
    head_y: float
    top_bytes: int
    ticks: tuple[tuple[float, int], ...]  # x in percent, op index


def timeline(plan: MemoryPlan, ops: Sequence[OpEstimate], *, top_bytes: int = 0) -> Timeline | None:
    """The marks of the RAM timeline; None for a plan without buffers or bytes.

    Args:
        top_bytes: where the axis ends, so that two plans share a scale; 0 is the plan's own end.
    """
    top = max(top_bytes, plan.head_bytes + plan.tail_bytes)
    if not plan.buffers or top <= 0:
        return None
    start = min(b.first for b in plan.buffers)
    end = max(*(b.last for b in plan.buffers), *plan.clock_of_op, start) + 1
    op_at = {clock: op for op, clock in enumerate(plan.clock_of_op)}
    span = end - start

    def across(clock: int) -> float:
        return share(clock - start, span)

    buffers = tuple(_buffer_mark(b, across, top, op_at) for b in plan.buffers)
    tail = None
    if plan.tail_bytes:
        parts = ", ".join(f"{kind} {shown.exact_bytes(size)}" for kind, size in plan.tail_items)
        title = f"persistent (tail): {shown.exact_bytes(plan.tail_bytes)}{': ' if parts else ''}{parts}"
        label = f"persistent {shown.memory(plan.tail_bytes)}"
        tail_y = 100 - share(plan.head_bytes + plan.tail_bytes, top)
        tail = Mark(0, tail_y, 100, share(plan.tail_bytes, top), "arena_tail", title, label)
    head_y = 100 - share(plan.head_bytes, top)
    return Timeline(
        buffers, tail, _peak_mark(plan, ops, across, head_y),
        100 - share(plan.lower_bound_bytes, top), head_y, top, _ticks(plan, across),
    )  # fmt: skip


def _buffer_mark(b: PlannedBuffer, across: _Across, top: int, op_at: dict[int, int]) -> Mark:
    x, y = across(b.first), 100 - share(b.offset_bytes + b.size_bytes, top)
    alive = (
        tuple(op_at[clock] for clock in range(b.first, b.last + 1) if clock in op_at)
        if b.subgraph == 0
        else ()
    )
    lifetime = f", alive during ops {alive[0]} to {alive[-1]}" if alive else ""
    name = shown.short(shown.clean(b.name), 96)
    title = (
        f"{name}: {shown.exact_bytes(b.size_bytes)} at {b.offset_bytes:,} ({b.kind}{lifetime})"
        if name else f"{b.kind}: {shown.exact_bytes(b.size_bytes)} at {b.offset_bytes:,}{lifetime}"
    )  # fmt: skip
    w, h = round(across(b.last + 1) - x, 2), share(b.size_bytes, top)
    label = f"{shown.memory(b.size_bytes)} {shown.short(name, 40)}" if w >= 4 and h >= 6 else ""
    return Mark(x, round(y, 2), w, h, b.kind, title, label, alive)


def _peak_mark(plan: MemoryPlan, ops: Sequence[OpEstimate], across: _Across, head_y: float) -> Mark | None:
    op = plan.peak_op
    if not 0 <= op < len(plan.clock_of_op):
        return None
    clock = plan.clock_of_op[op]
    x = across(clock)
    kind = shown.clean(ops[op].kind) if op < len(ops) else ""
    title = f"peak at op {op} {kind}: {shown.exact_bytes(plan.live_bytes[op])} alive"
    return Mark(x, head_y, round(across(clock + 1) - x, 2), 100 - head_y, "peak", title, "", (op,))


def _ticks(plan: MemoryPlan, across: _Across) -> tuple[tuple[float, int], ...]:
    """At most a dozen op indices along the axis, in the middle of their columns."""
    count = len(plan.clock_of_op)
    step = _tick_step(count)
    middle = [(across(clock) + across(clock + 1)) / 2 for clock in plan.clock_of_op[::step]]
    return tuple((round(x, 2), op) for x, op in zip(middle, range(0, count, step), strict=True))


def ticks_of(count: int) -> tuple[tuple[float, int], ...]:
    """The same for so many columns of one width."""
    return tuple((round((op + 0.5) * 100 / count, 2), op) for op in range(0, count, _tick_step(count)))


def _tick_step(count: int) -> int:
    round_steps = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
    return next((step for step in round_steps if count <= 12 * step), max(1, count // 12))
