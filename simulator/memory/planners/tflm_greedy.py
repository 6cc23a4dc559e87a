"""Where does each buffer go? TFLM's greedy planner: the largest first, each into the lowest gap that fits.

Rules: specs/tflm_memory.md section 4.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from .problem import ONLINE, Request


def place(requests: Sequence[Request]) -> list[int]:
    """The offset of every request.

    Offline requests go to their own offsets, in list order; then the others by decreasing size, ties by
    decreasing list index, each to the lowest offset where no placed buffer alive at the same time lies.

    >>> place([Request(32, 0, 1), Request(16, 1, 2), Request(32, 2, 3)])
    [0, 32, 0]
    """
    offsets = [0] * len(requests)
    offline = [i for i, r in enumerate(requests) if r.offline_offset != ONLINE]
    online = [i for i, r in enumerate(requests) if r.offline_offset == ONLINE]
    online.sort(key=lambda i: (-requests[i].size_bytes, -i))
    starts: list[int] = []  # of placed buffers, ascending; equal offsets in order of placing
    placed: list[tuple[int, int, int]] = []  # (end, first, last), parallel to starts
    for i in (*offline, *online):
        r = requests[i]
        size, first, last = r.size_bytes, r.first, r.last
        spot = r.offline_offset
        if spot == ONLINE:
            spot = 0
            for start, (end, other_first, other_last) in zip(starts, placed, strict=True):
                if other_first <= last and first <= other_last:
                    if start - spot >= size:
                        break
                    if end > spot:
                        spot = end
        offsets[i] = spot
        at = bisect_right(starts, spot)
        starts.insert(at, spot)
        placed.insert(at, (spot + size, first, last))
    return offsets
