"""Rows of measurements: columns by name, values with units, every fault in plain words with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from preflash.errors import MeasuredRowsInvalid
from preflash.simulator.calibrate.rows import COLUMNS, MeasuredRow, read_rows

GOOD = "device,runtime,network,clock,latency\nnucleo-l4r5zi,tflm-cmsis-nn,zoo:kws01,120 MHz,99.81 ms\n"


def written(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "rows.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def faults_of(path: Path, *, device: str = "") -> list[str]:
    with pytest.raises(MeasuredRowsInvalid) as refused:
        read_rows(path, device=device)
    assert refused.value.fix
    return list(refused.value.faults)


def test_a_row_is_read_with_its_units_and_its_line(tmp_path: Path) -> None:
    (row,) = read_rows(written(tmp_path, "# a comment\n\n" + GOOD))
    assert row == MeasuredRow(
        4, "nucleo-l4r5zi", "tflm-cmsis-nn", "zoo:kws01", pytest.approx(0.09981), clock_hz=120e6
    )
    assert row.label == "nucleo-l4r5zi tflm-cmsis-nn zoo:kws01"


@pytest.mark.parametrize(("latency", "seconds"), [("99.81 ms", 0.09981), ("1.2s", 1.2), ("840 us", 840e-6)])
def test_a_latency_may_have_any_unit_of_time(tmp_path: Path, latency: str, seconds: float) -> None:
    (row,) = read_rows(written(tmp_path, f'device,network,latency\nrp2040,zoo:kws01,"{latency}"\n'))
    assert row.latency_s == pytest.approx(seconds)


def test_columns_stand_in_any_order_and_all_of_them_are_taken(tmp_path: Path) -> None:
    text = (
        "left_out,source,op,place,flags,latency,clock,network,runtime,device\n"
        "too old,a page,CONV_2D,arena=sdram,Os,1 ms,64MHz,my.tflite,x-cube-ai@8.1,mine.toml\n"
    )
    (row,) = read_rows(written(tmp_path, text))
    assert row == MeasuredRow(
        2, "mine.toml", "x-cube-ai@8.1", "my.tflite", 0.001, clock_hz=64e6, flags="Os", place="arena=sdram",
        op="CONV_2D", source="a page", left_out="too old",
    )  # fmt: skip
    assert set(text.split("\n", 1)[0].split(",")) == set(COLUMNS)


def test_board_and_runtime_may_be_said_once_for_all_rows_that_name_none(tmp_path: Path) -> None:
    path = written(tmp_path, "network,latency,device\nzoo:kws01,1 ms,\nzoo:ic01,2 ms,rp2350\n")
    first, second = read_rows(path, device="rp2040", runtime="tflm-cmsis-nn")
    assert (first.device, second.device) == ("rp2040", "rp2350")
    assert first.runtime == second.runtime == "tflm-cmsis-nn"


@pytest.mark.parametrize(
    ("word", "flags"), [("", None), ("O2", "O2"), ("mix", "Oscore+O2kernels"), ("?", "")]
)
def test_flags_left_out_are_those_of_the_runtime_and_a_question_mark_is_nobody_knows(
    tmp_path: Path, word: str, flags: str | None
) -> None:
    path = written(tmp_path, f"device,network,latency,flags\nrp2040,zoo:kws01,1 ms,{word}\n")
    assert read_rows(path)[0].flags == flags


def test_a_byte_order_mark_crlf_and_spaces_do_no_harm(tmp_path: Path) -> None:
    text = GOOD.replace("\n", "\r\n").replace(",", " , ")
    (row,) = read_rows(written(tmp_path, b"\xef\xbb\xbf" + text.encode()))
    assert (row.network, row.latency_s) == ("zoo:kws01", pytest.approx(0.09981))


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("device,network,latncy", "there is no column 'latncy'; did you mean latency?"),
        ("device,network,zzz,latency", "there is no column 'zzz'"),
        ("device,latency", "column 'network' is missing"),
        ("device,network", "column 'latency' is missing"),
        ("network,latency", "column 'device' is missing: give it, or the board with -d"),
        ("device,network,latency,latency", "a column is there twice"),
    ],
)
def test_a_header_with_a_fault_says_which(tmp_path: Path, header: str, said: str) -> None:
    assert said in faults_of(written(tmp_path, f"{header}\n{','.join('x' * 4)}\n"))


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ("rp2040,zoo:kws01,99.81,,", "line 2: "),
        ("rp2040,zoo:kws01,99.81,,", "has no unit"),
        ("rp2040,zoo:kws01,99 MHz,,", "line 2: "),
        ("rp2040,zoo:kws01,1 ms,fast,", "line 2: "),
        ("rp2040,zoo:kws01,0 ms,,", "line 2: a latency of 0 ms is not above zero"),
        ("rp2040,zoo:kws01,1 ms,,O9", "line 2: flags 'O9': one of O2, O3, Os, mix, ?"),
        ("rp2040,zoo:kws01,,,", "line 2: latency is empty"),
        ("rp2040,,1 ms,,", "line 2: network is empty"),
        (",zoo:kws01,1 ms,,", "line 2: device is empty"),
        ("rp2040,zoo:kws01,1 ms", "line 2: 3 values for 5 columns"),
        ("rp2040,zoo:kws01,1 ms,,,,", "line 2: 7 values for 5 columns"),
    ],
)
def test_a_row_with_a_fault_says_its_line(tmp_path: Path, cells: str, said: str) -> None:
    found = faults_of(written(tmp_path, f"device,network,latency,clock,flags\n{cells}\n"))
    assert any(said in fault for fault in found), found


@pytest.mark.parametrize("latency", ["-3 ms", "nan ms", "inf s", "1e999 s", "ms", "🙂", "1 ms 2"])
def test_a_latency_that_is_none_is_a_fault(tmp_path: Path, latency: str) -> None:
    (fault,) = faults_of(written(tmp_path, f"device,network,latency\nrp2040,zoo:kws01,{latency}\n"))
    assert fault.startswith("line 2: ")


def test_all_faults_are_told_at_once_and_long_lists_are_cut(tmp_path: Path) -> None:
    rows = ["rp2040,zoo:kws01,5"] * 23 + ["rp2040,zoo:kws01,1 ms"]
    found = faults_of(written(tmp_path, "\n".join(["device,network,latency", *rows])))
    assert len(found) == 21
    assert found[0].startswith("line 2: ") and found[19].startswith("line 21: ")
    assert found[20] == "and 3 more"


def test_lines_are_counted_as_the_file_has_them_comments_and_all(tmp_path: Path) -> None:
    text = "# one\ndevice,network,latency\n# three\nrp2040,zoo:kws01,1 ms\n\nrp2040,zoo:kws01,7\n"
    (fault,) = faults_of(written(tmp_path, text))
    assert fault.startswith("line 6: ")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "column 'network' is missing"),
        (b"# nothing but words\n", "column 'latency' is missing"),
        (b"device,network,latency\n", "there are no rows"),
        (b"device,network,latency\n\xff\xfe,x,1 ms\n", "not UTF-8 text: byte 23"),
        (b"#" * ((8 << 20) + 1), "it is larger than 8 MiB"),
        (b'device,network,latency\n"rp2040,zoo:kws01,1 ms\n', "line 2: 1 values for 3 columns"),
        (b"device,network,latency\nrp2040,zoo:kws01,1\x00 ms\n", "line 2: "),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, content: bytes, said: str) -> None:
    assert any(said in fault for fault in faults_of(written(tmp_path, content)))


def test_a_file_that_is_not_there_or_a_folder_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        assert any(fault.startswith("cannot be read: ") for fault in faults_of(path))


def test_more_rows_than_anyone_measures_are_refused(tmp_path: Path) -> None:
    text = "network,latency\n" + "zoo:kws01,1 ms\n" * 100_001
    assert faults_of(written(tmp_path, text), device="rp2040") == ["more than 100000 rows"]


def test_a_cell_larger_than_a_csv_reader_takes_is_refused(tmp_path: Path) -> None:
    text = f"device,network,latency\nrp2040,{'x' * 140_000},1 ms\n"
    (fault,) = faults_of(written(tmp_path, text))
    assert fault.startswith("not CSV text: ")
