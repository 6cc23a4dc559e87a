"""How does a study of the memory plan read: a terminal's text, JSON, or the report page with it inside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from .. import __version__
from ..simulator.study import PlanStudy
from .blocks import Block, block_lines
from .data import dump, to_data
from .format import clean
from .output import utc_now
from .plan_blocks import buffer_block, study_blocks
from .result_schema import RESULT_SCHEMA
from .sections import model_line, target_line
from .text import finding_lines

SCHEMA_ID = "preflash/plan/1"


_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_CELL = {"type": ["string", "number", "null"]}
_COUNT = {"type": "integer", "minimum": 0}
_LAYOUT: dict[str, Any] = {
    "type": "object", "additionalProperties": False,
    "required": ["planner", "offsets", "extent_bytes", "lower_bound_bytes", "proof", "note"],
    "properties": {
        "planner": _TEXT, "offsets": {"type": "array", "items": _COUNT}, "extent_bytes": _COUNT,
        "lower_bound_bytes": _COUNT, "proof": _TEXT, "note": _TEXT,
    },
}  # fmt: skip
_BLOCK: dict[str, Any] = {
    "type": "object", "additionalProperties": False,
    "required": ["title", "sentences", "columns", "rows", "notes"],
    "properties": {
        "title": _TEXT, "sentences": _TEXTS, "columns": _TEXTS, "notes": _TEXTS,
        "rows": {"type": "array", "items": {"type": "array", "items": _CELL}},
    },
}  # fmt: skip
PLAN_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "urn:preflash:plan:1",
    "title": "preflash/plan/1: a study of the memory plan of one model on one target",
    "type": "object",
    "additionalProperties": False,
    "required": ["schema", "tool", "created", "command", "layouts", "blocks", "result"],
    "properties": {
        "schema": {"const": SCHEMA_ID},
        "tool": {"type": "object"},
        "created": _TEXT,
        "command": _TEXT,
        "layouts": {"type": "array", "items": _LAYOUT},
        "blocks": {"type": "array", "items": _BLOCK},
        "result": RESULT_SCHEMA,
    },
}


def render_study(study: PlanStudy, form: str, *, command: str = "", note: str = "") -> str:
    """The study as text: `form` is text, json or html; a note stands first in a terminal's."""
    text = _FORMS[form](study, command)
    return f"{note}\n{text}" if note and form == "text" else text


def _text(study: PlanStudy, command: str) -> str:
    estimate = study.estimate
    blocks = study_blocks(study)
    blocks = (*blocks[:1], buffer_block(study), *blocks[1:])
    lines = [model_line(estimate), target_line(estimate)]
    for block in blocks:
        lines += ["", *block_lines(block)]
    lines += ["", *finding_lines(estimate)]
    if command:
        lines += ["", f"Next: {clean(command)} -f html -o plan.html"]
    return "\n".join(lines) + "\n"


def _json(study: PlanStudy, command: str) -> str:
    document: dict[str, Any] = {
        "schema": SCHEMA_ID,
        "tool": {"name": "preflash", "version": __version__},
        "created": utc_now(),
        "command": command,
        "layouts": [asdict(layout) for layout in study.layouts],
        "blocks": [_plain(block) for block in study_blocks(study)],
        "result": to_data(study.estimate, command=command),
    }
    return dump(document)


def _plain(block: Block) -> dict[str, Any]:
    return {
        "title": clean(block.title),
        "sentences": [clean(text) for text in block.sentences],
        "columns": list(block.columns),
        "rows": [[clean(cell) if isinstance(cell, str) else cell for cell in row] for row in block.rows],
        "notes": [clean(text) for text in block.notes],
    }


def _html(study: PlanStudy, command: str) -> str:
    from .html import render_html

    blocks = study_blocks(study)
    return render_html(study.estimate, command=command, created=utc_now(), blocks=blocks)


_FORMS: dict[str, Callable[[PlanStudy, str], str]] = {"text": _text, "json": _json, "html": _html}
