"""The command that a sweep gives for a point runs, and says the verdict that the sweep says."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from preflash import cli
from preflash.devices import catalog
from preflash.graphs.ir import DType
from preflash.graphs.tflite.write import write_tflite
from preflash.graphs.zoo import build
from preflash.reports.sweep_again import again, unit_word
from preflash.reports.sweep_words import command, target_words
from preflash.simulator.sweep.store.reading import read_store
from preflash.simulator.sweep.table import WORDS, SweepTable
from sweep_tables import table
from variant_models import network

Captured = pytest.CaptureFixture[str]
SCENARIO = """
seed = 3
[[model]]
file = "kws.tflite"
[[recipe]]
steps = "prune sparsity={s} | quantize-weights bits=4"
over = { s = [0.5, 0.8] }
[targets]
boards = ["nucleo-u575zi", "mine.toml", "second.toml"]
runtimes = ["default", "x-cube-ai@8.1"]
clocks = ["max", "33 MHz"]
supply = ["own", "3.3 V"]
[constraints]
deadline = "100 ms"
period = "100.5 ms"
ram = "32 KiB"
flash = 1048576
energy = "6.1 mJ"
headroom = "20%"
sleep = { current = "3 uA", supply = "3 V" }
[[constraints.reserve]]
name = "camera"
memory = "ram"
size = "610 KiB"
"""
STEPS = """
[[constraints.step]]
name = "camera"
when = "pre"
time = "30 ms"
"""
MEASURED = """
[[model]]
file = "small.tflite"
[[recipe]]
steps = "mixed bits=4,8 max_drop=0.5"
[[recipe]]
steps = "quantize"
[targets]
boards = ["nucleo-u575zi"]
runtimes = ["tflm-cmsis-nn", "tflm-reference"]
[constraints]
accuracy = 0.01
[data]
samples = "data.npz"
calibrate = 10
metric = "top1"
"""


def swept(folder: Path, text: str, capsys: Captured) -> SweepTable:
    """The sweep of this scenario, from the folder above its own."""
    (folder / "in").mkdir()
    (folder / "in" / "kws.tflite").write_bytes(write_tflite(build("kws01", dtype="int8")))
    (folder / "in" / "small.tflite").write_bytes(write_tflite(network(DType.FLOAT32)))
    random = np.random.default_rng(1)
    x = random.uniform(-1, 1, (40, 8, 8, 3)).astype(np.float32)
    np.savez(folder / "in" / "data.npz", x=x, y=random.integers(0, 10, 40))
    shipped = Path(catalog.__file__).parent / "boards" / "nucleo-l4r5zi.toml"
    own = shipped.read_text(encoding="utf-8").replace('name = "nucleo-l4r5zi"', 'name = "mine"', 1)
    own = "\n".join(line for line in own.splitlines() if not line.startswith("aliases"))
    (folder / "in" / "mine.toml").write_text(own, encoding="utf-8")
    own = own.replace('"120 MHz"', '"110 MHz"')
    (folder / "in" / "second.toml").write_text(own, encoding="utf-8")
    (folder / "in" / "s.toml").write_text(text, encoding="utf-8")
    cli.run(["sweep", "in/s.toml", "-j", "1"])
    capsys.readouterr()
    return read_store(folder / "in" / "s.sweep")


def verdict_of(line: str, capsys: Captured) -> str:
    """Runs what a shell would: the parts between &&, without the comment."""
    words = shlex.split(line, comments=True)
    while "&&" in words:
        first, words = words[: words.index("&&")], words[words.index("&&") + 1 :]
        assert cli.run(first[1:]) == 0, first
    capsys.readouterr()
    assert words[:2] == ["preflash", "check"]
    assert cli.run([*words[1:], "-f", "json"]) in (0, 1), words
    return str(json.loads(capsys.readouterr().out)["verdict"]["word"])


def test_the_command_of_every_point_gives_its_verdict(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sweep = swept(tmp_path, SCENARIO, capsys)
    words = [WORDS[code] for code in sweep.word]
    assert len(set(words)) >= 3
    for point in range(len(sweep)):
        assert verdict_of(command(sweep, point), capsys) == words[point], command(sweep, point)
    lines = [command(sweep, point) for point in range(len(sweep))]
    for board in ("in/mine.toml", "in/second.toml"):
        assert any("check variants/prune" in line and f" -d {board} -r " in line for line in lines)
    assert all("--seed 3" in line for line in lines if "variants" in line)


def test_a_recipe_gets_the_samples_that_the_sweep_gave_it(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sweep = swept(tmp_path, MEASURED, capsys)
    assert not any(row.error for row in sweep.variants)
    for point in range(len(sweep)):
        line = command(sweep, point)
        assert line.endswith("  # the limit of accuracy is not checked")
        verdict_of(line, capsys)
        if "variants" in line:
            assert "--data in/data.npz --calibrate 10 --metric top1" in line
            made = next(Path("variants").glob(f"{line.split('variants/')[1].split('.tflite')[0]}.tflite"))
            assert made.stat().st_size == sweep.variants[sweep.variant[point]].file_bytes


def test_samples_that_do_not_go_with_a_model_are_left_out() -> None:
    sweep = table(21, 5)
    facts = sweep.facts | {"scenario": "[data]\nsamples = 'x.npz'\ninput_scale = 'f.tflite'\n"}
    said = command(replace(sweep, facts=facts), 10)
    assert " --data x.npz --calibrate 100 --input-scale f.tflite " in said
    assert "--data" not in command(replace(table(21, 5, accuracy=False), facts=facts), 10)


def test_what_no_option_says_is_said_in_words(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sweep = swept(tmp_path, SCENARIO + STEPS, capsys)
    line = command(sweep, 0)
    asked = "around.toml: the [[constraints.step]] tables of the scenario as [[step]]"
    assert line.endswith(f" --scenario around.toml  # {asked}")
    Path("around.toml").write_text(STEPS.replace("constraints.", ""), encoding="utf-8")
    assert verdict_of(line, capsys) == WORDS[sweep.word[0]]
    awake = "[constraints]\nsleep = { current = '3 uA', ram = 'lost' }\n"
    words = target_words(sweep.targets[0], {}, {"scenario": awake})
    assert "--sleep" not in words and "[constraints.sleep] as [sleep]" in words
    core = target_words(replace(sweep.targets[0], npu="ethos-u55-128"), {})
    assert core.endswith("  # the core alone, without ethos-u55-128")


@pytest.mark.parametrize(
    "scenario",
    ["", "[", "a" * (1 << 21), "." * 1000, "constraints = 3", "[constraints]\nram = 'x'", "[" * 9999],
)  # fmt: skip
def test_a_scenario_that_cannot_be_read_leaves_targets_and_limits(scenario: str) -> None:
    sweep = table(21, 5)
    words = target_words(sweep.targets[0], {"energy_j": 2e-6, "latency_s": 1e-5}, {"scenario": scenario})
    assert words == (
        "-d nucleo-l4r5zi -r tflm-cmsis-nn --clock 120MHz --deadline 10us --limit energy=2uJ"
    )
    assert again({"command": "preflash sweep 'x"}).folder == ""


def test_amounts_are_written_to_the_last_digit() -> None:
    assert unit_word(0.0123456789, "J") == "12.3456789mJ" and unit_word(1e-12, "s") == "0.001ns"
