"""A sweep's scenario file: every fault at once, with place and advice; the schema agrees."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest
from preflash import cli
from preflash.errors import (
    DataInvalid,
    DeviceUnknown,
    ModelNotFound,
    PreflashError,
    RecipeInvalid,
    RuntimeUnknown,
    ScenarioFileInvalid,
    UnitInvalid,
)
from preflash.reports.schema import render_schema
from preflash.simulator.sweep.asked.grid import grid_of
from preflash.simulator.sweep.asked.ranges import parse_values
from preflash.simulator.sweep.asked.scenario import SweepScenario, read_sweep
from preflash.simulator.sweep.asked.specs import Grid
from pydantic import ValidationError

EXAMPLES = sorted((Path(__file__).resolve().parents[1] / "examples" / "sweep").glob("*.toml"))
MODEL = '[[model]]\nzoo = "kws01"\n'
TARGETS = '[targets]\nboards = ["nucleo-u575zi"]\n'
FAULTY = """
nme = "x"
[[model]]
zoo = "kws0"
[[model]]
file = "a.tflite"
zoo = "kws01"
[[model]]
zoo = "ad01"
over = { classes = [2] }
[[model]]
zoo = "kws01"
over = { width = { from = 0, to = 1e9, step = 1 } }
[[model]]
zoo = "kws01"
over = { width = [] }
[[recipe]]
steps = "fly {a}"
over = { a = [1] }
[[recipe]]
steps = "prune sparsity={s}"
[[recipe]]
steps = "prune sparsity={s}"
over = { s = { from = 0.5, to = 1.5, step = 0.001 } }
[[recipe]]
steps = "prune sparsity=0.5"
over = { s = [1] }
[targets]
boards = []
clocks = 80
[constraints]
deadline = 50
accuracy = 2
ram = "-3 KiB"
[objectives]
minimize = ["speed"]
[data]
calibrate = -1
"""


def read(folder: Path, text: str | bytes) -> SweepScenario:
    path = folder / "scenario.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_sweep(path)


def grid(folder: Path, text: str, *, limit: int | None = None) -> Grid:
    return grid_of(read(folder, text), folder, limit=limit)


def test_all_faults_come_at_once_with_place_and_advice(tmp_path: Path) -> None:
    with pytest.raises(ScenarioFileInvalid) as refusal:
        read(tmp_path, FAULTY)
    faults = "\n".join(refusal.value.faults)
    for said in (
        "nme: unknown key; did you mean 'name'?",
        "model[0]: zoo: the zoo has no 'kws0'; did you mean kws01?",
        "model[1]: give file or zoo, one of them",
        "model[2]: over: classes is not known here; allowed: width, resolution, dtype, seed",
        "model[3].over.width: a range of 1,000,000,001 values; at most 10,000",
        "model[4].over.width: an axis has 1 to 10,000 values",
        "recipe[0]: step 1: do = 'fly' is not known; known: cluster,",
        "recipe[1]: steps: {s} has no values; add over = { s = [...] }",
        "recipe[2]: step 1, prune: sparsity: Input should be less than 1",
        "recipe[3]: over: s does not stand in steps as {s}",
        "targets.boards: needs at least 1 entries",
        "targets.clocks: must be a list",
        "constraints.deadline: 50 is not a time: it has no unit",
        "constraints.accuracy: '2' is no part of a whole",
        "constraints.ram: '-3 KiB' is not a size in bytes: it is negative",
        "objectives.minimize[0]: 'speed' is not allowed; allowed: ram, arena, flash",
        "data.samples: is missing", "data.calibrate: must be at least 0",
    ):  # fmt: skip
        assert said in faults
    assert refusal.value.where.endswith("scenario.toml")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"\x00\x01\x7fELF\xff\xfe", "not UTF-8"),
        (b"TFL3" * 300_000, "larger than 1 MiB"),
        ("x = " + "[" * 5000, "nested too deeply"),
        ("a." * 600 + "b = 1", "dots"),
        ("model = 3", "must be a list"),
        ("", "model: is missing"),
        ("targets = 3\n" + MODEL, "must be a table"),
        (MODEL + "over = 3\n" + TARGETS, "over"),
        (MODEL + 'over = { width = [[1]] }\n' + TARGETS, "write numbers or texts"),
        (MODEL + 'over = { width = { from = nan, to = 1, step = 1 } }\n' + TARGETS, "from <= to"),
        (MODEL + 'over = { width = { from = 0, to = 1, step = 0 } }\n' + TARGETS, "a step above zero"),
        (MODEL + 'over = { width = { from = 0, to = 1 } }\n' + TARGETS, "three numbers"),
        (MODEL + 'over = { width = { from = 0, to = 1e308, step = 5e-324 } }\n' + TARGETS, "values"),
        (MODEL + 'over = { "Width!" = [1] }\n' + TARGETS, "over"),
        (MODEL + 'seed = -1\n' + TARGETS, "seed"),
    ],
)  # fmt: skip
def test_garbage_is_a_scenario_file_with_faults(text: str | bytes, says: str, tmp_path: Path) -> None:
    with pytest.raises(ScenarioFileInvalid, match=says):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        ('[[model]]\nfile = "none.tflite"\n' + TARGETS, ModelNotFound, "No such file"),
        (MODEL + '[targets]\nboards = ["nucleo-u575z"]', DeviceUnknown, "did you mean"),
        (MODEL + '[targets]\nboards = ["zz*"]', DeviceUnknown, "no shipped board matches"),
        (MODEL + TARGETS + 'runtimes = ["tflm-cmsis"]', RuntimeUnknown, "did you mean"),
        (MODEL + TARGETS + 'clocks = ["fast"]', UnitInvalid, "fast"),
        (MODEL + TARGETS + 'clocks = ["200%"]', UnitInvalid, "no part of a whole"),
        (MODEL + TARGETS + 'clocks = ["9 GHz"]', ScenarioFileInvalid, "clock 9 GHz"),
        (MODEL + TARGETS + 'place = ["arena=moon"]', ScenarioFileInvalid, "placement arena=moon"),
        ('recipe_files = ["none.toml"]\n' + MODEL + TARGETS, RecipeInvalid, "cannot be read"),
        (MODEL + TARGETS + '[data]\nsamples = "none.npz"', DataInvalid, "cannot be read"),
    ],
)
def test_what_a_scenario_names_has_to_be_there(
    text: str, kind: type[PreflashError], says: str, tmp_path: Path
) -> None:
    with pytest.raises(kind, match=says):
        grid(tmp_path, text)


@pytest.mark.parametrize("axes", [3, 8])
def test_a_grid_too_large_is_refused_before_anything_is_made(axes: int, tmp_path: Path) -> None:
    names = "abcdefgh"[:axes]
    over = ", ".join(f"{name} = {{ from = 1, to = 999, step = 1 }}" for name in names)
    words = " | ".join(f"cluster clusters={{{name}}}" for name in names)
    text = f'{MODEL}[[recipe]]\nsteps = "{words}"\nover = {{ {over} }}\n{TARGETS}'
    text = text.replace("from = 1", "from = 2").replace("to = 999", "to = 256")
    with pytest.raises(ScenarioFileInvalid, match=r"more than 1,000,000 variants"):
        grid(tmp_path, text)
    assert len(grid(tmp_path, text, limit=5).variants) == 5


def test_more_points_than_a_report_can_hold_are_refused(tmp_path: Path) -> None:
    over = "over = { s = { from = 0.00002, to = 0.19, step = 0.00002 } }"
    text = f'{MODEL}[[recipe]]\nsteps = "prune sparsity={{s}}"\n{over}\n'
    places = '[targets]\nboards = ["all"]\nruntimes = ["all"]\nclocks = ["max", "75%", "50%", "25%"]'
    with pytest.raises(ScenarioFileInvalid, match="more than 20,000,000 points"):
        grid(tmp_path, text + places)


def test_axes_multiply_and_values_keep_their_digits(tmp_path: Path) -> None:
    text = f"""{MODEL}over = {{ width = [0.5, 1.0], resolution = [49] }}
[[recipe]]
name = "{{zeros}} and {{bits}}"
steps = "prune sparsity={{zeros}} | quantize-weights bits={{bits}}"
over = {{ zeros = [0.123456789, 0.5], bits = {{ from = 4, to = 6, step = 1 }} }}
{TARGETS}runtimes = ["default", "default"]
clocks = ["max", "100%", "160 MHz"]
"""
    found = grid(tmp_path, text)
    assert len(found.variants) == 2 * (1 + 2 * 3)
    assert found.variants[1].name == "0.123456789 and 4"
    assert dict(found.variants[1].axes) == {
        "width": "0.5", "resolution": "49", "zeros": "0.123456789", "bits": "4",
    }  # fmt: skip
    assert len(found.targets) == 1, "the same target is one, however it is written"


def test_two_boards_of_one_name_are_two_targets(tmp_path: Path) -> None:
    board = Path(__file__).resolve().parents[1] / "devices" / "boards" / "nucleo-u575zi.toml"
    text = board.read_text(encoding="utf-8")
    (tmp_path / "mine.toml").write_text(text.replace('title = "', 'title = "my '), encoding="utf-8")
    both = MODEL + '[targets]\nboards = ["nucleo-u575zi", "mine.toml"]'
    assert len(grid(tmp_path, both).targets) == 2


def test_decimals_of_a_range_are_as_written() -> None:
    assert parse_values({"from": 0.1, "to": 0.7, "step": 0.2}) == ("0.1", "0.3", "0.5", "0.7")
    assert parse_values([1.0, 1, 1e-7, 2e5, True, "x"]) == ("1", "0.0000001", "200000", "true", "x")


@pytest.fixture(scope="module")
def schema() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads(render_schema("sweep")))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_schema_accepts_the_examples_as_the_reader_does(
    path: Path, schema: jsonschema.Draft202012Validator
) -> None:
    schema.validate(tomllib.loads(path.read_text(encoding="utf-8")))
    read_sweep(path)


GOOD = {"model": [{"zoo": "kws01"}], "targets": {"boards": ["all"]}}


@pytest.mark.parametrize(
    ("change", "is_good"),
    [
        ({"constraints": {"accuracy": 0.9, "headroom": "10%", "ram": 65536, "deadline": "5 ms"},
          "data": {"samples": "x.npz"}}, True),
        ({"model": [{"zoo": "kws01", "over": {"width": [0.5, "1"]}}]}, True),
        ({"model": [{"zoo": "kws01", "over": {"width": {"from": 0.5, "to": 1, "step": 0.1}}}]}, True),
        ({"recipe": [{"steps": "prune sparsity={s}", "over": {"s": 0.5}}]}, True),
        ({"seed": -1}, False), ({"colour": "red"}, False), ({"model": []}, False), ({"targets": {}}, False),
        ({"model": [{"zoo": "kws01", "file": "a.tflite"}]}, False), ({"model": [{}]}, False),
        ({"model": [{"zoo": "kws01", "over": {"width": []}}]}, False),
        ({"model": [{"zoo": "kws01", "over": {"width": {"from": 1, "to": 2}}}]}, False),
        ({"model": [{"zoo": "kws01", "over": {"Wide": [1]}}]}, False),
        ({"constraints": {"deadline": 5}}, False), ({"constraints": {"accuracy": 2}}, False),
        ({"objectives": {"minimize": ["speed"]}}, False), ({"data": {}}, False),
        ({"original": "maybe"}, False),
    ],
)  # fmt: skip
def test_schema_and_reader_agree(
    change: dict[str, object], is_good: bool, schema: jsonschema.Draft202012Validator
) -> None:
    raw = GOOD | change
    assert schema.is_valid(raw) == is_good
    if is_good:
        SweepScenario.model_validate(raw)
    else:
        with pytest.raises(ValidationError):
            SweepScenario.model_validate(raw)


def test_the_schema_is_printed_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["schema", "sweep"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "SweepScenario"
