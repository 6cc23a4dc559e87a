"""The command line: what it prints where, and how it exits."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from estimates import estimate, refused, unpriced
from preflash import __version__, cli
from preflash.devices.catalog import device_names, load_target, runtime_names
from preflash.graphs.ir import wire
from preflash.graphs.tflite.write import write_tflite
from preflash.graphs.zoo import build
from preflash.reports.result_schema import RESULT_SCHEMA
from preflash.simulator import advise
from preflash.simulator.estimate import Estimate, Word

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = (
    "check", "inspect", "plan", "demo", "explain", "schema", "device list", "device show", "device validate",
    "runtime list", "runtime show", "validate", "export", "calibrate", "accuracy", "variants",
    "fragility", "match", "pareto", "query", "report", "sweep",
)  # fmt: skip
Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "kws.tflite"
    path.write_bytes(write_tflite(build("kws01", dtype="int8")))
    return path


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Lets a test decide what simulate answers: `_answers(answer, estimate)`."""
    return monkeypatch


def _answers(patch: pytest.MonkeyPatch, estimate: Estimate) -> None:
    patch.setattr(advise, "check", lambda *_: estimate)


def _check(model: Path, *words: str) -> int:
    return cli.run(["check", str(model), "-d", "nucleo-l4r5zi", *words])


def test_the_help_lists_every_command(capsys: Captured) -> None:
    listed = ""
    for words in ([], ["device"], ["runtime"]):
        assert cli.run([*words, "--help"]) == 0
        listed += capsys.readouterr().out
    for command in COMMANDS:
        assert re.search(rf"^  {command.split()[-1]}\b", listed, re.M), command


def test_the_commands_are_exactly_these() -> None:
    named = {c.name or c.callback.__name__ for c in cli.app.app.registered_commands if c.callback}
    for group in cli.app.app.registered_groups:
        assert group.typer_instance is not None
        named |= {f"{group.name} {c.name}" for c in group.typer_instance.registered_commands}
    assert named == set(COMMANDS)


def test_the_readme_names_every_command() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    missing = [command for command in COMMANDS if not re.search(rf"preflash {command}\b", readme)]
    assert not missing


def test_the_version_is_printed(capsys: Captured) -> None:
    assert cli.run(["--version"]) == 0
    assert capsys.readouterr().out == f"preflash {__version__}\n"


# verdict -> exit code for --fail-on no, risky, tight, never
CODES = {
    Word.NO: (1, 1, 1, 0),
    Word.UNKNOWN: (0, 0, 0, 0),
    Word.RISKY: (0, 1, 1, 0),
    Word.TIGHT: (0, 0, 1, 0),
    Word.FITS: (0, 0, 0, 0),
}


@pytest.mark.parametrize("word", Word)
def test_the_verdict_decides_the_exit_code(
    answer: pytest.MonkeyPatch, model: Path, capsys: Captured, word: Word
) -> None:
    _answers(answer, estimate(word))
    codes = [_check(model, "--fail-on", level) for level in ("no", "risky", "tight", "never")]
    assert tuple(codes) == CODES[word]
    assert _check(model) == CODES[word][1]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (estimate(Word.UNKNOWN), 4),
        (unpriced(), 4),
        (refused(), 1),
        (estimate(Word.FITS), 0),
        (estimate(Word.RISKY), 1),
    ],
    ids=["verdict unknown", "latency unknown", "refused beats unknown", "energy alone", "risky and known"],
)
def test_require_known_turns_an_unknown_into_4(
    answer: pytest.MonkeyPatch, model: Path, given: Estimate, code: int
) -> None:
    _answers(answer, given)
    assert _check(model, "--require-known") == code


def test_without_require_known_an_unpriced_op_is_no_failure(answer: pytest.MonkeyPatch, model: Path) -> None:
    _answers(answer, unpriced())
    assert _check(model, "--fail-on", "tight") == 0


def test_the_command_in_a_result_makes_it_again(
    answer: pytest.MonkeyPatch, model: Path, capsys: Captured
) -> None:
    _answers(answer, estimate())
    _check(model, "--deadline", "50 ms", "--reserve", "ram=1KiB", "-f", "json", "--fail-on", "never")
    command = json.loads(capsys.readouterr().out)["command"]
    expected = f"preflash check {model} -d nucleo-l4r5zi --reserve ram=1KiB --deadline '50 ms'"
    assert command == expected


def test_html_goes_to_stdout_and_text_into_a_file(
    answer: pytest.MonkeyPatch, model: Path, tmp_path: Path, capsys: Captured
) -> None:
    _answers(answer, estimate())
    assert _check(model, "-f", "html") == 0
    assert capsys.readouterr().out.startswith("<!DOCTYPE html>")
    file = tmp_path / "report.txt"
    assert _check(model, "-o", str(file)) == 0
    written = capsys.readouterr()
    assert (written.out, written.err) == ("", f"preflash: wrote {file}\n")
    assert "FITS" in file.read_text(encoding="utf-8")
    assert [p.name for p in tmp_path.iterdir()] == ["report.txt"]


def test_a_file_that_cannot_be_written_is_bad_input(
    answer: pytest.MonkeyPatch, model: Path, tmp_path: Path, capsys: Captured
) -> None:
    _answers(answer, estimate())
    assert _check(model, "-o", str(tmp_path / "nowhere" / "x.txt")) == 3
    assert capsys.readouterr().err.startswith("preflash: error: ")


def test_an_internal_error_is_one_line_that_asks_for_debug(
    answer: pytest.MonkeyPatch, model: Path, capsys: Captured
) -> None:
    def broken(*_: object) -> Estimate:
        raise ZeroDivisionError("a\nb")

    answer.setattr(advise, "check", broken)
    assert _check(model) == 5
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "--debug" in err
    with pytest.raises(ZeroDivisionError):
        _check(model, "--debug")


def test_an_interruption_exits_with_130(answer: pytest.MonkeyPatch, model: Path) -> None:
    def interrupted(*_: object) -> Estimate:
        raise KeyboardInterrupt

    answer.setattr(advise, "check", interrupted)
    assert _check(model) == 130


BAD_INPUT = {
    "no such model": ["check", "{tmp}/none.tflite", "-d", "nucleo-l4r5zi"],
    "a directory": ["check", "{tmp}", "-d", "nucleo-l4r5zi"],
    "random bytes": ["check", "{tmp}/random.tflite", "-d", "nucleo-l4r5zi"],
    "a truncated model": ["inspect", "{tmp}/short.tflite"],
    "an empty file": ["inspect", "{tmp}/empty.tflite"],
    "an unknown board": ["check", "{model}", "-d", "nucleo-l4r5zz"],
    "an unknown runtime": ["check", "{model}", "-d", "nucleo-l4r5zi", "-r", "tflm"],
    "a runtime of another core": ["check", "{model}", "-d", "nucleo-l4r5zi", "-r", "tflm-esp-nn"],
    "a faulty device file": ["check", "{model}", "-d", "{tmp}/board.toml"],
    "too high a clock": ["check", "{model}", "-d", "nucleo-l4r5zi", "--clock", "9 GHz"],
    "no clock": ["check", "{model}", "-d", "nucleo-l4r5zi", "--clock", "fast"],
    "too much reserved": ["check", "{model}", "-d", "nucleo-l4r5zi", "--reserve", "ram=1GiB"],
    "a bad deadline": ["check", "{model}", "-d", "nucleo-l4r5zi", "--deadline", "0 s"],
    "an unknown rule": ["explain", "PF999"],
    "an unknown device": ["device", "show", "nope"],
    "a runtime nobody knows": ["runtime", "show", "nope"],
}


@pytest.mark.parametrize("name", BAD_INPUT)
def test_bad_input_is_one_line_and_exit_3(name: str, model: Path, tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "random.tflite").write_bytes(bytes(range(256)) * 4)
    (tmp_path / "short.tflite").write_bytes(model.read_bytes()[:1000])
    (tmp_path / "empty.tflite").write_bytes(b"")
    (tmp_path / "board.toml").write_text("name = 3\ncolour = 'red'\n", encoding="utf-8")
    words = [word.format(tmp=tmp_path, model=model) for word in BAD_INPUT[name]]
    assert cli.run(words) == 3
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("preflash: error: ") and captured.err.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [["check"], ["check", "x"], ["check", "x", "-d", "y", "--fail-on", "unknown"], ["paint"],
     ["schema", "house"], ["check", "x", "-d", "y", "-f", "pdf"], []],
    ids=" ".join,
)  # fmt: skip
def test_a_usage_error_exits_with_2(words: list[str], capsys: Captured) -> None:
    assert cli.run(words) == 2
    assert "Usage:" in capsys.readouterr().err


def test_device_validate_lists_all_faults_of_all_files(tmp_path: Path, capsys: Captured) -> None:
    bad, good = tmp_path / "bad.toml", ROOT / "devices" / "boards" / "nucleo-l4r5zi.toml"
    bad.write_text('name = "x"\ncolour = "red"\n', encoding="utf-8")
    assert cli.run(["device", "validate", str(bad), str(good)]) == 3
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == f"{good}: ok"
    assert len([line for line in lines if line.startswith(f"{bad}: ")]) >= 4
    assert any("colour" in line for line in lines) and any("core" in line for line in lines)
    assert cli.run(["device", "validate", str(good)]) == 0


def test_device_list_names_every_board(capsys: Captured) -> None:
    assert cli.run(["device", "list"]) == 0
    rows = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert rows[1:] == list(device_names())


@pytest.mark.parametrize("name", device_names())
def test_device_show_prints_every_block_with_its_source(name: str, capsys: Captured) -> None:
    assert cli.run(["device", "show", name]) == 0
    text = capsys.readouterr().out
    device = load_target(name).device
    for block in (device.core, *device.memories, *device.reserved, device.power):
        if block is not None:
            assert f"source: {block.source}" in text
    assert cli.run(["device", "show", name, "-f", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == name


@pytest.mark.parametrize("name", runtime_names())
def test_runtime_show_lists_the_ops(name: str, capsys: Captured) -> None:
    assert cli.run(["runtime", "list"]) == 0
    assert name in capsys.readouterr().out
    assert cli.run(["runtime", "show", name]) == 0
    assert "CONV_2D" in capsys.readouterr().out
    assert cli.run(["runtime", "show", name, "-f", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == name


@pytest.mark.parametrize("name", ["result", "device", "runtime"])
def test_a_schema_is_printed(name: str, capsys: Captured) -> None:
    assert cli.run(["schema", name]) == 0
    jsonschema.Draft202012Validator.check_schema(json.loads(capsys.readouterr().out))


def test_explain_without_a_name_lists_all(capsys: Captured) -> None:
    assert cli.run(["explain"]) == 0
    assert "PF203" in capsys.readouterr().out
    assert cli.run(["explain", "pf203"]) == 0
    assert capsys.readouterr().out.startswith("PF203")


# From here on the real thing: nothing is replaced.


def _real(*words: str, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "NO_COLOR": "1", "SOURCE_DATE_EPOCH": "1700000000"}
    return subprocess.run(
        [sys.executable, "-m", "preflash", *words],
        input=stdin,
        capture_output=True,
        timeout=60,
        env=environment,
    )


def test_the_result_on_stdout_is_json_and_nothing_else(model: Path) -> None:
    run = _real("check", str(model), "-d", "nucleo-l4r5zi", "-f", "json")
    assert (run.returncode, run.stderr) == (0, b"")
    document = json.loads(run.stdout)
    jsonschema.Draft202012Validator(RESULT_SCHEMA).validate(document)
    assert document["created"] == "2023-11-14T22:13:20Z"
    assert document["inputs"]["model"]["name"] == "kws"


def test_hostile_names_in_a_model_file_stay_text(tmp_path: Path) -> None:
    evil = "</script><img src=x onerror=alert(1)>\x1b[2J"
    graph = build("kws01", dtype="int8")
    tensors = [replace(t, name=f"{evil}{t.index}") for t in graph.tensors]
    main = wire(tensors, graph.ops, inputs=graph.inputs, outputs=graph.outputs, name=evil)
    file = tmp_path / "evil.tflite"
    file.write_bytes(write_tflite(graph.with_main(main)))
    for form in ("text", "json", "html"):
        run = _real("check", str(file), "-d", "nucleo-l4r5zi", "-f", form)
        assert (run.returncode, run.stderr) == (0, b"")
        assert b"<img" not in run.stdout and b"\x1b" not in run.stdout
    assert _real("inspect", str(file), "--tensors").stdout.count(b"\x1b") == 0


def test_a_model_can_come_from_stdin(model: Path) -> None:
    run = _real("check", "-", "-d", "nucleo-l4r5zi", stdin=model.read_bytes())
    assert run.returncode == 0 and b"stdin" in run.stdout


def test_garbage_on_stdin_is_bad_input() -> None:
    run = _real("check", "-", "-d", "nucleo-l4r5zi", stdin=b"\x00garbage" * 50)
    assert run.returncode == 3 and run.stdout == b""
    assert run.stderr.count(b"\n") == 1 and b"Traceback" not in run.stderr


def test_a_reader_that_stops_reading_is_no_error(model: Path) -> None:
    command = f"'{sys.executable}' -m preflash device show nucleo-l4r5zi | head -n 1; echo ${{PIPESTATUS[0]}}"
    run = subprocess.run(["bash", "-c", command], capture_output=True, timeout=60)
    assert run.stderr == b"" and run.stdout.endswith(b"0\n")


@pytest.mark.parametrize("form", ["text", "json", "html"])
def test_the_demo_runs_in_every_format(form: str, capsys: Captured) -> None:
    assert cli.run(["demo", "-f", form]) == 0
    out = capsys.readouterr().out
    assert "FITS" in out
    if form == "json":
        jsonschema.Draft202012Validator(RESULT_SCHEMA).validate(json.loads(out))


def test_a_plain_check_loads_no_heavy_module(model: Path) -> None:
    code = (
        "import sys; from preflash import cli; cli.run(sys.argv[1:]); "
        "print(*sorted(sys.modules), file=sys.stderr)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, "check", str(model), "-d", "nucleo-l4r5zi"],
        capture_output=True,
        text=True,
    )
    heavy = {"matplotlib", "networkx", "rich", "jinja2", "tflite_runtime", "jsonschema", "scipy", "pandas"}
    assert not heavy & {name.split(".")[0] for name in run.stderr.split()}


def test_the_terminal_coding_of_the_machine_does_not_matter(model: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    run = subprocess.run(
        [sys.executable, "-m", "preflash", "check", str(model), "-d", "nucleo-l4r5zi"],
        capture_output=True, timeout=60, env=environment,
    )  # fmt: skip
    assert run.returncode == 0 and run.stdout.isascii()


def test_stdin_bytes_are_read_in_process(answer: pytest.MonkeyPatch, model: Path, capsys: Captured) -> None:
    _answers(answer, estimate())
    answer.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(model.read_bytes())))
    assert cli.run(["check", "-", "-d", "nucleo-l4r5zi"]) == 0
    assert capsys.readouterr().out
