"""How long does it take, once at start, to copy weights or code from nonvolatile memory into RAM?"""

from __future__ import annotations

from ..devices.target import Target
from .estimate import Basis, Interval, exact, total, unknown
from .placement import Contents


def copy_s(target: Target, contents: Contents) -> Interval:
    """seconds = bytes / bandwidth of the slower end; at most one end after the other.

    The bandwidths are what the buses offer at the target's clock.
    """
    homes = target.homes
    parts = [
        _one_copy(target, size_bytes, source, home)
        for size_bytes, source, home in (
            (contents.model, homes.weights_image, homes.weights),
            (contents.code, homes.code_image, homes.code),
        )
        if source
    ]
    return total(parts, empty_source="nothing is copied at start")


def _one_copy(target: Target, size_bytes: Interval, source: str, home: str) -> Interval:
    ends = target.device.memory(source), target.device.memory(home)
    for memory in ends:
        if memory.access is None:
            return unknown(f"the device file states no access speed for {memory.name}")
    lo, value, hi = size_bytes.lo, size_bytes.value, size_bytes.hi
    if lo is None or value is None or hi is None:
        return unknown(size_bytes.reason)
    if hi == 0:
        return exact(0.0, "nothing is copied at start")
    per_byte = [1 / m.access.bandwidth_at(target.clock_hz) for m in ends if m.access is not None]
    text = f"bytes / bandwidth of {source} and {home}"
    return Interval(value * max(per_byte), lo * max(per_byte), hi * sum(per_byte), Basis.ANALYTIC, text)
