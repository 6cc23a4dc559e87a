"""What has to lie in memory, whatever the clock? The runtime's own plan or why there is none; model, code."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..devices.target import Target
from ..errors import PlanInvalid
from ..graphs.ir import ModelGraph
from .estimate import Finding, MemoryPlan
from .flash import code_bytes, stored_model
from .memory.plan import plan_memory
from .memory.refusal import refusals as allocator_refusals
from .memory.static import static_ram
from .metrics import arena_figure
from .placement import Contents
from .support import allocator_findings, refusals


@dataclass(frozen=True, slots=True)
class Planned:
    """The arena, or why there is none."""

    plan: MemoryPlan | None
    refused: tuple[Finding, ...]
    no_plan: str


def planned(graph: ModelGraph, kernels: ModelGraph, target: Target) -> Planned:
    """The plan of the runtime's own planner; the model as read decides what is refused.

    TFLM runs the model as read, so its shapes are solved by its own kernels; others plan the fused kernels.
    """
    memory = target.runtime.memory
    refused = refusals(graph, target.runtime)
    if memory.planner == "unknown":
        return Planned(None, refused, f"this version has no memory model of {target.runtime.name}")
    is_tflm = memory.persistent in ("tflm", "ahead-of-time")
    if not refused and is_tflm:
        refused = allocator_findings(allocator_refusals(graph))
    if refused:
        return Planned(None, refused, f"{target.runtime.name} refuses the model")
    try:
        plan = plan_memory(graph if is_tflm else kernels, target)
    except PlanInvalid as refusal:
        found = allocator_findings(refusal.faults)
        return Planned(None, found, f"{target.runtime.name} refuses the model")
    return Planned(_with_taken(plan, target.what_if.arena), (), "")


def _with_taken(plan: MemoryPlan, factor: float) -> MemoryPlan:
    """The plan with so many times the bytes that the runtime is found to take for it."""
    taken = plan.taken
    if taken is None or factor == 1.0:
        return plan
    lo, value, hi = (size * factor for size in (taken.lo_bytes, taken.value_bytes, taken.hi_bytes))
    return replace(plan, taken=replace(taken, lo_bytes=lo, value_bytes=value, hi_bytes=hi))


def contents(graph: ModelGraph, target: Target, held: Planned) -> Contents:
    """What has to lie in memory: model and code; arena and the runtime's static data."""
    arena = arena_figure(held.plan, "min_bytes", held.no_plan)
    return Contents(
        stored_model(graph, target), code_bytes(graph, target), arena, static_ram(graph, target), held.plan
    )
