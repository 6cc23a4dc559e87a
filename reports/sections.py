"""What a report is made of: one pure function per section, Estimate -> plain data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from ..simulator.estimate import (
    BudgetCheck,
    Estimate,
    Finding,
    Interval,
    MemoryFit,
    Metric,
    ModelFacts,
    OpEstimate,
    TargetFacts,
    most_urgent_first,
)
from . import format as shown
from .duty_metrics import DUTY_METRICS
from .gauges import LIMIT_LABELS, ROLE_LABELS, metric_of
from .gauges import Gauge as Gauge
from .gauges import gauges as gauges


class _Answer(Protocol):
    """What answers for one model on one target."""

    @property
    def model(self) -> ModelFacts: ...

    @property
    def target(self) -> TargetFacts: ...


def model_line(estimate: _Answer) -> str:
    """ "kws  int8, 13 ops, 2.66 MMAC": what is checked."""
    model = estimate.model
    types = "/".join(model.input_dtypes) or "no input"
    ops = "1 op" if model.op_count == 1 else f"{shown.count(model.op_count)} ops"
    work = "MACs unknown" if model.macs is None else shown.macs(model.macs)
    return f"{shown.clean(model.name) or 'model'}  {types}, {ops}, {work}"


def target_line(estimate: _Answer) -> str:
    """ "my-board  120 MHz  tflm-cmsis-nn (default)": on what."""
    target = estimate.target
    default = " (its default)" if target.runtime_is_default else ""
    return f"{target.device}  {shown.hertz(target.clock_hz)}  {target.runtime}{default}"


def arena_line(estimate: Estimate) -> str:
    """ "declare 98,496 B; arena_used_bytes() prints 98,480 B: head 92,160 + tail 6,320"; "" without TFLM."""
    plan = estimate.plan
    if plan is None or not plan.stages:
        return ""
    temporary = f"; {plan.temporary_bytes:,} B more while {plan.decided_by}" if plan.temporary_bytes else ""
    return (
        f"declare {plan.min_bytes:,} B; used {plan.used_bytes:,} B = head {plan.head_bytes:,} + tail "
        f"{plan.tail_bytes:,}{temporary}"
    )


def verdict_sentence(estimate: Estimate) -> str:
    """Every budget in one sentence, the limiting one first; why the runtime refuses the model if it does."""
    verdict = estimate.verdict
    if verdict.limiting == "runtime" or not verdict.budgets:
        return verdict.sentence
    by_name = {gauge.name: gauge for gauge in gauges(estimate)}
    first = sorted(verdict.budgets, key=lambda check: check.name != verdict.limiting)
    return "; ".join(_budget_clause(check, by_name[check.name]) for check in first)


def _budget_clause(check: BudgetCheck, gauge: Gauge) -> str:
    """ "RAM 98.5 KiB of 640 KiB in sram", with p90 where the need is an interval."""
    role, _, place = check.name.partition(":")
    where = f" in {place}" if place else ""
    high = (
        f" (p90 {shown.amount(gauge.hi, gauge.unit)})"
        if gauge.value is not None and gauge.lo != gauge.hi
        else ""
    )
    return f"{(ROLE_LABELS | LIMIT_LABELS).get(role, role)} {gauge.figure}{where}{high}"


def asked_metrics(estimate: Estimate) -> tuple[Metric, ...]:
    """The figures that somebody asked for: those of deadline and period only where one was given."""
    if estimate.cycle is not None:
        return estimate.metrics
    return tuple(metric for metric in estimate.metrics if metric.name not in DUTY_METRICS)


def ranked_findings(estimate: Estimate) -> tuple[Finding, ...]:
    """Errors first, then warnings; within a severity in the order they were found."""
    return most_urgent_first(estimate.findings)


def deciding_findings(estimate: Estimate, most: int = 5) -> tuple[Finding, ...]:
    """The findings that a reader sees first."""
    return ranked_findings(estimate)[:most]


@dataclass(frozen=True, slots=True)
class Segment:
    """One thing in a memory: kind is weights, code, arena_head, ..., reserved, free."""

    kind: str
    label: str
    size_bytes: float | None
    lo: float | None
    hi: float | None
    basis: str
    source: str


def memory_segments(memory: MemoryFit) -> tuple[Segment, ...]:
    """What lies in a memory from bottom to top, with what is left; an unknown term leaves free unknown."""
    parts = [
        Segment(u.kind, u.kind.replace("_", " "), u.used.value, u.used.lo, u.used.hi, u.used.basis.value,
                u.used.source or u.used.reason)
        for u in memory.used
    ]  # fmt: skip
    parts += [
        Segment("reserved", f"reserved: {r.name}", r.size_bytes, r.size_bytes, r.size_bytes, "", r.source)
        for r in memory.reserved
    ]
    free = free_bytes(memory)
    if free is not None and free < 0:
        parts.append(Segment("missing", "missing", -free, -free, -free, "", "does not fit"))
    elif free is None or free > 0:
        parts.append(Segment("free", "free", free, free, free, "", "what is left"))
    return tuple(parts)


def free_bytes(memory: MemoryFit) -> float | None:
    """budget - everything used; negative is what is missing; None while a term is unknown."""
    used = [use.used.value for use in memory.used]
    known = [value for value in used if value is not None]
    return memory.budget_bytes - sum(known) if len(known) == len(used) else None


def status_counts(ops: Iterable[OpEstimate]) -> dict[str, int]:
    """kernel status -> how many kernels have it."""
    counts: dict[str, int] = {}
    for op in ops:
        counts[op.kernel_status] = counts.get(op.kernel_status, 0) + 1
    return counts


def needed_unknowns(estimate: Estimate) -> tuple[str, ...]:
    """The headline figures that are null: RAM, flash, latency; energy only informs."""
    needed = ("ram_bytes", "flash_bytes", "latency_s")
    return tuple(name for name in needed if (m := metric_of(estimate, name)) is not None and m.value is None)


def interval_text(figure: Interval, unit: str) -> str:
    """ "84.1 ms (71.0–97.0 ms)"; the lower bound or "unknown" where there is no value."""
    if figure.value is None:
        return shown.bounds(figure.lo, figure.hi, unit)
    if figure.lo == figure.hi:
        return shown.amount(figure.value, unit)
    return f"{shown.amount(figure.value, unit)} ({shown.interval(figure.lo, figure.hi, unit)})"
