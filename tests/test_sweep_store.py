"""A store is made whole, gone on with only where nothing changed, and trusted by nobody who reads it."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import pytest
from preflash.errors import StoreInUse, StoreInvalid
from preflash.graphs.tflite.write import write_tflite
from preflash.graphs.zoo import build
from preflash.simulator.sweep.session import Ways, sweep
from preflash.simulator.sweep.store.lease import Lease
from preflash.simulator.sweep.store.reading import opened, read_store
from preflash.simulator.sweep.store.store import Store
from sweep_runs import exported

DEVICES = Path(__file__).resolve().parents[1] / "devices"
BOARD = DEVICES / "boards" / "nucleo-u575zi.toml"
CALIBRATION = DEVICES / "calibrations" / "shipped.toml"
SCENARIO = """
[[model]]
zoo = "kws01"
[[recipe]]
steps = "prune sparsity=0.5"
[targets]
boards = ["mine.toml", "nucleo-h743zi2"]
[constraints]
deadline = "50 ms"
"""


def folder_with_scenario(folder: Path) -> Path:
    (folder / "mine.toml").write_bytes(BOARD.read_bytes())
    path = folder / "s.toml"
    path.write_text(SCENARIO, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    scenario = folder_with_scenario(tmp_path_factory.mktemp("store"))
    store = scenario.with_suffix(".sweep")
    sweep(scenario, store)
    return store


@pytest.fixture
def store(whole: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copy(whole, tmp_path / "copy.sweep"))


def change(store: Path, *statements: str) -> None:
    with closing(sqlite3.connect(store)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


# resume


def test_a_store_that_is_there_is_gone_on_with_only_when_told(whole: Path) -> None:
    with pytest.raises(StoreInvalid, match="--resume goes on with it"):
        sweep(whole.with_name("s.toml"), whole)
    before = exported(whole)
    assert sweep(whole.with_name("s.toml"), whole, Ways(resume=True)).tiles == 0
    assert exported(whole) == before


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("sparsity=0.5", "sparsity=0.6", "models and recipes"),
        ('zoo = "kws01"', 'zoo = "ad01"', "models and recipes"),
        ("50 ms", "40 ms", "constraints"),
        ("nucleo-h743zi2", "nucleo-l4r5zi", "boards, runtimes and calibration"),
        ("[[model]]", "seed = 5\n[[model]]", "seed"),
    ],
)
def test_a_store_of_another_scenario_is_refused_with_what_changed(
    old: str, new: str, says: str, store: Path, tmp_path: Path
) -> None:
    scenario = folder_with_scenario(tmp_path)
    scenario.write_text(SCENARIO.replace(old, new), encoding="utf-8")
    before = exported(store)
    with pytest.raises(StoreInvalid, match=f"of another sweep: {says}.* changed since"):
        sweep(scenario, store, Ways(resume=True))
    assert exported(store) == before


def test_a_board_file_that_changed_is_noticed(store: Path, tmp_path: Path) -> None:
    scenario = folder_with_scenario(tmp_path)
    assert sweep(scenario, store, Ways(resume=True)).tiles == 0, "moved, but the same"
    board = tmp_path / "mine.toml"
    text = board.read_text(encoding="utf-8")
    board.write_text(text.replace('title = "', 'title = "my '), encoding="utf-8")
    with pytest.raises(StoreInvalid, match="boards, runtimes and calibration changed"):
        sweep(scenario, store, Ways(resume=True))


def test_a_model_file_and_a_calibration_that_changed_are_noticed(tmp_path: Path) -> None:
    scenario = folder_with_scenario(tmp_path)
    words = SCENARIO.replace('zoo = "kws01"', 'file = "m.tflite"')
    scenario.write_text('calibration = "own.toml"\n' + words, encoding="utf-8")
    model, own, store = tmp_path / "m.tflite", tmp_path / "own.toml", tmp_path / "s.sweep"
    model.write_bytes(write_tflite(build("kws01")))
    own.write_text(CALIBRATION.read_text(encoding="utf-8"), encoding="utf-8")
    sweep(scenario, store)
    own.write_text(CALIBRATION.read_text(encoding="utf-8").replace("cpi = 1.169", "cpi = 1.2"))
    with pytest.raises(StoreInvalid, match="of another sweep: boards, runtimes and calibration changed"):
        sweep(scenario, store, Ways(resume=True))
    own.write_text(CALIBRATION.read_text(encoding="utf-8"), encoding="utf-8")
    model.write_bytes(write_tflite(build("kws01", seed=1)))
    with pytest.raises(StoreInvalid, match="of another sweep: models and recipes changed"):
        sweep(scenario, store, Ways(resume=True))


def test_words_that_change_no_figure_do_not_hinder(store: Path, tmp_path: Path) -> None:
    scenario = folder_with_scenario(tmp_path)
    scenario.write_text('question = "other words?"\n# remark\n' + SCENARIO, encoding="utf-8")
    assert sweep(scenario, store, Ways(resume=True)).tiles == 0


# being made, being in use


def test_a_run_that_was_killed_before_it_had_made_its_tables_is_gone_on_with(
    whole: Path, tmp_path: Path
) -> None:
    """SQLite has written a header and no more."""
    path = tmp_path / "early.sweep"
    change(path, "PRAGMA journal_mode = WAL", "VACUUM")
    assert path.stat().st_size > 0
    sweep(whole.with_name("s.toml"), path, Ways(resume=True))
    assert exported(path) == exported(whole)


def test_a_database_of_another_application_stays_as_it_is(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "photos.db"
    change(path, "CREATE TABLE photo (name TEXT)", "PRAGMA user_version = 1")
    before = path.read_bytes()
    with pytest.raises(StoreInvalid, match="it is no store of a sweep"):
        sweep(whole.with_name("s.toml"), path, Ways(resume=True))
    assert path.read_bytes() == before and [*tmp_path.iterdir()] == [path]


def test_a_store_made_for_nothing_is_taken_away(tmp_path: Path) -> None:
    Store(tmp_path / "empty.sweep", is_new=True).close()
    assert [*tmp_path.iterdir()] == []


def test_a_lease_is_one_processs_until_it_is_given_back(store: Path) -> None:
    held = Lease(store)
    with pytest.raises(StoreInUse, match="another process works on this store"):
        Lease(store)
    held.release()
    Lease(store).release()


def test_a_reader_does_not_hold_up_the_end_of_a_sweep(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "read.sweep"
    shutil.copy(whole, path)
    writer = Store(path, is_new=False)
    with opened(path) as connection:
        cursor = connection.execute("SELECT * FROM point")
        cursor.fetchone()
        writer.state({"state": "finished"})
        writer.close()
    assert len(read_store(path)) == 4


def test_facts_that_do_not_say_what_a_store_is_of_are_refused(store: Path, tmp_path: Path) -> None:
    scenario = folder_with_scenario(tmp_path)
    for value in ("[", "3", "[3]"):
        change(store, f"UPDATE fact SET value = '{value}' WHERE name = 'fingerprints'")
        with pytest.raises(StoreInvalid, match="does not say what it is of"):
            sweep(scenario, store, Ways(resume=True))
    change(store, "DROP TABLE fact")
    with pytest.raises(StoreInvalid, match="no such table: fact"):
        sweep(scenario, store, Ways(resume=True))


# stores that are none


def test_what_is_no_store_is_refused(whole: Path, tmp_path: Path) -> None:
    text, short, other = tmp_path / "text", tmp_path / "short", tmp_path / "other"
    text.write_text("model,device\n")
    short.write_bytes(whole.read_bytes()[:5000])
    change(other, "CREATE TABLE point (id)")
    for path in (text, short, other, tmp_path, tmp_path / "missing", Path("a\0b")):
        with pytest.raises(StoreInvalid):
            read_store(path)
        assert not (tmp_path / "missing").exists()


@pytest.mark.parametrize(
    "statement",
    [
        "PRAGMA user_version = 99",
        "DROP TABLE point",
        "DROP TABLE text",
        "ALTER TABLE variant RENAME COLUMN macs TO work",
        "UPDATE point SET variant = NULL WHERE id = 1",
        "UPDATE point SET variant = 1e15 WHERE id = 1",
        "UPDATE point SET target = -1 WHERE id = 1",
        "UPDATE point SET target = 0.5 WHERE id = 1",
        "UPDATE point SET word = 7 WHERE id = 1",
        "UPDATE point SET word = NULL",
        "UPDATE point SET reason = 1e18",
        "UPDATE point SET limiting = 'x'",
        "UPDATE point SET latency_s = 'fast'",
        "UPDATE point SET latency_s = x'00ff'",
        "UPDATE point SET latency_s_grade = 300",
        "UPDATE point SET ram_bytes_grade = NULL",
        "UPDATE variant SET axes = '[1]'",
        "UPDATE variant SET axes = NULL",
        f"UPDATE variant SET notes = '{'[' * 100_000}'",
        "UPDATE variant SET file_bytes = 'big'",
        "UPDATE variant SET model = NULL",
        "UPDATE variant SET macs = 'many'",
        "UPDATE variant SET number = 'one' WHERE number = 1",
        "UPDATE variant SET text = CAST(x'ff' AS TEXT)",
        "UPDATE target SET clock_hz = 'fast'",
        "UPDATE target SET number = 1000000000000 WHERE number = 1",
        "UPDATE target SET device = 3",
        "DELETE FROM target",
        "DELETE FROM variant",
        "UPDATE fact SET value = 'many' WHERE name = 'points'",
        "UPDATE fact SET value = '{\"latency_s\": []}' WHERE name = 'limits'",
        "UPDATE fact SET value = '[1]' WHERE name = 'objectives'",
        "INSERT INTO quality (variant, kernels, value) SELECT 0, kernels, 'good' FROM target LIMIT 1",
        "UPDATE text SET text = zeroblob(20000000) WHERE id = 1",
    ],
)
def test_a_store_that_does_not_fit_together_is_refused(statement: str, store: Path) -> None:
    change(store, statement)
    with pytest.raises(StoreInvalid):
        read_store(store)


@pytest.mark.parametrize("spoiled", range(8))
def test_bytes_that_were_overwritten_are_refused_or_read(spoiled: int, store: Path) -> None:
    content = bytearray(store.read_bytes())
    begin = 100 + spoiled * (len(content) - 600) // 8
    content[begin : begin + 500] = bytes(range(250)) * 2
    store.write_bytes(content)
    with suppress(StoreInvalid):
        read_store(store)


def test_unknown_figures_are_read_as_unknown(store: Path) -> None:
    change(store, "UPDATE point SET latency_s = NULL, latency_s_hi = NULL, latency_s_grade = "
           "(SELECT grade FROM basis WHERE text = 'unknown')")  # fmt: skip
    figure = read_store(store).figures["latency_s"].at(0)
    assert figure.value is None and figure.lo is not None and figure.basis.value == "unknown"
