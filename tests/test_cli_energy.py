"""Energy on the command line: the supply that is asked for, what it is measured at, the validation."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from preflash import cli
from preflash.graphs.tflite.write import write_tflite
from preflash.graphs.zoo import build
from preflash.reports.result_schema import RESULT_SCHEMA

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "kws.tflite"
    path.write_bytes(write_tflite(build("kws01", dtype="int8")))
    return path


def check(model: Path, board: str, *words: str) -> int:
    return cli.run(["check", str(model), "-d", board, *words])


@pytest.mark.parametrize(
    ("board", "label"), [("nucleo-l4r5zi", "energy (MCU)"), ("nucleo-f446re", "energy (board)")]
)
def test_the_label_names_the_boundary(model: Path, board: str, label: str, capsys: Captured) -> None:
    assert check(model, board) == 0
    assert f"  {label} " in capsys.readouterr().out
    assert check(model, board, "-f", "html") == 0
    assert label in capsys.readouterr().out


def test_an_energy_that_nobody_knows_has_no_boundary(model: Path, capsys: Captured) -> None:
    assert check(model, "nucleo-f767zi") == 0
    said = capsys.readouterr().out
    assert "unknown: no power figure for nucleo-f767zi" in said and "energy (" not in said


def test_the_json_says_supply_boundary_and_where_the_power_comes_from(model: Path, capsys: Captured) -> None:
    assert check(model, "nucleo-l4r5zi", "--supply", "3V smps", "-f", "json") == 0
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, RESULT_SCHEMA)
    device = document["inputs"]["device"]
    assert (device["supply"], device["power_boundary"]) == ("3 V SMPS", "mcu")
    (energy,) = (metric for metric in document["metrics"] if metric["name"] == "energy_j")
    assert "power of the MCU supply at 3 V SMPS" in energy["source"]


def test_the_next_command_asks_for_the_same_supply(model: Path, capsys: Captured) -> None:
    assert check(model, "nucleo-l4r5zi", "--supply", "3V smps") == 0
    assert "--supply '3V smps'" in capsys.readouterr().out


@pytest.mark.parametrize("supply", ["5V", "3.3", "3.3V buck", "-1V", "", "nan V"])
def test_a_supply_that_cannot_be_is_bad_input(model: Path, supply: str, capsys: Captured) -> None:
    assert check(model, "nucleo-l4r5zi", f"--supply={supply}") == 3
    said = capsys.readouterr().err
    assert "Traceback" not in said and "(" in said


def test_a_point_with_faults_is_named_by_its_place(tmp_path: Path, model: Path, capsys: Captured) -> None:
    good = (Path(cli.__file__).parents[1] / "devices" / "boards" / "nucleo-f446re.toml").read_text("utf-8")
    faulty = tmp_path / "mine.toml"
    more = '[[power.point]]\nactive = "1 W"\nregulator = "buck"\nsource = "me"\nconfidence = "measured"\n'
    faulty.write_text(f"{good}\n{more}", encoding="utf-8")
    assert check(model, str(faulty)) == 3
    assert "power.point[0].regulator: 'buck' is not allowed" in capsys.readouterr().err


def test_the_validation_needs_no_folder_of_facts(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PREFLASH_SHARED", str(tmp_path))
    assert cli.run(["validate", "energy"]) == 0
    out = capsys.readouterr().out
    assert "met: one measured point of that board, supply and runtime: median <= 6 %" in out
    assert "left out: nucleo-l4r5zi: v0.5 reference" in out


@pytest.mark.parametrize("words", [["--only", "nonsense"], ["--facts", "/nowhere"]])
def test_a_validation_that_cannot_be_is_bad_input(words: list[str], capsys: Captured) -> None:
    assert cli.run(["validate", "energy", *words]) == 3
    assert "Traceback" not in capsys.readouterr().err
