"""The shipped boards say what facts/devices.csv says, cover its vendors and cores, and cite every number."""

from __future__ import annotations

import re
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from preflash.devices.catalog import device_names, load_device, load_target
from preflash.devices.spec import DeviceSpec
from shared_data import shared_csv

BOARDS = Path(__file__).resolve().parents[1] / "devices" / "boards"
MADE_UP = {"example-npu"}
# Boards of published latencies that devices.csv does not list: phones and Linux boards, a Nucleo board.
NOT_IN_FACTS = {
    "raspberry-pi-2", "raspberry-pi-zero-w", "stm32mp157f-dk2", "xiaomi-8-se", "huawei-p20", "nucleo-f413zh",
}  # fmt: skip
PROMISED = (
    "nucleo-l4r5zi", "ek-ra6m4", "ek-ra8d1", "ra8d1", "nrf5340-dk", "arduino-nano-33-ble", "nucleo-h7a3zi",
    "stm32u385rg", "stm32f103rb", "stm32f407vg", "rp2350", "esp32-s3", "stm32f030r8", "rp2040", "esp32",
    "esp32-c3", "esp32-p4", "nrf52840-dk", "nucleo-u575zi", "nucleo-f446re", "nucleo-f746zg",
    "nucleo-h743zi", "apollo510", "max78000", "efr32mg24", "alif-e7", "corstone-300", "raspberry-pi-4b",
    "stm32l4r5zi", "stm32h747i-disco", "esp32-s3-devkitc-1-n8r8",
)  # fmt: skip

# Board -> the row of devices.csv it stands for, where the row is not called like the part.
ROW = {
    "alif-e1": "Alif Ensemble E1 (AE101F4071542)", "alif-e7": "Alif Ensemble E7 (AE722F80F55D5)",
    "alif-e8": "Alif Ensemble E8 (AE822FA0E5597)",
    "apollo3-blue": "Apollo3 Blue (AMA3B1KK)", "arduino-nano-33-ble": "Arduino Nano 33 BLE (nRF52840)",
    "arduino-portenta-h7": "Arduino Portenta H7 (STM32H747XI)", "arduino-uno-r4": "RA4M1 (R7FA4M1AB, UNO R4)",
    "coral-dev-board": "Coral Dev Board", "corstone-300": "Corstone-300 (MPS3 AN552 / FVP)",
    "corstone-310": "Corstone-310 (MPS3 AN555 / FVP)", "cy8cproto-062": "PSoC 62 (CY8C62xA)",
    "efr32mg24": "EFR32MG24 (xG24, MGM240 module)", "ek-ra4m3": "RA4M3 (R7FA4M3AF)",
    "ek-ra6m3": "RA6M3 (R7FA6M3AH)", "ek-ra6m4": "RA6M4 (R7FA6M4AF)", "ek-ra6m5": "RA6M5 (R7FA6M5BH)",
    "ek-ra8d1": "RA8D1 (R7FA8D1BH)", "ek-ra8m1": "RA8M1 (R7FA8M1AH)", "ek-ra8p1": "RA8P1 (R7KA8P1)",
    "feather-m4": "ATSAMD51P19A/J19A", "grove-vision-ai-v2": "Himax WiseEye2 HX6538",
    "hifive1-revb": "SiFive FE310-G002", "maix-bit": "Kendryte K210",
    "nrf5340-dk": "nRF5340 (application core)", "pixel": "Snapdragon 821 (Pixel 1)",
    "pixel-2": "Snapdragon 835 (Pixel 2)", "pixel-3": "Snapdragon 845 (Pixel 3)",
    "pixel-3a": "Snapdragon 670 (Pixel 3a)", "pixel-4": "Snapdragon 855 (Pixel 4)",
    "psoc-edge-e84": "PSOC Edge E84 (PSE846)",
    "raspberry-pi-zero-2w": "Raspberry Pi Zero 2 W", "raspberry-pi-3b+": "Raspberry Pi 3B+",
    "raspberry-pi-4b": "Raspberry Pi 4B", "raspberry-pi-5": "Raspberry Pi 5",
    "sipeed-m1s": "BL808 (C906 core)",
}  # fmt: skip

# KiB by which the listed RAM differs from the total in devices.csv, and why.
RAM_NOT_ALIKE = {
    "nucleo-h723zg": 4, "nucleo-h743zi": 4, "nucleo-h7a3zi": 4, "arduino-portenta-h7": 4,
    "stm32h747i-disco": 4,  # backup SRAM
    "nucleo-u575zi": 2, "b-u585i-iot02a": 2, "nucleo-u5a5zj": 2,  # backup SRAM
    "stm32n6570-dk": -128, "psoc-edge-e84": -256,  # DTCM, which the total leaves out
    "max78000": -512, "max78002": -1280,  # CNN data memory, which the total leaves out
}  # fmt: skip

# devices.csv calls it -> CoreName. What no shipped runtime runs on has no board.
CORES = {
    "Cortex-M0": "cortex-m0", "Cortex-M0+": "cortex-m0+", "Cortex-M3": "cortex-m3", "Cortex-M4F": "cortex-m4",
    "Cortex-M7": "cortex-m7", "Cortex-M33": "cortex-m33", "Cortex-M55": "cortex-m55",
    "Cortex-M85": "cortex-m85", "Cortex-A53": "cortex-a53", "Cortex-A72": "cortex-a72",
    "Cortex-A76": "cortex-a76", "Kryo 280": "cortex-a73", "Kryo 360": "cortex-a75", "Kryo 385": "cortex-a75",
    "Kryo 485": "cortex-a76", "Kryo (Qualcomm custom)": "kryo", "Xtensa LX6": "xtensa-lx6",
    "Xtensa LX7": "xtensa-lx7",
    "RV32IMC": "rv32imc", "RV32IMAC": "rv32imac", "RV32IMAFC": "rv32imafc", "RV64GC": "rv64gc",
    "PULP": "pulp",
}  # fmt: skip
NO_RUNTIME = {"MSP430X 16-bit + LEA", "C28x + CLA", "Edge TPU"}

real_boards = pytest.mark.parametrize("name", [n for n in device_names() if n not in MADE_UP | NOT_IN_FACTS])


def row_of(device: DeviceSpec) -> dict[str, str]:
    wanted = ROW.get(device.name, device.part)
    return next(row for row in shared_csv("devices.csv") if row["name"] == wanted)


def kib(device: DeviceSpec, *, nonvolatile: bool) -> float:
    alike = [m for m in device.memories if m.is_nonvolatile is nonvolatile]
    return sum(m.size_bytes for m in alike if m.kind not in ("psram", "dram")) / 1024


def external_flash_kib(device: DeviceSpec) -> float:
    """The board's own, beside the part's flash."""
    return sum(m.size_bytes for m in device.memories if m.kind == "external-flash") / 1024


@pytest.mark.parametrize("name", PROMISED)
def test_a_promised_name_is_there(name: str) -> None:
    device = load_device(name)
    assert name in (device.name, *device.aliases)


@pytest.mark.parametrize("name", device_names())
def test_a_board_is_named_like_its_file_and_makes_a_target_with_its_default_runtime(name: str) -> None:
    target = load_target(name)
    assert target.device.name == name
    assert target.clock_hz == target.device.core.max_clock_hz
    assert target.runtime.name == target.device.default_runtime


def test_there_are_far_more_than_forty_boards() -> None:
    assert len(set(device_names()) - MADE_UP) >= 45


@pytest.mark.parametrize("name", sorted(NOT_IN_FACTS))
def test_a_board_that_the_facts_lack_is_not_in_them_and_cites_something_else(name: str) -> None:
    device = load_device(name)
    assert device.part not in {row["name"] for row in shared_csv("devices.csv")}
    for block in (device.core, *device.memories):
        assert "devices.csv" not in block.source.replace("not in devices.csv", "")
        assert block.confidence != "measured"


@real_boards
def test_flash_is_that_of_the_facts(name: str) -> None:
    device = load_device(name)
    row = row_of(device)
    if row["nvm_type"] == "SD/eMMC":
        assert device.home_of("weights").kind == "dram"
        return
    home = device.home_of("weights")
    expected = int(row["flash_kib"]) or int(row["ext_nvm_typ_kib"] or 0)
    if expected:
        outside = 0.0 if not int(row["flash_kib"]) else external_flash_kib(device)
        assert kib(device, nonvolatile=True) - outside == expected
    if not int(row["flash_kib"]):
        assert home.kind == "external-flash"
        assert home.assumption


@real_boards
def test_ram_is_that_of_the_facts(name: str) -> None:
    device = load_device(name)
    row = row_of(device)
    if row["nvm_type"] == "SD/eMMC":
        assert [m.kind for m in device.memories] == ["dram"]
        return
    assert kib(device, nonvolatile=False) == float(row["sram_kib"]) - RAM_NOT_ALIKE.get(name, 0)


@real_boards
def test_clock_and_core_are_those_of_the_facts(name: str) -> None:
    device = load_device(name)
    row = row_of(device)
    assert device.core.max_clock_hz == float(row["max_mhz"]) * 1e6
    named = {core for text, core in CORES.items() if text in row["core"]}
    if "T-Head C906" not in row["core"]:
        assert device.core.name in named


@real_boards
def test_the_instruction_set_has_what_the_facts_say(name: str) -> None:
    device = load_device(name)
    row, isa = row_of(device), device.core.isa
    assert ("dsp" in isa) == ("DSP SIMD" in row["isa_features"] or "Helium" in row["isa_features"])
    assert ("mve" in isa) == ("Helium" in row["isa_features"])
    assert ("pie" in isa) == ("PIE" in row["isa_features"])


def test_every_vendor_of_the_facts_has_a_board_where_a_runtime_runs() -> None:
    rows = [row for row in shared_csv("devices.csv") if row["core"] not in NO_RUNTIME]
    ours = [row_of(load_device(name)) for name in device_names() if name not in MADE_UP | NOT_IN_FACTS]
    assert {row["vendor"].split("/")[0] for row in ours} == {row["vendor"].split("/")[0] for row in rows}


def test_every_core_of_the_facts_has_a_board_where_a_runtime_runs() -> None:
    asked = {core for row in shared_csv("devices.csv") for text, core in CORES.items() if text in row["core"]}
    assert {load_device(name).core.name for name in set(device_names()) - NOT_IN_FACTS} == asked


@real_boards
def test_measured_power_is_cited_and_datasheet_power_follows_from_the_facts(name: str) -> None:
    device = load_device(name)
    power, row = device.power, row_of(device)
    for point in () if power is None else power.all_points:
        if point.active_w is not None:
            assert point.confidence in ("measured", "secondary") or "from memory" in point.source
            assert (point.active_w_lo or 0) <= point.active_w <= (point.active_w_hi or point.active_w)
        else:
            assert point.supply_v is not None
            stated = re.findall(r"[0-9.]+", row["active_ua_per_mhz"])  # "110 (LDO) / 43 (SMPS)"
            expected = [float(figure) * 1e-12 * point.supply_v for figure in stated]  # uA/MHz x V
            assert any(point.active_w_per_hz == pytest.approx(figure) for figure in expected)


@pytest.mark.parametrize(
    ("name", "pattern", "millivolts"), [("nucleo-l4r5zi", "L4R5", 1800), ("nucleo-u575zi", "U575", 1800)]
)
def test_the_power_interval_spans_the_measured_submissions(name: str, pattern: str, millivolts: int) -> None:
    power = load_device(name).power
    assert power is not None
    milliwatts = [
        float(row["median_mw"])
        for row in shared_csv("constant_power_fit.csv")
        if pattern in row["system"] and int(row["supply_mv"]) == millivolts
    ]
    assert power.active_w_lo == pytest.approx(min(milliwatts) / 1e3, rel=0.01)
    assert power.active_w_hi == pytest.approx(max(milliwatts) / 1e3, rel=0.01)


@pytest.mark.parametrize(
    ("name", "clock_hz", "wait_states"),
    [
        ("nucleo-l4r5zi", 120e6, 5), ("nucleo-l4r5zi", 80e6, 3), ("nucleo-l4r5zi", 20e6, 0),
        ("stm32f407vg", 168e6, 5), ("nucleo-f746zg", 216e6, 7), ("stm32f103rb", 72e6, 2),
        ("nucleo-g474re", 170e6, 4), ("nucleo-u575zi", 160e6, 4), ("nucleo-h7a3zi", 280e6, 6),
        ("stm32f030r8", 48e6, 1),
    ],
)  # fmt: skip
def test_flash_wait_states_end_at_those_of_the_facts(name: str, clock_hz: float, wait_states: int) -> None:
    access = load_device(name).home_of("weights").access
    assert access is not None
    assert access.wait_states_at(clock_hz) == wait_states


@pytest.mark.parametrize(
    ("name", "arena", "static"),
    [
        ("nucleo-h743zi", "axi-sram", "dtcm"), ("nucleo-f746zg", "sram1+2", "dtcm"),
        ("stm32f407vg", "sram1+2", "sram1+2"), ("nucleo-l4r5zi", "sram1+2+3", "sram1+2+3"),
        ("esp32", "sram1+2", "sram1+2"), ("alif-e7", "sram0", "dtcm-hp"),
    ],
)  # fmt: skip
def test_the_arena_lies_in_one_physical_memory(name: str, arena: str, static: str) -> None:
    device = load_device(name)
    assert device.home_of("arena").name == arena
    assert device.home_of("static").name == static


@pytest.mark.parametrize(
    ("name", "memory", "reserved_kib"),
    [
        ("esp32-s3", "sram", 48),
        ("esp32", "sram0", 64),
        ("arduino-nano-33-ble", "flash", 64),
        ("esp32-p4", "sram", 128),
    ],
)
def test_what_every_firmware_loses_is_reserved(name: str, memory: str, reserved_kib: int) -> None:
    taken = [r.size_bytes for r in load_device(name).reserved if r.memory == memory]
    assert sum(taken) == reserved_kib * 1024


@pytest.mark.parametrize("name", device_names())
def test_the_memories_of_a_board_share_no_address(name: str) -> None:
    ranges = sorted(
        (begin, end)
        for m in load_device(name).memories
        for begin, end in (
            *m.windows, *([] if m.address is None else [(m.address, m.address + m.size_bytes)])
        )
    )
    assert all(begin < end for begin, end in ranges)
    assert all(first[1] <= second[0] for first, second in pairwise(ranges))


@pytest.mark.parametrize(
    ("name", "address", "memory"),
    [
        ("nrf52840-dk", 0xC000, "flash"), ("nrf52840-dk", 0x2003FFFF, "sram"),
        ("nucleo-l4r5zi", 0x08000000, "flash"), ("nucleo-l4r5zi", 0x2009FFFF, "sram1+2+3"),
        ("nucleo-h743zi", 0x24000000, "axi-sram"), ("nucleo-h743zi", 0x20000000, "dtcm"),
        ("nucleo-h743zi", 0x0, "itcm"), ("nucleo-h743zi", 0x30040000, "sram1+2+3"),
        ("nucleo-h743zi", 0x38000000, "sram4"), ("nucleo-f746zg", 0x20010000, "sram1+2"),
        ("stm32f407vg", 0x10000000, "ccm"), ("nucleo-l476rg", 0x10000000, "sram2"),
        ("rp2040", 0x10000100, "flash"), ("rp2040", 0x20041FFF, "sram"),
        ("esp32-s3", 0x3FC88000, "sram"), ("esp32-s3", 0x40374000, "sram"), ("esp32-s3", 0x42000020, "flash"),
        ("nrf52840-dk", 0x10001000, None), ("nrf52840-dk", 0x20040000, None),
    ],
)  # fmt: skip
def test_an_address_lies_in_the_memory_of_the_data_sheet(name: str, address: int, memory: str | None) -> None:
    holding = [m.name for m in load_device(name).memories if m.holds_address(address)]
    assert holding == ([] if memory is None else [memory])


def test_the_example_board_shows_every_block() -> None:
    device = load_device("example-npu")
    assert device.npu is not None
    assert device.npu.macs_per_cycle == 256
    assert device.compression is not None
    assert device.sparsity is not None
    assert (device.sparsity.n, device.sparsity.m) == (2, 4)


@pytest.mark.parametrize("name", device_names())
def test_a_board_file_keeps_the_form_that_makes_it_readable(name: str) -> None:
    text = (BOARDS / f"{name}.toml").read_text(encoding="utf-8")
    raw = tomllib.loads(text)
    assert text.startswith("# ")
    assert sum(line.startswith("aliases") for line in text.splitlines()) == 1
    assert len(text) < 16_000
    for block in sourced_blocks(raw):
        assert block["source"].strip()
        assert block["confidence"]


def sourced_blocks(table: dict[str, Any]) -> list[dict[str, Any]]:
    """Every table below the top that holds a number must name its source."""
    found = []
    for value in table.values():
        children = value if isinstance(value, list) else [value]
        for child in children:
            if isinstance(child, dict) and "up_to" not in child:
                found += [child, *sourced_blocks(child)]
    return found
