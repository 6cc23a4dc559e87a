"""The map of a link tells the same as its ELF; maps of other linkers are refused by their name."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from firmware_builds import ARENA_BYTES, COMPILERS, built
from preflash.devices.catalog import load_device
from preflash.devices.importers.elf import read_elf
from preflash.devices.importers.map import parse_map, read_map
from preflash.devices.importers.place import Taken, place
from preflash.devices.importers.use import FirmwareUse, Region
from preflash.errors import FirmwareFileInvalid

every_compiler = pytest.mark.parametrize("compiler", COMPILERS)
NRF52840 = load_device("nrf52840-dk")

# The form that binutils of 2016 wrote: addresses of 32 bits, no -fdata-sections, PROVIDE in full.
OLD_STYLE = """Archive member included to satisfy reference by file (symbol)

/lib/libtensorflow-microlite.a(micro_interpreter.o)
                              main.o (tflite::MicroInterpreter::Invoke())

Allocating common symbols
Common symbol       size              file

Memory Configuration

Name             Origin             Length             Attributes
FLASH            0x00000000         0x00100000         xr
RAM              0x20000000         0x00040000         xrw
*default*        0x00000000         0xffffffff

Linker script and memory map

LOAD main.o
                0x00000800                _Min_Stack_Size = 0x800

.text           0x00000000     0x1010
 *(.isr_vector)
 .text          0x00000000      0x100 main.o
                0x00000000                main
 .text          0x00000100      0xf00 /lib/libtensorflow-microlite.a(micro_interpreter.o)
                0x00000100                tflite::MicroInterpreter::Invoke()
 .rodata        0x00001000       0x10 main.o
                0x00001010                _etext = .

.data           0x20000000       0x20 load address 0x00001010
                0x20000000                _sdata = .
 .data          0x20000000       0x20 main.o
                [0x20000020]                PROVIDE (_edata, .)

.bss            0x20000020     0x4100
 .bss           0x20000020       0xe0 state.o
                0x20000020                state
 .bss           0x20000100     0x4000 main.o
                0x20000100                tensor_arena
                0x20003100                frame
 *fill*         0x20004100       0x20 00

.a_very_long_name_of_a_section_with_bss
                0x20004120       0x40
 .a_very_long_name_of_a_section_with_bss
                0x20004120       0x40 main.o
OUTPUT(app.elf elf32-littlearm)

.ARM.attributes
                0x00000000       0x31
.comment        0x00000000       0x4d
.debug_frame    0x00000000      0x9f4
"""


def old_style() -> FirmwareUse:
    return parse_map(OLD_STYLE.encode(), file="app.map")


def kept(use: FirmwareUse) -> dict[tuple[str, str], int]:
    return {(part.memory, part.what): part.size_bytes for part in place(use, NRF52840).taken}


def test_an_old_map_is_read_section_by_section() -> None:
    use = old_style()
    found = {span.section: (span.what, span.size_bytes, span.load_address) for span in use.spans}
    assert found == {
        ".text": ("text", 0x1010, 0),
        ".data": ("data", 0x20, 0x1010),
        ".bss": ("bss", 0x4100, None),
        ".a_very_long_name_of_a_section_with_bss": ("bss", 0x40, None),
        "_Min_Stack_Size": ("stack", 0x800, None),
    }
    assert use.machine == "ARM"
    assert use.regions == (Region("FLASH", 0, 1 << 20, "xr"), Region("RAM", 0x20000000, 1 << 18, "xrw"))


def test_a_symbol_without_a_section_of_its_own_reaches_to_the_next() -> None:
    arena = old_style().arena
    assert arena is not None
    assert (arena.name, arena.address, arena.size_bytes) == ("tensor_arena", 0x20000100, 0x3000)


def test_the_runtime_is_told_by_its_object_files() -> None:
    assert [(r.address, r.size_bytes) for r in old_style().of_role("runtime")] == [(0x100, 0xF00)]


def test_what_stays_of_the_old_map_is_worked_by_hand() -> None:
    assert kept(old_style()) == {
        ("flash", "text"): 0x1010 - 0xF00,
        ("flash", "data"): 0x20,
        ("sram", "data"): 0x20,
        ("sram", "bss"): 0x4100 + 0x40 - 0x3000,
        ("sram", "stack"): 0x800,
    }


@every_compiler
def test_a_map_and_its_elf_take_the_same(compiler: str) -> None:
    build = built(compiler, interpreter=False, options=("-ffunction-sections",))
    elf, by_map = place(read_elf(build.elf), NRF52840), place(read_map(build.map), NRF52840)
    models = sum(part.size_bytes for part in elf.of_role("model"))
    named = sum(part.size_bytes for part in by_map.of_role("model"))
    assert elf.taken_bytes("sram") == by_map.taken_bytes("sram")
    assert elf.taken_bytes("flash") + models == by_map.taken_bytes("flash") + named
    assert {p.what for p in elf.taken} == {p.what for p in by_map.taken}


@every_compiler
def test_a_map_names_models_by_their_name_only(compiler: str) -> None:
    models = read_map(built(compiler).map).of_role("model")
    assert [(m.name, m.size_bytes, m.evidence) for m in models] == [("g_model", 256, "its name")]


@every_compiler
def test_the_arena_of_a_map_is_that_of_the_elf(compiler: str) -> None:
    arena = read_map(built(compiler).map).arena
    assert arena is not None
    assert (arena.name, arena.size_bytes) == ("(anonymous namespace)::tensor_arena", ARENA_BYTES)


@every_compiler
def test_the_user_names_an_arena_of_a_map(compiler: str) -> None:
    arena = read_map(built(compiler).map, arena_symbol="frame_buffer").arena
    assert arena is not None
    assert arena.size_bytes == 5000
    with pytest.raises(FirmwareFileInvalid, match="no array in RAM is called 'nothing'"):
        read_map(built(compiler).map, arena_symbol="nothing")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Component: ARM Compiler 6.16 Tool: armlink", "a map of armlink"),
        ("# IAR ELF Linker V9.20.1", "a map of IAR"),
        ("     VMA      LMA     Size Align Out     In      Symbol\n", "a map of LLVM lld"),
        ("TMS320C2000 Linker PC v22", "a map of TI"),
        ("hello", "no map of GNU ld"),
        ("Linker script and memory map\n", "no section that takes memory"),
        ("Linker script and memory map\n.bss 0x20000000 0xffffffffffff\n", "leaves the address space"),
    ],
)
def test_what_is_no_map_of_gnu_ld_hears_what_it_is(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "app.map"
    path.write_text(text)
    with pytest.raises(FirmwareFileInvalid, match=says) as refused:
        read_map(path)
    assert "app.map" in str(refused.value)


def test_mutations_are_refused_or_read() -> None:
    chance = random.Random(3)
    for _ in range(400):
        mutated = bytearray(OLD_STYLE.encode())
        for _ in range(chance.choice((1, 4, 16))):
            mutated[chance.randrange(len(mutated))] = chance.choice(b"0xf \n.*(=\xff")
        cut = chance.choice((len(mutated), chance.randrange(len(mutated))))
        try:
            taken = place(parse_map(bytes(mutated[:cut]), file="app.map"), NRF52840).taken
        except FirmwareFileInvalid:
            continue
        assert all(isinstance(part, Taken) and part.size_bytes > 0 for part in taken)
