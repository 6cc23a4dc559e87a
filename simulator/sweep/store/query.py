"""Which points of a store does a question mean? SQL, or the condition alone; rows come as they are read."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import NamedTuple

from ....errors import StoreInvalid
from .reading import opened, was_stopped

_IS_STATEMENT = re.compile(r"\s*(select|with|values)\b", re.IGNORECASE)
_LONGEST_QUESTION = 100_000
# What a condition alone shows: the columns people decide by.
SHOWN = (
    "model", "recipe", "axes", "device", "runtime", "clock_hz", "place", "supply", "npu", "word", "limiting",
    "ram_bytes", "flash_bytes", "latency_s", "energy_j", "accuracy", "reason",
)  # fmt: skip
Row = tuple[object, ...]


class Answer(NamedTuple):
    """Column names, and rows that are read as they are asked for."""

    columns: tuple[str, ...]
    rows: Iterator[Row]


def ask(path: Path, question: str, *, most: int | None = None) -> Answer:
    """The rows of the view `points` for which the condition holds, or whatever a SELECT says.

    `word = 'FITS' AND latency_s < 0.05 ORDER BY ram_bytes` is a condition; `SELECT device, min(latency_s)
    FROM points GROUP BY device` a statement. "" is all points.

    Raises:
        StoreInvalid: no store, or a question that SQLite does not understand.
    """
    statement = question if _IS_STATEMENT.match(question) else _of_condition(question)
    if len(statement) > _LONGEST_QUESTION:
        raise StoreInvalid("the question is longer than 100,000 characters", where=str(path)[:200])
    rows = _rows(path, statement, most)
    columns = next(rows)
    return Answer(tuple(str(name) for name in columns), rows)


def all_points(path: Path) -> Answer:
    """Every column of every point, by rising number: what an export holds."""
    rows = _rows(path, "SELECT * FROM points ORDER BY id", None)
    columns = next(rows)
    return Answer(tuple(str(name) for name in columns), rows)


def _of_condition(question: str) -> str:
    """The question's own ORDER BY and LIMIT stay where they are."""
    tail = question.strip()
    begins_with_clause = re.match(r"(order\s+by|limit)\b", tail, re.IGNORECASE)
    where = "" if not tail else tail if begins_with_clause else f"WHERE {tail}"
    return f"SELECT {', '.join(SHOWN)} FROM points {where}".strip()


def _rows(path: Path, statement: str, most: int | None) -> Iterator[Row]:
    """First the names of the columns, then the rows."""
    with opened(path) as connection:
        try:
            cursor = connection.execute(statement)
            names = tuple(name for name, *_ in cursor.description or ())
        except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
            raise _refusal("the question is not understood", error, path) from error
        yield names
        for number in count():
            if most is not None and number >= most:
                return
            try:
                row = next(cursor, None)
            except (sqlite3.Error, ValueError) as error:
                raise _refusal("the question cannot be answered", error, path) from error
            if row is None:
                return
            yield row


def _refusal(what: str, error: Exception, path: Path) -> BaseException:
    """A fault of the question, unless it was Ctrl-C that ended it."""
    if was_stopped(error):
        return KeyboardInterrupt()
    fix = "text in single quotes: word = 'FITS'; columns: SELECT * FROM points LIMIT 1"
    return StoreInvalid(f"{what}: {error}", where=str(path)[:200], fix=fix)
