"""How much faster is one placement than another, and how sure is that?"""

from __future__ import annotations

from ..estimate import Basis, Interval, exact, unknown
from .study import Candidate


def difference_s(slow: Candidate, fast: Candidate) -> Interval:
    """latency of one - latency of the other, end against like end.

    Both run the same instructions on the same core, so what one end takes for the core it takes for both: the
    ends differ by what the memories add. The interval spans the differences of the ends.
    """
    if slow.homes == fast.homes:
        return exact(0.0, "the same placement")
    one, other = slow.latency_s, fast.latency_s
    if one.value is None or other.value is None or one.lo is None or other.lo is None:
        return unknown(one.reason or other.reason)
    assert one.hi is not None and other.hi is not None
    ends = (one.lo - other.lo, one.value - other.value, one.hi - other.hi)
    source = "stalls of the two placements: bytes x cycles per byte of each memory"
    return Interval(ends[1], min(ends), max(ends), Basis.ANALYTIC, source)
