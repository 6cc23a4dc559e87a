"""How does a comparison read: aligned columns, then its claims; or JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from ..simulator.validate.table import Cell, Claim, ValidationTable

_MARKS = {True: "met", False: "MISSED", None: "reported"}


def render_tables(tables: Sequence[ValidationTable]) -> str:
    """Each table with its title, columns and claims."""
    return "\n".join("\n".join(_lines(table)) + "\n" for table in tables)


def render_tables_json(tables: Sequence[ValidationTable]) -> str:
    """The same as a list of objects."""
    return json.dumps([asdict(table) | {"is_missed": table.is_missed} for table in tables], indent=2) + "\n"


def _lines(table: ValidationTable) -> list[str]:
    cells = [table.columns, *(tuple(_shown(cell) for cell in row) for row in table.rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(table.columns))]
    right = [_is_number_column(table, i) for i in range(len(table.columns))]
    body = [
        "  " + "  ".join(c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, right, strict=True))
        for row in cells
    ]
    claims = [_claim(claim) for claim in table.claims]
    left_out = [f"  left out: {text}" for text in table.left_out]
    return [f"{table.name}: {table.title}", *(line.rstrip() for line in body), *claims, *left_out]


def _claim(claim: Claim) -> str:
    return f"  {_MARKS[claim.is_met]}: {claim.text}: {claim.reached}"


def _is_number_column(table: ValidationTable, column: int) -> bool:
    return all(not isinstance(row[column], str) for row in table.rows)


def _shown(cell: Cell) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, float):
        return f"{cell:.4g}"
    return f"{cell:,}" if isinstance(cell, int) else cell
