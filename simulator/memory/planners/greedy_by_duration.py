"""Where does each buffer go? The longest alive first."""

from __future__ import annotations

from collections.abc import Sequence

from .lowest_fit import place_in_order
from .problem import Request


def place(requests: Sequence[Request]) -> list[int]:
    """The offset of every request: by decreasing number of instants alive, ties by list index, each to the
    lowest gap that fits.

    >>> place([Request(32, 0, 0), Request(8, 0, 1)])
    [8, 0]
    """
    order = sorted(range(len(requests)), key=lambda i: requests[i].first - requests[i].last)
    return place_in_order(requests, order)
