"""How much of core and memories does each op use: MACs per second over MACs per byte, under their roofs.

An op counts each byte of its tensors once (what caches and blocks read again is left out), in the memory that
would take the longest for them at its stated speed: a roof that no op can beat.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ..simulator.estimate import Estimate, Interval, MemoryFit, OpEstimate
from . import format as shown


@dataclass(frozen=True, slots=True)
class Point:
    """One op: its MACs per byte of the memory that is slowest for it, and the MACs per second it reaches."""

    op: OpEstimate
    memory: str
    moved_bytes: int
    macs_per_byte: float
    macs_per_s: float
    lo_macs_per_s: float
    hi_macs_per_s: float


@dataclass(frozen=True, slots=True)
class Slope:
    """The roof of one memory: MACs/s = MACs per byte x bytes per second."""

    memory: str
    bytes_per_s: float
    basis: str
    source: str


@dataclass(frozen=True, slots=True)
class Peak:
    """The roof of the core: what its fastest kernel in this model reaches."""

    op: int
    kind: str
    macs_per_s: float
    macs_per_cycle: float
    basis: str


@dataclass(frozen=True, slots=True)
class Roofline:
    """The figures of the picture.

    Args:
        why_not: why there is nothing to draw; "" if there is.
        left_out: sentences about ops and memories that the picture lacks.
    """

    points: tuple[Point, ...]
    slopes: tuple[Slope, ...]
    peak: Peak | None
    why_not: str
    left_out: tuple[str, ...]


def roofline(estimate: Estimate) -> Roofline:
    """Every op with MACs, a time and a memory of known speed."""
    memories = {memory.name: memory for memory in estimate.memories}
    found = [(op, _point(op, memories)) for op in estimate.ops]
    points = tuple(point for _, point in found if point is not None)
    touched = dict.fromkeys(t.memory for op in estimate.ops for t in op.traffic)
    slopes = tuple(
        Slope(name, speed, offered.basis.value, offered.source)
        for name in touched
        if (offered := _offered(memories, name)) is not None and (speed := offered.value)
    )
    speedless = [name for name in touched if name not in {slope.memory for slope in slopes}]
    lost = [op for op, point in found if point is None]
    why_not = "" if points else _why_not(estimate, speedless if not slopes else [])
    peak = _peak(points, estimate.target.clock_hz) if points else None
    return Roofline(points, slopes, peak, why_not, _left_out(lost, speedless) if points else ())


def _offered(memories: Mapping[str, MemoryFit], name: str) -> Interval | None:
    return memories[name].bandwidth_offered_bytes_per_s if name in memories else None


def _point(op: OpEstimate, memories: Mapping[str, MemoryFit]) -> Point | None:
    """macs per byte = MACs / bytes once, macs per second = MACs / latency."""
    time_s = op.latency_s
    if not op.macs or not time_s.value or not time_s.lo or not time_s.hi or not math.isfinite(time_s.hi):
        return None
    best: tuple[float, str, int] | None = None
    for t in op.traffic:
        once = t.read_bytes + t.write_bytes - t.repeated_bytes
        offered = _offered(memories, t.memory)
        if once > 0 and offered is not None and offered.value:
            best = max(best or (0.0, "", 0), (once / offered.value, t.memory, once))
    if best is None:
        return None
    _, memory, once = best
    macs = op.macs
    reached = (macs / time_s.value, macs / time_s.hi, macs / time_s.lo)
    return Point(op, memory, once, macs / once, *reached)


def _peak(points: tuple[Point, ...], clock_hz: float) -> Peak:
    top = max(points, key=lambda point: point.macs_per_s)
    op, basis = top.op, top.op.latency_s.basis.value
    return Peak(op.index, op.kind, top.macs_per_s, top.macs_per_s / clock_hz, basis)


def _why_not(estimate: Estimate, speedless: list[str]) -> str:
    if speedless:
        return f"No roofline: the device file states no access speed for {' and '.join(speedless)}."
    if not any(op.macs for op in estimate.ops):
        return "No roofline: no op has MACs."
    return "No roofline: no op has MACs, a price and a memory of known speed."


def _left_out(lost: list[OpEstimate], speedless: list[str]) -> tuple[str, ...]:
    """ "Not drawn: 3 ops without MACs, 1 without a price"."""
    unpriced = sum(op.latency_s.value is None for op in lost)
    idle = sum(op.latency_s.value is not None and not op.macs for op in lost)
    counts = (
        (idle, "without MACs"), (unpriced, "without a price"),
        (len(lost) - idle - unpriced, "without a bounded time or a memory of known speed"),
    )  # fmt: skip
    parts = [f"{n} op{'s' if n > 1 else ''} {why}" for n, why in counts if n]
    sentences = [f"Not drawn: {', '.join(parts)}."] if parts else []
    if speedless:
        sentences.append(
            f"No slope for {' and '.join(speedless)}: the device file states no access speed for it."
        )
    return tuple(sentences)


def peak_sentence(peak: Peak) -> str:
    """What the flat roof stands for, and how it is known."""
    reached = f"{shown.macs_per_s(peak.macs_per_s)}, {shown.ratio(peak.macs_per_cycle, 'MAC/cycle')}"
    return (
        f"Core: {reached}, what the fastest kernel of this model reaches "
        f"(op {peak.op} {shown.clean(peak.kind)}, {peak.basis})"
    )
