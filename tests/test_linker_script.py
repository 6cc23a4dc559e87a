"""A linker script's MEMORY command is evaluated as GNU ld does, and overrides the sizes of a board."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from firmware_builds import COMPILERS, built
from preflash.devices.catalog import load_device
from preflash.devices.importers.expression import Known, evaluate
from preflash.devices.importers.ld import parse_linker_script, read_linker_script
from preflash.devices.importers.regions import with_regions
from preflash.devices.importers.use import Region
from preflash.errors import FirmwareFileInvalid
from preflash.simulator.firmware_findings import script_findings

KIB = 1024


def regions(text: str) -> list[tuple[str, int, int, str]]:
    found = parse_linker_script(text, file="app.ld").regions
    return [(r.name, r.origin, r.length_bytes, r.attributes) for r in found]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("512K", 512 * KIB), ("0x20000", 0x20000), ("1M - 16K", 1008 * KIB), ("010", 8), ("2 + 3 * 4", 14),
        ("(2 + 3) * 4", 20), ("10 - 3 - 2", 5), ("1 << 4 | 3", 19), ("0xff & ~0xf", 0xF0), ("7 / 2 % 2", 1),
        ("ORIGIN(RAM) + LENGTH(RAM)", 0x20000100), ("size", 64), ("-1 + 2", 1), ("0x10K", 16 * KIB),
    ],
)  # fmt: skip
def test_an_expression_has_the_value_that_ld_gives_it(text: str, value: int) -> None:
    assert evaluate(text, Known({"size": 64}, {"RAM": (0x20000000, 0x100)})) == value


@pytest.mark.parametrize(
    "text",
    ["", "1 +", "1 / 0", "1 % 0", "x", "(1", "1)", "1 1", "ORIGIN(X)", "SIZEOF(.text)", "1 << 80", "9" * 30,
     "08", "(" * 100 + "1" + ")" * 100, "-" * 500 + "1", "1 ? 2 : 3", "0x", "\N{SNOWMAN}"],
)  # fmt: skip
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        evaluate(text, Known({}, {}))


def test_regions_are_read_with_comments_symbols_and_short_spellings() -> None:
    text = """
    ENTRY(Reset_Handler)
    /* the boot loader { MEMORY } */
    _boot = 48K; PROVIDE(_ram_end = 0x20000000 + 0x40000);
    MEMORY
    {
      FLASH (rx)  : ORIGIN = 0x08000000 + _boot, LENGTH = 1M - _boot /* app */
      RAM (xrw)   : org = 0x20000000, len = _ram_end - 0x20000000
      NOINIT (rw!x) : o = ORIGIN(RAM) + LENGTH(RAM), l = 010,
    }
    REGION_ALIAS("REGION_TEXT", FLASH);
    SECTIONS { .text : { *(.text) } > FLASH }
    """
    assert regions(text) == [
        ("FLASH", 0x08000000 + 48 * KIB, 1024 * KIB - 48 * KIB, "rx"),
        ("RAM", 0x20000000, 0x40000, "xrw"),
        ("NOINIT", 0x20040000, 8, "rw!x"),
    ]


@pytest.mark.parametrize("compiler", COMPILERS)
def test_the_script_that_linked_a_firmware_has_the_regions_of_its_map(compiler: str) -> None:
    from preflash.devices.importers.map import read_map

    build = built(compiler)
    script = [(r.name, r.origin, r.length_bytes) for r in read_linker_script(build.script).regions]
    assert script == [(r.name, r.origin, r.length_bytes) for r in read_map(build.map).regions]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("SECTIONS { }", "no MEMORY command"),
        ("INCLUDE memory.x", "memory.x, which it includes"),
        ("#include <layout.h>\nMEMORY { A : ORIGIN = 0, LENGTH = 1 }", "preprocessor"),
        ("MEMORY { }", "defines no region"),
        ("MEMORY { FLASH garbage }", "'FLASH garbage' in MEMORY is no region"),
        ("MEMORY { A : ORIGIN = 0 }", "region A has no LENGTH"),
        ("MEMORY { A : LENGTH = 4K }", "region A has no ORIGIN"),
        ("MEMORY { : ORIGIN = 0, LENGTH = 1 }", "without a name"),
        ("MEMORY { A : ORIGIN = 0, LENGTH = CONFIG_SIZE }", "'CONFIG_SIZE' is not defined"),
        ("MEMORY { A : ORIGIN = 0, LENGTH = 1 - 2 }", "below zero"),
        (
            "MEMORY { A : ORIGIN = 0, LENGTH = ORIGIN(B) B : ORIGIN = 0, LENGTH = 1 }",
            "'B' is not defined above",
        ),
    ],
)
def test_a_script_that_says_no_regions_hears_why(text: str, says: str) -> None:
    with pytest.raises(FirmwareFileInvalid, match=says.replace("(", r"\(")):
        parse_linker_script(text, file="app.ld")


def test_an_include_among_regions_is_noted() -> None:
    script = parse_linker_script("MEMORY { A : ORIGIN = 0, LENGTH = 1K\nINCLUDE more.ld\n}", file="app.ld")
    assert script.regions == (Region("A", 0, 1024),)
    assert script.notes == ("INCLUDE more.ld is not followed",)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "app.ld"
    path.write_bytes(b"MEMORY \xff\xfe")
    with pytest.raises(FirmwareFileInvalid, match=r"app\.ld: it is not UTF-8 text"):
        read_linker_script(path)


def test_mutations_are_refused_or_read() -> None:
    text = (
        "a = 4K; MEMORY { FLASH (rx) : ORIGIN = 0x0, LENGTH = 1M - a RAM (rw) : ORIGIN = 0x20, LENGTH = 9K }"
    )
    chance = random.Random(5)
    for _ in range(2000):
        mutated = list(text)
        for _ in range(chance.choice((1, 3, 9))):
            mutated[chance.randrange(len(mutated))] = chance.choice("{}():=,; \n/*0xKM+-~aA\0")
        try:
            found = parse_linker_script("".join(mutated), file="app.ld").regions
        except FirmwareFileInvalid:
            continue
        assert all(0 <= region.length_bytes < 1 << 64 for region in found)


BOMBS = (
    "/*" * 100_000, "MEMORY{" * 50_000, "MEMORY {" + "a:" * 50_000 + "}", "\n" * 500_000, "a=1;" * 100_000,
    "MEMORY{" + "(" * 200_000 + "}",
)  # fmt: skip


@pytest.mark.parametrize("bomb", BOMBS, ids=range(len(BOMBS)))
def test_a_bomb_is_refused(bomb: str) -> None:
    with pytest.raises(FirmwareFileInvalid):
        parse_linker_script(bomb, file="app.ld")


# --- on a board


def sizes(board: str, memory_command: str) -> tuple[dict[str, int], tuple[str, ...]]:
    script = parse_linker_script(memory_command, file="app.ld")
    scripted = with_regions(load_device(board), script)
    return {m.name: m.size_bytes for m in scripted.device.memories}, tuple(r.name for r in scripted.unplaced)


def test_regions_go_to_memories_by_address_whatever_their_names() -> None:
    found, unplaced = sizes(
        "nucleo-h743zi",
        """MEMORY { ROM : ORIGIN = 0x08020000, LENGTH = 1920K  A : ORIGIN = 0x24000000, LENGTH = 400K
        B : ORIGIN = 0x20000000, LENGTH = 64K  SDRAM : ORIGIN = 0xC0000000, LENGTH = 8M }""",
    )
    assert (found["flash"], found["axi-sram"], found["dtcm"]) == (1920 * KIB, 400 * KIB, 64 * KIB)
    assert found["sram4"] == load_device("nucleo-h743zi").memory("sram4").size_bytes
    assert unplaced == ("SDRAM",)


def test_regions_go_by_name_where_the_board_knows_no_address() -> None:
    found, unplaced = sizes(
        "feather-m4",
        "MEMORY { FLASH : ORIGIN = 0x4000, LENGTH = 496K  RAM : ORIGIN = 0x20000000, LENGTH = 190K "
        "QSPI : ORIGIN = 0x4000000, LENGTH = 2M }",
    )
    assert found == {"flash": 496 * KIB, "sram": 190 * KIB}
    assert unplaced == ("QSPI",)


def test_two_regions_of_one_memory_add_and_overlaps_count_once() -> None:
    found, _ = sizes(
        "nrf52840-dk",
        "MEMORY { A : ORIGIN = 0x20000000, LENGTH = 64K  B : ORIGIN = 0x20020000, LENGTH = 32K "
        "C : ORIGIN = 0x20020000, LENGTH = 48K }",
    )
    assert found["sram"] == 112 * KIB


def test_two_views_of_one_memory_do_not_make_it_larger() -> None:
    found, _ = sizes(
        "esp32-s3",
        "MEMORY { iram0_0_seg : ORIGIN = 0x40374000, LENGTH = 360K  dram0_0_seg : ORIGIN = 0x3FC88000, "
        "LENGTH = 400K }",
    )
    assert found["sram"] == load_device("esp32-s3").memory("sram").size_bytes


def test_a_reservation_that_the_regions_leave_out_is_not_taken_twice() -> None:
    device = load_device("arduino-nano-33-ble")
    whole = parse_linker_script("MEMORY { FLASH : ORIGIN = 0, LENGTH = 1M }", file="app.ld")
    above = parse_linker_script("MEMORY { FLASH : ORIGIN = 0x10000, LENGTH = 960K }", file="app.ld")
    assert len(with_regions(device, whole).device.reserved) == len(device.reserved) == 1
    assert with_regions(device, above).device.reserved == ()


def test_the_source_of_a_size_is_the_script() -> None:
    script = parse_linker_script("MEMORY { R1 : ORIGIN = 0x20000000, LENGTH = 64K }", file="app.ld")
    memory = with_regions(load_device("nrf52840-dk"), script).device.memory("sram")
    assert (memory.source, memory.confidence) == ("app.ld: R1", "primary")
    assert memory.holds_address(0x2003FFFF)


def test_a_region_without_a_byte_is_named_and_the_board_keeps_its_memory(tmp_path: Path) -> None:
    path = tmp_path / "empty.ld"
    path.write_text("MEMORY { RAM (rwx) : ORIGIN = 0x20000000, LENGTH = 0 }")
    scripted = with_regions(load_device("nrf52840-dk"), read_linker_script(path))
    assert scripted.empty == ("RAM",)
    assert scripted.device.memory("sram").size_bytes == 256 * 1024
    (found,) = [f for f in script_findings(scripted) if "without a byte" in f.message]
    assert found.rule == "PF703" and "RAM" in found.message
