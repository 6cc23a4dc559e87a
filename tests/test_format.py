"""What a reader sees of a number: units by size, three digits, never a hidden overrun."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st
from preflash.reports import format as shown


def test_every_example_in_the_docstrings_holds() -> None:
    result = doctest.testmod(shown)
    assert result.attempted >= 8
    assert result.failed == 0


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [(None, "unknown"), (0, "0 B"), (1023, "1,023 B"), (1024, "1.0 KiB"), (24_269, "23.7 KiB"),
     (999 * 1024, "999.0 KiB"), (1000 * 1024, "1,000 KiB"), (10 * 1024 * 1024, "10.0 MiB"),
     (float("inf"), "unknown")],
)  # fmt: skip
def test_memory_is_shown_in_kib(size_bytes: float | None, text: str) -> None:
    assert shown.memory(size_bytes) == text


@pytest.mark.parametrize(
    ("time_s", "text"),
    [(None, "unknown"), (0, "0 s"), (2.0, "2.00 s"), (0.0841, "84.1 ms"), (0.212, "212 ms"),
     (2.5e-5, "25.0 us"), (3e-9, "3.00 ns"), (0.99999, "1.00 s"), (0.0999951, "100 ms")],
)  # fmt: skip
def test_a_time_gets_the_unit_of_its_size(time_s: float | None, text: str) -> None:
    assert shown.seconds(time_s) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(1.2e-3, "J", "1.20 mJ"), (4.5e-7, "J", "450 nJ"), (2_656_768, "MAC", "2.66 MMAC"),
     (531, "MAC", "531 MAC"), (2.4e6, "B/s", "2.40 MB/s"), (120e6, "Hz", "120 MHz"),
     (32768, "Hz", "32.768 kHz"), (12345, "", "12,345"), (12345, "cycles", "12,345"),
     (0.5, "W", "500 mW"), (None, "W", "unknown")],
)  # fmt: skip
def test_a_unit_decides_how_its_figure_is_shown(value: float | None, unit: str, text: str) -> None:
    assert shown.amount(value, unit) == text


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (None, "unknown"),
        (0, "0.0 %"),
        (0.1234, "12.3 %"),
        (-0.5, "-50.0 %"),
        (1, "100.0 %"),
        (25.0, "2,500 %"),
    ],
)
def test_a_fraction_is_shown_in_percent(fraction: float | None, text: str) -> None:
    assert shown.percent(fraction) == text


@given(st.integers(1, 2**33), st.integers(1, 2**33))
def test_a_need_never_looks_equal_to_a_budget_that_it_is_not(need: int, budget: int) -> None:
    need_text, budget_text = shown.need_of(need, budget, "B")
    assert (need_text == budget_text) == (need == budget)


@pytest.mark.parametrize(
    ("need", "budget", "unit", "texts"),
    [
        (0.29977, 0.3, "s", ("299.8 ms", "300 ms")),
        (5.0001, 5.0, "", ("5.0001", "5")),
        (59.999, 60.0, "d", ("59.999 days", "60 days")),
        (0.0, 0.0, "s", ("0 s", "0 s")),
    ],
)
def test_a_need_beside_its_budget_has_the_digits_that_tell_them_apart(
    need: float, budget: float, unit: str, texts: tuple[str, str]
) -> None:
    assert shown.need_of(need, budget, unit) == texts


@given(st.text(max_size=40))
def test_a_cleaned_text_cannot_steer_a_terminal(text: str) -> None:
    cleaned = shown.clean(text)
    assert "\x1b" not in cleaned and "\n" not in cleaned and "\u202e" not in cleaned
    cleaned.encode("utf-8")


@given(st.text(max_size=60), st.integers(3, 30))
def test_a_shortened_text_keeps_its_ends(text: str, length: int) -> None:
    cut = shown.short(text, length)
    assert len(cut) <= length
    if len(text) > length:
        assert text.startswith(cut.split("…")[0]) and text.endswith(cut[-1])
