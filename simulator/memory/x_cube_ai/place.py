"""Where does every buffer go, if some outputs may lie over their inputs? Greedy, for the smallest span."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from heapq import heappop, heappush

from ..planners.lowest_fit import meetings
from ..planners.problem import Request, extent

Overlaps = Mapping[tuple[int, int], int]  # (output, input) -> bytes by which the output must begin earlier


def place(spans: Sequence[Request], overlaps: Overlaps, alignment_bytes: int) -> list[int]:
    """Offsets such that buffers alive together share no byte, unless `overlaps` lets an output begin
    that many bytes before the input it overwrites. The best of the orders tried; the lowest offset is 0.
    """
    orders = (
        sorted(range(len(spans)), key=lambda i: (-spans[i].size_bytes, spans[i].first)),
        sorted(range(len(spans)), key=lambda i: (-_area(spans[i]), spans[i].first)),
        _from_the_peak(spans, overlaps),
    )
    met = meetings(spans)
    plans = [_in_order(order, spans, overlaps, met=met, step=alignment_bytes) for order in orders]
    return min(plans, key=lambda offsets: extent(spans, offsets))


def _area(span: Request) -> int:
    return span.size_bytes * (span.last - span.first + 1)


def _from_the_peak(spans: Sequence[Request], overlaps: Overlaps) -> list[int]:
    """The largest buffer, then always the largest that may overlap one already taken."""
    partners: list[list[int]] = [[] for _ in spans]
    for a, b in overlaps:
        partners[a].append(b)
        partners[b].append(a)
    taken: list[int] = []
    done = [False] * len(spans)
    reachable: list[tuple[int, int, int]] = []
    for start in sorted(range(len(spans)), key=lambda i: _largest_first(spans, i)):
        heappush(reachable, _largest_first(spans, start))
        while reachable:
            chosen = heappop(reachable)[2]
            if done[chosen]:
                continue
            done[chosen] = True
            taken.append(chosen)
            for partner in partners[chosen]:
                heappush(reachable, _largest_first(spans, partner))
    return taken


def _largest_first(spans: Sequence[Request], i: int) -> tuple[int, int, int]:
    return -spans[i].size_bytes, spans[i].first, i


def _in_order(
    order: Sequence[int], spans: Sequence[Request], overlaps: Overlaps, *, met: Sequence[Sequence[int]],
    step: int,
) -> list[int]:  # fmt: skip
    """Each buffer where the span grows least; addresses below 0 are allowed on the way."""
    at: dict[int, int] = {}
    low, high = 0, 0
    for i in order:
        near = [j for j in met[i] if j in at]
        best: tuple[int, int, int] | None = None
        for start in (0, high, *_candidates(i, near, at, spans=spans, overlaps=overlaps)):
            aligned = start // step * step if start < 0 else -(-start // step) * step
            if not all(_fit((i, aligned), (j, at[j]), spans, overlaps) for j in near):
                continue
            grown = max(high, aligned + spans[i].size_bytes) - min(low, aligned)
            found = (grown, abs(aligned), aligned)
            best = min(best, found) if best else found
        assert best is not None  # above everything there is always room
        at[i] = best[2]
        low, high = min(low, best[2]), max(high, best[2] + spans[i].size_bytes)
    lowest = min(at.values(), default=0)
    return [at[i] - lowest for i in range(len(spans))]


def _candidates(
    i: int, near: Sequence[int], at: Mapping[int, int], *, spans: Sequence[Request], overlaps: Overlaps
) -> Iterator[int]:
    """Right after and right before each neighbour, and over it as far as is allowed."""
    size = spans[i].size_bytes
    for j in near:
        yield at[j] + spans[j].size_bytes
        yield at[j] - size
        if (i, j) in overlaps:
            yield at[j] - overlaps[i, j]
        if (j, i) in overlaps:
            yield at[j] + overlaps[j, i]


def _fit(
    one: tuple[int, int], other: tuple[int, int], spans: Sequence[Request], overlaps: Overlaps
) -> bool:
    """Whether two (buffer, offset) alive together lie apart, or one over the other as is allowed."""
    (i, start), (j, beside) = one, other
    if start + spans[i].size_bytes <= beside or beside + spans[j].size_bytes <= start:
        return True
    if (i, j) in overlaps and start + overlaps[i, j] <= beside:
        return True
    return (j, i) in overlaps and beside + overlaps[j, i] <= start
