"""What a report is made of: one pure function per section, Estimate -> plain data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..simulator.estimate import (
    BudgetCheck,
    Estimate,
    Finding,
    Interval,
    MemoryFit,
    Metric,
    OpEstimate,
    Word,
    most_urgent_first,
)
from . import format as shown

_ROLE_LABELS = {"ram": "RAM", "flash": "flash"}


@dataclass(frozen=True, slots=True)
class Gauge:
    """One bar: a figure, its p10..p90, and what it is held against.

    `limit` is the budget; None is a figure without one. `capacity` is the budget plus what is reserved.
    """

    label: str
    name: str
    unit: str
    value: float | None
    lo: float | None
    hi: float | None
    limit: float | None
    capacity: float | None
    basis: str
    source: str
    reason: str
    word: Word | None

    @property
    def figure(self) -> str:
        """ "23.7 KiB of 26.0 KiB"; the lower bound where only that is known."""
        if self.value is None:
            bound = f" (at least {shown.amount(self.lo, self.unit)})" if self.lo else ""
            of = "" if self.limit is None else f" of {shown.amount(self.limit, self.unit)}"
            return f"{shown.UNKNOWN}{bound}{of}"
        if self.limit is None:
            return shown.amount(self.value, self.unit)
        need, budget = shown.need_of(self.value, self.limit, self.unit)
        return f"{need} of {budget}"

    @property
    def spread(self) -> str:
        """The p10 to p90 as text; "" for a counted figure."""
        if self.value is None or self.lo == self.hi:
            return ""
        return shown.interval(self.lo, self.hi, self.unit)


def model_line(estimate: Estimate) -> str:
    """ "kws  int8, 13 ops, 2.66 MMAC": what is checked."""
    model = estimate.model
    types = "/".join(model.input_dtypes) or "no input"
    ops = "1 op" if model.op_count == 1 else f"{shown.count(model.op_count)} ops"
    work = "MACs unknown" if model.macs is None else shown.macs(model.macs)
    return f"{shown.clean(model.name) or 'model'}  {types}, {ops}, {work}"


def target_line(estimate: Estimate) -> str:
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
    return f"{_ROLE_LABELS.get(role, role)} {gauge.figure}{where}{high}"


def gauges(estimate: Estimate) -> tuple[Gauge, ...]:
    """RAM, flash, latency and energy, against their budgets where there are any."""
    budgets = {check.name: check for check in estimate.verdict.budgets}
    memories = [b for b in budgets.values() if b.name.partition(":")[0] in _ROLE_LABELS]
    ordered = sorted(memories, key=lambda b: b.name.partition(":")[0] != "ram")
    found: list[Gauge | None] = [_memory_gauge(estimate, check, ordered) for check in ordered]
    roles = {check.name.partition(":")[0] for check in memories}
    for role, metric in (("ram", "ram_bytes"), ("flash", "flash_bytes")):
        if role not in roles:
            found.append(_metric_gauge(_ROLE_LABELS[role], _metric(estimate, metric)))
    latency = budgets.get("latency")
    if latency is not None:
        found.append(_budget_gauge("latency", latency, latency.budget))
    else:
        found.append(_metric_gauge("latency", _metric(estimate, "latency_s")))
    found.append(_metric_gauge("energy", _metric(estimate, "energy_j")))
    return tuple(gauge for gauge in found if gauge is not None)


def _memory_gauge(estimate: Estimate, check: BudgetCheck, all_checks: list[BudgetCheck]) -> Gauge:
    role, _, name = check.name.partition(":")
    alone = sum(other.name.startswith(f"{role}:") for other in all_checks) == 1
    label = _ROLE_LABELS[role] if alone else f"{_ROLE_LABELS[role]} {name}"
    capacity = next((float(m.capacity_bytes) for m in estimate.memories if m.name == name), check.budget)
    return _budget_gauge(label, check, capacity)


def _budget_gauge(label: str, check: BudgetCheck, capacity: float) -> Gauge:
    need = check.need
    return Gauge(
        label, check.name, check.unit, need.value, need.lo, need.hi, check.budget, capacity,
        need.basis.value, need.source, need.reason, check.word,
    )  # fmt: skip


def _metric_gauge(label: str, metric: Metric | None) -> Gauge | None:
    if metric is None:
        return None
    m = metric
    return Gauge(
        label, m.name, m.unit, m.value, m.lo, m.hi, None, None, m.basis.value, m.source, m.reason, None
    )  # fmt: skip


def _metric(estimate: Estimate, name: str) -> Metric | None:
    return next((metric for metric in estimate.metrics if metric.name == name), None)


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
    return tuple(name for name in needed if (m := _metric(estimate, name)) is not None and m.value is None)


def interval_text(figure: Interval, unit: str) -> str:
    """ "84.1 ms (71.0–97.0 ms)"; the lower bound or "unknown" where there is no value."""
    if figure.value is None:
        return f"≥ {shown.amount(figure.lo, unit)}" if figure.lo else shown.UNKNOWN
    if figure.lo == figure.hi:
        return shown.amount(figure.value, unit)
    return f"{shown.amount(figure.value, unit)} ({shown.interval(figure.lo, figure.hi, unit)})"
