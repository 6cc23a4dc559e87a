"""What the user holds fixed: reservations by memory, deadline, headroom; each slip has its own sentence."""

from __future__ import annotations

import pytest
from preflash.devices.catalog import load_target
from preflash.errors import BudgetInvalid, UnitInvalid
from preflash.simulator.conditions import parse_conditions
from preflash.simulator.estimate import Conditions

BOARD = load_target("nucleo-l4r5zi")
ARENA = BOARD.device.home_of("arena")
WEIGHTS = BOARD.device.home_of("weights")


def test_nothing_said_is_the_default() -> None:
    assert parse_conditions(BOARD) == Conditions()


def test_ram_is_the_memory_of_the_arena_and_flash_that_of_the_weights() -> None:
    found = parse_conditions(BOARD, reserve="ram=20KiB, flash=64 KiB").reservations
    assert [(r.memory, r.size_bytes) for r in found] == [(ARENA.name, 20 * 1024), (WEIGHTS.name, 64 * 1024)]
    assert all(r.source == "--reserve" for r in found)


def test_a_memory_can_be_named_itself() -> None:
    target = load_target("nucleo-h743zi")
    for memory in target.device.memories:
        (found,) = parse_conditions(target, reserve=f"{memory.name}=1KiB").reservations
        assert found.memory == memory.name


def test_reserving_nothing_reserves_nothing() -> None:
    assert parse_conditions(BOARD, reserve="ram=0").reservations == ()


@pytest.mark.parametrize(("text", "seconds"), [("50ms", 0.05), ("1.5 s", 1.5), ("250 us", 0.00025)])
def test_a_deadline_is_read_in_seconds(text: str, seconds: float) -> None:
    assert parse_conditions(BOARD, deadline=text).deadline_s == pytest.approx(seconds)


@pytest.mark.parametrize(("text", "fraction"), [("10%", 0.1), ("0.25", 0.25), ("0", 0), (" 5.5 % ", 0.055)])
def test_a_headroom_is_a_fraction(text: str, fraction: float) -> None:
    assert parse_conditions(BOARD, headroom=text).tight_headroom == pytest.approx(fraction)


@pytest.mark.parametrize(
    ("reserve", "says"),
    [
        ("rom=1KiB", "known: ram, flash"),
        ("ram", "ram=20KiB"),
        ("ram=", "ram=20KiB"),
        ("=20KiB", "ram=20KiB"),
        ("", "ram=20KiB"),
        ("ram=1KiB,,flash=1KiB", "ram=20KiB"),
        (f"ram={ARENA.size_bytes + 1}", f"which has {ARENA.size_bytes:,}"),
        (f"ram={ARENA.size_bytes},ram=1", f"which has {ARENA.size_bytes:,}"),
    ],
)
def test_a_reservation_that_cannot_be_applied_is_refused(reserve: str, says: str) -> None:
    with pytest.raises(BudgetInvalid, match=says):
        parse_conditions(BOARD, reserve=reserve)


def test_a_whole_memory_can_be_reserved() -> None:
    (found,) = parse_conditions(BOARD, reserve=f"ram={ARENA.size_bytes}").reservations
    assert found.size_bytes == ARENA.size_bytes


@pytest.mark.parametrize("reserve", ["ram=lots", "ram=20KB", "ram=-1", "ram=1.5"])
def test_an_amount_nobody_can_read_is_refused(reserve: str) -> None:
    with pytest.raises(UnitInvalid):
        parse_conditions(BOARD, reserve=reserve)


@pytest.mark.parametrize("deadline", ["0ms", "-1 s", "50", "soon", ""])
def test_a_deadline_that_is_no_time_is_refused(deadline: str) -> None:
    with pytest.raises((UnitInvalid, BudgetInvalid)):
        parse_conditions(BOARD, deadline=deadline)


@pytest.mark.parametrize("headroom", ["100%", "1", "-5%", "much", "nan", "inf", ""])
def test_a_headroom_that_is_no_fraction_is_refused(headroom: str) -> None:
    with pytest.raises(BudgetInvalid, match="headroom"):
        parse_conditions(BOARD, headroom=headroom)


def test_the_beginning_of_a_memorys_name_is_enough_for_a_reservation() -> None:
    board = load_target("stm32h747i-disco")
    (camera,) = parse_conditions(board, reserve="camera=150KiB@axi").reservations
    assert (camera.name, camera.memory, camera.size_bytes) == ("camera", "axi-sram", 150 * 1024)
    with pytest.raises(BudgetInvalid, match="axi-sram"):
        parse_conditions(board, reserve="camera=1KiB@s")  # sram1+2+3, sram4 or sdram
