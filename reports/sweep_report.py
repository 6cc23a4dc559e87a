"""How does a sweep read: text, JSON, CSV of its answers, one HTML page."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import numpy as np

from ..simulator.sweep.study.suitable import limiting_name
from ..simulator.sweep.study.summary import Summary, summarise
from ..simulator.sweep.table import WORDS, SweepTable
from .blocks import block_lines
from .format import clean
from .output import utc_now
from .sweep_data import sweep_blocks
from .sweep_json import render_sweep_json
from .sweep_method import again


def render_sweep(table: SweepTable, form: str, *, command: str = "") -> str:
    """The sweep as text: `form` is text, json, csv or html."""
    return FORMS[form](summarise(table), command)


def _text(summary: Summary, command: str) -> str:
    facts = summary.table.facts
    lines = [clean("  ".join(part for part in (facts.get("name", ""), facts.get("store", "")) if part))]
    for block in sweep_blocks(summary):
        lines += ["", *block_lines(block)]
    if once_more := again(summary, command):
        lines += ["", f"Again: {once_more}"]
    return "\n".join(lines).lstrip("\n") + "\n"


def _json(summary: Summary, command: str) -> str:
    return render_sweep_json(summary, command=command, created=utc_now())


def _csv(summary: Summary, _command: str) -> str:
    """A line per device and goal, then the front; unknown is empty."""
    table, out = summary.table, io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    ends = [f"{name}{end}" for name in table.figures for end in ("", "_lo", "_hi")]
    writer.writerow((
        "device", "goal", "point", "model", "recipe", "steps", "retrain", "runtime", "clock_hz", "place",
        "verdict", "limiting", *ends,
    ))  # fmt: skip
    for answer in summary.answers:
        for best in answer.best:
            writer.writerow((clean(answer.device), best.goal, *_csv_point(table, best.point)))
        if answer.miss is not None:
            writer.writerow((clean(answer.device), "closest miss", *_csv_point(table, answer.miss.point)))
    for point in summary.front.best if summary.front else ():
        device = table.targets[table.target[point]].device
        writer.writerow((clean(device), "not beaten", *_csv_point(table, int(point))))
    return out.getvalue()


def _csv_point(table: SweepTable, point: int) -> list[Any]:
    variant, target = table.variants[table.variant[point]], table.targets[table.target[point]]
    word = WORDS[table.word[point]]
    limiting = limiting_name(table, int(table.limiting[point]), int(table.word[point]))
    figures = [part[point] for column in table.figures.values() for part in column[:3]]
    return [
        point, clean(variant.model), clean(variant.name), clean(variant.text), int(variant.retrain),
        clean(target.runtime), target.clock_hz, clean(target.place), word, clean(limiting),
        *("" if np.isnan(value) else value for value in figures),
    ]  # fmt: skip


def _html(summary: Summary, command: str) -> str:
    from .sweep_page import render_page

    return render_page(summary, command=command, created=utc_now())


FORMS: dict[str, Callable[[Summary, str], str]] = {"text": _text, "json": _json, "csv": _csv, "html": _html}
