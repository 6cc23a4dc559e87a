"""Where does each buffer go? The largest product of size and lifetime first."""

from __future__ import annotations

from collections.abc import Sequence

from .lowest_fit import place_in_order
from .problem import Request


def place(requests: Sequence[Request]) -> list[int]:
    """The offset of every request: by decreasing size x instants alive, ties by list index, each to the
    lowest gap that fits.

    >>> place([Request(32, 0, 0), Request(16, 0, 3)])
    [16, 0]
    """
    order = sorted(range(len(requests)), key=lambda i: -_area(requests[i]))
    return place_in_order(requests, order)


def _area(r: Request) -> int:
    return r.size_bytes * (r.last - r.first + 1)
