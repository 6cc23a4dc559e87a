"""TFLite runs what the writer writes, with the same result as the file it was read from."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from builders import conv_graph
from preflash.errors import ModelError, PreflashError
from preflash.graphs.tflite.write import write_tflite
from preflash.simulator import interpreter
from preflash.simulator.interpreter import run_tflite
from shared_data import shared_dir, shared_models

# Runs each model given, before and after a read -> write round trip, and prints a line per model. The
# interpreter ends its process on some models, so this runs as a child.
_CHILD = """
import sys
import numpy as np
from preflash.errors import PreflashError
from preflash.graphs.tflite.read import parse_tflite
from preflash.graphs.tflite.write import write_tflite
from preflash.simulator.interpreter import run_tflite

def values(tensor, rng):
    dtype = np.dtype(tensor.dtype.value)
    if dtype.kind == "f":
        return rng.standard_normal(tensor.shape).astype(dtype)
    if dtype.kind == "b":
        return rng.integers(0, 2, tensor.shape).astype(bool)
    low, high = (-128, 128) if dtype == np.int8 else (0, 100)
    return rng.integers(low, high, tensor.shape).astype(dtype)

for path in sys.argv[1:]:
    data = open(path, "rb").read()
    graph = parse_tflite(data)
    rng = np.random.default_rng(1)
    inputs = [values(graph.tensors[i], rng) for i in graph.inputs]
    print("start", path, flush=True)
    try:
        before = run_tflite(data, inputs)
    except PreflashError:
        print("refused", path, flush=True)
        continue
    print("ran", path, flush=True)
    after = run_tflite(write_tflite(graph), inputs)
    same = len(before) == len(after) and all(
        a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
        for a, b in zip(before, after)
    )
    print("same" if same else "different", path, flush=True)
"""


def round_trips(paths: list[str]) -> dict[str, str]:
    """path -> the last word that the child said about it."""
    said: dict[str, str] = {}
    pending = paths
    while pending:
        command = [sys.executable, "-c", _CHILD, *pending]
        child = subprocess.run(command, capture_output=True, text=True, check=False)
        for line in child.stdout.splitlines():
            word, path = line.split(" ", 1)
            said[path] = word
        if child.returncode == 0:
            break
        reached = [path for path in pending if path in said]
        assert reached, child.stderr
        pending = pending[len(reached) :]
    return said


def test_all_shared_models_that_tflite_runs_give_identical_outputs_after_a_round_trip():
    shared_dir()
    models = [str(path) for path in shared_models()]
    said = round_trips(models)
    assert set(said) == set(models)
    # "start": the process ended while running the original; "ran": while running the copy
    wrong = {path: word for path, word in said.items() if word in ("different", "ran")}
    assert wrong == {}
    # tflite-runtime 2.14 runs 359 of them, ai-edge-litert fewer
    assert sum(word == "same" for word in said.values()) >= 300


def test_a_graph_built_in_code_computes_its_convolution():
    graph = conv_graph()
    x = np.random.default_rng(3).integers(-128, 128, (1, 4, 4, 2)).astype(np.int8)
    (found,) = run_tflite(write_tflite(graph), [x])
    weights = np.frombuffer(graph.tensors[1].data, np.int8).reshape(3, 3, 3, 2).astype(np.float64)
    real_weights = weights * np.array([0.01, 0.02, 0.04]).reshape(3, 1, 1, 1)
    real_bias = np.array([10, -20, 30]) * np.array([0.01, 0.02, 0.04]) * 0.5
    padded = np.pad((x.astype(np.float64) + 3) * 0.5, ((0, 0), (1, 1), (1, 1), (0, 0)))
    patches = np.lib.stride_tricks.sliding_window_view(padded[0], (3, 3), axis=(0, 1))  # 4, 4, 2, 3, 3
    real = np.einsum("hwcij,oijc->hwo", patches, real_weights) + real_bias
    expected = np.clip(np.round(np.maximum(real, 0) / 0.25) - 128, -128, 127)
    assert found.dtype == np.int8
    assert np.abs(found[0].astype(int) - expected).max() <= 1
    assert np.abs(expected + 128).max() > 20  # the comparison says something


def test_all_tensors_can_be_kept():
    x = np.zeros((1, 4, 4, 2), np.int8)
    model = write_tflite(conv_graph())
    tensors = run_tflite(model, [x], keep_all=True)
    np.testing.assert_array_equal(tensors[3], run_tflite(model, [x])[0])
    np.testing.assert_array_equal(tensors[2], [10, -20, 30])


@pytest.mark.parametrize(
    ("inputs", "named"),
    [
        ([], "1 inputs, 0 were given"),
        ([np.zeros((1, 4, 4, 2), np.float32)], "refuses"),
        ([np.zeros((1, 9), np.int8)], "refuses"),
    ],
)
def test_wrong_inputs_are_a_named_error(inputs, named):
    with pytest.raises(ModelError, match=named):
        run_tflite(write_tflite(conv_graph()), inputs)


def test_a_model_that_tflite_cannot_run_is_a_named_error():
    with pytest.raises(ModelError, match="refuses the model"):
        run_tflite(b"no model", [])


def test_a_missing_interpreter_is_a_named_error(monkeypatch):
    monkeypatch.setattr(interpreter, "_PACKAGES", ("no_such_package.interpreter",))
    with pytest.raises(PreflashError, match="no TFLite interpreter") as caught:
        run_tflite(write_tflite(conv_graph()), [])
    assert "pip install" in caught.value.fix


@pytest.mark.filterwarnings("error")
def test_running_a_model_is_quiet(capfd):
    for keep_all in (False, True):
        run_tflite(write_tflite(conv_graph()), [np.zeros((1, 4, 4, 2), np.int8)], keep_all=keep_all)
    assert capfd.readouterr() == ("", "")
