"""Units are read once, strictly, and every refusal says what was given and what would be right."""

from __future__ import annotations

import doctest
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from preflash.devices import units
from preflash.devices.units import (
    parse_bytes,
    parse_bytes_per_s,
    parse_hz,
    parse_j_per_mac,
    parse_macs_per_s,
    parse_s,
    parse_v,
    parse_w,
    parse_w_per_hz,
)
from preflash.errors import PreflashError, UnitInvalid

Parser = Callable[[object], float]
PARSERS = [
    parse_bytes, parse_bytes_per_s, parse_hz, parse_j_per_mac, parse_macs_per_s, parse_s, parse_v, parse_w,
    parse_w_per_hz,
]  # fmt: skip


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (parse_bytes, "512 KiB", 512 * 1024),
        (parse_bytes, "64kB", 64_000),
        (parse_bytes, "2 MiB", 2 * 1024 * 1024),
        (parse_bytes, "1 MB", 1_000_000),
        (parse_bytes, "1.5 KiB", 1536),
        (parse_bytes, "0.1 kB", 100),
        (parse_bytes, "4 GiB", 4 * 1024**3),
        (parse_bytes, " 100 B ", 100),
        (parse_bytes, "100", 100),
        (parse_bytes, 0, 0),
        (parse_hz, "216 MHz", 216e6),
        (parse_hz, "32.768kHz", 32_768.0),
        (parse_hz, "1.8 GHz", 1.8e9),
        (parse_bytes_per_s, "60 MB/s", 60e6),
        (parse_bytes_per_s, "1 MiB/s", 1_048_576.0),
        (parse_w, "35 mW", 0.035),
        (parse_w, "7 µW", 7e-6),
        (parse_w, "7 μW", 7e-6),
        (parse_w, "7 uW", 7e-6),
        (parse_w_per_hz, "100 uW/MHz", 1e-10),
        (parse_w_per_hz, "0.1 mW/MHz", 1e-10),
        (parse_v, "1.8 V", 1.8),
        (parse_v, "900 mV", 0.9),
        (parse_macs_per_s, "256 GMAC/s", 256e9),
        (parse_macs_per_s, "2 TMAC/s", 2e12),
        (parse_j_per_mac, "0.6 nJ/MAC", 6e-10),
        (parse_s, "50ms", 0.05),
        (parse_s, "2 min", 120.0),
        (parse_s, "1 us", 1e-6),
    ],
)
def test_a_quantity_is_read_exactly(parse: Parser, text: object, value: float) -> None:
    assert parse(text) == value


@pytest.mark.parametrize("parse", PARSERS)
@pytest.mark.parametrize(
    "given_text",
    [
        "", " ", "fast", "nan", "inf", "NaN MHz", "inf KiB", "-1 KiB", "-1 MHz", "1,5 MHz", "1e3 Hz",
        "0x10 B", "12 MHzz", "1 2 KiB", "1. 5 V", "1 MHz;", "9" * 40 + " B", "1 " + "x" * 10_000, "١ KiB",
        None, True, [], {}, 1.5, float("nan"), float("inf"), -1, 10**30, b"1 KiB",
    ],
)  # fmt: skip
def test_nonsense_is_refused_with_an_example(parse: Parser, given_text: object) -> None:
    with pytest.raises(UnitInvalid) as refused:
        parse(given_text)
    assert refused.value.fix
    assert len(str(refused.value)) < 400
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("parse", [p for p in PARSERS if p is not parse_bytes])
def test_a_number_without_a_unit_is_refused_except_for_bytes(parse: Parser) -> None:
    for bare in (480, "480", "480.0"):
        with pytest.raises(UnitInvalid, match="has no unit"):
            parse(bare)
    assert parse_bytes(480) == parse_bytes("480") == 480


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("512 KB", "KiB (1024) or kB (1000)"),
        ("512 K", "KiB (1024) or kB (1000)"),
        ("2 M", "MiB"),
        ("64 kb", "bits"),
        ("64 parsecs", '"512 KiB"'),
    ],
)
def test_a_frequent_slip_gets_its_own_advice(text: str, advice: str) -> None:
    with pytest.raises(UnitInvalid) as refused:
        parse_bytes(text)
    assert advice in refused.value.fix
    assert repr(text) in refused.value.what


def test_millihertz_and_megawatt_are_taken_for_slips() -> None:
    with pytest.raises(UnitInvalid, match="write MHz"):
        parse_hz("480 mHz")
    with pytest.raises(UnitInvalid, match="write mW"):
        parse_w("35 MW")


def test_part_of_a_byte_is_refused() -> None:
    with pytest.raises(UnitInvalid, match="whole number of bytes"):
        parse_bytes("1.0001 kB")


def test_the_refusal_is_a_value_error_so_that_a_file_can_collect_many() -> None:
    assert issubclass(UnitInvalid, ValueError)
    assert issubclass(UnitInvalid, PreflashError)


@given(st.integers(min_value=0, max_value=10**12))
def test_kib_is_1024_and_kb_is_1000_at_any_size(count: int) -> None:
    assert parse_bytes(f"{count} KiB") == count * 1024
    assert parse_bytes(f"{count} kB") == count * 1000


@given(st.integers(min_value=0, max_value=10**9), st.sampled_from(["kHz", "MHz", "GHz"]))
def test_a_clock_keeps_its_whole_digits(count: int, unit: str) -> None:
    assert parse_hz(f"{count} {unit}") == count * {"kHz": 1e3, "MHz": 1e6, "GHz": 1e9}[unit]


@given(st.text(max_size=80))
def test_any_text_is_a_quantity_or_a_unit_error(text: str) -> None:
    for parse in PARSERS:
        try:
            value = parse(text)
        except UnitInvalid:
            continue
        assert value >= 0
        assert value < float("inf")


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(units).failed == 0
