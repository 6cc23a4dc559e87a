"""What does a store hold? Read only, while a sweep writes or after; nothing in it is trusted."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from ....errors import StoreInvalid
from ...columns import Floats, Rows
from ...interval import Basis, grade_of
from ..table import FIGURES, MOST_POINTS, WORDS, Column, SweepTable, TargetRow, VariantRow
from .layout import PRICED, TARGET_COLUMNS, VARIANT_COLUMNS
from .store import checked

_UNKNOWN, _MEASURED = np.int8(grade_of(Basis.UNKNOWN)), np.int8(grade_of(Basis.MEASURED))
_LIMITS = ("latency_s", "period_s", "ram_bytes", "flash_bytes", "energy_j", "accuracy")
_LONGEST_TEXT = 10_000_000
_STEPS_BETWEEN_LOOKS = 100_000
_READING = (
    sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE,
)  # fmt: skip


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that reads this store and nothing else; Ctrl-C ends what it is at.

    Raises:
        StoreInvalid: there is no such file, or it is no store.
    """
    where = str(path)[:200]
    try:
        if not path.is_file():
            raise StoreInvalid("there is no such store", where=where, fix="preflash sweep makes one")
        with closing(
            sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=60)
        ) as connection:
            _restrain(connection)
            checked(connection, path)
            connection.set_authorizer(_allowed)
            yield connection
    except (sqlite3.Error, ValueError) as error:
        if was_stopped(error):
            raise KeyboardInterrupt from error
        raise StoreInvalid(
            f"cannot be read: {error}", where=where, fix="is it a store of a sweep?"
        ) from error


def was_stopped(error: BaseException) -> bool:
    """Whether SQLite gave up because of Ctrl-C."""
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT


def _restrain(connection: sqlite3.Connection) -> None:
    """No writing, no long texts; Python looks up now and then, so that Ctrl-C is noticed."""
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_TEXT)
    connection.set_progress_handler(lambda: 0, _STEPS_BETWEEN_LOOKS)


def _allowed(action: int, _first: str | None, _second: str | None, _base: str | None, _by: str | None) -> int:
    """Reading, and nothing besides."""
    return sqlite3.SQLITE_OK if action in _READING else sqlite3.SQLITE_DENY


def read_store(path: Path) -> SweepTable:
    """All finished points as columns.

    Raises:
        StoreInvalid: it is no store, or what it holds does not fit together.
    """
    with opened(path) as connection:
        try:
            return _table(connection, path)
        except (ValueError, TypeError, LookupError, OverflowError, RecursionError) as error:
            raise StoreInvalid(
                f"what it holds does not fit together: {error}", where=str(path)[:200]
            ) from error


def _table(connection: sqlite3.Connection, path: Path) -> SweepTable:
    facts = {str(name): str(value) for name, value in connection.execute("SELECT name, value FROM fact")}
    for name in ("run_s", "seed", "variants", "targets", "points"):
        float(facts.get(name, "0"))
    variants = tuple(_variant(row) for row in _rows(connection, "variant", VARIANT_COLUMNS))
    targets = tuple(_target(row) for row in _rows(connection, "target", TARGET_COLUMNS))
    if [row.number for row in targets] != list(range(len(targets))):
        raise ValueError("numbers of targets")
    texts, place_of = _texts(connection)
    (count,) = connection.execute("SELECT count(*) FROM point").fetchone()
    if count > MOST_POINTS:
        raise ValueError(f"{count:,} points; at most {MOST_POINTS:,} can be read at once")
    columns = _point_columns(connection, count)
    variant = _places(columns["variant"], [row.number for row in variants], "a point's variant")
    target = _places(columns["target"], range(len(targets)), "a point's target")
    word = _places(columns["word"], range(len(WORDS)), "a point's verdict")
    limiting, reason = (
        np.array(list(place_of.values()), dtype=np.intp)[_places(columns[name], list(place_of), name)]
        if count
        else np.empty(0, dtype=np.intp)
        for name in ("limiting", "reason")
    )
    named, limiting = np.unique(limiting, return_inverse=True)
    figures = {name: _figure(columns, name) for name in PRICED}
    figures["accuracy"] = _accuracy(connection, variants, variant, target)
    return SweepTable(
        facts | {"store": str(path)}, _limits(facts), _objectives(facts), variants, targets, variant, target,
        word.astype(np.int8), limiting, tuple(texts[place] for place in named), figures, reason, texts,
    )  # fmt: skip


def _rows(connection: sqlite3.Connection, table: str, columns: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    for row in connection.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY number"):
        yield dict(zip(columns, row, strict=True))


def _variant(row: dict[str, Any]) -> VariantRow:
    axes, notes = json.loads(row.pop("axes")), json.loads(row.pop("notes"))
    if not isinstance(axes, dict) or not isinstance(notes, list):
        raise ValueError("axes or notes of a variant")
    macs = row.pop("macs")
    made = VariantRow(
        **row | {"retrain": bool(row["retrain"])}, macs=float("nan") if macs is None else float(macs),
        axes={str(key): str(value) for key, value in axes.items()}, notes=tuple(str(note) for note in notes),
    )  # fmt: skip
    return _typed(made)


def _target(row: dict[str, Any]) -> TargetRow:
    del row["kernels"]
    return _typed(TargetRow(**row))


_Made = TypeVar("_Made", VariantRow, TargetRow)
_TYPES: dict[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "float": (int, float)}


def _typed(row: _Made) -> _Made:
    """The row, if its texts are texts and its numbers numbers."""
    for field in fields(row):
        value = getattr(row, field.name)
        if not isinstance(value, _TYPES.get(str(field.type), (object,))):
            raise TypeError(f"{field.name} of {type(row).__name__} {row.number!r}: {str(value)[:40]!r}")
    return row


def _texts(connection: sqlite3.Connection) -> tuple[tuple[str, ...], dict[int, int]]:
    """The texts with "" first, and the place of each by its number in the store, numbers rising."""
    rows = connection.execute("SELECT id, text FROM text ORDER BY id").fetchall()
    texts = ["", *sorted(str(text) for _, text in rows if text != "")]
    where = {text: place for place, text in enumerate(texts)}
    return tuple(texts), {int(key): where[str(text)] for key, text in rows}


def _places(column: Floats, known: Sequence[int], what: str) -> Rows:
    """Where each number of the column stands among the known ones, which rise.

    Raises:
        ValueError: one is not among them.
    """
    numbers = np.array(known, dtype=np.float64)
    found = np.searchsorted(numbers, column)
    if len(column) and (not len(numbers) or (numbers[found.clip(max=len(numbers) - 1)] != column).any()):
        raise ValueError(f"{what} that is not there")
    return found.astype(np.intp)


def _point_columns(connection: sqlite3.Connection, count: int) -> dict[str, Floats]:
    """Every column of the points as floats, by rising point number; NULL is nan."""
    names = ["variant", "target", "word", "limiting", "reason"]
    names += [f"{name}{end}" for name in PRICED for end in ("", "_lo", "_hi", "_grade")]
    found = np.empty((count, len(names)))
    cursor = connection.execute(f"SELECT {', '.join(names)} FROM point ORDER BY id LIMIT {count}")
    begin = 0
    while rows := cursor.fetchmany(50_000):
        found[begin : begin + len(rows)] = np.array(rows, dtype=np.float64)
        begin += len(rows)
    found = found[:begin]
    return {name: found[:, place] for place, name in enumerate(names)}


def _figure(columns: dict[str, Floats], name: str) -> Column:
    grade = _places(columns[f"{name}_grade"], range(int(_UNKNOWN) + 1), f"a basis of {name}")
    return Column(columns[name], columns[f"{name}_lo"], columns[f"{name}_hi"], grade.astype(np.int8))


def _accuracy(
    connection: sqlite3.Connection, variants: Sequence[VariantRow], variant: Rows, target: Rows
) -> Column:
    """Measured once per variant and kernel set."""
    kernels = [row["kernels"] for row in _rows(connection, "target", ("number", "kernels"))]
    names = {name: place for place, name in enumerate(dict.fromkeys(kernels))}
    row_of = {row.number: place for place, row in enumerate(variants)}
    ends = np.full((len(variants), max(1, len(names)), 3), np.nan)
    for number, name, *three in connection.execute("SELECT variant, kernels, value, lo, hi FROM quality"):
        if number in row_of and name in names:
            ends[row_of[number], names[name]] = [np.nan if end is None else float(end) for end in three]
    by_target = np.array([names[name] for name in kernels], dtype=np.intp)
    found = ends[variant, by_target[target]] if len(variant) else np.empty((0, 3))
    grade = np.where(np.isnan(found[:, 0]), _UNKNOWN, _MEASURED).astype(np.int8)
    return Column(found[:, 0], found[:, 1], found[:, 2], grade)


def _limits(facts: dict[str, str]) -> dict[str, float]:
    stated = json.loads(facts.get("limits", "{}"))
    return {name: float(stated[name]) for name in _LIMITS if name in stated}


def _objectives(facts: dict[str, str]) -> tuple[tuple[str, str], ...]:
    stated = json.loads(facts.get("objectives", "[]"))
    return tuple((name, way) for name, way in stated if name in FIGURES and way in ("min", "max"))
