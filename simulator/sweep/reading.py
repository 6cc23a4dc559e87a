"""What does a store hold? Read only, while a sweep writes or after; nothing in it is trusted."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import StoreInvalid
from ..columns import Floats
from ..interval import Basis, grade_of
from .layout import PRICED, TARGET_COLUMNS, VARIANT_COLUMNS
from .store import checked
from .table import FIGURES, WORDS, Column, SweepTable, TargetRow, VariantRow

_UNKNOWN, _MEASURED = np.int8(grade_of(Basis.UNKNOWN)), np.int8(grade_of(Basis.MEASURED))
_LIMITS = ("latency_s", "period_s", "ram_bytes", "flash_bytes", "energy_j", "accuracy")
_MOST_POINTS = 20_000_000


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that cannot write.

    Raises:
        StoreInvalid: there is no such file, or it is no store.
    """
    where = str(path)[:200]
    if not path.is_file():
        raise StoreInvalid("there is no such store", where=where, fix="preflash sweep makes one")
    try:
        with closing(
            sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=60)
        ) as connection:
            connection.execute("PRAGMA query_only = ON")
            connection.execute("PRAGMA trusted_schema = OFF")
            checked(connection, path)
            yield connection
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise StoreInvalid(
            f"cannot be read: {error}", where=where, fix="is it a store of a sweep?"
        ) from error


def read_store(path: Path) -> SweepTable:
    """All finished points as columns.

    Raises:
        StoreInvalid: it is no store, or what it holds does not fit together.
    """
    with opened(path) as connection:
        try:
            return _table(connection, path)
        except (ValueError, TypeError, KeyError, IndexError, OverflowError) as error:
            raise StoreInvalid(
                f"what it holds does not fit together: {error}", where=str(path)[:200]
            ) from error


def _table(connection: sqlite3.Connection, path: Path) -> SweepTable:
    facts = {str(name): str(value) for name, value in connection.execute("SELECT name, value FROM fact")}
    variants = tuple(_variant(row) for row in _rows(connection, "variant", VARIANT_COLUMNS))
    targets = tuple(_target(row) for row in _rows(connection, "target", TARGET_COLUMNS))
    places = {row.number: place for place, row in enumerate(variants)}
    texts, coded = _texts(connection)
    (count,) = connection.execute("SELECT count(*) FROM point").fetchone()
    if count > _MOST_POINTS:
        raise ValueError(f"{count:,} points; at most {_MOST_POINTS:,} can be read at once")
    columns = _point_columns(connection, count)
    variant, target = (columns[name].astype(np.intp) for name in ("variant", "target"))
    figures = {name: _figure(columns, name) for name in PRICED}
    figures["accuracy"] = _accuracy(connection, variant, target)
    order = np.array(
        [places.get(number, -1) for number in range(int(variant.max(initial=-1)) + 1)], dtype=np.intp
    )
    variant = order[variant]
    if count and (variant.min() < 0 or target.max() >= len(targets) or columns["word"].max() >= len(WORDS)):
        raise ValueError("points of variants, targets or words that are not there")
    return SweepTable(
        facts | {"store": str(path)}, _limits(facts), _objectives(facts), variants, targets, variant, target,
        columns["word"].astype(np.int8), coded[columns["limiting"].astype(np.intp)], texts, figures,
        coded[columns["reason"].astype(np.intp)], texts,
    )  # fmt: skip


def _rows(connection: sqlite3.Connection, table: str, columns: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    for row in connection.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY number"):
        yield dict(zip(columns, row, strict=True))


def _variant(row: dict[str, Any]) -> VariantRow:
    axes, notes = json.loads(row.pop("axes")), json.loads(row.pop("notes"))
    if not isinstance(axes, dict) or not isinstance(notes, list):
        raise ValueError("axes or notes of a variant")
    macs = row.pop("macs")
    return VariantRow(
        **row | {"retrain": bool(row["retrain"])}, macs=float("nan") if macs is None else float(macs),
        axes={str(key): str(value) for key, value in axes.items()}, notes=tuple(str(note) for note in notes),
    )  # fmt: skip


def _target(row: dict[str, Any]) -> TargetRow:
    del row["kernels"]
    return TargetRow(**row)


def _texts(connection: sqlite3.Connection) -> tuple[tuple[str, ...], Any]:
    """The texts with "" first, and the place of each by its number in the store."""
    rows = connection.execute("SELECT id, text FROM text ORDER BY text, id").fetchall()
    texts = ["", *(str(text) for _, text in rows if text != "")]
    where = {text: place for place, text in enumerate(texts)}
    coded = np.zeros(max((int(key) for key, _ in rows), default=0) + 1, dtype=np.intp)
    for key, text in rows:
        coded[int(key)] = where[str(text)]
    return tuple(texts), coded


def _point_columns(connection: sqlite3.Connection, count: int) -> dict[str, Floats]:
    """Every column of the points as floats, by rising point number; NULL is nan."""
    names = ["variant", "target", "word", "limiting", "reason"]
    names += [f"{name}{end}" for name in PRICED for end in ("", "_lo", "_hi", "_grade")]
    found = np.empty((count, len(names)))
    cursor = connection.execute(f"SELECT {', '.join(names)} FROM point ORDER BY id")
    begin = 0
    while rows := cursor.fetchmany(50_000):
        found[begin : begin + len(rows)] = np.array(rows, dtype=np.float64)
        begin += len(rows)
    found = found[:begin]
    return {name: found[:, place] for place, name in enumerate(names)}


def _figure(columns: dict[str, Floats], name: str) -> Column:
    grade = columns[f"{name}_grade"].astype(np.int8)
    if len(grade) and (grade.min() < 0 or grade.max() > _UNKNOWN):
        raise ValueError(f"the basis of {name}")
    return Column(columns[name], columns[f"{name}_lo"], columns[f"{name}_hi"], grade)


def _accuracy(connection: sqlite3.Connection, variant: Any, target: Any) -> Column:
    """Measured once per variant and kernel set."""
    kernels = [row["kernels"] for row in _rows(connection, "target", ("number", "kernels"))]
    names = {name: place for place, name in enumerate(dict.fromkeys(kernels))}
    width = max(1, len(names))
    ends = np.full(((int(variant.max(initial=-1)) + 1) * width, 3), np.nan)
    for number, name, *three in connection.execute("SELECT variant, kernels, value, lo, hi FROM quality"):
        slot = number * width + names[name] if name in names else -1
        if 0 <= slot < len(ends):
            ends[slot] = [np.nan if end is None else float(end) for end in three]
    by_target = np.array([names[name] for name in kernels], dtype=np.intp)
    found = ends[variant * width + by_target[target]] if len(variant) else np.empty((0, 3))
    grade = np.where(np.isnan(found[:, 0]), _UNKNOWN, _MEASURED).astype(np.int8)
    return Column(found[:, 0], found[:, 1], found[:, 2], grade)


def _limits(facts: dict[str, str]) -> dict[str, float]:
    stated = json.loads(facts.get("limits", "{}"))
    return {name: float(stated[name]) for name in _LIMITS if name in stated}


def _objectives(facts: dict[str, str]) -> tuple[tuple[str, str], ...]:
    stated = json.loads(facts.get("objectives", "[]"))
    return tuple((name, way) for name, way in stated if name in FIGURES and way in ("min", "max"))
