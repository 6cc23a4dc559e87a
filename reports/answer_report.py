"""How do rows of a store read: text, JSON, CSV."""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import isfinite

from ..simulator.sweep.store.export import csv_text
from ..simulator.sweep.store.query import Answer
from .blocks import Cell, aligned


def render_answer(answer: Answer, form: str) -> Iterator[str]:
    """The rows, some at a time: `form` is text, json or csv."""
    if form == "csv":
        yield from csv_text(answer)
    elif form == "json":
        yield from _json(answer)
    else:
        rows = [tuple(_cell(value) for value in row) for row in answer.rows]
        yield "\n".join(aligned(answer.columns, rows)) + "\n" if answer.columns else ""
        yield f"{len(rows):,} rows\n" if len(rows) != 1 else "1 row\n"


def _json(answer: Answer) -> Iterator[str]:
    """A list of objects, one per line."""
    yield "["
    for number, row in enumerate(answer.rows):
        record = {name: _plain(value) for name, value in zip(answer.columns, row, strict=True)}
        yield ("," if number else "") + "\n" + json.dumps(record)
    yield "\n]\n"


def _plain(value: object) -> object:
    """As JSON has it, which knows neither infinity nor bytes."""
    if isinstance(value, float) and not isfinite(value):
        return None
    return value if value is None or isinstance(value, (int, float, str)) else str(value)


def _cell(value: object) -> Cell:
    return value if value is None or isinstance(value, (int, float, str)) else str(value)
