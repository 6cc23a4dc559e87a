"""simulate(graph, target) -> Estimate: the only conductor."""

from __future__ import annotations

from time import perf_counter

from ..devices.target import Target
from ..graphs.ir import ModelGraph
from .assumptions import assumptions_of, duty_assumptions, passed_checks, state_assumptions
from .duty_findings import duty_findings
from .encoding_findings import decoding_findings, raw_findings
from .estimate import (
    Conditions,
    Estimate,
    FusionTraffic,
    most_urgent_first,
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
from .metrics import name_metrics
from .outcome import made_ready, outcome
from .rows import op_rows
from .startup import copy_s
from .traffic import TrafficColumns, kernel_traffic
from .verdict import budget_findings
from .weight_findings import weight_findings
from .workload import compile_table


def simulate(graph: ModelGraph, target: Target, conditions: Conditions | None = None) -> Estimate:
    """What the model needs on the target, against what the target has.

    Args:
        conditions: deadline, reservations, headroom; none by default.
    """
    begin = perf_counter()
    given = conditions or Conditions()
    ready = made_ready(graph, target)
    planned_s = perf_counter() - begin
    found = outcome(ready, target, given)
    held, headline, table = ready.held, found.headline, ready.table
    ops = op_rows(
        ready.worked.main, table, target, cycles=found.cycles, traffic=found.traffic, plan=held.plan
    )
    findings = (
        *held.refused,
        *budget_findings(found.budgets),
        *duty_findings(headline.cycle, ops, found.budgets, target=target, conditions=given),
        *arena_home_findings(target, found.budgets, found.memories),
        *firmware_findings(given, found.needed.arena, found.needed.code),
        *op_findings(ops),
        *plan_findings(held.plan, ops),
        *bound_findings(ops),
        *copy_findings(target, copy_s(target, found.needed)),
        *code_findings(ready.graph, target, found.budgets),
        *raw_findings(graph, target),
        *decoding_findings(graph, ready.graph, target, plan=held.plan, ops=ops),
        *dropped_findings(table, ready.whole, target),
        *weight_findings(table, target),
        *target_findings(target, headline.latency_s, headline.energy_j),
    )
    return Estimate(
        model=model_facts(graph, headline.macs),
        target=target_facts(target),
        verdict=found.verdict,
        metrics=name_metrics(headline, found.memories),
        memories=found.memories,
        ops=ops,
        plan=held.plan,
        fusion=ready.fusion.effect,
        findings=most_urgent_first(findings),
        assumptions=(
            *assumptions_of(target, given),
            *state_assumptions(ready.graph, target),
            *duty_assumptions(target, given),
        ),
        conditions=given,
        passed=passed_checks(held.refused, found.budgets),
        timings_s={"plan": planned_s, "total": perf_counter() - begin},
        cycle=headline.cycle if given.deadline_s is not None or given.duty.is_given else None,
        fusion_traffic=_fusion_traffic(ready.solved, ready.fusion.graph, target, found.traffic),
    )


def _fusion_traffic(
    unfused: ModelGraph, fused: ModelGraph, target: Target, traffic: TrafficColumns
) -> FusionTraffic:
    """Per memory, every op as a kernel of its own against the kernels that run."""
    after = traffic.by_memory()
    if fused is unfused:
        return FusionTraffic(after, after)
    return FusionTraffic(kernel_traffic(compile_table(unfused, target.kernels), target).by_memory(), after)
