"""A battery and a sleep are read from one word; what is no battery is refused with how to write it."""

from __future__ import annotations

import pytest
from preflash.devices.battery import parse_battery
from preflash.devices.sleep import DeclaredSleep, parse_sleep
from preflash.errors import UnitInvalid
from pydantic import ValidationError


@pytest.mark.parametrize(
    ("text", "joules", "usable"),
    [
        ("220mAh@3V", 2376.0, None),  # 220 mAh = 792 C; x 3 V
        (" 220 mAh @ 3 V , 85 % ", 2376.0, 0.85),
        ("2.5Ah@3.7V,0.9", 33300.0, 0.9),
        ("0.66Wh", 2376.0, None),
        ("660mWh,50%", 2376.0, 0.5),
        ("9 kJ", 9000.0, None),
        ("100C@1.5V", 150.0, None),
    ],
)
def test_a_battery_holds_charge_times_voltage(text: str, joules: float, usable: float | None) -> None:
    found = parse_battery(text)
    assert (found.nominal_j, found.usable) == (pytest.approx(joules), usable)


@pytest.mark.parametrize(
    "text",
    ["", "220mAh", "220@3V", "220mAh@", "@3V", "220mAh@3", "220mAh@0V", "0mAh@3V", "-1mAh@3V", "220mAh@3V,",
     "220mAh@3V,0", "220mAh@3V,120%", "220mAh@3V,much", "nan", "inf@3V", "220mAh@3V@3V", "3V@220mAh",
     "1e3mAh@3V", "220 mah@3V", "x" * 200],
)  # fmt: skip
def test_what_is_no_battery_is_refused(text: str) -> None:
    with pytest.raises(UnitInvalid):
        parse_battery(text)


@pytest.mark.parametrize(
    ("text", "amperes", "watts", "volts"),
    [("3uA@3V", 3e-6, None, 3.0), ("3 µA", 3e-6, None, None), ("9uW", None, 9e-6, None)],
)
def test_a_sleep_is_a_current_or_a_power(
    text: str, amperes: float | None, watts: float | None, volts: float | None
) -> None:
    found = parse_sleep(text)
    assert (found.current_a, found.power_w, found.supply_v) == (
        None if amperes is None else pytest.approx(amperes),
        None if watts is None else pytest.approx(watts), volts,
    )  # fmt: skip


@pytest.mark.parametrize("text", ["", "3", "0uA", "3uA@", "3uA@0V", "@3V", "9uW@3V", "3mAh", "-3uA", "3uA@3"])
def test_what_is_no_sleep_is_refused(text: str) -> None:
    with pytest.raises(UnitInvalid):
        parse_sleep(text)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({}, "give current or power"),
        ({"current": "3 uA", "power": "9 uW"}, "give current or power"),
        ({"current": "3 uA", "power_low": "9 uW"}, "low and high are those of the one that is given"),
        ({"current": "3 uA", "current_low": "4 uA"}, "low <= value <= high"),
        ({"current": "3 uA", "wake_up_energy": "4 uJ"}, "wake_up_energy needs wake_up"),
    ],
)
def test_a_sleep_says_one_draw(said: dict[str, str], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        DeclaredSleep.model_validate(said)
