"""The options about the firmware work in `check`, and the command that is shown next repeats them."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from firmware_builds import COMPILERS, built
from preflash.cli.app import run
from preflash.cli.situation import Situation
from preflash.graphs.tflite.write import write_tflite
from preflash.graphs.zoo import build


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("firmware") / "kws.tflite"
    path.write_bytes(write_tflite(build("kws01", dtype="int8")))
    return str(path)


@pytest.mark.parametrize("compiler", COMPILERS)
def test_check_takes_the_firmware_into_account(
    compiler: str, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    firmware = built(compiler)
    words = ["check", model, "-d", "nrf52840-dk", "--reserve", "camera=10KiB@sram", "--reserve", "ram=1KiB",
             "--firmware", str(firmware.elf), "--ld", str(firmware.script), "--arena-symbol", "tensor_arena",
             "--bootloader", "48KiB", "--ota-slots", "2"]  # fmt: skip
    assert run([*words, "-f", "json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["command"] == shlex.join(["preflash", *words])
    names = [r["name"] for r in result["inputs"]["conditions"]["reservations"]]
    assert {"camera", "your firmware (ram)", "boot loader", "app.elf bss", "app.elf heap and stack"} <= set(
        names
    )
    assert "give back" in next(f["message"] for f in result["findings"] if f["rule"] == "PF207")


@pytest.mark.parametrize("compiler", COMPILERS)
def test_check_takes_a_map(compiler: str, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(built(compiler).map)
    assert run(["check", model, "-d", "nrf52840-dk", "--map", path]) == 0
    assert f"--map {path}" in capsys.readouterr().out


@pytest.mark.parametrize("option", ["--firmware", "--map", "--ld"])
def test_a_file_that_cannot_be_read_is_one_line(
    option: str, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "noise.bin"
    path.write_bytes(bytes(range(256)))
    assert run(["check", model, "-d", "nrf52840-dk", option, str(path)]) == 3
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert "noise.bin" in captured.err


def test_options_at_their_default_are_not_repeated() -> None:
    assert Situation("nrf52840-dk").words() == ("-d", "nrf52840-dk")
    assert Situation("x", ota_slots=2, bootloader="1KiB").words()[2:] == (
        "--bootloader",
        "1KiB",
        "--ota-slots",
        "2",
    )
