"""A calibration file: faults in plain words, laid over what ships, written and read back, made from rows."""

from __future__ import annotations

from dataclasses import replace
from math import erf, exp, log, pi, sqrt
from pathlib import Path

import pytest
from preflash.devices.calibration import (
    SHIPPED,
    UNFITTED,
    BoardFit,
    Calibration,
    CoreFit,
    FetchFit,
    KernelFit,
    SpreadFit,
    load_calibration,
    shipped_calibration,
)
from preflash.devices.catalog import load_target
from preflash.errors import CalibrationInvalid
from preflash.simulator.calibrate.fit import log_evidence
from preflash.simulator.calibrate.priors import chosen_spreads
from preflash.simulator.calibrate.shipped import counted_factors, fit_shipped, shipped_rows
from preflash.simulator.calibrate.write import calibration_text
from preflash.simulator.kernels.cores import core_costs, error_ratios


def sample(*, cpi: float = 1.4, date: str = "2026-11-25") -> Calibration:
    return Calibration.model_validate({
        "date": date, "sources": ["a \"quoted\" source", "zweite, ä"],
        "core": [{"core": "cortex-m4", "cpi": cpi, "cycles_per_byte": 0.6, "rows": 3, "boards": 1}],
        "board": [{"device": "nucleo-l4r5zi", "factor": 1.02, "stall_factor": 0.9, "at_clock": "120 MHz",
                   "libraries": ["cmsis-nn", "x-cube-ai"], "rows": 3}],
        "kernel": [{"runtime": "x-cube-ai@8.1", "kernels": "conv", "factor": 0.7, "rest_factor": 0.8,
                    "source": "a test"}],
        "fetch": [{"library": "x-cube-ai", "factor": 0.5}],
        "spread": [{"library": "", "given": "core", "p10": 0.9, "p50": 1.0, "p90": 1.1, "rows": 20}],
    })  # fmt: skip


def faults_of(tmp_path: Path, text: str | bytes) -> list[str]:
    path = tmp_path / "own.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(CalibrationInvalid) as refused:
        load_calibration(path)
    assert str(path) in str(refused.value)
    return list(refused.value.faults)


def test_what_is_written_reads_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(calibration_text(sample(), "one line\nand another"), encoding="utf-8")
    assert load_calibration(path) == sample()
    assert path.read_text(encoding="utf-8").startswith("# one line\n# and another\ndate = ")


def test_the_same_figures_are_the_same_text() -> None:
    assert calibration_text(sample(), "x") == calibration_text(sample(), "x")
    assert calibration_text(sample(), "x") != calibration_text(sample(cpi=1.5), "x")


def test_what_ships_is_what_the_committed_rows_give() -> None:
    assert fit_shipped().text == SHIPPED.read_text(encoding="utf-8")


def test_what_ships_has_every_measured_row_that_is_not_left_out() -> None:
    rows = len(fit_shipped().used)
    assert sum(core.rows for core in shipped_calibration().cores) == rows
    assert sum(board.rows for board in shipped_calibration().boards) == rows
    assert all(row.left_out for row in fit_shipped().left_out)


def test_all_faults_of_a_file_are_listed_at_once(tmp_path: Path) -> None:
    text = calibration_text(sample(), "x")
    for old, new in (
        ('"2026-11-25"', '"today"'), ('"cortex-m4"', '"cortex-m5"'), ("cpi = 1.4", "cpi = 0"),
        ('"120 MHz"', '"120"'), ('given = "core"', 'given = "cores"'), ("rest_factor", "rest_facter"),
    ):  # fmt: skip
        assert old in text
        text = text.replace(old, new)
    faults = "\n".join(faults_of(tmp_path, text))
    for said in (
        "date: ", "core[0].core: 'cortex-m5' is not allowed", "core[0].cpi: must be greater than 0",
        "board[0].at_clock: ", "has no unit", "did you mean 'core'?", "kernel[0].rest_factor: is missing",
        "kernel[0].rest_facter: unknown key; did you mean 'rest_factor'?",
    ):  # fmt: skip
        assert said in faults, said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"date = ", "TOML syntax"),
        (b"\xff\xfe", "TOML syntax"),
        (b"", "date: is missing"),
        (b"#" * (1 << 20) + b"#", "it is larger than 1 MiB"),
        (b'date = "2026-11-25"\nsources = []\ncore = 3\n', "core: must be a list"),
        (b'date = "2026-11-25"\nsources = []\nnothing = 3\n', "nothing: unknown key"),
        (b"x = " + b"[" * 5000 + b"]" * 5000, "TOML syntax"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, content: bytes, said: str) -> None:
    assert any(said in fault for fault in faults_of(tmp_path, content))


def test_a_file_that_is_not_there_or_a_folder_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(CalibrationInvalid, match="cannot be read"):
            load_calibration(path)


def test_what_is_laid_over_wins_for_its_cores_boards_kernels_and_leaves_the_rest() -> None:
    own = Calibration(
        date="2027-01-02", sources=("mine",),
        core=(CoreFit(core="cortex-m4", cpi=1.7, cycles_per_byte=0.5, rows=2, boards=1),),
        board=(BoardFit(device="mine", factor=1.1, stall_factor=1.0, at_clock="64 MHz",
                        libraries=("cmsis-nn",), rows=2),),
        kernel=(KernelFit(runtime="x-cube-ai@9.0", kernels="pool", factor=2.0, rest_factor=2.0,
                          source="mine"),),
        fetch=(FetchFit(library="x-cube-ai", factor=0.25),),
        spread=(SpreadFit(library="", given="board", p10=0.97, p50=1.0, p90=1.03, rows=4),),
    )  # fmt: skip
    both = sample().overlaid(own)
    assert (both.date, both.sources) == ("2027-01-02", (*sample().sources, "mine"))
    assert both.core_table["cortex-m4"].cpi == 1.7
    assert set(both.board_table) == {"nucleo-l4r5zi", "mine"}
    assert set(both.kernel_table) == {"x-cube-ai@8.1", "x-cube-ai@9.0"}
    assert both.fetch_table == {"x-cube-ai": 0.25}
    assert set(both.spread_table) == {("", "core"), ("", "board")}
    assert sample().overlaid(UNFITTED) == sample()
    assert UNFITTED.overlaid(sample()) == sample()


def test_the_kernels_of_a_runtime_are_replaced_together() -> None:
    fit = KernelFit(runtime="x-cube-ai@8.1", kernels="pool", factor=2.0, rest_factor=2.0, source="mine")
    both = sample().overlaid(Calibration(date="2026-11-25", sources=(), kernel=(fit,)))
    assert both.kernel_table == {"x-cube-ai@8.1": {"pool": fit}}


def test_the_users_own_file_prices_the_board(tmp_path: Path) -> None:
    """cycles per instruction = the core's 1.4 x the board's 1.02 x the shipped one of the firmware."""
    path = tmp_path / "own.toml"
    path.write_text(calibration_text(sample(), "x"), encoding="utf-8")
    own = core_costs(load_target("nucleo-l4r5zi", "tflm-cmsis-nn", calibration=path))
    shipped = core_costs(load_target("nucleo-l4r5zi", "tflm-cmsis-nn"))
    assert own is not None and shipped is not None
    build = shipped_calibration().build_table["nucleo-l4r5zi", "tflm-cmsis-nn"].factor
    assert own.cpi.value == pytest.approx(1.4 * 1.02 * build)
    assert own.cpi.value != shipped.cpi.value


def test_without_left_out_rows_the_interval_is_that_of_cores_never_measured() -> None:
    low, high = error_ratios(UNFITTED, "cmsis-nn", "core")
    assert (low, high) == error_ratios(UNFITTED, "x-cube-ai", "nothing")
    assert low < 0.7 and high > 1.5


@pytest.mark.parametrize(
    "other",
    [
        {"noise": 0.03}, {"noise": 0.05}, {"board": 0.04}, {"build": 0.005}, {"build": 0.04},
        {"stall": 0.4}, {"release": 0.2}, {"release": 0.45},
    ],
)  # fmt: skip
def test_the_rows_are_most_probable_with_the_spreads_that_ship(other: dict[str, float]) -> None:
    rows, fixed, best = shipped_rows(), counted_factors(), chosen_spreads()
    assert log_evidence(rows, fixed, replace(best, **other)) < log_evidence(rows, fixed, best)


def test_the_evidence_of_rows_that_tell_nothing_is_the_middle_of_hubers_density() -> None:
    """With a noise so wide that no residual counts, log p = - log(noise x integral of e^-huber) per row."""
    mass = sqrt(2 * pi) * erf(1.5 / sqrt(2)) + 2 * exp(-(1.5**2) / 2) / 1.5
    rows, wide = shipped_rows()[:3], replace(chosen_spreads(), noise=1e4)
    assert log_evidence(rows, {}, wide) == pytest.approx(-3 * log(1e4 * mass), abs=1e-3)
