"""preflash fragility on the command line: four forms, exit codes, faults in plain words."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import jsonschema
import pytest
from preflash import cli
from preflash.graphs.tflite.write import write_tflite
from preflash.graphs.zoo import build
from preflash.reports.schema import render_schema

Captured = pytest.CaptureFixture[str]
TIGHT = ("-d", "nucleo-l4r5zi", "--deadline", "110ms", "--period", "1s", "--battery", "220mAh@3V")
VALIDATOR = jsonschema.Draft202012Validator(json.loads(render_schema("fragility")))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "kws.tflite"
    path.write_bytes(write_tflite(build("kws01", dtype="int8")))
    return path


def run(*words: object) -> int:
    return cli.run(["fragility", *map(str, words)])


def test_text_says_what_turns_the_verdict_and_from_where_on(model: Path, capsys: Captured) -> None:
    assert run(model, *TIGHT) == 0
    text = capsys.readouterr().out
    assert "What turns the verdict" in text and "What moves the figures, at -20 % / +20 %" in text
    words = " ".join(text.split())
    assert re.search(r"The verdict turns from \w+ to \w+ \(latency\) when deadline is", words)
    assert "Not varied" in text and "measure this first" in text
    assert text.rstrip().endswith("--by 20% -f html -o fragility.html")


def test_plain_text_keeps_to_80_columns_but_for_tables_and_commands(model: Path, capsys: Captured) -> None:
    run(model, *TIGHT)
    prose = [line for line in capsys.readouterr().out.splitlines() if "  " not in line.strip()]
    assert all(len(line) <= 80 for line in prose if not line.startswith("Next: "))


def test_json_follows_its_schema(model: Path, tmp_path: Path, capsys: Captured) -> None:
    out = tmp_path / "f.json"
    assert run(model, *TIGHT, "--by", "0.1", "-f", "json", "-o", out) == 0
    assert "wrote" in capsys.readouterr().err
    document = json.loads(out.read_text(encoding="utf-8"))
    VALIDATOR.validate(document)
    assert (document["schema"], document["by"]) == ("preflash/fragility/1", 0.1)
    first = document["assumptions"][0]
    assert first["turns_verdict"] and first["low"]["factor"] == 0.9
    assert {one["name"] for one in document["not_varied"]} >= {"arena", "model in flash"}


@pytest.mark.parametrize(
    "words",
    [
        ("-d", "arduino-portenta-h7"), ("-d", "bluepill-f103c8"), ("-d", "pixel-3a"), ("-d", "esp32"),
        ("-d", "nucleo-l4r5zi", "-r", "x-cube-ai@8.1", "--limit", "ram=16KiB,energy=2mJ"),
        ("-d", "example-npu"),
    ],
)  # fmt: skip
def test_every_kind_of_target_has_an_answer_in_every_form(
    model: Path, words: tuple[str, ...], capsys: Captured
) -> None:
    for form in ("text", "csv", "html"):
        assert run(model, *words, "--deadline", "50ms", "-f", form) == 0
        assert capsys.readouterr().out
    assert run(model, *words, "--deadline", "50ms", "-f", "json") == 0
    VALIDATOR.validate(json.loads(capsys.readouterr().out))


def test_csv_has_a_line_per_assumption_and_says_what_is_not_varied(model: Path, capsys: Captured) -> None:
    assert run(model, *TIGHT, "-f", "csv") == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    deadline = next(row for row in rows if row["assumption"] == "deadline")
    assert deadline["low_factor"] == "0.8" and deadline["turns_verdict"] == "1"
    assert any(row["not_varied"] and not row["low_factor"] for row in rows)
    assert all(None not in row and None not in row.values() for row in rows)


def test_the_page_needs_no_script_and_no_network(model: Path, capsys: Captured) -> None:
    assert run(model, *TIGHT, "-f", "html") == 0
    page = capsys.readouterr().out
    assert page.count("<svg") > 8 and "Use of the fullest budget" in page
    assert not re.search(r"(?:src|href)\s*=\s*[\"']?(?:https?:)?//", page)
    carried = re.search(r'<script type="application/json" id="preflash-result">(.*?)</script>', page, re.S)
    assert carried is not None
    VALIDATOR.validate(json.loads(carried[1]))


def test_names_from_outside_cannot_write_into_the_page(model: Path, tmp_path: Path, capsys: Captured) -> None:
    scenario = tmp_path / "s.toml"
    name = "<script>alert(1)</script>"
    scenario.write_text(f'[[step]]\nname = "{name}"\nwhen = "pre"\ntime = "5 ms"\n')
    assert run(model, *TIGHT, "--scenario", scenario, "-f", "html") == 0
    assert name not in capsys.readouterr().out


@pytest.mark.parametrize("by", ["0", "100%", "1.5", "-5%", "lots", "", "nan"])
def test_a_range_that_is_none_is_exit_code_3(model: Path, by: str, capsys: Captured) -> None:
    assert run(model, *TIGHT, f"--by={by}") == 3
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "--by" in error and "20%" in error


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("-d", "nowhere"), 3), ((), 2), ((*TIGHT, "--deadline", "0s"), 3), ((*TIGHT, "-f", "xml"), 2),
        ((*TIGHT, "--limit", "ram"), 3), ((*TIGHT, "-o", "/nowhere/at/all.txt"), 3),
    ],
)  # fmt: skip
def test_bad_words_are_refused(model: Path, words: tuple[str, ...], code: int, capsys: Captured) -> None:
    assert run(model, *words) == code
    assert "Traceback" not in capsys.readouterr().err


def test_a_file_that_is_no_model_is_refused(tmp_path: Path, capsys: Captured) -> None:
    bad = tmp_path / "bad.tflite"
    bad.write_bytes(b"not a model at all")
    assert run(bad, *TIGHT) == 3
    assert capsys.readouterr().err.startswith("preflash: error: ")


def test_a_verdict_that_nothing_turns_says_so(model: Path, capsys: Captured) -> None:
    assert run(model, "-d", "nucleo-l4r5zi") == 0
    assert "No single assumption turns the verdict FITS within -20 % and +20 %." in capsys.readouterr().out
