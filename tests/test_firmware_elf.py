"""A linked firmware says what it takes, to the byte that its linker counted; a damaged one is refused."""

from __future__ import annotations

import os
import random
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from firmware_builds import ARENA_BYTES, COMPILERS, MODEL_BYTES, POINTER, TABLE_BYTES, Build, built
from preflash.devices.catalog import load_device
from preflash.devices.importers.elf import parse_elf, read_elf
from preflash.devices.importers.place import place
from preflash.devices.importers.symbols import arena_rank, is_runtime_name, plain_name
from preflash.devices.importers.use import FirmwareUse
from preflash.errors import FirmwareFileInvalid

every_compiler = pytest.mark.parametrize("compiler", COMPILERS)
NRF52840 = load_device("nrf52840-dk")


def stored_bytes(use: FirmwareUse) -> int:
    return sum(span.size_bytes for span in use.spans if span.load_address is not None)


def ram_bytes(use: FirmwareUse) -> int:
    return sum(span.size_bytes for span in use.spans if span.in_ram)


@every_compiler
@pytest.mark.parametrize(("flash_at", "ram_at"), [(0, 0x20000000), (0x08000000, 0x20000000)])
def test_flash_is_every_byte_up_to_the_end_of_the_initial_data(
    compiler: str, flash_at: int, ram_at: int
) -> None:
    build = built(compiler, flash_at=flash_at, ram_at=ram_at)
    end = build.symbol("_sidata") + build.symbol("_edata") - build.symbol("_sdata")
    assert stored_bytes(read_elf(build.elf)) == end - build.symbol("_stored")


@every_compiler
def test_ram_is_data_bss_heap_and_stack(compiler: str) -> None:
    build = built(compiler)
    use = read_elf(build.elf)
    expected = build.symbol("_edata") - build.symbol("_sdata") + build.symbol("_ebss") - build.symbol("_sbss")
    assert ram_bytes(use) == expected + build.section("._user_heap_stack")
    assert build.section("._user_heap_stack") == 0x600
    assert use.heap_and_stack == (("._user_heap_stack", 0x600),)


@every_compiler
def test_the_arena_is_the_array_of_that_name_not_the_larger_or_another_arena(compiler: str) -> None:
    build = built(compiler)
    use = read_elf(build.elf)
    assert use.arena is not None
    assert use.arena.name == "(anonymous namespace)::tensor_arena"
    assert use.arena.size_bytes == ARENA_BYTES
    assert use.arena.address == build.symbol("_ZN12_GLOBAL__N_112tensor_arenaE")
    assert "small_arena (512 B) stays with the firmware" in use.arena_notes[0]


@every_compiler
@pytest.mark.parametrize(
    ("asked", "size_bytes"),
    [
        ("frame_buffer", 5000),
        ("tensor_arena", ARENA_BYTES),
        ("_ZN12_GLOBAL__N_112tensor_arenaE", ARENA_BYTES),
    ],
)
def test_the_user_can_name_the_arena(compiler: str, asked: str, size_bytes: int) -> None:
    use = read_elf(built(compiler).elf, arena_symbol=asked)
    assert use.arena is not None
    assert (use.arena.size_bytes, use.arena.evidence) == (size_bytes, "--arena-symbol")


@every_compiler
@pytest.mark.parametrize("asked", ["nothing", "weights_v3", "main", "counter"])
def test_a_name_that_is_no_array_in_ram_hears_which_are(compiler: str, asked: str) -> None:
    with pytest.raises(FirmwareFileInvalid, match=r"tensor_arena \(98,304 B\)"):
        read_elf(built(compiler).elf, arena_symbol=asked)


@every_compiler
def test_a_pointer_is_no_arena(compiler: str) -> None:
    use = read_elf(built(compiler, source=POINTER).elf)
    assert use.arena is None
    assert "tensor_arena is a pointer" in use.arena_notes[0]


@every_compiler
def test_a_model_is_what_begins_like_one_whatever_its_name(compiler: str) -> None:
    models = read_elf(built(compiler).elf).of_role("model")
    assert [(m.name, m.size_bytes) for m in models] == [("weights_v3", MODEL_BYTES)]


@every_compiler
def test_the_runtime_is_recognised_only_with_its_interpreter(compiler: str) -> None:
    assert not read_elf(built(compiler, interpreter=False).elf).of_role("runtime")
    found = read_elf(built(compiler).elf).of_role("runtime")
    assert TABLE_BYTES in [part.size_bytes for part in found]
    assert sum(part.size_bytes for part in found) > TABLE_BYTES


@every_compiler
def test_what_is_replaced_and_what_stays_is_everything(compiler: str) -> None:
    use = read_elf(built(compiler).elf)
    placed = place(use, NRF52840)
    assert not placed.unplaced
    for memory, total in (("flash", stored_bytes(use)), ("sram", ram_bytes(use))):
        replaced = sum(part.size_bytes for part in placed.replaced if part.memory == memory)
        assert placed.taken_bytes(memory) + replaced == total
    assert [(p.memory, p.size_bytes) for p in placed.of_role("arena")] == [("sram", ARENA_BYTES)]
    assert [(p.memory, p.size_bytes) for p in placed.of_role("model")] == [("flash", MODEL_BYTES)]


@every_compiler
def test_initial_data_takes_flash_and_ram(compiler: str) -> None:
    build = built(compiler)
    data = {(p.memory, p.what): p.size_bytes for p in place(read_elf(build.elf), NRF52840).taken}
    size_bytes = build.symbol("_edata") - build.symbol("_sdata")
    assert data["flash", "data"] == data["sram", "data"] == size_bytes


@every_compiler
def test_stack_and_heap_of_a_cmsis_script_are_counted_where_they_lie(compiler: str) -> None:
    use = read_elf(built(compiler, reserves="cmsis").elf)
    assert dict(use.heap_and_stack) == {"__StackLimit and __StackTop": 0x800, ".heap": 0x1000}
    stack = next(span for span in use.spans if span.what == "stack")
    assert stack.address == 0x20000000 + 256 * 1024 - 0x800
    kept = {p.what: p.size_bytes for p in place(use, NRF52840).taken if p.memory == "sram"}
    assert (kept["stack"], kept["heap"]) == (0x800, 0x1000)


@every_compiler
def test_a_firmware_without_reservations_says_so(compiler: str) -> None:
    assert read_elf(built(compiler, reserves="none").elf).heap_and_stack == ()


@every_compiler
def test_without_symbols_all_bytes_are_the_firmwares(compiler: str) -> None:
    use = read_elf(built(compiler, options=("-s",)).elf)
    assert (use.has_symbols, use.objects) == (False, ())
    assert ram_bytes(use) == ram_bytes(read_elf(built(compiler).elf))


@every_compiler
def test_without_section_headers_the_segments_tell(compiler: str) -> None:
    data = built(compiler).elf.read_bytes()
    whole = parse_elf(data, file="app.elf")
    at, width = (40, 8) if data[4] == 2 else (32, 4)
    counts = 60 if data[4] == 2 else 48
    stripped = data[:at] + bytes(width) + data[at + width : counts] + bytes(4) + data[counts + 4 :]
    use = parse_elf(stripped, file="app.elf")
    assert use.objects == ()
    assert 0 <= stored_bytes(use) - stored_bytes(whole) <= 0x1000
    assert 0 <= ram_bytes(use) - ram_bytes(whole) < 64


@every_compiler
def test_a_section_in_no_memory_is_named_and_not_counted(compiler: str) -> None:
    placed = place(read_elf(built(compiler, ram_at=0x60000000).elf), NRF52840)
    assert {span.section for span in placed.unplaced} >= {".bss", "._user_heap_stack"}
    assert placed.taken_bytes("sram") == 0


@every_compiler
def test_a_board_without_addresses_counts_by_what_is_written(compiler: str) -> None:
    use = read_elf(built(compiler).elf)
    placed = place(use, load_device("feather-m4"))
    assert placed.is_by_kind
    assert {p.memory for p in placed.taken} == {"flash", "sram"}
    assert placed.taken_bytes("sram") == ram_bytes(use) - ARENA_BYTES


@every_compiler
def test_without_addresses_what_the_home_of_static_data_cannot_hold_goes_to_that_of_the_arena(
    compiler: str,
) -> None:
    device = load_device("apollo3-blue")
    placed = place(read_elf(built(compiler).elf), device)
    assert device.home_of("static").size_bytes < ARENA_BYTES
    assert [p.memory for p in placed.of_role("arena")] == [device.home_of("arena").name]


@every_compiler
def test_the_machine_is_that_of_the_compiler(compiler: str) -> None:
    build = built(compiler)
    assert (read_elf(build.elf).machine == "ARM") is build.is_arm


@pytest.mark.parametrize(
    ("symbol", "plain", "rank"),
    [
        ("tensor_arena", "tensor_arena", 2),
        ("g_tensor_arena", "g_tensor_arena", 2),
        ("_ZL12tensor_arena", "tensor_arena", 2),
        ("_ZZ4mainE12tensor_arena", "main::tensor_arena", 2),
        ("kTensorArena", "kTensorArena", 2),
        ("arena_", "arena_", 1),
        ("tensor_arena.lto_priv.0", "tensor_arena", 2),
        ("kTensorArenaSize", "kTensorArenaSize", 0),
        ("tensor_arena_size", "tensor_arena_size", 0),
        ("_ZN12_GLOBAL__N_1L8kArenaSzE", "(anonymous namespace)::kArenaSz", 1),
        ("frame_buffer", "frame_buffer", 0),
        ("_Z99x", "x", 0),
        ("_Z", "_Z", 0),
    ],
)
def test_an_arena_is_told_by_its_name(symbol: str, plain: str, rank: int) -> None:
    assert plain_name(symbol) == plain
    assert arena_rank(symbol) == rank


@pytest.mark.parametrize(
    ("symbol", "is_runtime"),
    [
        ("_ZN6tflite16MicroInterpreter6InvokeEv", True),
        ("_ZNK6tflite5ModelE", True),
        ("_ZTVN6tflite16MicroAllocatorE", True),
        ("arm_convolve_s8", True),
        ("esp_nn_conv_s8_esp32s3", True),
        ("TfLiteIntArrayCreate", True),
        ("_Z5setupRN6tflite16MicroInterpreterE", False),
        ("arm_cfft_f32", False),
        ("main", False),
    ],
)
def test_the_runtime_is_told_by_its_names(symbol: str, is_runtime: bool) -> None:
    assert is_runtime_name(symbol) is is_runtime


# --- files that may be anything


def accepted(data: bytes) -> bool:
    """Whether it is read; anything but a refusal in words fails the test."""
    try:
        place(parse_elf(data, file="app.elf"), NRF52840)
    except FirmwareFileInvalid:
        return False
    return True


@every_compiler
def test_every_truncation_is_refused_or_read(compiler: str) -> None:
    data = built(compiler).elf.read_bytes()
    read = [cut for cut in range(0, len(data), 16) if accepted(data[:cut])]
    assert not read


@every_compiler
def test_mutations_are_refused_or_read(compiler: str) -> None:
    data, chance = built(compiler).elf.read_bytes(), random.Random(7)
    header, tail = 64 + 8 * 56, min(len(data), 2500)
    outcomes = set()
    for _ in range(600):
        mutated = bytearray(data)
        for _ in range(chance.choice((1, 1, 2, 8))):
            at = chance.choice((chance.randrange(header), len(data) - 1 - chance.randrange(tail)))
            width = chance.choice((1, 4, 8))
            value = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
            mutated[at : at + width] = bytes([value]) * len(mutated[at : at + width])
        outcomes.add(accepted(bytes(mutated)))
    assert outcomes == {True, False}


def patched(data: bytes, narrow: int, wide: int, value: int, size: int) -> bytes:
    """The file with a little-endian number at the offset of its class."""
    at = wide if data[4] == 2 else narrow
    return data[:at] + value.to_bytes(size, "little") + data[at + size :]


def section_header(data: bytes, index: int) -> tuple[int, bool]:
    wide = data[4] == 2
    (table,) = struct.unpack_from("<Q", data, 40) if wide else struct.unpack_from("<I", data, 32)
    return table + index * (64 if wide else 40), wide


def with_section_size(data: bytes, index: int, size_bytes: int) -> bytes:
    head, wide = section_header(data, index)
    at, width = (head + 32, 8) if wide else (head + 20, 4)
    return data[:at] + size_bytes.to_bytes(8, "little")[:width] + data[at + width :]


BOMBS: dict[str, Callable[[bytes], bytes]] = {
    "65,535 sections": lambda d: patched(d, 48, 60, 0xFFFF, 2),
    "65,535 segments": lambda d: patched(d, 44, 56, 0xFFFF, 2),
    "sections beyond the file": lambda d: patched(d, 32, 40, 0x7FFFFFFF, 4),
    "segments beyond the file": lambda d: patched(d, 28, 32, 0x7FFFFFFF, 4),
    "section headers of no size": lambda d: patched(d, 46, 58, 0, 2),
    "no section count, a table": lambda d: patched(d, 48, 60, 0, 2),
    "a section of 2^63 bytes": lambda d: with_section_size(d, 1, 1 << 63 | 0xFFFFFFFF),
    "class 7": lambda d: d[:4] + b"\x07" + d[5:],
    "byte order 9": lambda d: d[:5] + b"\x09" + d[6:],
    "an object file": lambda d: d[:16] + b"\x01\x00" + d[18:],
    "a core dump": lambda d: d[:16] + b"\x04\x00" + d[18:],
    "only the magic": lambda d: d[:4],
    "no ELF": lambda d: b"MZ" + d[2:],
}


@every_compiler
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_refused(compiler: str, bomb: str) -> None:
    with pytest.raises(FirmwareFileInvalid) as refused:
        parse_elf(BOMBS[bomb](built(compiler).elf.read_bytes()), file="app.elf")
    assert refused.value.fix


@every_compiler
def test_a_refusal_names_the_file(compiler: str, tmp_path: Path) -> None:
    path = tmp_path / "cut.elf"
    path.write_bytes(built(compiler).elf.read_bytes()[:200])
    with pytest.raises(FirmwareFileInvalid, match=r"cut\.elf"):
        read_elf(path)


def test_what_is_no_file_is_refused_without_waiting(tmp_path: Path) -> None:
    (tmp_path / "empty.elf").write_bytes(b"")
    (tmp_path / "text.elf").write_text("int main(void) { return 0; }")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.elf")
    for name in ("empty.elf", "text.elf", "pipe.elf", "missing.elf", "", "nul\0.elf"):
        with pytest.raises(FirmwareFileInvalid):
            read_elf(tmp_path / name)


def overlapping(build: Build) -> bytes:
    """The firmware with .bss laid over .data."""
    data = build.elf.read_bytes()
    names = [span.section for span in read_elf(build.elf).spans]
    assert ".bss" in names
    for index in range(1, 12):
        head, wide = section_header(data, index)
        (kind,) = struct.unpack_from("<I", data, head + 4)
        if kind == 8:  # SHT_NOBITS
            at, width = (head + 16, 8) if wide else (head + 12, 4)
            return data[:at] + (0x20000000).to_bytes(width, "little") + data[at + width :]
    raise AssertionError("no .bss")


@every_compiler
def test_bytes_at_one_address_count_once(compiler: str) -> None:
    build = built(compiler)
    whole = ram_bytes(read_elf(build.elf))
    placed = place(parse_elf(overlapping(build), file="app.elf"), NRF52840)
    counted = placed.taken_bytes("sram") + sum(p.size_bytes for p in placed.replaced if p.memory == "sram")
    assert counted == whole - (build.symbol("_edata") - build.symbol("_sdata"))
