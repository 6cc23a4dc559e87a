"""Which variant runs where: the best word of every variant on every target, over what else was varied."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...columns import Rows
from ..table import SweepTable, TargetRow, VariantRow

MOST_VARIANTS, MOST_TARGETS = 60, 80


@dataclass(frozen=True, eq=False)
class Feasibility:
    """Rows x columns of cells.

    Args:
        row_of, column_of: what a row and a column stand for: "variant", "model"; "device and runtime".
        row_code, column_code: row of every VariantRow, column of every TargetRow.
        word: best word of a cell's points as a position in WORDS; -1 without points.
        limiting: position in limits_named of the point with that word.
        points, fitting: how many there are, how many of them fit.
    """

    row_of: str
    column_of: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    row_code: Rows
    column_code: Rows
    word: npt.NDArray[np.int8]
    limiting: Rows
    points: Rows
    fitting: Rows


# what a row stands for, the finest first; the last is used where even that has too many
_ROWS: tuple[tuple[str, Callable[[VariantRow], str]], ...] = (
    ("variant", lambda row: row.label),
    ("model and recipe", lambda row: row.marked(f"{row.model} · {row.name}")),
    ("recipe", lambda row: row.marked(row.name)),
    ("model", lambda row: row.marked(row.model)),
)
_COLUMNS: tuple[tuple[str, Callable[[TargetRow], str]], ...] = (
    ("device and runtime", lambda row: f"{row.device} {row.runtime}"),
    ("device", lambda row: row.device),
)


def feasibility(table: SweepTable) -> Feasibility:
    """The finest matrix that a reader can still take in."""
    row_of, rows, row_code = _grouped(_ROWS, table.variants, MOST_VARIANTS)
    column_of, columns, column_code = _grouped(_COLUMNS, table.targets, MOST_TARGETS)
    shape = (len(rows), len(columns))
    cell = row_code[table.variant] * shape[1] + column_code[table.target]
    order = np.lexsort((table.word, cell))
    first = order[np.unique(cell[order], return_index=True)[1]] if len(order) else order
    word = np.full(shape[0] * shape[1], -1, dtype=np.int8)
    limiting = np.zeros(len(word), dtype=np.intp)
    word[cell[first]], limiting[cell[first]] = table.word[first], table.limiting[first]
    counts = [np.bincount(cell, weights, len(word)).astype(np.intp) for weights in (None, table.is_ok)]
    return Feasibility(
        row_of, column_of, rows, columns, row_code, column_code, word.reshape(shape),
        limiting.reshape(shape), counts[0].reshape(shape), counts[1].reshape(shape),
    )  # fmt: skip


def _grouped(
    namings: tuple[tuple[str, Callable[..., str]], ...], rows: tuple[object, ...], most: int
) -> tuple[str, tuple[str, ...], Rows]:
    """The first naming with few enough groups: what it is, the groups, and the group of every row."""
    for chosen, name in namings:
        what, texts = chosen, [name(row) for row in rows]
        groups = {text: place for place, text in enumerate(dict.fromkeys(texts))}
        if len(groups) <= most:
            break
    return what, tuple(groups), np.array([groups[text] for text in texts] or [0], dtype=np.intp)
