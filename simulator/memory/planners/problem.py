"""What is asked of a planner, and what does it answer? Requests with lifetimes; offsets with a bound."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ...arena import Layout as Layout

ONLINE = -1


@dataclass(frozen=True, slots=True)
class Request:
    """A buffer that asks for a place: rounded bytes, inclusive lifetime, a fixed offset or ONLINE."""

    size_bytes: int
    first: int
    last: int
    offline_offset: int = ONLINE


Planner = Callable[[Sequence[Request]], list[int]]  # one offset per request, in their order


def extent(requests: Sequence[Request], offsets: Sequence[int]) -> int:
    """plan_size = max(offset + size)."""
    return max((o + r.size_bytes for r, o in zip(requests, offsets, strict=True)), default=0)


def live_bytes(requests: Sequence[Request], end: int) -> list[int]:
    """Bytes alive at every instant from -1 to `end`; entry 0 is instant -1."""
    steps = [0] * (end + 3)
    for r in requests:
        steps[r.first + 1] += r.size_bytes
        steps[r.last + 2] -= r.size_bytes
    alive, now = [], 0
    for step in steps[:-1]:
        now += step
        alive.append(now)
    return alive
