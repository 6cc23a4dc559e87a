"""Where does each buffer go? The largest buffer first."""

from __future__ import annotations

from collections.abc import Sequence

from .lowest_fit import place_in_order
from .problem import Request


def place(requests: Sequence[Request]) -> list[int]:
    """The offset of every request: by decreasing size, ties by list index, each to the lowest gap that fits.

    The rule of TFLM's greedy planner but for ties, which TFLM breaks by decreasing index.

    >>> place([Request(16, 0, 1), Request(32, 0, 1), Request(32, 0, 1)])
    [64, 0, 32]
    """
    order = sorted(range(len(requests)), key=lambda i: -requests[i].size_bytes)
    return place_in_order(requests, order)
