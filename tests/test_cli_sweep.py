"""preflash sweep, query, report and pareto on the command line: results on stdout, faults in one line."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import re
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from preflash import cli
from preflash.cli.progress import ProgressLine

Captured = pytest.CaptureFixture[str]
SCENARIO = """
name = "night"
[[model]]
zoo = "kws01"
[[recipe]]
name = "half"
steps = "prune sparsity=0.5"
[[recipe]]
name = "not for int8"
steps = "quantize"
[targets]
boards = ["nucleo-u575zi", "nucleo-h743zi2"]
clocks = ["max", "50%"]
[constraints]
deadline = "50 ms"
"""


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cli") / "night.toml"
    path.write_text(SCENARIO, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def store(scenario: Path) -> Path:
    assert cli.run(["sweep", str(scenario), "-j", "1", "-f", "json"]) == 0
    return scenario.with_suffix(".sweep")


def said(captured: Captured, *words: object) -> tuple[int, str, str]:
    code = cli.run([str(word) for word in words])
    out, err = captured.readouterr()
    return code, out, err


def process(*words: object, **options: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "preflash", *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, **options,
    )  # type: ignore[call-overload, no-any-return]  # fmt: skip


# sweep


def test_only_the_result_is_on_stdout(scenario: Path, tmp_path: Path, capsys: Captured) -> None:
    path, page = tmp_path / "a.sweep", tmp_path / "a.html"
    code, out, err = said(capsys, "sweep", scenario, "--store", path, "-f", "json", "-o", page)
    assert code == 0 and json.loads(out)
    assert err == f"preflash: wrote {path}\npreflash: wrote {page}\n"
    assert page.read_text(encoding="utf-8").lstrip().lower().startswith("<!doctype html>")


def test_a_sweep_in_which_nothing_fits_is_exit_code_1(tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "tight.toml"
    path.write_text(SCENARIO.replace("50 ms", "1 us"), encoding="utf-8")
    assert said(capsys, "sweep", path)[0] == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("none.toml",), "cannot be read"),
        (("",), "it is a directory"),
        ((__file__,), "TOML syntax"),
        (("{scenario}", "--store", "{folder}"), "there is a store already"),
        (("{scenario}", "--store", "{folder}", "--resume"), "Is a directory"),
        (("{scenario}", "--store", "{folder}/no/such.sweep"), "cannot be written"),
        (("{scenario}", "--store", "{scenario}", "--resume"), "file is not a database"),
        (("{scenario}", "--store", "{folder}/x", "-o", "{folder}/x"), "it would take the store's place"),
    ],
)
def test_faults_are_one_line_and_exit_code_3(
    words: tuple[str, ...], says: str, scenario: Path, tmp_path: Path, capsys: Captured
) -> None:
    filled = [word.format(scenario=scenario, folder=tmp_path) for word in words]
    code, out, err = said(capsys, "sweep", *filled)
    assert (code, out, err.count("\n")) == (3, "", 1) and says in err


@pytest.mark.skipif(sys.platform == "win32", reason="limits the size of files")
def test_a_full_disk_is_one_line_and_what_is_committed_stays(scenario: Path, tmp_path: Path) -> None:
    """A file may have 60 KiB."""
    import resource

    path, most = tmp_path / "full.sweep", (60 * 1024, 60 * 1024)
    run = process("sweep", scenario, "--store", path, "-j", 1,
                  preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, most))  # fmt: skip
    out, err = run.communicate(timeout=60)
    assert (run.returncode, out) == (3, "") and re.fullmatch(r"preflash: error: .*\n", err), err
    assert process("sweep", scenario, "--store", path, "--resume").wait(60) in (0, 3)


def test_progress_counts_rate_and_time_from_where_a_resumed_sweep_began() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    shown = Terminal()
    line = ProgressLine(shown)
    line(9_000, 10_000, "points")
    time.sleep(0.1)
    line(9_010, 10_000, "points")
    last = shown.getvalue().split("\r")[-1]
    found = re.search(r"9,010/10,000  ([\d.]+)/s  (\d+) s left", last)
    assert found and 20 < float(found[1]) <= 100 and 9 <= int(found[2]) < 50


# query


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("", 12), ("word = 'ERROR'", 4), ("recipe = 'half' AND latency_s < 1 ORDER BY ram_bytes", 4),
        ("ORDER BY latency_s LIMIT 3", 3), ("SELECT DISTINCT device FROM points", 2),
        ("with d as (select device from points group by device) select * from d", 2), ("values (1), (2)", 2),
    ],
)  # fmt: skip
def test_a_question_is_a_condition_or_a_select(
    question: str, rows: int, store: Path, capsys: Captured
) -> None:
    code, out, _ = said(capsys, "query", store, question, "-f", "csv")
    assert code == 0 and len(list(csv.reader(io.StringIO(out)))) == 1 + rows
    code, out, _ = said(capsys, "query", store, question, "-f", "json", "-n", 2)
    assert code == 0 and len(json.loads(out)) == 2


def test_rows_of_all_forms_are_the_same(store: Path, tmp_path: Path, capsys: Captured) -> None:
    select = "SELECT id, device, latency_s, word FROM points ORDER BY id"
    records = json.loads(said(capsys, "query", store, select, "-f", "json")[1])
    table = list(csv.DictReader(io.StringIO(said(capsys, "query", store, select, "-f", "csv")[1])))
    assert len(records) == len(table) == 12
    for record, row in zip(records, table, strict=True):
        assert {k: "" if v is None else str(v) for k, v in record.items()} == row
    assert said(capsys, "query", store, select)[1].endswith("12 rows\n")
    if importlib.util.find_spec("pyarrow") is not None:
        import pyarrow.parquet

        path = tmp_path / "rows.parquet"
        assert said(capsys, "query", store, select, "-f", "parquet", "-o", path)[0] == 0
        assert pyarrow.parquet.read_table(path).to_pylist() == records
    assert said(capsys, "query", store, select, "-f", "parquet")[0] == 3


def test_an_export_is_the_same_bytes_on_stdout_and_in_a_file(
    store: Path, tmp_path: Path, capsys: Captured
) -> None:
    path = tmp_path / "all.csv"
    assert said(capsys, "query", store, "-f", "csv", "-o", path)[0] == 0
    assert path.read_bytes().decode() == said(capsys, "query", store, "-f", "csv")[1]


@pytest.mark.parametrize(
    "question",
    [
        "1; DELETE FROM point", "SELECT 1; DROP TABLE point", "WITH a AS (SELECT 1) DELETE FROM point",
        "WITH a AS (SELECT 1) INSERT INTO tile VALUES (99, 1)", "DELETE FROM point", "ATTACH 'x.db' AS x",
        "SELECT * FROM pragma_journal_mode('delete')", "SELECT * FROM pragma_writable_schema(1)",
        "PRAGMA writable_schema = 1", "SELECT load_extension('x')", "SELECT zeroblob(1000000000)",
        "1 = 1 UNION SELECT * FROM", "no_such_column = 1", "'", "SELECT " + "1," * 60_000, "SELECT '\0",
        "SELECT CAST(x'ff' AS TEXT)", "SELECT abs(-9223372036854775807 - 1)",
    ],
)  # fmt: skip
def test_a_question_reads_or_is_refused(question: str, store: Path, capsys: Captured) -> None:
    before = store.read_bytes()
    code, out, err = said(capsys, "query", store, question)
    assert (code, out, err.count("\n")) == (3, "", 1) and err.startswith("preflash: error: ")
    assert store.read_bytes() == before and not Path("x.db").exists()


def test_text_cannot_steer_the_terminal(store: Path, capsys: Captured) -> None:
    select = "SELECT 'a' || char(27) || '[2J' || char(10, 8238) AS x, 9e999 AS y, x'1b' AS z"
    code, out, _ = said(capsys, "query", store, select)
    assert code == 0 and "\x1b" not in out and "\u202e" not in out and out.count("\n") == 3
    assert json.loads(said(capsys, "query", store, select, "-f", "json")[1])[0]["y"] is None


_RUNAWAY = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT "


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
@pytest.mark.parametrize("what", ["i FROM n WHERE i < 0", "i FROM n ORDER BY -i"])
def test_a_question_without_end_can_be_stopped(what: str, store: Path) -> None:
    run = process("query", store, _RUNAWAY + what, preexec_fn=lambda: _most_memory(2 << 30))
    try:
        time.sleep(1.2)
        assert run.poll() is None
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=20)
    finally:
        run.kill()
    assert (run.returncode, out) == (130, "") and "Traceback" not in err


@pytest.mark.skipif(sys.platform == "win32", reason="limits the memory of a process")
def test_rows_without_end_are_read_as_they_are_asked_for(store: Path) -> None:
    run = process(
        "query", store, _RUNAWAY + "i FROM n", "-f", "csv", preexec_fn=lambda: _most_memory(2 << 30)
    )
    assert run.stdout is not None and run.stderr is not None
    assert [run.stdout.readline() for _ in range(3)] == ["i\n", "1\n", "2\n"]
    run.stdout.close()
    assert run.stderr.read() == "" and run.wait(30) == 0
    run = process("query", store, _RUNAWAY + "i FROM n")
    out, _ = run.communicate(timeout=60)
    assert run.returncode == 0 and out.endswith("100 rows\n")


def _most_memory(size_bytes: int) -> None:
    """Also Ctrl-C as in a terminal: a shell's background jobs would have it ignored."""
    import resource

    signal.signal(signal.SIGINT, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_AS, (size_bytes, size_bytes))


def test_the_store_is_not_written_over(store: Path, capsys: Captured) -> None:
    before = store.read_bytes()
    for command in (("query", store, "-f", "csv"), ("report", store), ("pareto", store)):
        assert said(capsys, *command, "-o", store)[0] == 3
    assert store.read_bytes() == before


@pytest.mark.parametrize("command", ["query", "report", "pareto"])
def test_what_is_no_store_is_one_line_and_exit_code_3(command: str, tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "text").write_text("no store")
    with sqlite3.connect(tmp_path / "other") as connection:
        connection.execute("CREATE TABLE points (word)")
    connection.close()
    for name in ("text", "other", "missing", "."):
        code, out, err = said(capsys, command, tmp_path / name)
        assert (code, out, err.count("\n")) == (3, "", 1)


# pareto


def test_the_front_is_what_no_other_point_beats(store: Path, capsys: Captured) -> None:
    code, out, _ = said(capsys, "pareto", store, "-x", "latency", "-y", "energy", "-f", "json")
    points = [(one["figures"]["latency_s"]["value"], one["figures"]["energy_j"]["value"])
              for one in json.loads(out)["points"]]  # fmt: skip
    assert code == 0 and points
    assert not any(a[0] <= b[0] and a[1] <= b[1] and a != b for a in points for b in points)
    text = said(capsys, "pareto", store, "-x", "latency", "-y", "energy")[1]
    assert text.startswith(f"{len(points)} of ") and "least latency" in text
    rows = said(capsys, "pareto", store, "-x", "latency", "-y", "energy", "-f", "csv")[1].splitlines()
    assert len(rows) == 1 + len(points)


def test_rows_of_a_front_name_supply_and_accelerator(tmp_path: Path, capsys: Captured) -> None:
    path, more = tmp_path / "s.toml", 'supply = ["3.3 V"]\nnpu = ["none", "ethos-u55-128"]\n[constraints]'
    path.write_text(SCENARIO.replace("[constraints]", more), encoding="utf-8")
    said(capsys, "sweep", path, "-j", 1)
    made = path.with_suffix(".sweep")
    rows = list(csv.DictReader(io.StringIO(said(capsys, "pareto", made, "-f", "csv")[1])))
    listed = json.loads(said(capsys, "pareto", made, "-f", "json")[1])["points"]
    assert {(row["supply"], row["npu"]) for row in rows} == {("3.3 V", "")}
    assert [(row["supply"], row["npu"]) for row in rows] == [(one["supply"], one["npu"]) for one in listed]


def test_only_points_that_took_part_are_counted_as_near_the_front(tmp_path: Path, capsys: Captured) -> None:
    path, more = tmp_path / "s.toml", 'npu = ["none", "ethos-u55-128"]\n[constraints]'
    path.write_text(SCENARIO.replace("[constraints]", more), encoding="utf-8")
    said(capsys, "sweep", path, "-j", 1)
    text = said(capsys, "pareto", path.with_suffix(".sweep"), "--all")[1]
    best, compared = map(int, re.findall(r"^(\d+) of (\d+) points", text)[0])
    more_near = re.search(r"^(\d+) more are beaten", text, re.M)
    assert best + (int(more_near[1]) if more_near else 0) <= compared
    assert "left out: a figure is unknown" in text


def test_points_with_equal_figures_are_one_line(store: Path, capsys: Captured) -> None:
    """Pruned weights are no smaller in the file: both variants of a board cost the same."""
    words = ("pareto", store, "-x", "latency", "-y", "energy")
    text, rows = said(capsys, *words)[1], said(capsys, *words, "-f", "csv")[1].splitlines()[1:]
    listed = text.split("\n\n")[1].splitlines()[1:]
    alike = sum(int(count) for count in re.findall(r"and (\d+) more alike", text))
    assert alike > 0 and "-f csv names them all" in text
    lines = [line for line in listed if "nucleo" in line]
    assert len(lines) + alike == len(rows)


@pytest.mark.parametrize("form", ["text", "json", "csv"])
def test_an_empty_front_is_exit_code_1_and_says_why(
    form: str, store: Path, scenario: Path, tmp_path: Path, capsys: Captured
) -> None:
    tight = tmp_path / "tight.toml"
    tight.write_text(SCENARIO.replace("50 ms", "1 us"), encoding="utf-8")
    said(capsys, "sweep", tight, "-j", 1)
    code, out, _ = said(capsys, "pareto", tight.with_suffix(".sweep"), "-f", form)
    other, unmeasured, _ = said(capsys, "pareto", store, "-x", "accuracy", "-f", form)
    assert (code, other) == (1, 1)
    if form == "text":
        assert "none of 12 points fits: --all" in out and "more are beaten" not in out
        assert re.search(r"accuracy is unknown for all \d+\n$", unmeasured)


def test_one_figure_twice_is_no_front(store: Path, capsys: Captured) -> None:
    for words in (("-x", "ram", "-y", "ram"), ("-z", "latency"), ("-x", "latency")):
        code, out, err = said(capsys, "pareto", store, *words)
        assert (code, out, err.count("\n")) == (3, "", 1) and "is there twice" in err
