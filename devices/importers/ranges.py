"""Which of many address ranges holds an address, in one step each."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable


class Ranges:
    """Half-open ranges (begin, end) by their begin; of overlapping ones the last to begin counts."""

    def __init__(self, ranges: Iterable[tuple[int, int]]) -> None:
        self._indexed = sorted((begin, end, index) for index, (begin, end) in enumerate(ranges))
        self._begins = [begin for begin, _, _ in self._indexed]

    def index_of(self, address: int, size_bytes: int = 1) -> int | None:
        """The index, in the order given, of the range that holds these bytes whole; None if none does.

        >>> ranges = Ranges([(100, 200), (0, 50)])
        >>> ranges.index_of(10), ranges.index_of(150, 50), ranges.index_of(150, 51), ranges.index_of(60)
        (1, 0, None, None)
        """
        at = bisect_right(self._begins, address) - 1
        if at < 0:
            return None
        _, end, index = self._indexed[at]
        return index if address + size_bytes <= end else None
