"""What is a block of a report: a title, sentences, a table; and how it reads in a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from . import format as shown

Cell = str | int | float | None
WIDTH = 80


@dataclass(frozen=True, slots=True)
class Block:
    """One block.

    Args:
        title: what it answers, in a few words.
        sentences: what is said of it, before the table.
        columns, rows: the table; () for none. A string stands left, a number right.
        notes: what is said below the table.
    """

    title: str
    sentences: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_numeric(self) -> tuple[bool, ...]:
        """Per column: whether every cell is a number or missing."""
        return tuple(all(not isinstance(row[i], str) for row in self.rows) for i in range(len(self.columns)))


def block_lines(block: Block) -> list[str]:
    """The block as lines of at most 80 columns but for tables, which are as wide as they are."""
    lines = [shown.clean(block.title)]
    lines += [line for sentence in block.sentences for line in _wrapped(sentence)]
    if block.rows:
        lines += [f"  {line}" for line in aligned(block.columns, block.rows)]
    return lines + [line for note in block.notes for line in _wrapped(note)]


def aligned(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> list[str]:
    """Columns side by side: text left, numbers right.

    >>> aligned(("what", "B"), (("a", 1024), ("bc", 7)))
    ['what      B', 'a     1,024', 'bc        7']
    """
    cells = [tuple(columns), *(tuple(cell_text(cell) for cell in row) for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(columns))]
    right = [all(not isinstance(row[i], str) for row in rows) for i in range(len(columns))]
    layout = list(zip(widths, right, strict=True))
    return [
        "  ".join(c.rjust(w) if r else c.ljust(w) for c, (w, r) in zip(row, layout, strict=True)).rstrip()
        for row in cells
    ]


def cell_text(cell: Cell) -> str:
    """A number with thousands marked or four digits, "-" for nothing; names cannot steer the terminal."""
    if cell is None:
        return "-"
    if isinstance(cell, float):
        return f"{cell:.4g}"
    return f"{cell:,}" if isinstance(cell, int) else shown.clean(cell)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(shown.clean(text), WIDTH, initial_indent="  ", subsequent_indent="    ")
