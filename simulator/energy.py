"""How much energy an inference takes: power while the core works, times the time it works."""

from __future__ import annotations

from ..devices.target import Target
from .interval import Interval, unknown, weakest
from .power import power_at


def energy_j(latency_s: Interval, target: Target) -> Interval:
    """energy = power x time; null where either is unknown."""
    return energy_at(latency_s, power_w(target))


def energy_at(latency_s: Interval, power_w: Interval) -> Interval:
    """energy = power x time of a power that is known already; one power makes energies that add up."""
    if latency_s.value is None or latency_s.lo is None or latency_s.hi is None:
        return unknown(f"latency unknown: {latency_s.reason}")
    if power_w.value is None or power_w.lo is None or power_w.hi is None:
        return power_w
    return Interval(
        power_w.value * latency_s.value, power_w.lo * latency_s.lo, power_w.hi * latency_s.hi,
        weakest((power_w.basis, latency_s.basis)), f"power x time, {power_w.source}",
    )  # fmt: skip


def power_w(target: Target) -> Interval:
    """Power while this target's kernels run, at its clock and supply."""
    if target.device.power is None:
        return unknown(f"no power figure for {target.device.name}")
    return power_at(target.power_point, target.operating_point)
