"""Where does each buffer go? The busiest instant first, and all that is alive in it."""

from __future__ import annotations

from collections.abc import Sequence

from .lowest_fit import place_in_order
from .problem import Request


def place(requests: Sequence[Request]) -> list[int]:
    """The offset of every request: instants by decreasing live bytes, earlier ones first; of each, the
    requests alive and not placed yet by decreasing size, ties by list index, to the lowest gap that fits.

    Only instants where something becomes alive count: between those nothing is added.

    >>> place([Request(24, 0, 0), Request(16, 1, 1), Request(16, 0, 1)])
    [0, 0, 24]
    """
    members = {
        t: [i for i, r in enumerate(requests) if r.first <= t <= r.last] for t in {r.first for r in requests}
    }
    breadth = {t: sum(requests[i].size_bytes for i in found) for t, found in members.items()}
    order: dict[int, None] = {}  # a set that keeps its order
    for t in sorted(members, key=lambda t: (-breadth[t], t)):
        order.update(dict.fromkeys(sorted(members[t], key=lambda i: -requests[i].size_bytes)))
    return place_in_order(requests, order)
