"""preflash variants on the command line: files, exit codes, faults in plain words."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from preflash import cli
from preflash.graphs.tflite.read import read_tflite
from preflash.graphs.tflite.write import write_tflite
from preflash.graphs.zoo import build

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "kws.tflite"
    path.write_bytes(write_tflite(build("kws01", dtype="int8")))
    return path


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "noise.npz"
    random = np.random.default_rng(0)
    inputs = random.integers(-128, 128, (12, 49, 10, 1), dtype=np.int8)
    np.savez(path, x=inputs, y=random.integers(0, 12, 12))
    return path


def run(*words: object) -> int:
    return cli.run(["variants", *map(str, words)])


def test_a_folder_of_variants_holds_models_that_can_be_read(
    model: Path, data: Path, tmp_path: Path, capsys: Captured
) -> None:
    out = tmp_path / "out"
    code = run(model, "-d", "nucleo-l4r5zi", "--recipe", "prune sparsity=0.5", "--data", data,
               "--calibrate", 4, "-o", out)  # fmt: skip
    assert code == 0
    text = capsys.readouterr().out
    assert "Measured on 8 samples" in text and "PF414" in text
    made = read_tflite(out / "prune-sparsity-0.5.tflite")
    assert any(t.form is not None and t.form.mask is not None for t in made.tensors)
    record = json.loads((out / "variants.json").read_text(encoding="utf-8"))
    assert record["variants"][1]["targets"][0]["accuracy"]["count"] == 8


def test_every_board_is_priced_with_every_runtime(model: Path, capsys: Captured) -> None:
    code = run(model, "-d", "nucleo-l4r5zi", "-d", "nucleo-u575zi", "-r", "tflm-cmsis-nn", "-r", "x-cube-ai",
               "--recipe", "quantize-weights bits=6", "-f", "csv")  # fmt: skip
    assert code == 0
    rows = capsys.readouterr().out.splitlines()
    assert len(rows) == 1 + 2 * 4


def test_a_recipe_that_cannot_be_made_is_exit_code_1(model: Path, capsys: Captured) -> None:
    assert run(model, "-d", "nucleo-l4r5zi", "--recipe", "quantize") == 1
    assert "Not made" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("--recipe", "fly"), "'fly' is not known"),
        (("--recipe", "prune sparsity=nan"), "sparsity"),
        (("--recipe", "none.toml"), "cannot be read"),
        (("--recipe", ""), "a step without a word"),
        (("--recipe", "prune sparsity=0.5", "--data", __file__), "no .npz that can be read"),
    ],
)
def test_faults_are_one_line_and_exit_code_3(
    model: Path, words: tuple[str, ...], fault: str, capsys: Captured
) -> None:
    assert run(model, "-d", "nucleo-l4r5zi", *words) == 3
    error = capsys.readouterr().err
    assert fault in error and "Traceback" not in error


def test_samples_that_calibration_takes_all_of_are_refused(model: Path, data: Path, capsys: Captured) -> None:
    code = run(model, "-d", "nucleo-l4r5zi", "--recipe", "prune sparsity=0.5", "--data", data,
               "--calibrate", 12)  # fmt: skip
    assert code == 3 and "leave none for accuracy" in capsys.readouterr().err
