"""Arenas that firmware printed on an ESP32 and on a Nano 33 BLE, held against the prediction."""

from __future__ import annotations

from preflash.simulator.validate.facts import Facts
from preflash.simulator.validate.mcufit import mcufit_table
from shared_data import shared_dir


def test_boards_are_predicted_to_the_byte() -> None:
    table = mcufit_table(Facts(shared_dir()))
    assert not table.is_missed
    assert {row[0] for row in table.rows} == {"ESP32", "nRF52840"}
    assert [row[5] for row in table.rows] == [0] * len(table.rows)


def test_an_esp32_needs_no_departures_and_an_arduino_library_does() -> None:
    rows = mcufit_table(Facts(shared_dir())).rows
    assert {row[6] for row in rows if row[0] == "ESP32"} == {0}
    assert all(row[6] < 0 for row in rows if row[0] == "nRF52840")
