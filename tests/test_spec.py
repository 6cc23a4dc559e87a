"""A device file says what a device is; a faulty one hears all its faults at once, in plain words."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from preflash.devices.catalog import load_device, load_runtime
from preflash.devices.spec import AccessSpec, DeviceSpec
from preflash.errors import DeviceFileInvalid, RuntimeFileInvalid

GOOD = """
name = "my-board"
title = "My board"
vendor = "Me"
default_runtime = "tflm-cmsis-nn"

[core]
name = "cortex-m4"
max_clock = "100 MHz"
isa = ["dsp"]
source = "data sheet 4.2"
confidence = "datasheet"

[[memory]]
name = "flash"
kind = "flash"
size = "1 MiB"
holds = ["weights", "code"]
source = "data sheet 5.1"
confidence = "datasheet"

[memory.access]
bus_width_bits = 64
wait_states = [
    { up_to = "30 MHz", wait_states = 0 },
    { up_to = "60 MHz", wait_states = 1 },
    { up_to = "100 MHz", wait_states = 3 },
]
source = "reference manual 3.3"
confidence = "datasheet"

[[memory]]
name = "sram"
kind = "sram"
size = "128 KiB"
holds = ["arena", "static"]
source = "data sheet 5.1"
confidence = "datasheet"
"""


def write(folder: Path, text: str, name: str = "board.toml") -> Path:
    path = folder / name
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return path


def faults_of(folder: Path, text: str) -> tuple[str, ...]:
    with pytest.raises(DeviceFileInvalid) as refused:
        load_device(write(folder, text))
    return refused.value.faults


def test_a_users_own_file_becomes_a_device_with_plain_si_numbers(tmp_path: Path) -> None:
    device = load_device(write(tmp_path, GOOD))
    assert device.name == "my-board"
    assert device.core.max_clock_hz == 100e6
    assert [m.size_bytes for m in device.memories] == [1 << 20, 128 << 10]
    assert device.home_of("weights").name == "flash"
    assert device.home_of("static").name == "sram"
    assert device.memory("flash").is_nonvolatile
    with pytest.raises(KeyError):
        device.memory("dtcm")


def test_a_device_never_changes(tmp_path: Path) -> None:
    device = load_device(write(tmp_path, GOOD))
    with pytest.raises(ValueError, match="frozen"):
        device.name = "other"


@pytest.mark.parametrize(
    ("clock_hz", "wait_states", "bytes_per_s"),
    [
        (30e6, 0, 240e6),  # 8 bytes x 30 MHz / 1
        (31e6, 1, 124e6),  # 8 x 31 / 2
        (100e6, 3, 200e6),  # 8 x 100 / 4
        (120e6, 3, 240e6),  # above the table the last wait states hold
    ],
)
def test_wait_states_divide_the_bandwidth_of_the_bus(
    tmp_path: Path, clock_hz: float, wait_states: int, bytes_per_s: float
) -> None:
    access = load_device(write(tmp_path, GOOD)).memory("flash").access
    assert access is not None
    assert access.wait_states_at(clock_hz) == wait_states
    assert access.bandwidth_at(clock_hz) == pytest.approx(bytes_per_s)


def test_a_fixed_bandwidth_does_not_depend_on_the_clock() -> None:
    access = AccessSpec.model_validate({"bandwidth": "60 MB/s", "source": "x", "confidence": "estimate"})
    assert access.bandwidth_at(1e6) == access.bandwidth_at(480e6) == 60e6


def test_all_faults_of_a_file_are_reported_at_once(tmp_path: Path) -> None:
    bad = GOOD.replace('"100 MHz"\nisa', '"100 MHzz"\nisa').replace('["dsp"]', '["dps"]')
    bad = bad.replace('size = "1 MiB"', 'sise = "1 MiB"').replace('size = "128 KiB"', 'size = "128 KB"')
    bad = bad.replace('"cortex-m4"', '"cortex-m44"').replace('["arena", "static"]', '["arena"]')
    bad = bad.replace('vendor = "Me"', "vendor = 7")
    bad += '\n[[reserved]]\nname = "x"\nmemory = "dram"\nsize = "1 KiB"\n'
    faults = faults_of(tmp_path, bad)
    text = "\n".join(faults)
    for expected in (
        "vendor: must be text in quotes, given 7",
        "core.name: 'cortex-m44' is not allowed; did you mean 'cortex-m4'?",
        "core.max_clock: '100 MHzz' is not a frequency",
        "core.isa[0]: 'dps' is not allowed; did you mean 'dsp'?",
        "memory[0].size: is missing",
        "memory[0].sise: unknown key; did you mean 'size'?",
        "memory[1].size: '128 KB' is not a size in bytes",
        "reserved[0].source: is missing",
        "reserved[0].confidence: is missing",
        "memory: exactly one memory must hold 'static', found: none",
        "reserved: 'x' is in memory 'dram'; known: flash, sram",
    ):
        assert expected in text
    assert len(faults) == 11


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('title = "My board"\n', "", "title: is missing"),
        ('title = "My board"', 'title = ""', "title: must not be empty"),
        ('name = "my-board"', 'name = "My Board!"', "name: must be lower case letters"),
        ('name = "my-board"', 'name = "my-board"\naliases = "mine"', "aliases: must be a list"),
        ('vendor = "Me"', 'vendor = "Me"\nvender = "You"', "vender: unknown key; did you mean 'vendor'?"),
        ('vendor = "Me"', 'vendor = "Me"\nzzz = 1', "zzz: unknown key; allowed here: name, aliases, title"),
        ('kind = "flash"', 'kind = "flush"', "memory[0].kind: 'flush' is not allowed; did you mean 'flash'?"),
        ('size = "1 MiB"', 'size = "0 B"', "memory[0].size: must be greater than 0"),
        ('size = "1 MiB"', "size = nan", "memory[0].size: nan is not a size in bytes: it has no unit"),
        ('max_clock = "100 MHz"', "max_clock = 100", "core.max_clock: 100 is not a frequency"),
        ("bus_width_bits = 64", "bus_width_bits = true", "access.bus_width_bits: must be a whole number"),
        ("bus_width_bits = 64\n", "", "memory[0].access: give bandwidth, or bus_width_bits"),
        ('up_to = "60 MHz"', 'up_to = "20 MHz"', "access: wait_states must be listed by rising clock"),
        ('name = "sram"', 'name = "flash"', "memory: 'flash' is listed twice"),
        ('["arena", "static"]', '["arena", "static", "code"]', "must hold 'code', found: flash, sram"),
        ('"datasheet"\n\n[[memory]]', '"sure"\n\n[[memory]]', "core.confidence: 'sure' is not allowed"),
    ],
)
def test_each_fault_names_its_field_and_what_is_wrong(tmp_path: Path, old: str, new: str, fault: str) -> None:
    assert old in GOOD
    faults = faults_of(tmp_path, GOOD.replace(old, new, 1))
    assert any(fault in line for line in faults), faults


@pytest.mark.parametrize(
    ("block", "fault"),
    [
        ('[sparsity]\npattern = "n:m"\nn = 4\nm = 2\nsource = "x"\nconfidence = "assumed"\n', "n <= m"),
        ('[sparsity]\npattern = "n:m"\nsource = "x"\nconfidence = "assumed"\n', "needs n and m"),
        ('[power]\nsource = "x"\nconfidence = "assumed"\n', "power: give active, or active_per_clock"),
        ('[power]\nactive = "1 mW"\nsource = "x"\nconfidence = "assumed"\n', "power: active needs at_clock"),
        (
            '[compression]\nscheme = "zip"\nsource = "x"\nconfidence = "assumed"\n',
            "compression.scheme: 'zip' is",
        ),
        ('[npu]\nname = "n"\nclock = "-1 MHz"\nsource = "x"\nconfidence = "assumed"\n', "npu.clock"),
        (
            '[[reserved]]\nname = "b"\nmemory = "sram"\nsize = "1 MiB"\nsource = "x"\n'
            'confidence = "assumed"\n',
            "reserved: 1048576 bytes are reserved in 'sram', which has 131072",
        ),
    ],
)
def test_blocks_are_validated_though_they_are_not_priced_yet(tmp_path: Path, block: str, fault: str) -> None:
    faults = faults_of(tmp_path, f"{GOOD}\n{block}")
    assert any(fault in line for line in faults), faults


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "name: is missing"),
        (b"name = ", "TOML syntax"),
        (b"name = 'a'\nname = 'b'\n", "line 2"),
        (b"\xff\xfe\x00garbage", "not UTF-8 text: byte 0 is 0xff"),
        (b"x = " + b"[" * 100_000, "nested too deeply"),
        (b"x = " + b"9" * 10_000, "TOML syntax"),
        (b"name = 1\n" + b"a." * 100_000 + b"a = 1", "more than 64 dots in line 2"),
        (b"# " + b"x" * (1 << 20), "larger than 1 MiB"),
    ],
)
def test_whatever_the_bytes_the_answer_is_a_device_error(tmp_path: Path, content: bytes, fault: str) -> None:
    path = tmp_path / "garbage.toml"
    path.write_bytes(content)
    with pytest.raises(DeviceFileInvalid) as refused:
        load_device(path)
    assert any(fault in line for line in refused.value.faults), refused.value.faults
    assert str(path) in str(refused.value)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400))
def test_random_bytes_never_escape_as_another_error(content: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "random.toml"
        path.write_bytes(content)
        with pytest.raises(DeviceFileInvalid):
            load_device(path)


def test_a_missing_file_a_directory_and_a_bad_path_are_said_plainly(tmp_path: Path) -> None:
    cases = [(tmp_path / "none.toml", "No such file"), (tmp_path, "is a directory"), ("a\0/b.toml", "null")]
    for path, fault in cases:
        with pytest.raises(DeviceFileInvalid) as refused:
            load_device(path)
        assert fault in refused.value.faults[0]


def test_hundreds_of_faults_are_shortened(tmp_path: Path) -> None:
    many = "\n".join(f"key{i} = {i}" for i in range(300))
    faults = faults_of(tmp_path, GOOD.replace('vendor = "Me"', many, 1))
    assert len(faults) == 41
    assert faults[-1] == "and 261 more faults"


def test_every_block_with_numbers_must_name_source_and_confidence(tmp_path: Path) -> None:
    stripped = "\n".join(line for line in GOOD.splitlines() if not line.startswith(("source", "confidence")))
    faults = faults_of(tmp_path, stripped)
    for place in ("core", "memory[0]", "memory[0].access", "memory[1]"):
        assert f"{place}.source: is missing" in faults
        assert f"{place}.confidence: is missing" in faults


def test_a_runtime_file_reports_all_its_faults_too(tmp_path: Path) -> None:
    text = 'name = "r"\ntitle = "R"\nversion = "1"\nkernel_library = "cmsis"\nabi = "arm"\ncores = []\n'
    path = write(tmp_path, text)
    with pytest.raises(RuntimeFileInvalid) as refused:
        load_runtime(path)
    text = "\n".join(refused.value.faults)
    assert "kernel_library: 'cmsis' is not allowed; did you mean 'cmsis-nn'?" in text
    for missing in ("memory", "code", "op"):
        assert f"{missing}: is missing" in text
    assert "cores: needs at least 1 entries" in text


def test_keys_are_what_users_write_and_fields_carry_the_unit() -> None:
    keys = {field.alias or name for name, field in DeviceSpec.model_fields.items()}
    assert {"name", "core", "memory", "reserved", "npu", "compression", "sparsity", "power"} <= keys
