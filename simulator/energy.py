"""How much energy an inference takes: power while the core works, times the time it works."""

from __future__ import annotations

from typing import TypeVar

from ..devices.target import Target
from .columns import Floats
from .interval import Interval, unknown, weakest
from .power import power_at

_Seconds = TypeVar("_Seconds", float, Floats)


def energy_j(latency_s: Interval, target: Target) -> Interval:
    """energy = power x time; null where either is unknown."""
    return energy_at(latency_s, power_w(target))


def energy_at(latency_s: Interval, power_w: Interval) -> Interval:
    """energy = power x time of a power that is known already; one power makes energies that add up."""
    if latency_s.value is None or latency_s.lo is None or latency_s.hi is None:
        return unknown(no_latency(latency_s.reason))
    if power_w.value is None:
        return power_w
    value, lo, hi = energy_ends(power_w, latency_s.value, latency_s.lo, latency_s.hi)
    return Interval(value, lo, hi, weakest((power_w.basis, latency_s.basis)), energy_source(power_w))


def energy_ends(
    power_w: Interval, value_s: _Seconds, lo_s: _Seconds, hi_s: _Seconds
) -> tuple[_Seconds, _Seconds, _Seconds]:
    """Value, low and high end of a known power x times."""
    assert power_w.value is not None and power_w.lo is not None and power_w.hi is not None
    return power_w.value * value_s, power_w.lo * lo_s, power_w.hi * hi_s


def energy_source(power_w: Interval) -> str:
    return f"power x time, {power_w.source}"


def no_latency(reason: str) -> str:
    """Why there is no energy where there is no latency."""
    return f"latency unknown: {reason}"


def power_w(target: Target) -> Interval:
    """Power while this target's kernels run, at its clock and supply."""
    if target.device.power is None:
        return unknown(f"no power figure for {target.device.name}")
    return power_at(target.power_point, target.operating_point)
