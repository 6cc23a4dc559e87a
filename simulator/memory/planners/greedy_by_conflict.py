"""Where does each buffer go? The one that meets most others first."""

from __future__ import annotations

from collections.abc import Sequence

from .lowest_fit import meetings, place_in_order
from .problem import Request


def place(requests: Sequence[Request]) -> list[int]:
    """The offset of every request: by decreasing number of requests alive at the same time, ties by
    decreasing size, then by list index, each to the lowest gap that fits.

    >>> place([Request(32, 0, 0), Request(8, 0, 2), Request(8, 2, 2)])
    [8, 0, 8]
    """
    met = meetings(requests)
    order = sorted(range(len(requests)), key=lambda i: (-len(met[i]), -requests[i].size_bytes))
    return place_in_order(requests, order, met)
