"""What is said of a memory plan: how far it is above the best, what it holds, at which op it peaks."""

from __future__ import annotations

from ..simulator.arena import Layout, MemoryPlan
from ..simulator.estimate import Estimate
from ..simulator.memory.ladder import AS_IT_IS
from . import format as shown


def best_plan(estimate: Estimate) -> MemoryPlan | None:
    """The plan with the best layout known; None where the runtime's own is not higher."""
    plan, best = estimate.plan, estimate.optimum
    if plan is None or best is None or best.extent_bytes >= plan.head_bytes:
        return None
    return plan.with_layout(best)


def plan_sentence(estimate: Estimate) -> str:
    """How the runtime's plan compares with the optimum or the lower bound; "" without a plan."""
    if estimate.plan is None or estimate.optimum is None:
        return ""
    return compared(estimate.plan.head_bytes, estimate.optimum, owner=f"{estimate.target.runtime}'s plan")


def compared(head_bytes: int, best: Layout, *, owner: str) -> str:
    """ "x's plan of 64,512 B is 5.0 % above the optimum of 61,440 B (CP-SAT: proved)"."""
    plan = f"{owner} of {shown.exact_bytes(head_bytes)}"
    over_best = _above(head_bytes, best.extent_bytes)
    over_bound = _above(head_bytes, best.lower_bound_bytes)
    if best.is_optimal:
        proof = f" ({best.proof})" if best.proof else ""
        if head_bytes <= best.extent_bytes:
            return f"{plan} is the optimum{proof}"
        return f"{plan} is {over_best} above the optimum of {shown.exact_bytes(best.extent_bytes)}{proof}"
    bound = f"{over_bound} above the lower bound of {shown.exact_bytes(best.lower_bound_bytes)}"
    if head_bytes <= best.extent_bytes:
        return f"{plan} is {bound}; no better plan is known"
    found = f"{over_best} above the best plan found, {shown.exact_bytes(best.extent_bytes)} ({best.planner})"
    return f"{plan} is {found}, and {bound}"


def ladder_sentence(estimate: Estimate) -> str:
    """ "also fits in 96 KiB with a better placement; 64 KiB with no interpreter"; "" without rungs."""
    smallest: dict[str, int] = {}
    for rung in estimate.ladder:
        smallest[rung.best.label] = rung.budget_bytes
    parts = [
        f"{shown.memory(size)} {'' if label == AS_IT_IS else 'with '}{label}"
        for label, size in smallest.items()
    ]
    return f"also fits in {'; '.join(parts)}" if parts else ""


def _above(high: int, low: int) -> str:
    """high / low - 1 as text."""
    return shown.percent(high / low - 1) if low else "0.0 %"
