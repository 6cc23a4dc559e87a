"""Comparisons with measured figures: found, named, rendered, and failed when a claim is missed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from preflash import cli
from preflash.errors import FactsNotFound
from preflash.reports.tables import render_tables, render_tables_json
from preflash.simulator.validate.facts import find_facts
from preflash.simulator.validate.memory import memory_tables
from preflash.simulator.validate.table import Claim, ValidationTable
from shared_data import shared_dir

TABLE = ValidationTable(
    "demo", "ours against theirs", ("what", "ours_bytes", "error"), (("a", 12345, 0.5), ("b", None, None)),
    (Claim("equal", "1 of 2", False), Claim("seen", "2", None)), ("c: never built",),
)  # fmt: skip


def test_a_folder_without_facts_is_named(tmp_path: Path) -> None:
    with pytest.raises(FactsNotFound, match="PREFLASH_SHARED"):
        find_facts(tmp_path)


def test_an_unknown_table_is_refused_with_the_known_ones() -> None:
    with pytest.raises(FactsNotFound, match="arenas"):
        memory_tables(only=("nonsense",))


def test_a_missing_file_of_facts_is_named(tmp_path: Path) -> None:
    (tmp_path / "facts").mkdir()
    with pytest.raises(FactsNotFound, match=r"tflm_arena\.csv"):
        memory_tables(tmp_path, only=("arenas",))


def test_a_table_reads_as_columns_and_claims() -> None:
    assert render_tables([TABLE]).splitlines() == [
        "demo: ours against theirs",
        "  what  ours_bytes  error",
        "  a         12,345    0.5",
        "  b              -      -",
        "  MISSED: equal: 1 of 2",
        "  reported: seen: 2",
        "  left out: c: never built",
    ]


def test_the_same_table_as_json_says_that_it_is_missed() -> None:
    (document,) = json.loads(render_tables_json([TABLE]))
    assert document["is_missed"] is True
    assert document["rows"] == [["a", 12345, 0.5], ["b", None, None]]


def test_a_missed_claim_fails_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from preflash.simulator.validate import memory

    monkeypatch.setattr(memory, "memory_tables", lambda *_, **__: (TABLE,))
    assert cli.run(["validate", "memory"]) == 1
    assert "MISSED" in capsys.readouterr().out


def test_the_arena_table_holds_on_the_recorded_models() -> None:
    (table,) = memory_tables(shared_dir(), only=("arenas",))
    assert not table.is_missed and len(table.rows) == 6
