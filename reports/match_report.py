"""How does it read which boards run a model: text, JSON, CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from .. import __version__
from ..simulator.estimate import Interval, Word
from ..simulator.sweep.match import Match
from . import format as shown
from .blocks import aligned
from .data import dump
from .output import utc_now

SCHEMA_ID = "preflash/match/1"
_FIGURES = ("arena_bytes", "ram_bytes", "flash_bytes", "latency_s", "energy_j")
_UNITS = {"arena_bytes": "B", "ram_bytes": "B", "flash_bytes": "B", "latency_s": "s", "energy_j": "J"}
_LONGEST_REASON = 60


def render_matches(
    matches: Sequence[Match], form: str, *, model: str, command: str = "", most: int | None = None
) -> str:
    """The targets in their order: `form` is text, json or csv.

    Args:
        most: so many in the text; the others are counted.
    """
    if form == "json":
        return _json(matches, model, command)
    return _csv(matches) if form == "csv" else _text(matches, model, command, most)


def _text(matches: Sequence[Match], model: str, command: str, most: int | None) -> str:
    listed = matches if most is None else matches[:most]
    columns = ("board", "runtime", "verdict", "limiting", "RAM", "flash", "latency", "p10–p90", "energy")
    rows = [_row(one) for one in listed]
    lines = [shown.clean(f"{model}: {_counts(matches)}"), "", *aligned(columns, rows)]
    if len(listed) < len(matches):
        lines += ["", f"and {len(matches) - len(listed)} more targets: --all shows them, -f csv has them all"]
    lines += _reasons(listed)
    if command:
        lines += ["", f"Next: {shown.clean(command)}"]
    return "\n".join(lines) + "\n"


def _row(one: Match) -> tuple[str, ...]:
    spread = "" if one.latency_s.value is None else shown.interval(one.latency_s.lo, one.latency_s.hi, "s")
    return (
        one.target.device.name, one.target.runtime.label, one.word.value, one.limiting,
        _amount(one.ram_bytes, "B"), _amount(one.flash_bytes, "B"), _amount(one.latency_s, "s"), spread,
        _amount(one.energy_j, "J"),
    )  # fmt: skip


def _counts(matches: Sequence[Match]) -> str:
    counts = {word: sum(one.word is word for one in matches) for word in Word}
    said = ", ".join(f"{count} {word.value}" for word, count in counts.items() if count)
    boards = len({one.target.device.name for one in matches})
    return f"{len(matches)} targets on {boards} boards: {said}"


def _reasons(listed: Sequence[Match]) -> list[str]:
    """What is unknown or refused among those listed, each reason once with how many it holds for."""
    counts: dict[str, int] = {}
    for one in listed:
        if one.reason and one.word in (Word.UNKNOWN, Word.NO):
            counts[one.reason] = counts.get(one.reason, 0) + 1
    if not counts:
        return []
    return ["", *(shown.clean(f"{count} x {reason}") for reason, count in counts.items())]


def _amount(figure: Interval, unit: str) -> str:
    if figure.value is not None:
        return shown.amount(figure.value, unit)
    return f"≥ {shown.amount(figure.lo, unit)}" if figure.lo else shown.UNKNOWN


def _json(matches: Sequence[Match], model: str, command: str) -> str:
    document: dict[str, Any] = {
        "schema": SCHEMA_ID, "tool": {"name": "preflash", "version": __version__}, "created": utc_now(),
        "command": command, "model": shown.clean(model),
        "targets": [
            {
                "device": one.target.device.name, "runtime": one.target.runtime.label,
                "clock_hz": one.target.clock_hz, "verdict": one.word.value, "limiting": one.limiting,
                "reason": shown.clean(one.reason) or None,
                "metrics": {name: _figure(getattr(one, name), _UNITS[name]) for name in _FIGURES},
            }
            for one in matches
        ],
    }  # fmt: skip
    return dump(document)


def _figure(figure: Interval, unit: str) -> dict[str, Any]:
    return {
        "value": figure.value, "unit": unit, "lo": figure.lo, "hi": figure.hi, "basis": figure.basis.value,
        "source": figure.source, "reason": shown.clean(figure.reason),
    }  # fmt: skip


def _csv(matches: Sequence[Match]) -> str:
    """A line per target; unknown is empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    ends = [f"{name}{end}" for name in _FIGURES for end in ("", "_lo", "_hi", "_basis")]
    writer.writerow(("device", "runtime", "clock_hz", "verdict", "limiting", *ends, "reason"))
    for one in matches:
        figures = [getattr(one, name) for name in _FIGURES]
        cells = [cell for f in figures for cell in (f.value, f.lo, f.hi, f.basis.value)]
        names = one.target.device.name, one.target.runtime.label, one.target.clock_hz
        known = ["" if cell is None else cell for cell in cells]
        writer.writerow((*names, one.word.value, one.limiting, *known, shown.clean(one.reason)))
    return out.getvalue()
