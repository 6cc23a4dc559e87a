"""Where does every buffer go, if some outputs may lie over their inputs? Greedy, for the smallest span."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """A buffer that asks for a place: bytes, first and last instant, both included."""

    size_bytes: int
    first: int
    last: int


Overlaps = Mapping[tuple[int, int], int]  # (output, input) -> bytes by which the output must begin earlier


def place(spans: Sequence[Span], overlaps: Overlaps, alignment_bytes: int) -> list[int]:
    """Offsets such that buffers alive together share no byte, unless `overlaps` lets an output begin
    that many bytes before the input it overwrites. The best of the orders tried; the lowest offset is 0.
    """
    orders = (
        sorted(range(len(spans)), key=lambda i: (-spans[i].size_bytes, spans[i].first)),
        sorted(range(len(spans)), key=lambda i: (-_area(spans[i]), spans[i].first)),
        _from_the_peak(spans, overlaps),
    )
    near = _neighbours(spans)
    plans = [_in_order(order, spans, overlaps, neighbours=near, step=alignment_bytes) for order in orders]
    return min(plans, key=lambda offsets: extent_bytes(spans, offsets))


def extent_bytes(spans: Sequence[Span], offsets: Sequence[int]) -> int:
    """max(offset + size)."""
    return max((o + s.size_bytes for o, s in zip(offsets, spans, strict=True)), default=0)


def _area(span: Span) -> int:
    return span.size_bytes * (span.last - span.first + 1)


def _from_the_peak(spans: Sequence[Span], overlaps: Overlaps) -> list[int]:
    """The largest buffer, then always the largest that may overlap one already taken."""
    partners: list[list[int]] = [[] for _ in spans]
    for a, b in overlaps:
        partners[a].append(b)
        partners[b].append(a)
    left = sorted(range(len(spans)), key=lambda i: (-spans[i].size_bytes, spans[i].first))
    taken: list[int] = []
    reachable: set[int] = set()
    while left:
        chosen = next((i for i in left if i in reachable), left[0])
        left.remove(chosen)
        taken.append(chosen)
        reachable.update(partners[chosen])
    return taken


def _neighbours(spans: Sequence[Span]) -> list[list[int]]:
    """For each buffer those alive at the same time."""
    return [
        [j for j, b in enumerate(spans) if j != i and a.first <= b.last and b.first <= a.last]
        for i, a in enumerate(spans)
    ]


def _in_order(
    order: Sequence[int], spans: Sequence[Span], overlaps: Overlaps, *, neighbours: Sequence[Sequence[int]],
    step: int,
) -> list[int]:  # fmt: skip
    """Each buffer where the span grows least; addresses below 0 are allowed on the way."""
    at: dict[int, int] = {}
    low, high = 0, 0
    for i in order:
        near = [j for j in neighbours[i] if j in at]
        best: tuple[int, int, int] | None = None
        for start in _candidates(i, near, at, spans, overlaps):
            aligned = start // step * step if start < 0 else -(-start // step) * step
            if not all(_fit(i, aligned, j, at[j], spans, overlaps) for j in near):
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
    i: int, near: Sequence[int], at: Mapping[int, int], spans: Sequence[Span], overlaps: Overlaps
) -> Iterator[int]:
    """0, right after and right before each neighbour, and over it as far as is allowed."""
    yield 0
    size = spans[i].size_bytes
    for j in near:
        yield at[j] + spans[j].size_bytes
        yield at[j] - size
        if (i, j) in overlaps:
            yield at[j] - overlaps[i, j]
        if (j, i) in overlaps:
            yield at[j] + overlaps[j, i]
    yield max((at[j] + spans[j].size_bytes for j in at), default=0)


def _fit(i: int, start: int, j: int, other: int, spans: Sequence[Span], overlaps: Overlaps) -> bool:
    if start + spans[i].size_bytes <= other or other + spans[j].size_bytes <= start:
        return True
    if (i, j) in overlaps and start + overlaps[i, j] <= other:
        return True
    return (j, i) in overlaps and other + overlaps[j, i] <= start
