"""Is this layout right? Slow and obvious checks that share no code with any planner."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ....errors import PlanInvalid
from .problem import Layout, Request


def judge_layout(requests: Sequence[Request], layout: Layout) -> None:
    """Refuse a layout that overlaps in space and time, moves a fixed buffer, or misstates its figures.

    Raises:
        PlanInvalid: with all faults.
    """
    if len(layout.offsets) != len(requests):
        faults = [f"{len(layout.offsets)} offsets for {len(requests)} requests"]
    else:
        faults = [*_each_alone(requests, layout), *_pairs(requests, layout), *_figures(requests, layout)]
    if faults:
        raise PlanInvalid("the layout is wrong", faults=faults, where=layout.planner)


def _each_alone(requests: Sequence[Request], layout: Layout) -> Iterator[str]:
    for i in range(len(requests)):
        offset, fixed = layout.offsets[i], requests[i].offline_offset
        if offset < 0:
            yield f"request {i} lies at {offset}"
        if fixed != -1 and offset != fixed:
            yield f"request {i} is fixed at {fixed}, it lies at {offset}"


def _pairs(requests: Sequence[Request], layout: Layout) -> Iterator[str]:
    """Every pair is looked at; two fixed ones may do what they like."""
    for i in range(len(requests)):
        for j in range(i):
            a, b = requests[i], requests[j]
            if a.offline_offset != -1 and b.offline_offset != -1:
                continue
            start = max(layout.offsets[i], layout.offsets[j])
            end = min(layout.offsets[i] + a.size_bytes, layout.offsets[j] + b.size_bytes)
            first, last = max(a.first, b.first), min(a.last, b.last)
            if start < end and first <= last:
                yield f"requests {j} and {i} share bytes {start}..{end - 1} at instants {first}..{last}"


def _figures(requests: Sequence[Request], layout: Layout) -> Iterator[str]:
    top = 0
    for i in range(len(requests)):
        top = max(top, layout.offsets[i] + requests[i].size_bytes)
    if layout.extent_bytes != top:
        yield f"the extent is given as {layout.extent_bytes}, the highest buffer ends at {top}"
    if layout.lower_bound_bytes > layout.extent_bytes:
        yield f"the lower bound {layout.lower_bound_bytes} is above the extent {layout.extent_bytes}"
    if layout.proof and layout.lower_bound_bytes != layout.extent_bytes:
        yield f"{layout.proof!r} is claimed, but the bound is {layout.lower_bound_bytes}"
    if not any(r.offline_offset != -1 for r in requests):
        for r in requests:
            alive = 0
            for other in requests:
                if other.first <= r.first <= other.last:
                    alive += other.size_bytes
            if layout.lower_bound_bytes < alive:
                yield f"the bound {layout.lower_bound_bytes} is below the {alive} bytes alive at {r.first}"
