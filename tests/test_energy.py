"""Energy is power times time; without a power figure it is unknown."""

from __future__ import annotations

from dataclasses import replace

import pytest
from preflash.devices.catalog import load_target
from preflash.devices.power import PowerSpec
from preflash.devices.target import Target
from preflash.graphs.zoo import build
from preflash.simulator.energy import energy_j, power_w
from preflash.simulator.interval import Basis, Interval, unknown
from preflash.simulator.power import shipped_spreads
from preflash.simulator.simulate import simulate

TARGET = load_target("nucleo-l4r5zi")
LATENCY = Interval(0.1, 0.09, 0.12, Basis.CALIBRATED, "test")
STEP = shipped_spreads()


def powered(clock_hz: float = 120e6, **fields: object) -> Target:
    power = PowerSpec.model_validate({"source": "test", "confidence": "measured", **fields})
    return replace(TARGET, device=TARGET.device.model_copy(update={"power": power}), clock_hz=clock_hz)


MEASURED = {"active": "40 mW", "at_clock": "120 MHz"}


def test_energy_at_the_measured_clock_is_power_times_time() -> None:
    found = energy_j(LATENCY, powered(**MEASURED))
    assert found.value == pytest.approx(0.040 * 0.1)
    assert found.lo == pytest.approx(0.040 * STEP["network"].lo * 0.09)
    assert found.hi == pytest.approx(0.040 * STEP["network"].hi * 0.12)
    assert found.basis is Basis.CALIBRATED


def test_half_the_clock_takes_half_the_power_between_what_boards_show() -> None:
    full, half = (power_w(powered(hz, **MEASURED)) for hz in (120e6, 60e6))
    low, high = (0.5 ** STEP["clock"].hi, 0.5 ** STEP["clock"].lo)
    assert full.value is not None and half.value == pytest.approx(full.value / 2)
    assert full.lo is not None and half.lo == pytest.approx(full.lo * low)
    assert full.hi is not None and half.hi == pytest.approx(full.hi * high)
    assert half.basis is Basis.ANALYTIC
    assert "scaled from 120 MHz" in half.source


def test_a_datasheet_figure_is_taken_times_the_load_that_boards_show() -> None:
    found = energy_j(LATENCY, powered(active_per_clock="100 uW/MHz", confidence="datasheet"))
    watts, load = 100e-6 * 120, STEP["load"]
    assert found.value == pytest.approx(watts * load.value * 0.1)
    assert (found.lo, found.hi) == (
        pytest.approx(watts * load.lo * 0.09),
        pytest.approx(watts * load.hi * 0.12),
    )
    assert found.basis is Basis.DATASHEET


@pytest.mark.parametrize(
    ("boundary", "said"), [("core", "core rail"), ("mcu", "MCU supply"), ("board", "whole board")]
)
def test_the_boundary_is_part_of_the_source(boundary: str, said: str) -> None:
    assert f"power of the {said}" in energy_j(LATENCY, powered(**MEASURED, boundary=boundary)).source


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


@pytest.mark.parametrize("supply", [None, "3V", "3.3V smps"])
def test_the_energies_of_the_kernels_add_up_to_the_whole(supply: str | None) -> None:
    estimate = simulate(build("kws01", dtype="int8"), load_target("nucleo-l4r5zi", supply=supply))
    whole = estimate.metric("energy_j")
    assert sum(op.energy_j.value or 0 for op in estimate.ops) == pytest.approx(whole.value)
    assert sum(op.energy_j.hi or 0 for op in estimate.ops) == pytest.approx(whole.hi)


def test_the_estimate_says_what_its_energy_is_measured_at() -> None:
    facts = simulate(build("kws01", dtype="int8"), load_target("nucleo-f446re")).target
    assert (facts.power_boundary, facts.supply) == ("board", "")
    facts = simulate(build("kws01", dtype="int8"), TARGET).target
    assert (facts.power_boundary, facts.supply) == ("mcu", "1.8 V LDO")
