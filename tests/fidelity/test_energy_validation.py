"""Measured energies against ours: the stated targets, and that board files say what was measured."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from statistics import median

import pytest
from preflash.devices.catalog import device_names, load_device
from preflash.devices.supply import Supply
from preflash.simulator.validate.energy import board_unseen, energy_table, errors, one_given, point_unseen
from preflash.simulator.validate.energy_rows import PATH, energy_rows, used_groups
from preflash.simulator.validate.facts import Facts
from shared_data import shared_dir

ROOT = Path(__file__).resolve().parents[2]
GROUPS = used_groups()


def test_every_row_is_used_or_left_out_for_a_stated_reason() -> None:
    rows = energy_rows()
    assert len(rows) == 117 and sum(len(rows) for rows in GROUPS.values()) == 71
    assert {row.left_out for row in rows if row.point.device == "efr32mg24"} == {
        "runs on an accelerator (Silicon Labs MVP); no runtime here models TFLM+MVP accelerator"
    }


def test_no_claim_is_missed() -> None:
    table = energy_table(None)
    assert not [claim for claim in table.claims if claim.is_met is False]
    assert sum(claim.is_met is True for claim in table.claims) >= 8
    assert len(table.rows) == len(GROUPS)


def test_models_make_the_end_to_end_columns() -> None:
    rows = {row[:3]: row for row in energy_table(Facts(shared_dir())).rows}
    energy, latency = rows["nucleo-l4r5zi", "1.8 V LDO", "microtvm-cmsis-nn"][-2:]
    assert isinstance(energy, float) and energy < 25
    assert isinstance(latency, float) and latency < 10


@pytest.mark.parametrize("board", ["nucleo-l4r5zi", "nucleo-u575zi", "nucleo-h7a3zi"])
def test_one_measured_point_gives_the_others_within_6_percent(board: str) -> None:
    points = [point for point in GROUPS if point.device == board]
    assert median(errors(one for point in points for one in one_given(GROUPS, point))) <= 0.06


@pytest.mark.parametrize("board", ["nucleo-l4r5zi", "nucleo-u575zi", "nucleo-h7a3zi"])
def test_other_points_of_the_board_give_one_within_25_percent(board: str) -> None:
    points = [point for point in GROUPS if point.device == board]
    assert median(errors(one for point in points for one in point_unseen(GROUPS, point))) <= 0.25


def test_a_board_nobody_measured_stands_on_its_datasheet_or_is_unknown() -> None:
    for point in GROUPS:
        found = errors(board_unseen(GROUPS, point))
        assert bool(found) == (point.device in ("nucleo-l4r5zi", "nucleo-u575zi")), point


def test_the_points_of_board_files_are_the_medians_of_the_rows() -> None:
    compared = 0
    for name in device_names():
        power = load_device(name).power
        for point in () if power is None else power.points:
            fed = None if point.supply_v is None else Supply(point.supply_v, point.regulator)
            rows = [row.power_w for known, rows in GROUPS.items() for row in rows
                    if (known.device, known.runtime, known.clock_hz, known.supply)
                    == (name, point.runtime, point.at_clock_hz, fed)]  # fmt: skip
            if rows and point.active_w is not None:
                compared += 1
                assert point.active_w == pytest.approx(median(rows), rel=1e-3), (name, point.runtime)
    assert compared == 15


def test_the_data_files_are_what_the_scripts_make_of_the_facts(tmp_path: Path) -> None:
    spreads = ROOT / "simulator" / "data" / "power_spreads.csv"
    before = PATH.read_bytes(), spreads.read_bytes()
    for script, words in (("make_energy_data.py", [str(shared_dir() / "facts")]), ("fit_power.py", [])):
        code = (
            "import runpy, sys, pathlib; "
            f"space = runpy.run_path({str(ROOT / 'scripts' / script)!r}); "
            f"space['main'].__globals__['OUT'] = pathlib.Path({str(tmp_path)!r}) / space['OUT'].name; "
            f"space['main'](*map(pathlib.Path, {words!r}))"
        )
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert (tmp_path / PATH.name).read_bytes() == before[0]
    assert (tmp_path / spreads.name).read_bytes() == before[1]
