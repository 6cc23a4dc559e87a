"""How do time and energy of an inference add up over a period: slack, load, average power, battery life?"""

from __future__ import annotations

from ..devices.battery import ASSUMED_USABLE, ASSUMED_USABLE_SOURCE, BatterySpec
from ..devices.target import Target
from .cycle import DutyCycle, Line
from .energy import energy_j
from .given import Conditions, Duty, Step
from .interval import Basis, Interval, total, unknown, weakest
from .sleep import sleep_of, sleep_w

_S_PER_DAY = 86400.0
_NO_DEADLINE = unknown("no deadline was given")
_NO_PERIOD = unknown("no period was given")
_NO_BATTERY = unknown("no battery was given")


def duty_cycle(
    latency_s: Interval, inference_j: Interval, target: Target, conditions: Conditions
) -> DutyCycle:
    """One period: wake-up, steps before, the inference, steps after, sleep.

    period energy = sum of the lines; average power = period energy / period; life = battery / average power.
    """
    duty = conditions.duty
    drawn_w = sleep_w(target, duty)
    lines = awake_lines(latency_s, inference_j, target, duty)
    response_s = total((line.time_s for line in lines), empty_source="nothing runs")
    busy_s = total((line.time_s for line in lines if line.core == "active"), empty_source="nothing runs")
    awake_j = total((line.energy_j for line in lines), empty_source="nothing runs")
    asleep_s = _asleep_s(response_s, duty.period_s)
    asleep_j = _product(drawn_w, asleep_s, "sleep power x time asleep")
    period_j = _period_j(awake_j, asleep_j, response_s, duty.period_s)
    average_w = _per_period(period_j, duty.period_s, "energy of a period / period")
    if duty.period_s is not None:
        lines = (*lines, Line("sleep", "sleep", "sleep", asleep_s, asleep_j))
    return DutyCycle(
        lines, response_s, _slack(conditions.deadline_s, response_s),
        _per_period(busy_s, duty.period_s, "time the core works / period"),
        drawn_w, awake_j, asleep_j, period_j, average_w, _life_days(duty.battery, average_w, target),
        _crossover_s(awake_j, drawn_w),
    )  # fmt: skip


def awake_lines(latency_s: Interval, inference_j: Interval, target: Target, duty: Duty) -> tuple[Line, ...]:
    """What happens in a period in its order, but for sleep."""
    before = [_step_line(step, target, duty) for step in duty.steps if step.when == "pre"]
    after = [_step_line(step, target, duty) for step in duty.steps if step.when == "post"]
    inference = Line("inference", "inference", "active", latency_s, inference_j)
    return (*_wake_lines(target, duty), *before, inference, *after)


def _wake_lines(target: Target, duty: Duty) -> tuple[Line, ...]:
    """The wake-up, where its time is declared; without its energy the core's power is taken."""
    draw = sleep_of(target, duty)
    if duty.period_s is None or draw is None or draw.wake_up_s is None:
        return ()
    source = draw.source or "as declared with the sleep"
    time_s = _stated(draw.wake_up_s, source)
    energy = None if draw.wake_up_j is None else _stated(draw.wake_up_j, source)
    return (Line("wake-up", "pre", "active", time_s, energy or energy_j(time_s, target)),)


def _step_line(step: Step, target: Target, duty: Duty) -> Line:
    """A step with its energy: as declared, else power of the core, or of its sleep, x time."""
    energy = step.energy_j
    if energy is None and step.core == "active":
        energy = energy_j(step.time_s, target)
    elif energy is None:
        energy = _product(sleep_w(target, duty), step.time_s, "sleep power x time")
    return Line(step.name, step.when, step.core, step.time_s, energy)


def _stated(value: float, source: str) -> Interval:
    return Interval(value, value, value, Basis.ANALYTIC, source)


def _slack(deadline_s: float | None, response_s: Interval) -> Interval:
    """slack = deadline - response; below zero the deadline is missed."""
    if deadline_s is None:
        return _NO_DEADLINE
    return _difference(deadline_s, response_s, "deadline - response time")


def _asleep_s(response_s: Interval, period_s: float | None) -> Interval:
    """time asleep = period - response, never below zero."""
    if period_s is None:
        return _NO_PERIOD
    left = _difference(period_s, response_s, "period - response time")
    value, lo, hi = (None if bound is None else max(0.0, bound) for bound in (left.value, left.lo, left.hi))
    return Interval(value, lo, hi, left.basis, left.source, left.reason)


def _period_j(
    awake_j: Interval, asleep_j: Interval, response_s: Interval, period_s: float | None
) -> Interval:
    """Everything awake and the sleep after it; null where the period is too short for it."""
    if period_s is None:
        return _NO_PERIOD
    if response_s.value is not None and response_s.value > period_s:
        return unknown(f"what happens in a period takes longer than the period of {period_s:g} s")
    return awake_j + asleep_j


def _difference(whole: float, part: Interval, source: str) -> Interval:
    """whole - part; of an unknown part the bounds stay."""
    lo, hi = (None if bound is None else whole - bound for bound in (part.hi, part.lo))
    if part.value is None:
        return Interval(None, lo, hi, Basis.UNKNOWN, source, part.reason)
    return Interval(whole - part.value, lo, hi, part.basis, source)


def _product(power_w: Interval, time_s: Interval, source: str) -> Interval:
    """power x time; null with the lower bound of both where either is."""
    lo = None if power_w.lo is None or time_s.lo is None else power_w.lo * time_s.lo
    if power_w.value is None or time_s.value is None or power_w.hi is None or time_s.hi is None:
        reasons = dict.fromkeys(r for r in (power_w.reason, time_s.reason) if r)
        return unknown("; ".join(reasons), at_least=lo, source=source)
    basis = weakest((power_w.basis, time_s.basis))
    text = f"{source}, {power_w.source}" if power_w.source else source
    return Interval(power_w.value * time_s.value, lo, power_w.hi * time_s.hi, basis, text)


def _per_period(part: Interval, period_s: float | None, source: str) -> Interval:
    """part / period, as sure as the part."""
    if period_s is None:
        return _NO_PERIOD
    value, lo, hi = (None if bound is None else bound / period_s for bound in (part.value, part.lo, part.hi))
    return Interval(value, lo, hi, part.basis, source, part.reason)


def usable_j(battery: BatterySpec) -> Interval:
    """energy = capacity x voltage x usable part; an assumed part is an interval."""
    low, value, high = ASSUMED_USABLE if battery.usable is None else (battery.usable,) * 3
    basis = Basis.ANALYTIC if battery.usable is None else Basis.DATASHEET
    source = ASSUMED_USABLE_SOURCE if battery.usable is None else "nominal capacity x declared usable part"
    nominal = battery.nominal_j
    return Interval(nominal * value, nominal * low, nominal * high, basis, source)


def _life_days(battery: BatterySpec | None, average_w: Interval, target: Target) -> Interval:
    """days = usable energy / average power / 86400.

    Where power is unknown its lower bound gives the most days there can be. Between the battery's voltage and
    that of the power figure stands a regulator: lossless for the value; a linear one passes the current on,
    so the worse end is scaled by the ratio of the voltages (the better end where the supply is higher).
    """
    if battery is None:
        return _NO_BATTERY
    held = usable_j(battery)
    worst, best = _regulator_ends(battery, target)
    assert held.value is not None and held.lo is not None and held.hi is not None
    least_w = average_w.lo
    most = held.hi * best / least_w / _S_PER_DAY if least_w is not None and least_w > 0 else None
    if average_w.value is None or average_w.hi is None or average_w.value <= 0 or most is None:
        reason = average_w.reason or "nothing is drawn"
        return unknown(f"average power unknown: {reason}", at_most=most)
    value = held.value / average_w.value / _S_PER_DAY
    lo = held.lo * worst / average_w.hi / _S_PER_DAY
    basis = weakest((held.basis, average_w.basis))
    return Interval(value, lo, most, basis, f"usable energy / average power; {held.source}")


def _regulator_ends(battery: BatterySpec, target: Target) -> tuple[float, float]:
    """What a linear regulator makes of the life at its low and its high end."""
    power = target.power_point
    if power is None or power.supply_v is None or battery.voltage_v is None:
        return 1.0, 1.0
    ratio = power.supply_v / battery.voltage_v
    return min(1.0, ratio), max(1.0, ratio)


def _crossover_s(awake_j: Interval, drawn_w: Interval) -> Interval:
    """T* = energy awake / sleep power: with a longer period sleep takes more than everything else."""
    reasons = [i.reason for i in (awake_j, drawn_w) if i.value is None]
    if reasons:
        return unknown("; ".join(dict.fromkeys(reasons)))
    assert awake_j.value is not None and awake_j.lo is not None and awake_j.hi is not None
    assert drawn_w.value is not None and drawn_w.lo is not None and drawn_w.hi is not None
    if drawn_w.lo <= 0:
        return unknown("nothing is drawn asleep")
    basis = weakest((awake_j.basis, drawn_w.basis))
    return Interval(
        awake_j.value / drawn_w.value, awake_j.lo / drawn_w.hi, awake_j.hi / drawn_w.lo, basis,
        "energy awake / sleep power",
    )  # fmt: skip
