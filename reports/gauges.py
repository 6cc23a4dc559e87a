"""Which figures does a report show first, each with what it is held against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..simulator.estimate import BudgetCheck, Estimate, Line, Metric, Word
from . import format as shown

ROLE_LABELS = {"ram": "RAM", "flash": "flash"}
LIMIT_LABELS = {"ram limit": "RAM limit", "flash limit": "flash limit", "energy limit": "energy limit"}
_LONGEST_STEP = 14
_NO_BUDGET = "no budget was given"


@dataclass(frozen=True, slots=True)
class Gauge:
    """One bar: a figure, its p10..p90, and what it is held against.

    `limit` is the budget; None is a figure without one, and `note` says what it is instead.
    `capacity` is the budget plus what is reserved.
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
    note: str = _NO_BUDGET

    @property
    def figure(self) -> str:
        """ "23.7 KiB of 26.0 KiB"; the lower bound where only that is known."""
        if self.value is None:
            bound = shown.bound_words(self.lo, self.hi, self.unit)
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


_BOUNDARIES = {"core": "core", "mcu": "MCU", "board": "board"}


def energy_label(estimate: Estimate) -> str:
    """ "energy (MCU)": the figure with what it is measured at."""
    boundary = _BOUNDARIES.get(estimate.target.power_boundary, "")
    return f"energy ({boundary})" if boundary else "energy"


def gauges(estimate: Estimate) -> tuple[Gauge, ...]:
    """RAM, flash, time and energy, against their budgets where there are any."""
    budgets = {check.name: check for check in estimate.verdict.budgets}
    memories = [b for b in budgets.values() if b.name.partition(":")[0] in ROLE_LABELS]
    ordered = sorted(memories, key=lambda b: b.name.partition(":")[0] != "ram")
    found: list[Gauge | None] = [_memory_gauge(estimate, check, ordered) for check in ordered]
    roles = {check.name.partition(":")[0] for check in memories}
    for role, metric in (("ram", "ram_bytes"), ("flash", "flash_bytes")):
        if role not in roles:
            found.append(_metric_gauge(ROLE_LABELS[role], metric_of(estimate, metric)))
    found += _time_gauges(estimate, budgets)
    found.append(_metric_gauge(energy_label(estimate), metric_of(estimate, "energy_j")))
    found += [
        _budget_gauge(label, budgets[name], budgets[name].budget)
        for name, label in LIMIT_LABELS.items()
        if name in budgets
    ]
    found += _battery_gauges(estimate)
    return tuple(gauge for gauge in found if gauge is not None)


def _time_gauges(estimate: Estimate, budgets: Mapping[str, BudgetCheck]) -> list[Gauge | None]:
    """The inference, the declared steps, and all of it against deadline and period, with slack and load."""
    steps = declared_lines(estimate)
    deadline, period = budgets.get("latency"), budgets.get("period")
    found: list[Gauge | None] = []
    if deadline is None or steps:
        note = "of the inference alone" if steps or period else _NO_BUDGET
        found.append(_metric_gauge("latency", metric_of(estimate, "latency_s"), note))
    found += [_line_gauge(line) for line in steps]
    if deadline is not None:
        found.append(_budget_gauge("in all" if steps else "latency", deadline, deadline.budget))
        found.append(_metric_gauge("slack", metric_of(estimate, "slack_s"), "what is left of the deadline"))
    elif steps:
        found.append(_metric_gauge("in all", metric_of(estimate, "response_s")))
    if period is not None:
        found.append(_budget_gauge("period", period, period.budget))
        load = metric_of(estimate, "cpu_load")
        found.append(_metric_gauge("CPU load", load, "the part of the period in which it works"))
    return found


def _battery_gauges(estimate: Estimate) -> list[Gauge | None]:
    """Average power where a period was given, and how long the battery lasts."""
    duty = estimate.conditions.duty
    found = []
    if duty.period_s is not None:
        average = metric_of(estimate, "average_power_w")
        found.append(_metric_gauge("average", average, "energy of a period, sleep included / period"))
    if duty.battery is not None:
        held = f"on {shown.joules(duty.battery.nominal_j)} of nominal energy"
        found.append(_metric_gauge("battery", metric_of(estimate, "battery_days"), held))
    return found


def declared_lines(estimate: Estimate) -> tuple[Line, ...]:
    """What is declared to happen before and after the inference."""
    lines = () if estimate.cycle is None else estimate.cycle.lines
    return tuple(line for line in lines if line.when in ("pre", "post"))


def _line_gauge(line: Line) -> Gauge:
    i, label = line.time_s, shown.short(shown.clean(line.name), _LONGEST_STEP)
    order = "before" if line.when == "pre" else "after"
    note = f"{order} the inference{', the core asleep' if line.core == 'sleep' else ''}"
    return Gauge(
        f"+ {label}", f"step:{line.name}", "s", i.value, i.lo, i.hi, None, None,
        i.basis.value, i.source, i.reason, None, note,
    )  # fmt: skip


def _memory_gauge(estimate: Estimate, check: BudgetCheck, all_checks: list[BudgetCheck]) -> Gauge:
    role, _, name = check.name.partition(":")
    alone = sum(other.name.startswith(f"{role}:") for other in all_checks) == 1
    label = ROLE_LABELS[role] if alone else f"{ROLE_LABELS[role]} {name}"
    capacity = next((float(m.capacity_bytes) for m in estimate.memories if m.name == name), check.budget)
    return _budget_gauge(label, check, capacity)


def _budget_gauge(label: str, check: BudgetCheck, capacity: float) -> Gauge:
    need = check.need
    return Gauge(
        label, check.name, check.unit, need.value, need.lo, need.hi, check.budget, capacity,
        need.basis.value, need.source, need.reason, check.word,
    )  # fmt: skip


def _metric_gauge(label: str, metric: Metric | None, note: str = _NO_BUDGET) -> Gauge | None:
    if metric is None:
        return None
    m = metric
    return Gauge(
        label, m.name, m.unit, m.value, m.lo, m.hi, None, None, m.basis.value, m.source, m.reason, None, note
    )  # fmt: skip


def metric_of(estimate: Estimate, name: str) -> Metric | None:
    return next((metric for metric in estimate.metrics if metric.name == name), None)
