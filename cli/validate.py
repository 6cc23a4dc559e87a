"""How far are our figures from measured ones? Tables, one per claim, from the shared facts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .deliver import deliver_text
from .options import BAD_VERDICT, OK, CalibrationFile, Debug, Out, Plain, PlainForm

if TYPE_CHECKING:
    from ..simulator.validate.table import ValidationTable

_ROOM = "preflash.simulator.validate"
# topic -> its room, and the function that makes its tables
TOPICS = {
    "memory": (f"{_ROOM}.memory", "memory_tables"),
    "energy": (f"{_ROOM}.energy", "energy_tables"),
    "phones": (f"{_ROOM}.phones", "phone_tables"),
    "latency": (f"{_ROOM}.latency", "latency_tables"),
    "shares": (f"{_ROOM}.shares", "share_tables"),
    "variants": (f"{_ROOM}.variants", "variant_tables"),
}


def validate(
    topic: Annotated[str, typer.Argument(metavar="|".join((*TOPICS, "DATA.csv")), help="What is compared.")],
    facts: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder with facts/ and models/; else PREFLASH_SHARED.")
    ] = None,
    only: Annotated[str | None, typer.Option(metavar="TABLE,...", help="Only these tables.")] = None,
    calibration: CalibrationFile = None,
    form: PlainForm = Plain.text, output: Out = None, _debug: Debug = False,
) -> int:  # fmt: skip
    """Our figures against measured ones, a table per claim; exit 1 if a stated target is missed."""
    from ..reports.tables import render_tables, render_tables_json

    tables = _tables(topic, facts, None if only is None else tuple(only.split(",")), calibration)
    deliver_text((render_tables_json if form is Plain.json else render_tables)(tables), output)
    return BAD_VERDICT if any(table.is_missed for table in tables) else OK


def _tables(
    topic: str, facts: Path | None, only: tuple[str, ...] | None, calibration: str | None
) -> tuple[ValidationTable, ...]:
    """The tables of a topic, or the one of a CSV of measurements."""
    from importlib import import_module

    from ..errors import FactsNotFound

    if topic.endswith(".csv"):
        from ..devices.calibration import load_calibration, shipped_calibration
        from ..simulator.validate.data import data_table

        own = None if calibration is None else shipped_calibration().overlaid(load_calibration(calibration))
        return (data_table(Path(topic), own),)
    if topic not in TOPICS:
        known = f"known: {', '.join(TOPICS)}, or a CSV of measurements"
        raise FactsNotFound(f"there is nothing to validate called {topic[:40]!r}", fix=known)
    room, name = TOPICS[topic]
    tables: tuple[ValidationTable, ...] = getattr(import_module(room), name)(facts, only=only)
    return tables
