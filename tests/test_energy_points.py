"""Which operating point stands for the one asked: supply, regulator, clock, runtime."""

from __future__ import annotations

import pytest
from preflash.devices.catalog import load_device, load_target
from preflash.devices.operating_point import Asked, chosen_point
from preflash.devices.power import PowerPoint, PowerSpec
from preflash.devices.supply import Supply, parse_supply
from preflash.errors import PreflashError, TargetInvalid, UnitInvalid
from preflash.graphs.zoo import build
from preflash.simulator.energy import power_w
from preflash.simulator.interval import Basis
from preflash.simulator.power import active_power_w, shipped_spreads
from preflash.simulator.simulate import simulate
from pydantic import ValidationError

CITED = {"source": "test", "confidence": "measured"}


def point(
    active: str = "40 mW", supply: str | None = None, regulator: str = "", **more: str
) -> dict[str, str]:
    fields = CITED | {"active": active, "at_clock": "100 MHz", "regulator": regulator} | more
    return fields | ({"supply": supply} if supply else {})


def block(first: dict[str, str], *others: dict[str, str]) -> PowerSpec:
    return PowerSpec.model_validate({**first, "point": [PowerPoint.model_validate(p) for p in others]})


def watts(power: PowerSpec, supply: str | None = None, runtime: str = "", clock_hz: float = 100e6) -> float:
    asked = Asked(clock_hz, None if supply is None else parse_supply(supply), runtime)
    value = active_power_w(power, asked).value
    assert value is not None
    return value


def test_an_ldo_takes_the_same_current_at_another_supply() -> None:
    assert watts(block(point(supply="1.8 V", regulator="ldo")), "3.6V") == pytest.approx(0.080)


def test_a_converter_takes_the_same_power_at_another_supply() -> None:
    assert watts(block(point(supply="1.8 V", regulator="smps")), "3.6V") == pytest.approx(0.040)


def test_an_unknown_regulator_is_between_the_two_laws() -> None:
    found = active_power_w(block(point(supply="1.8 V")), Asked(100e6, Supply(3.6)))
    assert found.lo is not None and found.hi is not None
    assert found.lo < 0.040 < 0.080 < found.hi


def test_a_scaled_supply_is_analytic_wider_and_said() -> None:
    power = block(point(supply="1.8 V", regulator="smps"))
    there, scaled = (active_power_w(power, Asked(100e6, Supply(volts))) for volts in (1.8, 3.0))
    assert (there.basis, scaled.basis) == (Basis.CALIBRATED, Basis.ANALYTIC)
    assert scaled.hi is not None and there.hi is not None and scaled.hi > there.hi
    assert "scaled from 1.8 V to 3 V" in scaled.source


def test_a_measured_supply_is_taken_before_a_scaled_one() -> None:
    power = block(point("40 mW", "1.8 V", "ldo"), point("70 mW", "3 V", "ldo"))
    assert watts(power) == pytest.approx(0.040)
    assert watts(power, "3V") == pytest.approx(0.070)
    assert watts(power, "3.3V") == pytest.approx(0.070 * 3.3 / 3)


def test_the_other_regulator_is_taken_only_when_asked_for() -> None:
    power = block(point("40 mW", "1.8 V", "ldo"), point("33 mW", "3 V", "smps"))
    assert watts(power, "3V") == pytest.approx(0.040 * 3 / 1.8)
    assert watts(power, "3V smps") == pytest.approx(0.033)


@pytest.mark.parametrize(
    ("runtime", "milliwatts"),
    [
        ("", 45), ("tflm-cmsis-nn", 45), ("x-cube-ai@7.3", 44), ("x-cube-ai@8.1", 43),
        ("x-cube-ai@10.0", 42), ("x-cube-ai@3.0", 42), ("other", 45),
    ],
)  # fmt: skip
def test_the_same_release_then_the_nearest_then_any_runtime(runtime: str, milliwatts: float) -> None:
    releases = {"7.3": "44 mW", "8.1": "43 mW", "9.0": "42 mW"}
    power = block(point("45 mW"), *(point(mw, runtime=f"x-cube-ai@{r}") for r, mw in releases.items()))
    assert watts(power, runtime=runtime) == pytest.approx(milliwatts / 1e3)


def test_the_nearest_measured_clock_is_scaled() -> None:
    power = block(point("40 mW"), point("9 mW", at_clock="25 MHz"))
    assert watts(power, clock_hz=20e6) == pytest.approx(0.009 * 20 / 25)
    assert watts(power, clock_hz=90e6) == pytest.approx(0.040 * 0.9)


def test_measured_comes_before_the_datasheet_and_the_datasheet_before_nothing() -> None:
    sheet = CITED | {"active_per_clock": "100 uW/MHz", "supply": "3.3 V", "confidence": "datasheet"}
    both = block(sheet, point(supply="1.8 V", regulator="ldo"))
    assert watts(both, "3.6V") == pytest.approx(0.080)
    unfed = block(point(), sheet)  # the measurement does not say its supply
    assert watts(unfed) == pytest.approx(0.040)
    assert watts(unfed, "3.3V") == pytest.approx(100e-6 * 100 * shipped_spreads()["load"].value)
    nothing = active_power_w(block(point()), Asked(100e6, Supply(3.3)))
    assert nothing.value is None and "3.3 V" in nothing.reason


def test_a_point_without_a_figure_is_a_fault() -> None:
    with pytest.raises(ValidationError, match="give active, or active_per_clock"):
        PowerPoint.model_validate(CITED)


@pytest.mark.parametrize("text", ["V", "", "3.3", "3.3 A", "0V", "-3V", "3.3V buck", "1e9V", "3.3V smps ldo"])
def test_what_is_no_supply_is_refused(text: str) -> None:
    with pytest.raises((TargetInvalid, UnitInvalid)):
        parse_supply(text)


@pytest.mark.parametrize("supply", ["5V", "0.5V", "3.3V ldo"])
def test_a_supply_that_no_figure_is_near_is_refused_with_those_known(supply: str) -> None:
    with pytest.raises(PreflashError, match=r"known: 1.8 V SMPS, 3.3 V SMPS"):
        load_target("nucleo-u575zi", supply=supply)


def test_a_board_without_power_takes_any_supply_and_knows_no_energy() -> None:
    target = load_target("nucleo-f767zi", supply="3.3V")
    assert power_w(target).value is None


def test_a_scaled_supply_is_a_finding() -> None:
    graph = build("kws01", dtype="int8")
    rules = [{f.rule for f in simulate(graph, load_target("nucleo-l4r5zi", supply=s)).findings}
             for s in ("1.8V", "3.3V")]  # fmt: skip
    assert "PF802" not in rules[0] and "PF802" in rules[1]


@pytest.mark.parametrize(
    ("supply", "low_mw", "high_mw"), [(None, 45, 45), ("3V", 74, 75), ("3.3V", 81, 83), ("3V smps", 33, 34)]
)
def test_nucleo_l4r5zi_draws_what_its_submissions_drew(
    supply: str | None, low_mw: float, high_mw: float
) -> None:
    value = power_w(load_target("nucleo-l4r5zi", supply=supply)).value
    assert value is not None and low_mw <= round(value * 1e3, 1) <= high_mw


def test_the_whole_board_and_the_part_are_told_apart() -> None:
    power = load_device("nucleo-f746zg").power
    assert power is not None
    points = [chosen_point(power, Asked(216e6, supply)) for supply in (None, Supply(3.3))]
    assert [p.boundary for p in points if p is not None] == ["board", "mcu"]
