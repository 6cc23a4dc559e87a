"""How does a comparison read: aligned columns, then its claims; or JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from ..simulator.validate.table import Claim, ValidationTable
from .blocks import aligned

_MARKS = {True: "met", False: "MISSED", None: "reported"}


def render_tables(tables: Sequence[ValidationTable]) -> str:
    """Each table with its title, columns and claims."""
    return "\n".join("\n".join(_lines(table)) + "\n" for table in tables)


def render_tables_json(tables: Sequence[ValidationTable]) -> str:
    """The same as a list of objects."""
    return json.dumps([asdict(table) | {"is_missed": table.is_missed} for table in tables], indent=2) + "\n"


def _lines(table: ValidationTable) -> list[str]:
    body = [f"  {line}" for line in aligned(table.columns, table.rows)]
    claims = [_claim(claim) for claim in table.claims]
    left_out = [f"  left out: {text}" for text in table.left_out]
    return [f"{table.name}: {table.title}", *body, *claims, *left_out]


def _claim(claim: Claim) -> str:
    return f"  {_MARKS[claim.is_met]}: {claim.text}: {claim.reached}"
