"""Names, aliases, paths and clocks become a target, or an error that says what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest
from preflash.devices.catalog import (
    device_aliases,
    device_names,
    load_device,
    load_runtime,
    load_target,
    runtime_names,
)
from preflash.errors import (
    DeviceUnknown,
    RuntimeFileInvalid,
    RuntimeUnknown,
    TargetError,
    TargetInvalid,
    UnitInvalid,
)

BOARDS = Path(__file__).resolve().parents[1] / "devices" / "boards"


@pytest.mark.parametrize(
    ("name", "device"),
    [
        ("nucleo-l4r5zi", "nucleo-l4r5zi"),
        ("stm32l4r5zi", "nucleo-l4r5zi"),
        ("STM32L4R5ZI", "nucleo-l4r5zi"),
        ("NUCLEO_L4R5ZI", "nucleo-l4r5zi"),
        ("ra8d1", "ek-ra8d1"),
        ("nrf52840", "nrf52840-dk"),
        ("esp32s3", "esp32-s3"),
        ("pico", "rp2040"),
        ("raspberry-pi-3b+", "raspberry-pi-3b+"),
    ],
)
def test_a_board_is_found_by_its_name_or_its_part(name: str, device: str) -> None:
    assert load_device(name).name == device


@pytest.mark.parametrize(
    ("asked", "guess"),
    [
        ("nucleo-l4r5z", "nucleo-l4r5zi"),
        ("esp32s33", "esp32s3"),
        ("nrf5340-kd", "nrf5340-dk"),
        ("stm32f407v", "stm32f407vg"),
    ],
)
def test_an_unknown_board_gets_the_closest_name(asked: str, guess: str) -> None:
    with pytest.raises(DeviceUnknown) as refused:
        load_device(asked)
    assert f"did you mean '{guess}'?" in refused.value.fix
    assert asked in refused.value.what


@pytest.mark.parametrize(
    "asked", ["", " ", "..", "🙂", "x" * 10_000, "nucleo\nl4r5zi", "%s%s", "__init__", "board\0"]
)
def test_what_cannot_be_a_name_is_an_unknown_device_in_one_line(asked: str) -> None:
    with pytest.raises(TargetError) as refused:
        load_device(asked)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 400


def test_an_unknown_runtime_gets_the_closest_name() -> None:
    with pytest.raises(RuntimeUnknown, match="did you mean 'tflm-cmsis-nn'"):
        load_runtime("tflm-cmsisnn")


def test_a_shipped_name_wins_over_a_file_of_the_same_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rp2350").write_text("nonsense")
    monkeypatch.chdir(tmp_path)
    assert load_device("rp2350").name == "rp2350"


def test_a_copied_board_loads_from_a_path_as_a_device_of_the_user(tmp_path: Path) -> None:
    copy = tmp_path / "mine.toml"
    copy.write_text((BOARDS / "ek-ra6m4.toml").read_text(encoding="utf-8"), encoding="utf-8")
    assert load_device(str(copy)) == load_device("ek-ra6m4")
    assert load_target(str(copy)).device.name == "ek-ra6m4"


def test_every_alias_leads_to_one_board_and_shadows_no_name() -> None:
    written = [(alias, name) for name in device_names() for alias in load_device(name).aliases]
    assert len({alias for alias, _ in written}) == len(written)
    assert not {alias for alias, _ in written} & set(device_names())
    assert dict(written) == device_aliases()


def test_names_are_sorted_and_without_repeats() -> None:
    for names in (device_names(), runtime_names()):
        assert list(names) == sorted(set(names))


def test_without_a_runtime_the_device_has_a_default_and_the_target_says_so() -> None:
    assert load_target("nucleo-l4r5zi").runtime.name == "tflm-cmsis-nn"
    assert load_target("nucleo-l4r5zi").runtime_is_default
    chosen = load_target("nucleo-l4r5zi", runtime="tflm-reference")
    assert chosen.runtime.name == "tflm-reference"
    assert not chosen.runtime_is_default


@pytest.mark.parametrize(
    ("clock", "hertz"), [(None, 120e6), ("64MHz", 64e6), ("120 MHz", 120e6), (80e6, 80e6), (80_000_000, 80e6)]
)
def test_the_clock_may_be_lowered(clock: str | float | None, hertz: float) -> None:
    assert load_target("nucleo-l4r5zi", clock=clock).clock_hz == hertz


@pytest.mark.parametrize("clock", ["121 MHz", 121e6, 0, -1.0, float("nan"), float("inf"), "0 Hz"])
def test_a_clock_that_the_core_lacks_is_refused(clock: str | float) -> None:
    with pytest.raises(TargetInvalid) as refused:
        load_target("nucleo-l4r5zi", clock=clock)
    assert "MHz" in refused.value.fix


def test_a_clock_without_a_unit_is_a_unit_error() -> None:
    with pytest.raises(UnitInvalid, match="has no unit"):
        load_target("nucleo-l4r5zi", clock="64")


@pytest.mark.parametrize(
    ("board", "runtime", "reason", "offered"),
    [
        ("nucleo-l4r5zi", "tflm-esp-nn", "its core is cortex-m4",
         "executorch-cmsis-nn, micronets-4bit, microtvm-cmsis-nn, "
         "tflm-aot, tflm-arduino, tflm-cmsis-nn, tflm-cmsis-nn-lut, tflm-reference, x-cube-ai"),
        ("esp32-s3", "tflm-cmsis-nn", "its core is xtensa-lx7",
         "tflm-esp-nn, tflm-esp-nn-ansi, tflm-reference"),
        ("nrf5340-dk", "x-cube-ai", "its part is nRF5340",
         "executorch-cmsis-nn, microtvm-cmsis-nn, "
         "tflm-aot, tflm-cmsis-nn, tflm-cmsis-nn-lut, tflm-reference"),
        (
            "nrf5340-dk",
            "example-accelerator",
            "it has no example-accelerator",
            "executorch-cmsis-nn, microtvm-cmsis-nn, "
            "tflm-aot, tflm-cmsis-nn, tflm-cmsis-nn-lut, tflm-reference",
        ),
        ("longan-nano", "tflm-esp-nn", "its part is GD32VF103CB", "tflm-reference"),
    ],
)
def test_a_runtime_that_does_not_run_there_is_refused_with_those_that_do(
    board: str, runtime: str, reason: str, offered: str
) -> None:
    with pytest.raises(TargetInvalid) as refused:
        load_target(board, runtime=runtime)
    assert reason in refused.value.what
    assert refused.value.fix == f"runtimes for {board}: {offered}"


@pytest.mark.parametrize(
    ("board", "runtime", "build"),
    [
        ("stm32f030r8", "tflm-cmsis-nn", ("cmsis-nn", "c", "arm32-short-enum")),
        ("stm32f103rb", None, ("cmsis-nn", "c", "arm32-short-enum")),
        ("nucleo-l4r5zi", None, ("cmsis-nn", "dsp", "arm32-short-enum")),
        ("nrf5340-dk", None, ("cmsis-nn", "dsp", "arm32-short-enum")),
        ("nucleo-h743zi", None, ("cmsis-nn", "dsp", "arm32-short-enum")),
        ("ek-ra8d1", None, ("cmsis-nn", "mve", "arm32-short-enum")),
        ("apollo510", None, ("cmsis-nn", "mve", "arm32-short-enum")),
        ("ek-ra8d1", "tflm-reference", ("reference", "", "arm32-short-enum")),
        ("esp32", None, ("esp-nn", "generic", "int32-enum")),
        ("esp32-s2", None, ("esp-nn", "generic", "int32-enum")),
        ("esp32-s3", None, ("esp-nn", "s3", "int32-enum")),
        ("esp32-p4", None, ("esp-nn", "p4", "int32-enum")),
        ("esp32-c3", None, ("esp-nn", "generic", "int32-enum")),
        ("esp32-s3", "tflm-reference", ("reference", "", "int32-enum")),
        ("longan-nano", None, ("reference", "", "int32-enum")),
        ("raspberry-pi-4b", None, ("xnnpack", "", "none")),
        ("raspberry-pi-4b", "tflm-reference", ("reference", "", "host64")),
        ("maix-bit", None, ("reference", "", "host64")),
        ("stm32f103rb", "x-cube-ai", ("x-cube-ai", "c", "none")),
        ("nucleo-l4r5zi", "x-cube-ai", ("x-cube-ai", "dsp", "none")),
        ("stm32n6570-dk", "x-cube-ai", ("x-cube-ai", "mve", "none")),
        ("example-npu", None, ("accelerator", "", "none")),
    ],
)
def test_the_core_decides_which_build_of_the_kernels_runs(
    board: str, runtime: str | None, build: tuple[str, str, str]
) -> None:
    kernels = load_target(board, runtime=runtime).kernels
    assert (kernels.library, kernels.flavour, kernels.abi) == build


def test_a_runtime_may_run_the_ops_of_another_and_more(tmp_path: Path) -> None:
    text = (BOARDS.parent / "runtimes" / "tflm-cmsis-nn.toml").read_text(encoding="utf-8")
    path = tmp_path / "mine.toml"
    conv = '[[op]]\nop = "CONV_2D"\nversions = [1, 1]\ntypes = ["int8"]\n'
    tile = '[[op]]\nop = "TILE"\nversions = [1, 2]\ntypes = ["int8"]\n'
    path.write_text(f"{text}\n{conv}{tile}", encoding="utf-8")
    ops = {support.op: support for support in load_runtime(path).ops}
    assert ops["CONV_2D"].versions == (1, 1)
    assert ops["TILE"].versions == (1, 2)
    assert "SOFTMAX" in ops
    path.write_text(text.replace('"tflm-reference"', '"tflm-referense"'), encoding="utf-8")
    with pytest.raises(RuntimeFileInvalid, match="did you mean 'tflm-reference'"):
        load_runtime(path)


def test_loading_one_board_reads_one_file(monkeypatch: pytest.MonkeyPatch) -> None:
    from preflash.devices import catalog

    opened: list[str] = []
    parse = catalog.tomllib.loads
    monkeypatch.setattr(catalog.tomllib, "loads", lambda text: opened.append(text[:20]) or parse(text))
    catalog._shipped_device.cache_clear()
    load_device("ek-ra8m1")
    load_device("ek-ra8m1")
    assert opened == ["# Renesas EK-RA8M1.\n"]
