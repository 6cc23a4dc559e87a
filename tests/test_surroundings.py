"""What lies around the model counts once: firmware without its old arena and model, boot loader, slots."""

from __future__ import annotations

from pathlib import Path

import pytest
from firmware_builds import ARENA_BYTES, COMPILERS, MODEL_BYTES, POINTER, Build, built
from preflash.devices.catalog import load_target
from preflash.errors import BudgetInvalid, FirmwareFileInvalid, UnitInvalid
from preflash.graphs.zoo import build
from preflash.simulator.conditions import parse_conditions
from preflash.simulator.estimate import Conditions, Estimate, Finding, MemoryFit
from preflash.simulator.simulate import simulate
from preflash.simulator.surroundings import Surroundings, scripted_target, surround

every_compiler = pytest.mark.parametrize("compiler", COMPILERS)
KIB = 1024
FLASH_BYTES, RAM_BYTES = 1024 * KIB, 256 * KIB


def conditions_of(around: Surroundings, board: str = "nrf52840-dk", reserve: str | None = None) -> Conditions:
    target, scripted = scripted_target(load_target(board), around)
    return surround(target, parse_conditions(target, reserve=reserve), around, scripted)


def estimate_of(around: Surroundings, board: str = "nrf52840-dk") -> Estimate:
    target, scripted = scripted_target(load_target(board), around)
    return simulate(
        build("kws01", dtype="int8"), target, surround(target, parse_conditions(target), around, scripted)
    )


def memory_of(estimate: Estimate, name: str) -> MemoryFit:
    return next(memory for memory in estimate.memories if memory.name == name)


def finding_of(estimate: Estimate, rule: str) -> Finding:
    return next(finding for finding in estimate.findings if finding.rule == rule)


def reserved_bytes(conditions: Conditions, memory: str) -> int:
    return sum(r.size_bytes for r in conditions.reservations if r.memory == memory)


def ram_around_the_arena(firmware: Build) -> int:
    data = firmware.symbol("_edata") - firmware.symbol("_sdata")
    bss = firmware.symbol("_ebss") - firmware.symbol("_sbss")
    return data + bss + firmware.section("._user_heap_stack") - ARENA_BYTES


@every_compiler
def test_the_old_arena_is_not_counted_beside_the_new_one(compiler: str) -> None:
    firmware = built(compiler)
    estimate = estimate_of(Surroundings(firmware=str(firmware.elf)))
    assert memory_of(estimate, "sram").budget_bytes == RAM_BYTES - ram_around_the_arena(firmware)


@every_compiler
def test_an_oversized_arena_is_told_what_to_give_back(compiler: str) -> None:
    estimate = estimate_of(Surroundings(firmware=str(built(compiler).elf)))
    needed = int(estimate.metric("arena_min_bytes").value or 0)
    finding = finding_of(estimate, "PF207")
    given_back = round((ARENA_BYTES - needed) / KIB, 1)
    assert f"tensor_arena reserves 98,304 B (96 KiB) in sram, {needed:,} B" in finding.message
    assert f"give back {given_back:g} KiB" in finding.message
    assert finding.severity.value == "info"


@every_compiler
def test_a_short_arena_is_told_what_is_missing(compiler: str) -> None:
    estimate = estimate_of(Surroundings(firmware=str(built(compiler).elf), arena_symbol="frame_buffer"))
    needed = int(estimate.metric("arena_min_bytes").value or 0)
    finding = finding_of(estimate, "PF207")
    moved = -built(compiler).symbol("frame_buffer") % 16
    assert f"{round((needed + moved - 5000) / KIB, 1):g} KiB short" in finding.message
    assert (finding.severity.value, "AllocateTensors fails" in finding.fix) == ("warning", True)


@every_compiler
def test_an_arena_that_cannot_be_seen_is_a_warning(compiler: str) -> None:
    estimate = estimate_of(Surroundings(firmware=str(built(compiler, source=POINTER).elf)))
    assert "tensor_arena is a pointer" in finding_of(estimate, "PF208").message


@every_compiler
def test_the_old_model_and_runtime_are_not_counted_beside_the_new_ones(compiler: str) -> None:
    firmware = built(compiler)
    estimate = estimate_of(Surroundings(firmware=str(firmware.elf)))
    end = firmware.symbol("_sidata") + firmware.symbol("_edata") - firmware.symbol("_sdata")
    placed = estimate.conditions.firmware
    assert placed is not None
    runtime = sum(part.size_bytes for part in placed.of_role("runtime"))
    expected = FLASH_BYTES - (end - firmware.symbol("_stored") - MODEL_BYTES - runtime)
    assert memory_of(estimate, "flash").budget_bytes == expected
    assert "weights_v3 (3,000 B in flash)" in finding_of(estimate, "PF306").message
    assert f"({runtime:,} B by name)" in finding_of(estimate, "PF307").message


@every_compiler
def test_the_assumption_on_stack_and_heap_follows_the_firmware(compiler: str) -> None:
    without = [a.text for a in estimate_of(Surroundings()).assumptions]
    assert any(text.startswith("stack, heap, sensors") for text in without)
    known = estimate_of(Surroundings(firmware=str(built(compiler).elf))).assumptions
    assert not any(a.text.startswith("stack, heap, sensors") for a in known)
    assert [a.value for a in known if "stack and heap with it" in a.text] == ["._user_heap_stack 1,536 B"]
    bare = estimate_of(Surroundings(firmware=str(built(compiler, reserves="none").elf)))
    assert any("were not recognised" in a.text for a in bare.assumptions)
    assert finding_of(bare, "PF209").severity.value == "warning"


@every_compiler
def test_map_and_elf_lead_to_the_same_verdict(compiler: str) -> None:
    firmware = built(compiler, interpreter=False)
    by_elf = estimate_of(Surroundings(firmware=str(firmware.elf)))
    by_map = estimate_of(Surroundings(map_file=str(firmware.map)))
    assert memory_of(by_elf, "sram").budget_bytes == memory_of(by_map, "sram").budget_bytes
    assert by_elf.verdict.word == by_map.verdict.word


@every_compiler
def test_firmware_of_another_machine_is_a_warning(compiler: str) -> None:
    board = "esp32-c3" if built(compiler).is_arm else "nrf52840-dk"
    estimate = estimate_of(Surroundings(firmware=str(built(compiler).elf)), board)
    assert "the core of" in finding_of(estimate, "PF701").message


@every_compiler
def test_flash_below_the_firmware_asks_for_the_boot_loader(compiler: str) -> None:
    firmware = str(built(compiler, flash_at=0xC000).elf)
    assert "--bootloader 49152" in finding_of(estimate_of(Surroundings(firmware=firmware)), "PF308").fix
    told = estimate_of(Surroundings(firmware=firmware, bootloader="48KiB"))
    assert not [f for f in told.findings if f.rule == "PF308"]


@every_compiler
def test_a_firmware_that_fills_the_memory_is_a_verdict_not_an_error(compiler: str) -> None:
    around = Surroundings(firmware=str(built(compiler).elf), arena_symbol="frame_buffer")
    estimate = estimate_of(around, "stm32f030r8")
    assert memory_of(estimate, "sram").budget_bytes == 0
    assert estimate.verdict.word.value == "NO"


@pytest.mark.parametrize(
    ("slots", "bootloader", "reserve", "slot_bytes"),
    [
        (1, None, None, FLASH_BYTES),
        (2, None, None, 512 * KIB),
        (2, "48KiB", None, (1024 - 48) * KIB // 2),
        (3, "64KiB", None, (1024 - 64) * KIB // 3),
        (2, "48KiB", "flash=176KiB", (1024 - 48 - 176) * KIB // 2),
    ],
)
def test_a_slot_is_an_equal_share_of_what_all_else_leaves(
    slots: int, bootloader: str | None, reserve: str | None, slot_bytes: int
) -> None:
    around = Surroundings(bootloader=bootloader, ota_slots=slots)
    assert FLASH_BYTES - reserved_bytes(conditions_of(around, reserve=reserve), "flash") == slot_bytes


@every_compiler
def test_each_slot_holds_the_firmware_too(compiler: str) -> None:
    firmware = str(built(compiler).elf)
    whole = conditions_of(Surroundings(firmware=firmware))
    halves = conditions_of(Surroundings(firmware=firmware, ota_slots=2))
    assert reserved_bytes(halves, "flash") - reserved_bytes(whole, "flash") == FLASH_BYTES // 2


def script(tmp_path: Path, text: str) -> str:
    (tmp_path / "app.ld").write_text(text)
    return str(tmp_path / "app.ld")


def test_a_script_sets_capacities_and_is_their_source(tmp_path: Path) -> None:
    text = "MEMORY { FLASH : ORIGIN = 0xC000, LENGTH = 400K RAM : ORIGIN = 0x20000000, LENGTH = 64K }"
    estimate = estimate_of(Surroundings(linker_script=script(tmp_path, text)))
    assert [memory_of(estimate, m).capacity_bytes for m in ("flash", "sram")] == [400 * KIB, 64 * KIB]
    sources = {a.text: (a.value, a.source) for a in estimate.assumptions}
    assert sources["sram (sram)"] == ("65,536 B", "app.ld: RAM")


def test_a_region_without_the_boot_loader_and_the_other_slot_is_not_divided_again(tmp_path: Path) -> None:
    text = "MEMORY { FLASH : ORIGIN = 0xC000, LENGTH = 488K RAM : ORIGIN = 0x20000000, LENGTH = 256K }"
    around = Surroundings(linker_script=script(tmp_path, text), bootloader="48KiB", ota_slots=2)
    conditions = conditions_of(around)
    assert reserved_bytes(conditions, "flash") == 0
    assert [f.rule for f in conditions.noted] == ["PF308", "PF308"]


def test_regions_that_find_no_memory_or_exceed_it_are_warnings(tmp_path: Path) -> None:
    text = "MEMORY { RAM : ORIGIN = 0x20000000, LENGTH = 512K PSRAM : ORIGIN = 0x70000000, LENGTH = 8M }"
    estimate = estimate_of(Surroundings(linker_script=script(tmp_path, text)))
    assert "PSRAM (8,388,608 B at 0x70000000)" in finding_of(estimate, "PF702").message
    assert "nrf52840-dk has 262,144 B" in finding_of(estimate, "PF703").message


def test_named_reservations_name_their_memory() -> None:
    target = load_target("nucleo-h743zi")
    given = ["camera=150KiB@axi-sram, ram=20KiB", "logs=1 KiB@flash", "stack=4KiB@dtcm"]
    found = parse_conditions(target, reserve=given).reservations
    assert [(r.name, r.memory, r.size_bytes) for r in found] == [
        ("camera", "axi-sram", 150 * KIB),
        ("your firmware (ram)", "axi-sram", 20 * KIB),
        ("logs", "flash", KIB),
        ("stack", "dtcm", 4 * KIB),
    ]


@pytest.mark.parametrize(
    ("reserve", "says"),
    [
        ("camera=150KiB", "no memory 'camera'"),
        ("camera=150KiB@moon", "no memory 'moon'"),
        ("camera=150KiB@", "is no reservation"),
        ("camera=@ram", "is no reservation"),
        ("x" * 41 + "=1KiB@ram", "is no reservation"),
        ("camera=400KiB@axi-sram,lcd=200KiB@axi-sram", "lcd: 614,400 bytes are reserved in axi-sram"),
    ],
)
def test_a_named_reservation_that_cannot_be_applied_is_refused(reserve: str, says: str) -> None:
    with pytest.raises(BudgetInvalid, match=says):
        parse_conditions(load_target("nucleo-h743zi"), reserve=reserve)


@pytest.mark.parametrize(
    ("around", "error", "says"),
    [
        (Surroundings(ota_slots=0), BudgetInvalid, "0 update slots"),
        (Surroundings(ota_slots=17), BudgetInvalid, "give 1 to 16"),
        (Surroundings(bootloader="2MiB"), BudgetInvalid, "which has 1,048,576"),
        (Surroundings(bootloader="1MiB", ota_slots=2), BudgetInvalid, "no slot is left"),
        (Surroundings(bootloader="lots"), UnitInvalid, "size in bytes"),
        (Surroundings(firmware="a.elf", map_file="a.map"), BudgetInvalid, "--firmware or --map"),
        (Surroundings(arena_symbol="arena"), BudgetInvalid, "without a firmware"),
        (Surroundings(firmware="missing.elf"), FirmwareFileInvalid, "missing.elf: cannot be read"),
        (Surroundings(linker_script="missing.ld"), FirmwareFileInvalid, "missing.ld: cannot be read"),
    ],
)
def test_what_cannot_be_applied_is_refused(around: Surroundings, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        conditions_of(around)
