"""Where does each buffer go? TFLM's linear planner: one after the other, nothing is shared."""

from __future__ import annotations

from collections.abc import Sequence

from .problem import ONLINE, Request


def place(requests: Sequence[Request]) -> list[int]:
    """The offset of every request: the sum of the sizes before it, in list order.

    TFLM's linear planner takes no offline plan; offline requests keep their offsets here, and the others
    follow above the highest of them.

    >>> place([Request(32, 0, 1), Request(16, 2, 3), Request(32, 4, 5)])
    [0, 32, 48]
    """
    fixed = [r for r in requests if r.offline_offset != ONLINE]
    free = max((r.offline_offset + r.size_bytes for r in fixed), default=0)
    offsets = []
    for r in requests:
        if r.offline_offset != ONLINE:
            offsets.append(r.offline_offset)
        else:
            offsets.append(free)
            free += r.size_bytes
    return offsets
