"""What is drawn between two inferences: as declared, else as the device file has it, else unknown."""

from __future__ import annotations

from ..devices.sleep import DeclaredSleep, SleepDraw, SleepSpec
from ..devices.target import Target
from .given import Duty
from .interval import Basis, Interval, unknown

_BASIS = {"datasheet": Basis.DATASHEET, "measured": Basis.MEASURED, "primary": Basis.MEASURED}


def sleep_of(target: Target, duty: Duty) -> DeclaredSleep | SleepSpec | None:
    """The declared sleep, else the device's; None where neither is known."""
    if duty.sleep is not None:
        return duty.sleep
    power = target.device.power
    return None if power is None else power.sleep


def sleep_w(target: Target, duty: Duty) -> Interval:
    """power = current x supply, or as stated; null where nobody states it."""
    draw = sleep_of(target, duty)
    if draw is None:
        return unknown(f"the sleep current of {target.device.name} is not known: give it with --sleep")
    volts = 1.0 if draw.power_w is not None else _supply_v(draw, target, duty)
    if volts is None:
        return unknown("the sleep current has no voltage: write it like 3uA@3V")
    said = (draw.power_w, draw.power_w_lo, draw.power_w_hi)
    if draw.power_w is None:
        said = (draw.current_a, draw.current_a_lo, draw.current_a_hi)
    value, low, high = said
    assert value is not None
    state = f"asleep in {draw.state}" if draw.state else "asleep"
    source = f"{state}: {draw.source or 'declared'}"
    lo, hi = value if low is None else low, value if high is None else high
    return Interval(value * volts, lo * volts, hi * volts, _basis(draw), source)


def _supply_v(draw: SleepDraw, target: Target, duty: Duty) -> float | None:
    """The voltage that the current was stated at, else the device's supply, else the battery's."""
    power = target.power_point
    supplies = (draw.supply_v, None if power is None else power.supply_v,
                None if duty.battery is None else duty.battery.voltage_v)  # fmt: skip
    return next((volts for volts in supplies if volts is not None), None)


def _basis(draw: DeclaredSleep | SleepSpec) -> Basis:
    if isinstance(draw, SleepSpec):
        return _BASIS.get(draw.confidence, Basis.ANALYTIC)
    return Basis.MEASURED if draw.measured else Basis.ANALYTIC
