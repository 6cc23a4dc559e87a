"""Energy is power times time; without a power figure it is unknown."""

from __future__ import annotations

from dataclasses import replace

import pytest
from preflash.devices.catalog import load_target
from preflash.devices.spec import PowerSpec
from preflash.devices.target import Target
from preflash.simulator.energy import active_power_w, energy_j
from preflash.simulator.interval import Basis, Interval, unknown

TARGET = load_target("nucleo-l4r5zi")
LATENCY = Interval(0.1, 0.09, 0.12, Basis.CALIBRATED, "test")


def powered(clock_hz: float = 120e6, **fields: object) -> Target:
    power = PowerSpec.model_validate({"source": "test", "confidence": "measured", **fields})
    return replace(TARGET, device=TARGET.device.model_copy(update={"power": power}), clock_hz=clock_hz)


MEASURED = {"active": "40 mW", "at_clock": "120 MHz"}


def test_energy_at_the_measured_clock_is_power_times_time() -> None:
    found = energy_j(LATENCY, powered(**MEASURED))
    assert found.value == pytest.approx(0.040 * 0.1)
    assert found.lo == pytest.approx(0.040 * 0.85 * 0.09)
    assert found.hi == pytest.approx(0.040 * 1.15 * 0.12)
    assert found.basis is Basis.CALIBRATED


def test_half_the_clock_takes_half_the_power_or_more() -> None:
    full, half = (active_power_w(powered(**MEASURED).device.power, hz) for hz in (120e6, 60e6))
    assert full.value is not None and half.value == pytest.approx(full.value / 2)
    assert half.hi == pytest.approx((0.3 + 0.7 / 2) * 0.040 * 1.15)
    assert half.basis is Basis.ANALYTIC
    assert "scaled from 120 MHz" in half.source


def test_a_datasheet_figure_is_taken_up_to_1_3_times() -> None:
    found = energy_j(LATENCY, powered(active_per_clock="100 uW/MHz", confidence="datasheet"))
    watts = 100e-6 * 120
    assert (found.lo, found.hi) == (pytest.approx(watts * 0.09), pytest.approx(watts * 1.3 * 0.12))
    assert found.basis is Basis.DATASHEET


def test_the_boundary_is_part_of_the_source() -> None:
    assert "power of the board" in energy_j(LATENCY, powered(**MEASURED, boundary="board")).source


def test_measured_bounds_widen_the_interval() -> None:
    narrow, wide = (
        energy_j(LATENCY, powered(**MEASURED, **more))
        for more in ({}, {"active_low": "30 mW", "active_high": "60 mW"})
    )
    assert wide.lo is not None and narrow.lo is not None and wide.lo < narrow.lo
    assert wide.hi is not None and narrow.hi is not None and wide.hi > narrow.hi


def test_no_power_figure_is_no_energy() -> None:
    bare = replace(TARGET, device=TARGET.device.model_copy(update={"power": None}))
    found = energy_j(LATENCY, bare)
    assert found.value is None
    assert "no power figure" in found.reason


def test_an_unknown_latency_is_no_energy() -> None:
    found = energy_j(unknown("no cost model for X"), powered(**MEASURED))
    assert found.value is None
    assert "no cost model for X" in found.reason
