"""How far are our figures from measured ones? Tables, one per claim, from the shared facts."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from .deliver import deliver_text
from .options import BAD_VERDICT, OK, Debug, Out, Plain, PlainForm


class Topic(str, Enum):
    memory = "memory"
    phones = "phones"


def validate(
    topic: Annotated[Topic, typer.Argument(help="What to hold against measurements.")],
    facts: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder with facts/ and models/; else PREFLASH_SHARED.")
    ] = None,
    only: Annotated[str | None, typer.Option(metavar="TABLE,...", help="Only these tables.")] = None,
    form: PlainForm = Plain.text, output: Out = None, _debug: Debug = False,
) -> int:  # fmt: skip
    """Our figures against measured ones, a table per claim; exit 1 if a stated target is missed."""
    from ..reports.tables import render_tables, render_tables_json
    from ..simulator.validate.memory import memory_tables
    from ..simulator.validate.phones import phone_tables

    tables_of = {Topic.memory: memory_tables, Topic.phones: phone_tables}
    tables = tables_of[topic](facts, only=None if only is None else tuple(only.split(",")))
    deliver_text((render_tables_json if form is Plain.json else render_tables)(tables), output)
    return BAD_VERDICT if any(table.is_missed for table in tables) else OK
