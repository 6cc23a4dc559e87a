"""preflash plan: what it prints, writes and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cost_graphs import one_op, tensor
from preflash import cli
from preflash.graphs.cells import branches_by_breadth
from preflash.graphs.tflite.read import read_tflite
from preflash.graphs.tflite.write import write_tflite
from preflash.graphs.zoo import build

Captured = pytest.CaptureFixture[str]
FAST = ("--solver", "best", "--seconds", "0.2")


@pytest.fixture(scope="module")
def branchy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "branchy.tflite"
    path.write_bytes(write_tflite(branches_by_breadth(6)))
    return path


@pytest.fixture(scope="module")
def kws(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "kws.tflite"
    path.write_bytes(write_tflite(build("kws01", dtype="int8")))
    return path


def test_without_a_board_it_says_which_one_it_took(kws: Path, capsys: Captured) -> None:
    assert cli.run(["plan", str(kws), *FAST]) == 0
    assert capsys.readouterr().out.startswith("no board was given: planned as for nucleo-l4r5zi\n")


def test_the_reordered_model_is_written_and_needs_what_was_said(
    branchy: Path, tmp_path: Path, capsys: Captured
) -> None:
    out = tmp_path / "out.tflite"
    assert cli.run(["plan", str(branchy), "--reorder", *FAST, "-o", str(out)]) == 0
    said = capsys.readouterr()
    assert f"wrote {out}" in said.err and "less arena" in said.out
    assert {op.kind for op in read_tflite(out).ops} == {op.kind for op in read_tflite(branchy).ops}
    assert cli.run(["plan", str(out), "--reorder", *FAST]) == 0
    assert "no order has a smaller peak" in capsys.readouterr().out


def test_a_model_can_be_written_only_if_it_was_changed(kws: Path, tmp_path: Path, capsys: Captured) -> None:
    assert cli.run(["plan", str(kws), *FAST, "-o", str(tmp_path / "x.tflite")]) == 3
    assert "--reorder or --offline-plan" in capsys.readouterr().err
    assert not (tmp_path / "x.tflite").exists()


def test_reports_go_to_a_file_in_the_asked_form(kws: Path, tmp_path: Path, capsys: Captured) -> None:
    for form, begin in (("html", "<!DOCTYPE html>"), ("json", "{"), ("text", "no board")):
        out = tmp_path / f"plan.{form}"
        assert cli.run(["plan", str(kws), *FAST, "-f", form, "-o", str(out)]) == 0
        assert out.read_text(encoding="utf-8").startswith(begin)


def test_the_next_command_repeats_what_was_asked(kws: Path, capsys: Captured) -> None:
    asked = ["--place", "auto", "--patches", "auto", "--budget", "20KiB"]
    words = ["plan", str(kws), "-d", "nucleo-h743zi", *asked]
    assert cli.run([*words, *FAST]) == 0
    (again,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Next: ")]
    assert "-d nucleo-h743zi" in again and "--place auto" in again and "--patches auto" in again
    assert "--budget 20480B" in again and "--solver best --seconds 0.2" in again


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--solver", "magic"], "known: optimal, best"),
        (["--patches", "3"], "no grid of patches"),
        (["--patches", "1x1"], "not patches"),
        (["--budget", "64KiB"], "add --patches auto"),
        (["--place", "arena=nowhere"], "known: flash, sram1+2+3"),
        (["--budget", "many", "--patches", "auto"], "many"),
        (["-r", "x-cube-ai", "--offline-plan"], "follows no offsets"),
        (["--reserve", "ram=1GiB"], "--reserve"),
        (["--firmware", "/nonexistent.elf"], "/nonexistent.elf"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_exit_3(
    kws: Path, words: list[str], said: str, capsys: Captured
) -> None:
    assert cli.run(["plan", str(kws), *FAST, *words]) == 3
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


def test_a_model_the_runtime_refuses_has_no_plan(tmp_path: Path, capsys: Captured) -> None:
    tensors = [tensor(0, (1, 8)), tensor(1, (1, 8))]
    refused = one_op("CUSTOM", tensors, inputs=[0], outputs=[1], custom_code="Mystery")
    path = tmp_path / "custom.tflite"
    path.write_bytes(write_tflite(refused))
    assert cli.run(["plan", str(path), *FAST]) == 3
    assert "no plan" in capsys.readouterr().err


def test_the_json_names_its_schema(kws: Path, capsys: Captured) -> None:
    assert cli.run(["plan", str(kws), *FAST, "-f", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["schema"] == "preflash/plan/1"
