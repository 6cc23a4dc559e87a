"""Own measurements of a board: what they change, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from preflash.cli.app import run
from preflash.devices.calibration import load_calibration, shipped_calibration
from preflash.devices.catalog import load_target
from preflash.errors import MeasuredRowsInvalid
from preflash.graphs.zoo import build
from preflash.simulator.calibrate.own import fit_own
from preflash.simulator.calibrate.predict import predict
from preflash.simulator.calibrate.rows import MeasuredRow, read_rows
from preflash.simulator.calibrate.shipped import fit_shipped
from preflash.simulator.simulate import simulate

BOARD = "nucleo-f446re"  # a core that was measured, a board that was not
NETWORKS = ("zoo:kws01", "zoo:vww01", "zoo:ic01")


def slower_board(factor: float, networks: tuple[str, ...] = NETWORKS) -> list[MeasuredRow]:
    """What a board would measure that takes `factor` times what is predicted."""
    rows = [MeasuredRow(n, BOARD, "", network, 1.0) for n, network in enumerate(networks, 2)]
    return [
        MeasuredRow(row.line, BOARD, "", row.network, factor * one.value / one.target.clock_hz)
        for row in rows for one in (predict(row, None),)
    ]  # fmt: skip


def latency_ms(calibration: str | None = None) -> tuple[float, float, float]:
    target = load_target(BOARD, calibration=calibration)
    interval = simulate(build("person-detect"), target).metric("latency_s")
    assert interval.value is not None and interval.lo is not None and interval.hi is not None
    return interval.lo * 1e3, interval.value * 1e3, interval.hi * 1e3


def test_three_rows_of_a_slower_board_carry_over_to_another_network(tmp_path: Path) -> None:
    """12 % slower: the fourth network, which nobody measured, is predicted about 12 % slower."""
    csv = tmp_path / "mine.csv"
    rows = slower_board(1.12)
    lines = "".join(f"{row.network},{row.latency_s * 1e3:.6f} ms\n" for row in rows)
    csv.write_text(f"# my board\nnetwork,latency\n{lines}", encoding="utf-8")
    out = tmp_path / "mine.toml"
    assert run(["calibrate", str(csv), "-d", BOARD, "-o", str(out)]) == 0
    _, before, _ = latency_ms()
    low, after, high = latency_ms(str(out))
    assert after / before == pytest.approx(1.12, abs=0.03)
    assert low < 1.12 * before < high


def test_own_rows_narrow_the_interval() -> None:
    fit = fit_own(slower_board(1.05))
    board = fit.calibration.board_table[BOARD]
    assert board.p10 is not None and board.p90 is not None
    usual = shipped_calibration().spread_table["cmsis-nn", "board"]
    assert usual.p10 < board.p10 < 1 < board.p90
    assert board.p90 / board.p10 < usual.p90 / usual.p10


def test_one_row_moves_the_board_part_of_the_way() -> None:
    """A single row may be off itself: the factor lies between nothing and the row."""
    fit = fit_own(slower_board(1.2, ("zoo:kws01",)))
    assert 1.0 < fit.calibration.board_table[BOARD].factor < 1.2
    assert fit.rows[0].from_others is None


def test_rows_as_predicted_change_nothing() -> None:
    board = fit_own(slower_board(1.0)).calibration.board_table[BOARD]
    assert board.factor == pytest.approx(1, abs=1e-3) and board.stall_factor == pytest.approx(1, abs=1e-3)


def test_reference_and_esp_kernels_are_calibrated_too() -> None:
    for device, runtime in (("esp32", "tflm-esp-nn"), ("nucleo-l4r5zi", "tflm-reference")):
        row = MeasuredRow(2, device, runtime, "zoo:kws01", 1.0)
        one = predict(row, None)
        slow = MeasuredRow(2, device, runtime, "zoo:kws01", 1.3 * one.value / one.target.clock_hz)
        after = fit_own([slow]).rows[0].after
        assert one.value < after.value <= 1.31 * one.value


def test_rows_that_cannot_be_priced_are_named_all_at_once() -> None:
    rows = [MeasuredRow(2, BOARD, "", "zoo:kws99", 1.0), MeasuredRow(3, "nucleo-f999", "", "zoo:kws01", 1.0)]
    with pytest.raises(MeasuredRowsInvalid) as refused:
        fit_own(rows)
    assert len(refused.value.faults) == 2
    assert "line 2" in refused.value.faults[0] and "line 3" in refused.value.faults[1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("network,latncy\na,1 ms\n", "did you mean latency?"),
        ("network,latency\nzoo:kws01,5 parsec\n", "'parsec' is none of its units"),
        ("network,latency\nzoo:kws01\n", "line 2: 1 values for 2 columns"),
        ("network,latency\n", "there are no rows"),
        ("network,latency,flags\nzoo:kws01,5 ms,O7\n", "one of O2, O3, Os, mix, ?"),
        ("network,latency\nzoo:kws01,0 ms\n", "not above zero"),
    ],
)
def test_a_csv_with_faults_is_one_line_and_exit_3(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text, encoding="utf-8")
    assert run(["calibrate", str(path), "-d", BOARD]) == 3
    error = capsys.readouterr().err
    assert said in error and "Traceback" not in error and error.count("\n") == 1


def test_validate_takes_a_csv(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(
        "device,network,latency,left_out\nnrf5340-dk,zoo:kws01,76 ms,\nnrf5340-dk,zoo:ic01,3 s,wrong\n",
        encoding="utf-8",
    )
    assert run(["validate", str(path)]) == 0
    shown = capsys.readouterr().out
    assert "cortex-m33" in shown and "line 3" in shown and "wrong" in shown


def test_the_fit_says_what_check_says() -> None:
    """One formula: the fit's prediction of its own rows is that of the estimate, rounding aside."""
    shipped = fit_shipped()
    from preflash.simulator.calibrate.fit import fit_rows, predicted_cycles

    fit = fit_rows(shipped.used, shipped.fixed)
    for one in shipped.used:
        said = predict(one.row, shipped.calibration).value
        assert said == pytest.approx(predicted_cycles(one, fit, shipped.fixed), rel=5e-3)


def test_a_calibration_file_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "shipped.toml"
    path.write_text(fit_shipped().text, encoding="utf-8")
    assert load_calibration(path).board_table == fit_shipped().calibration.board_table
    assert load_calibration(path).kernel_table.keys() == fit_shipped().calibration.kernel_table.keys()


def test_a_byte_order_mark_and_comments_are_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes("\ufeff# note\nnetwork,latency,device\n\nzoo:kws01,1 ms,esp32\n".encode())
    (row,) = read_rows(path)
    assert (row.line, row.network, row.latency_s) == (4, "zoo:kws01", 0.001)
