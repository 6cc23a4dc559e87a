"""How does a study of fragility read: text, JSON, CSV, one HTML page?"""

from __future__ import annotations

import csv
import io
import textwrap
from collections.abc import Callable
from typing import Any

from .. import __version__
from ..simulator.estimate import Interval, Verdict
from ..simulator.fragility import End, Fragility, Swing, Turn
from . import format as shown
from .blocks import WIDTH, block_lines
from .data import dump, number
from .fragility_data import FIGURES, fragility_blocks, lead, verdict_line
from .fragility_schema import SCHEMA_ID
from .output import utc_now
from .sections import model_line, target_line


def render_fragility(found: Fragility, form: str, *, command: str = "") -> str:
    """The study as text: `form` is text, json, csv or html."""
    return _FORMS[form](found, command)


def _text(found: Fragility, command: str) -> str:
    word = found.base.word.value
    sentence = f"{word}  {shown.clean(verdict_line(found.base.verdict))}"
    lines = [model_line(found), target_line(found)]
    lines += textwrap.wrap(sentence, WIDTH, subsequent_indent=" " * (len(word) + 2))
    lines += textwrap.wrap(lead(found), WIDTH)
    for block in fragility_blocks(found):
        lines += ["", *block_lines(block)]
    if command:
        lines += ["", f"Next: {shown.clean(command)} -f html -o fragility.html"]
    return "\n".join(lines) + "\n"


def _json(found: Fragility, command: str) -> str:
    model, target = found.model, found.target
    document: dict[str, Any] = {
        "schema": SCHEMA_ID,
        "tool": {"name": "preflash", "version": __version__},
        "created": utc_now(),
        "command": command,
        "model": {"name": shown.clean(model.name), "sha256": model.sha256, "op_count": model.op_count},
        "target": {"device": target.device, "runtime": target.runtime, "clock_hz": number(target.clock_hz)},
        "by": found.by,
        "base": _end(found.base),
        "assumptions": [_swing(swing) for swing in found.swings],
        "not_varied": [{"name": one.name, "reason": shown.clean(one.reason)} for one in found.fixed],
    }
    return dump(document)


def _swing(swing: Swing) -> dict[str, Any]:
    knob = swing.knob
    return {
        "name": shown.clean(knob.name), "value": number(knob.value), "unit": knob.unit,
        "confidence": knob.confidence, "source": shown.clean(knob.source), "note": shown.clean(knob.note),
        "turns_verdict": swing.is_turning, "measure_first": swing.is_first, "effect": number(swing.effect),
        "low": _end(swing.low), "high": _end(swing.high),
        "below": _turn(swing.below), "above": _turn(swing.above),
    }  # fmt: skip


def _end(end: End) -> dict[str, Any]:
    return {
        "factor": end.factor, **_judged(end.verdict),
        "budgets": [
            {"name": check.name, "need": number(check.need.value), "budget": number(check.budget),
             "unit": check.unit, "word": check.word.value}
            for check in end.verdict.budgets
        ],
        "figures": {name: _figure(end.figures[name], unit) for name, (_, unit) in FIGURES.items()},
    }  # fmt: skip


def _judged(verdict: Verdict) -> dict[str, str]:
    return {"verdict": verdict.word.value, "limiting": shown.clean(verdict.limiting)}


def _figure(figure: Interval, unit: str) -> dict[str, Any]:
    return {
        "value": number(figure.value), "unit": unit, "lo": number(figure.lo), "hi": number(figure.hi),
        "basis": figure.basis.value, "reason": shown.clean(figure.reason),
    }  # fmt: skip


def _turn(turn: Turn | None) -> dict[str, Any] | None:
    if turn is None:
        return None
    return {
        "within": turn.within, "beyond": turn.beyond, "verdict": turn.word.value,
        "limiting": shown.clean(turn.limiting),
    }  # fmt: skip


def _csv(found: Fragility, _command: str) -> str:
    """A line per assumption; unknown is empty; those that are not varied state why."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    judged = ("factor", "verdict", "limiting")
    ends = [f"{end}_{name}" for end in ("low", "high") for name in (*judged, *FIGURES)]
    turns = [f"{side}_{name}" for side in ("below", "above") for name in judged]
    writer.writerow(("assumption", "value", "unit", "confidence", "source", "turns_verdict", "measure_first",
                     "effect", *ends, *turns, "not_varied"))  # fmt: skip
    for swing in found.swings:
        knob = swing.knob
        writer.writerow((
            shown.clean(knob.name), knob.value, knob.unit, knob.confidence, shown.clean(knob.source),
            int(swing.is_turning), int(swing.is_first), swing.effect, *_end_cells(swing.low),
            *_end_cells(swing.high), *_turn_cells(swing.below), *_turn_cells(swing.above), "",
        ))  # fmt: skip
    for one in found.fixed:
        writer.writerow((one.name, *[""] * (7 + len(ends) + len(turns)), shown.clean(one.reason)))
    return out.getvalue()


def _end_cells(end: End) -> tuple[Any, ...]:
    values = (end.figures[name].value for name in FIGURES)
    return (end.factor, end.word.value, end.verdict.limiting, *values)


def _turn_cells(turn: Turn | None) -> tuple[Any, ...]:
    return ("", "", "") if turn is None else (turn.beyond, turn.word.value, turn.limiting)


def _html(found: Fragility, command: str) -> str:
    from .fragility_page import render_page

    return render_page(found, command=command, data=_json(found, command))


_FORMS: dict[str, Callable[[Fragility, str], str]] = {
    "text": _text, "json": _json, "csv": _csv, "html": _html,
}  # fmt: skip
