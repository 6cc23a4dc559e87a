"""The headline figures, in the order and under the names that scripts rely on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .estimate import Basis, DutyCycle, Interval, MemoryFit, MemoryPlan, Metric, exact, unknown

ARENA_SOURCES = {
    "tflm-greedy": "TFLM's own allocation rules, replayed to the byte",
    "tflm-ahead-of-time": "TFLM's planner for the head; kernels' data from none to all in RAM",
}


@dataclass(frozen=True, slots=True)
class Headline:
    """The figures of one estimate before they are named."""

    plan: MemoryPlan | None
    no_plan: str  # why there is no plan; "" with one
    ram_bytes: Interval
    flash_bytes: Interval
    latency_s: Interval
    energy_j: Interval
    macs: Interval
    traffic_bytes: Interval
    bandwidth_bytes_per_s: Interval
    cycle: DutyCycle


def arena_figure(plan: MemoryPlan | None, field: str, why_not: str) -> Interval:
    """One byte count of the plan: exact, or what such a plan is found to take; null without one."""
    if plan is None:
        return unknown(why_not)
    if plan.taken is not None and field != "tail_bytes":
        taken = plan.taken
        basis = Basis.CALIBRATED if taken.is_fitted else Basis.ANALYTIC
        return Interval(taken.value_bytes, taken.lo_bytes, taken.hi_bytes, basis, taken.source)
    source = ARENA_SOURCES.get(plan.planner, f"planner {plan.planner}")
    size = getattr(plan, field)
    if plan.inferred:
        text = f"{source}, but for rules worked out from measured totals: {plan.inferred}"
        return Interval(size, size, size, Basis.CALIBRATED, text)
    if plan.tail_range_bytes is None or field == "head_bytes":
        return exact(size, source)
    low, high = (size - plan.tail_bytes + bound for bound in plan.tail_range_bytes)
    return Interval(size, low, high, Basis.ANALYTIC, source)


def name_metrics(headline: Headline, memories: Sequence[MemoryFit]) -> tuple[Metric, ...]:
    """The metrics in contract order: model, traffic and bandwidth of each memory that is used, duty cycle."""
    h = headline
    arena = tuple(
        Metric.of(f"arena_{part}_bytes", "B", arena_figure(h.plan, f"{part}_bytes", h.no_plan))
        for part in ("head", "tail", "used", "min")
    )
    whole = (
        Metric.of("ram_bytes", "B", h.ram_bytes),
        Metric.of("flash_bytes", "B", h.flash_bytes),
        Metric.of("latency_s", "s", h.latency_s),
        Metric.of("energy_j", "J", h.energy_j),
        Metric.of("macs", "MAC", h.macs),
        Metric.of("traffic_bytes", "B", h.traffic_bytes),
        Metric.of("bandwidth_bytes_per_s", "B/s", h.bandwidth_bytes_per_s),
    )
    traffic = tuple(
        Metric.of(f"traffic_bytes.{m.name}", "B", m.traffic_bytes)
        for m in memories
        if m.is_used
    )
    bandwidth = tuple(
        Metric.of(f"bandwidth_bytes_per_s.{m.name}", "B/s", m.bandwidth_needed_bytes_per_s)
        for m in memories
        if m.is_used
    )
    return (*arena, *whole, *traffic, *bandwidth, *_duty_metrics(h.cycle))


def _duty_metrics(cycle: DutyCycle) -> tuple[Metric, ...]:
    """Time against deadline and period, energy of a period, battery life."""
    return (
        Metric.of("response_s", "s", cycle.response_s),
        Metric.of("slack_s", "s", cycle.slack_s),
        Metric.of("cpu_load", "1", cycle.cpu_load),
        Metric.of("sleep_power_w", "W", cycle.sleep_w),
        Metric.of("period_energy_j", "J", cycle.period_j),
        Metric.of("average_power_w", "W", cycle.average_w),
        Metric.of("battery_days", "d", cycle.battery_days),
        Metric.of("crossover_period_s", "s", cycle.crossover_s),
    )
