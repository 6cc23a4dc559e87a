"""How good is a memory plan? The same buffers laid out as well as is known, beside what no plan can beat."""

from __future__ import annotations

from dataclasses import replace

from ..arena import Layout, MemoryPlan
from .planners.best import best_greedy
from .planners.problem import Request

QUICK_MOST_BUFFERS = 400  # beyond, a check does not look for a better plan


def requests_of(plan: MemoryPlan) -> list[Request]:
    """The plan's buffers as requests, in the plan's order; none is held where it lies."""
    return [Request(b.size_bytes, b.first, b.last) for b in plan.buffers]


def quick_optimum(plan: MemoryPlan) -> Layout:
    """The plan itself where it meets the bound, else the best of the greedy rules.

    With more than QUICK_MOST_BUFFERS buffers the plan itself, without a proof.
    """
    own = own_layout(plan)
    if own.is_optimal or len(plan.buffers) > QUICK_MOST_BUFFERS:
        return own
    return better(own, best_greedy(requests_of(plan)))


def own_layout(plan: MemoryPlan) -> Layout:
    """The runtime's own plan, as an answer to the same question."""
    met = plan.head_bytes <= plan.lower_bound_bytes
    return Layout(
        plan.planner, tuple(b.offset_bytes for b in plan.buffers), plan.head_bytes,
        min(plan.lower_bound_bytes, plan.head_bytes), "equals the largest live sum" if met else "",
    )  # fmt: skip


def better(*layouts: Layout) -> Layout:
    """The lowest of them, with the highest lower bound that any of them knows."""
    lowest = min(layouts, key=lambda layout: layout.extent_bytes)
    bound = max(layout.lower_bound_bytes for layout in layouts)
    proofs = [layout.proof for layout in layouts if layout.proof and layout.extent_bytes == bound]
    proof = proofs[0] if proofs and lowest.extent_bytes == bound else lowest.proof
    return replace(lowest, lower_bound_bytes=min(bound, lowest.extent_bytes), proof=proof)
