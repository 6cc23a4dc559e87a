"""How much energy an inference takes: power while the core works, times the time it works."""

from __future__ import annotations

from ..devices.spec import PowerSpec
from ..devices.target import Target
from .interval import Basis, Interval, unknown, weakest

# Constant power per board holds to 5 % on most boards and to 15 % on those that stream weights from flash
# (specs/energy.md, section 1; constant_power_fit.csv).
_CONSTANT_POWER_ERROR = 0.15
# A datasheet's current per MHz is for plain code; kernels draw up to 1.3 times as much (specs/energy.md, 1).
_LOAD_FACTOR = (1.15, 1.0, 1.3)
# A measured power at another clock: part of it does not follow the clock.
_STATIC_FRACTION = 0.3
_MEASURED = ("measured", "primary")


def energy_j(latency_s: Interval, target: Target) -> Interval:
    """energy = power x time; null where either is unknown."""
    power = target.device.power
    if power is None:
        return unknown(f"no power figure for {target.device.name}")
    if latency_s.value is None or latency_s.lo is None or latency_s.hi is None:
        return unknown(f"latency unknown: {latency_s.reason}")
    watts = active_power_w(power, target.clock_hz)
    if watts.value is None or watts.lo is None or watts.hi is None:
        return watts
    return Interval(
        watts.value * latency_s.value, watts.lo * latency_s.lo, watts.hi * latency_s.hi,
        weakest((watts.basis, latency_s.basis)), f"power x time, {watts.source}",
    )  # fmt: skip


def active_power_w(power: PowerSpec, clock_hz: float) -> Interval:
    """Power at this clock: measured, in proportion to the clock; else power per clock of the datasheet."""
    boundary = f"power of the {power.boundary}: {power.source}"
    if power.active_w is not None and power.at_clock_hz is not None:
        return _measured_power_w(power, clock_hz, boundary)
    assert power.active_w_per_hz is not None
    watts = power.active_w_per_hz * clock_hz
    value, lo, hi = (watts * factor for factor in _LOAD_FACTOR)
    return Interval(value, lo, hi, Basis.DATASHEET, f"{boundary}, times 1.0 to 1.3 for the kernels' load")


def _measured_power_w(power: PowerSpec, clock_hz: float, boundary: str) -> Interval:
    """active x clock / at_clock, +-15 %; away from that clock up to 30 % of the power may not follow it."""
    assert power.active_w is not None and power.at_clock_hz is not None
    ratio = clock_hz / power.at_clock_hz
    lo_w, hi_w = power.active_w_lo or power.active_w, power.active_w_hi or power.active_w
    steady = _STATIC_FRACTION + (1 - _STATIC_FRACTION) * ratio
    lo = min(lo_w, power.active_w) * min(ratio, steady) * (1 - _CONSTANT_POWER_ERROR)
    hi = max(hi_w, power.active_w) * max(ratio, steady) * (1 + _CONSTANT_POWER_ERROR)
    known = power.confidence in _MEASURED
    basis = (Basis.CALIBRATED if ratio == 1.0 else Basis.ANALYTIC) if known else Basis.ANALYTIC
    if power.confidence == "datasheet":
        basis = Basis.DATASHEET
    scaled = "" if ratio == 1.0 else f", scaled from {power.at_clock_hz / 1e6:g} MHz"
    return Interval(power.active_w * ratio, lo, hi, basis, boundary + scaled)
