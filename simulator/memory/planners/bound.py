"""How small can no plan be? The largest live sum, and what fixed offsets add to it."""

from __future__ import annotations

from collections.abc import Sequence

from .problem import ONLINE, Request


def lower_bound(requests: Sequence[Request]) -> int:
    """max over instants (online bytes alive + bytes that offline buffers alive cover), and offline ends.

    Offline buffers may share bytes, so what they cover is counted once.

    >>> lower_bound([Request(32, 0, 1), Request(16, 1, 2), Request(8, 2, 3)])
    48
    """
    fixed = [r for r in requests if r.offline_offset != ONLINE and r.size_bytes]
    online = [r for r in requests if r.offline_offset == ONLINE]
    top = max((r.offline_offset + r.size_bytes for r in fixed), default=0)
    steps: dict[int, int] = {r.first: 0 for r in fixed}  # a fixed buffer's coverage only grows at a start
    for r in online:
        steps[r.first] = steps.get(r.first, 0) + r.size_bytes
        steps[r.last + 1] = steps.get(r.last + 1, 0) - r.size_bytes
    alive = 0
    for instant in sorted(steps):
        alive += steps[instant]
        held = _covered([r for r in fixed if r.first <= instant <= r.last])
        top = max(top, alive + held)
    return top


def _covered(fixed: Sequence[Request]) -> int:
    """Bytes that at least one of these occupies."""
    total = reached = 0
    for start, end in sorted((r.offline_offset, r.offline_offset + r.size_bytes) for r in fixed):
        total += max(0, end - max(start, reached))
        reached = max(reached, end)
    return total
