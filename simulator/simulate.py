"""simulate(graph, target) -> Estimate: the only conductor."""

from __future__ import annotations

from time import perf_counter

from ..devices.target import Target
from ..graphs.ir import ModelGraph
from ..graphs.passes.fusion import fuse
from ..graphs.static_shapes import with_static_shapes
from .assumptions import assumptions_of, duty_assumptions, passed_checks, state_assumptions
from .bandwidth import required_bandwidth
from .duty import duty_cycle
from .duty_findings import duty_findings
from .encoding_findings import decoding_findings, raw_findings
from .encodings.stored import as_stored
from .energy import energy_j
from .estimate import (
    Conditions,
    Estimate,
    FusionTraffic,
    most_urgent_first,
    total,
)
from .facts import model_facts, target_facts
from .findings import (
    arena_home_findings,
    bound_findings,
    code_findings,
    copy_findings,
    dropped_findings,
    op_findings,
    plan_findings,
    target_findings,
)
from .firmware_findings import firmware_findings
from .fit import memory_fits
from .latency import kernel_cycles
from .metrics import Headline, name_metrics
from .needs import contents, planned
from .rows import op_rows, total_latency_s, total_macs
from .startup import copy_s
from .traffic import TrafficColumns, kernel_traffic
from .verdict import budget_findings, decide, limit_budgets, memory_budgets, time_budgets
from .weight_findings import weight_findings
from .work_graph import drops_channels, work_graph
from .workload import compile_table


def simulate(graph: ModelGraph, target: Target, conditions: Conditions | None = None) -> Estimate:
    """What the model needs on the target, against what the target has.

    Args:
        conditions: deadline, reservations, headroom; none by default.
    """
    begin = perf_counter()
    given = conditions or Conditions()
    model, graph = graph, as_stored(graph, target)
    solved = with_static_shapes(graph)
    fusion = fuse(solved, target.runtime.fusion)
    held = planned(graph, fusion.graph, target)
    planned_s = perf_counter() - begin
    worked = work_graph(solved, target) if drops_channels(target) else fusion.graph
    whole = compile_table(fusion.graph, target.kernels)
    table = whole if worked is fusion.graph else compile_table(worked, target.kernels)
    traffic, cycles = kernel_traffic(table, target), kernel_cycles(table, target)
    latency_s = total_latency_s(table, cycles, target.clock_hz)
    ops = op_rows(worked.main, table, target, cycles=cycles, traffic=traffic, plan=held.plan)
    needed = contents(graph, target, held)
    memories = memory_fits(target, needed, columns=traffic, latency_s=latency_s, conditions=given)
    moved = total((m.traffic_bytes for m in memories if m.is_used), empty_source="no memory is used")
    inference_j = energy_j(latency_s, target)
    cycle = duty_cycle(latency_s, inference_j, target, given)
    headline = Headline(
        held.plan, held.no_plan, needed.arena + needed.static, needed.model + needed.code,
        latency_s, inference_j, total_macs(whole), moved,
        required_bandwidth(moved, latency_s), cycle,
    )  # fmt: skip
    whole_needs = {"ram": headline.ram_bytes, "flash": headline.flash_bytes, "energy": inference_j}
    budgets = (
        *memory_budgets(memories, tight_headroom=given.tight_headroom),
        *time_budgets(cycle, given),
        *limit_budgets(whole_needs, given),
    )
    findings = (
        *held.refused,
        *budget_findings(budgets),
        *duty_findings(cycle, ops, budgets, target=target, conditions=given),
        *arena_home_findings(target, budgets, memories),
        *firmware_findings(given, needed.arena, needed.code),
        *op_findings(ops),
        *plan_findings(held.plan, ops),
        *bound_findings(ops),
        *copy_findings(target, copy_s(target, needed)),
        *code_findings(graph, target, budgets),
        *raw_findings(model, target),
        *decoding_findings(model, graph, target, plan=held.plan, ops=ops),
        *dropped_findings(table, whole, target),
        *weight_findings(table, target),
        *target_findings(target, latency_s, headline.energy_j),
    )
    return Estimate(
        model=model_facts(model, headline.macs),
        target=target_facts(target),
        verdict=decide(budgets, held.refused),
        metrics=name_metrics(headline, memories),
        memories=memories,
        ops=ops,
        plan=held.plan,
        fusion=fusion.effect,
        findings=most_urgent_first(findings),
        assumptions=(
            *assumptions_of(target, given),
            *state_assumptions(graph, target),
            *duty_assumptions(target, given),
        ),
        conditions=given,
        passed=passed_checks(held.refused, budgets),
        timings_s={"plan": planned_s, "total": perf_counter() - begin},
        cycle=cycle if given.deadline_s is not None or given.duty.is_given else None,
        fusion_traffic=_fusion_traffic(solved, fusion.graph, target, traffic),
    )


def _fusion_traffic(
    unfused: ModelGraph, fused: ModelGraph, target: Target, traffic: TrafficColumns
) -> FusionTraffic:
    """Per memory, every op as a kernel of its own against the kernels that run."""
    after = traffic.by_memory()
    if fused is unfused:
        return FusionTraffic(after, after)
    return FusionTraffic(kernel_traffic(compile_table(unfused, target.kernels), target).by_memory(), after)
