"""preflash accuracy: what it prints where, its JSON, its bounds and how it exits."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from accuracy_models import classifier, crashing, inputs, two_inputs, write_npz
from preflash import cli
from preflash.cli.progress import ProgressLine, progress_text
from preflash.graphs.dtype import DType
from preflash.graphs.tflite.write import write_tflite
from preflash.reports.accuracy_report import difference_sentence
from preflash.reports.accuracy_schema import ACCURACY_SCHEMA
from preflash.simulator.accuracy.differences import PairedDifference
from preflash.simulator.accuracy.outputs import Way, model_of, outputs_of
from preflash.simulator.accuracy.samples import Samples

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """float.tflite and int8.tflite; data.npz with 40 samples whose labels the float model gives, 4 wrong."""
    where = tmp_path_factory.mktemp("accuracy")
    (where / "float.tflite").write_bytes(write_tflite(classifier()))
    (where / "int8.tflite").write_bytes(write_tflite(classifier(DType.INT8)))
    (where / "two.tflite").write_bytes(write_tflite(two_inputs()))
    x = inputs(40) / 4
    reals = outputs_of(model_of(classifier()), Samples((x[:, None],)), Way(use_cache=False)).reals[0]
    y = reals.reshape(40, 4).argmax(axis=1)
    y[:4] = (y[:4] + 1) % 4
    write_npz(where / "data.npz", x=x, y=y)
    write_npz(where / "bare.npz", x=x)
    write_npz(where / "codes.npz", x=(x * 100).round().clip(-128, 127).astype(np.int8), y=y)
    return where


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFLASH_CACHE", str(tmp_path / "cache"))


def run(folder: Path, *words: str, data: str = "data.npz", model: str = "float.tflite") -> int:
    return cli.run(["accuracy", str(folder / model), "--data", str(folder / data), *words])


def test_the_text_says_accuracy_interval_kernels_and_why(folder: Path, capsys: Captured) -> None:
    assert run(folder, "-r", "tflm-cmsis-nn") == 0
    out = capsys.readouterr().out
    assert "top1         90.0 %  76.9 % to 96.0 %  (Wilson, 95 %; n = 40)" in out
    assert "reference of " in out and "for tflm-cmsis-nn" in out and "MLPerf Tiny boards" in out
    assert max(len(line) for line in out.splitlines()) <= 80


def test_a_baseline_adds_difference_agreement_and_the_table(folder: Path, capsys: Captured) -> None:
    assert run(folder, "--baseline", str(folder / "float.tflite"), model="int8.tflite") == 0
    out = capsys.readouterr().out
    for said in ("difference", "at n = 40 (p", "agreement", "output SQNR", "DEPTHWISE_CONV_2D", "10 dB"):
        assert said in out


def test_without_labels_a_baseline_is_enough(folder: Path, capsys: Captured) -> None:
    words = ("--baseline", str(folder / "float.tflite"))
    assert run(folder, *words, data="bare.npz", model="int8.tflite") == 0
    out = capsys.readouterr().out
    assert "agreement" in out and "top1" not in out
    assert run(folder, data="bare.npz") == 3
    assert "--baseline" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [(), ("--baseline", "float.tflite"), ("--min", "0.8"), ("--metric", "top2")]
)
@pytest.mark.parametrize("data", ["data.npz", "bare.npz"])
def test_the_json_follows_its_schema(
    folder: Path, words: tuple[str, ...], data: str, capsys: Captured
) -> None:
    full = [str(folder / w) if w.endswith(".tflite") else w for w in words]
    if data == "bare.npz" and "--baseline" not in words:
        return
    assert run(folder, *full, "-f", "json", data=data, model="int8.tflite") == 0
    document = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator(ACCURACY_SCHEMA).validate(document)
    assert document["model"]["name"] == "int8" and document["data"]["samples"] == 40


def test_the_schema_is_printed(capsys: Captured) -> None:
    assert cli.run(["schema", "accuracy"]) == 0
    schema = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema == json.loads(json.dumps(ACCURACY_SCHEMA))


@pytest.mark.parametrize(("bound", "code", "said"), [("0.9", 0, "kept"), ("0.91", 1, "MISSED")])
def test_a_bound_decides_the_exit_code(
    folder: Path, bound: str, code: int, said: str, capsys: Captured
) -> None:
    assert run(folder, "--min", bound) == code
    assert said in capsys.readouterr().out


def test_an_error_is_bounded_from_above(folder: Path, tmp_path: Path, capsys: Captured) -> None:
    a, b = inputs(9, (4,)), inputs(9, (4,), seed=3)
    write_npz(tmp_path / "sum.npz", in0=a, in1=b, y=a + b + 0.5)
    words = ["accuracy", str(folder / "two.tflite"), "--data", str(tmp_path / "sum.npz")]
    assert cli.run([*words, "--max", "0.3"]) == 0
    assert cli.run([*words, "--max", "0.2"]) == 1
    assert "mse          0.25" in capsys.readouterr().out
    assert cli.run([*words, "--min", "0.2"]) == 3


@pytest.mark.parametrize("given", ["0.01,0", "0.01", "{folder}/int8.tflite"])
def test_integers_in_the_data_need_a_meaning(folder: Path, given: str, capsys: Captured) -> None:
    assert run(folder, data="codes.npz") == 3
    assert "--input-scale" in capsys.readouterr().err
    assert run(folder, "--input-scale", given.format(folder=folder), data="codes.npz") == 0


def test_integers_made_for_the_baseline_need_no_further_word(folder: Path, capsys: Captured) -> None:
    assert run(folder, "--baseline", str(folder / "int8.tflite"), data="codes.npz") == 0
    assert "difference" in capsys.readouterr().out


BAD = {
    "no data": ["--data", "nowhere.npz"],
    "no scale": ["--input-scale", "abc"],
    "a scale of 0": ["--input-scale", "0"],
    "a model without a scale": ["--input-scale", "{folder}/float.tflite"],
    "no metric": ["--metric", "fame"],
    "no runtime": ["-r", "no-such-runtime"],
    "no baseline": ["--baseline", "nowhere.tflite"],
    "another baseline": ["--baseline", "{folder}/two.tflite"],
    "no time": ["--time-limit", "0s"],
    "no unit": ["--time-limit", "soon"],
    "too many samples": ["--samples", "41"],
    "no samples": ["--samples", "0"],
    "a bound from above": ["--max", "1"],
    "both bounds": ["--min", "0.1", "--max", "1"],
}


@pytest.mark.parametrize("name", sorted(BAD))
def test_bad_input_is_one_line_and_exit_3(folder: Path, name: str, capsys: Captured) -> None:
    assert run(folder, *(word.format(folder=folder) for word in BAD[name])) == 3
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.startswith("preflash: error: ")
    assert captured.err.count("\n") == 1


def test_a_model_that_crashes_does_not_take_the_command_down(tmp_path: Path) -> None:
    (tmp_path / "bad.tflite").write_bytes(write_tflite(crashing()))
    write_npz(tmp_path / "d.npz", x=np.full((2, 1), 1_000_000_000, np.int32), y=np.zeros(2, int))
    done = subprocess.run(
        [sys.executable, "-m", "preflash", "accuracy", str(tmp_path / "bad.tflite"), "--data",
         str(tmp_path / "d.npz")], capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 3 and done.stdout == "" and done.stderr.count("\n") == 1


def test_a_run_leaves_no_process_behind_and_prints_nothing_else(folder: Path) -> None:
    words = [sys.executable, "-m", "preflash", "accuracy", str(folder / "int8.tflite"), "--data",
             str(folder / "data.npz"), "--no-cache"]  # fmt: skip
    done = subprocess.run(words, capture_output=True, timeout=60, cwd=os.sep, env={**os.environ})
    assert (done.returncode, done.stderr) == (0, b"")  # a child that lived on would hold the pipes open


def test_the_first_samples_alone_can_be_taken(folder: Path, capsys: Captured) -> None:
    assert run(folder, "--samples", "4") == 0
    assert "top1         0.0 %" in capsys.readouterr().out


def test_a_difference_reads_as_a_sentence() -> None:
    found = PairedDifference(-0.004, -0.0123, 0.0041, 0.39, 1000, "m", 5, 9)
    assert difference_sentence(found, "share") == (
        "-0.4 points (-1.2 to +0.4), not significant at n = 1,000 (p = 0.39)"
    )
    sure = PairedDifference(-0.04, -0.06, -0.02, 1e-6, 1000, "m", 5, 45)
    assert difference_sentence(sure, "share").endswith(", significant at n = 1,000 (p < 0.001)")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_shown_on_a_terminal_and_taken_away() -> None:
    shown = Terminal()
    line = ProgressLine(shown)
    line(5, 10, "kws")
    line.clear()
    assert "5/10" in shown.getvalue() and shown.getvalue().endswith("\r")
    silent = io.StringIO()
    ProgressLine(silent)(5, 10, "kws")
    assert silent.getvalue() == ""


def test_progress_says_how_long_it_still_takes() -> None:
    text = progress_text(250, 1000, "kws\x1b", 0.5)
    assert text == "kws\\x1b  [######..................] 250/1,000  500/s  2 s left"
