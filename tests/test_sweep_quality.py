"""Accuracy in a sweep: measured on samples with each runtime's kernels, or unknown with the reason."""

from __future__ import annotations

import re
import signal
import sqlite3
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from preflash.errors import DataInvalid, StoreInvalid
from preflash.graphs.ir import DType
from preflash.graphs.tflite.write import write_tflite
from preflash.simulator.sweep.session import Ways, sweep
from preflash.simulator.sweep.store.reading import read_store
from preflash.simulator.sweep.table import WORDS, SweepTable
from sweep_runs import end_with, exported, left_after, started
from variant_models import network

SCENARIO = """
[[model]]
file = "small.tflite"
[[recipe]]
name = "int8"
steps = "quantize"
[[recipe]]
name = "half"
steps = "prune sparsity=0.5"
[targets]
boards = ["nucleo-u575zi"]
runtimes = ["tflm-cmsis-nn", "tflm-reference"]
[data]
samples = "data.npz"
calibrate = 10
"""


def folder_with(folder: Path, text: str, *, edge: int = 8) -> Path:
    """The small network, and samples whose labels are mostly its own answers."""
    graph = network(DType.FLOAT32)
    (folder / "small.tflite").write_bytes(write_tflite(graph))
    random = np.random.default_rng(1)
    x = random.uniform(-1, 1, (40, edge, edge, 3)).astype(np.float32)
    np.savez(folder / "data.npz", x=x, y=random.integers(0, 10, 40))
    path = folder / "quality.toml"
    path.write_text(text, encoding="utf-8")
    return path


def table(folder: Path, text: str = SCENARIO, *, edge: int = 8) -> SweepTable:
    path = folder_with(folder, text, edge=edge)
    sweep(path, folder / "q.sweep")
    return read_store(folder / "q.sweep")


def test_a_step_that_needs_samples_gets_them_and_every_variant_is_measured(tmp_path: Path) -> None:
    found = table(tmp_path)
    assert [row.error for row in found.variants] == ["", "", ""]
    accuracy = found.figures["accuracy"]
    assert not np.isnan(accuracy.value).any()
    assert ((accuracy.lo >= 0) & (accuracy.lo <= accuracy.value) & (accuracy.value <= accuracy.hi)).all()
    with sqlite3.connect(tmp_path / "q.sweep") as connection:
        counts = {count for (count,) in connection.execute("SELECT count FROM quality")}
    connection.close()
    assert counts == {30}, "the first ten are for ranges"


def test_an_accuracy_that_nothing_reaches_is_the_limiting_budget(tmp_path: Path) -> None:
    found = table(tmp_path, SCENARIO + '[constraints]\naccuracy = "99.9%"\n')
    assert set(found.word.tolist()) <= {WORDS.index("NO"), WORDS.index("RISKY")}
    assert {found.limits_named[code] for code in found.limiting} == {"accuracy"}


def test_samples_that_go_with_no_model_are_refused_before_anything_is_priced(tmp_path: Path) -> None:
    with pytest.raises(DataInvalid, match="9"):
        table(tmp_path, SCENARIO, edge=9)


def test_samples_for_networks_without_trained_weights_are_refused(tmp_path: Path) -> None:
    path = folder_with(tmp_path, SCENARIO)
    scenario = re.sub(r'file = ".*"', 'zoo = "kws01"', path.read_text())
    path.write_text(scenario)
    with pytest.raises(DataInvalid, match="no trained weights"):
        sweep(path, tmp_path / "zoo.sweep")


def test_data_that_changed_is_noticed(tmp_path: Path) -> None:
    path = folder_with(tmp_path, SCENARIO)
    sweep(path, tmp_path / "q.sweep")
    np.savez(tmp_path / "data.npz", x=np.zeros((40, 8, 8, 3), np.float32), y=np.zeros(40, np.int64))
    with pytest.raises(StoreInvalid, match="data changed since"):
        sweep(path, tmp_path / "q.sweep", Ways(resume=True))


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_interpreters_end_with_the_sweep_and_processes_measure_the_same(tmp_path: Path) -> None:
    path = folder_with(tmp_path, SCENARIO)
    run = started("sweep", path, "--store", tmp_path / "k.sweep", "-j", 2)
    time.sleep(1.8)
    end_with(run, signal.SIGKILL, whole_group=False)
    assert left_after(run.pid, 10) == {}
    sweep(path, tmp_path / "one.sweep")
    code = started("sweep", path, "--store", tmp_path / "two.sweep", "-j", 2).wait(100)
    assert code == 0 and exported(tmp_path / "two.sweep") == exported(tmp_path / "one.sweep")
