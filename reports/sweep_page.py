"""How does a sweep read as one self-contained page?"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from ..simulator.sweep.study.summary import Summary
from ..simulator.sweep.table import WORDS
from . import format as shown
from . import sweep_bars, sweep_charts, sweep_data, sweep_front, sweep_method
from .html import assets, rendered
from .sweep_answers import answer_rows
from .sweep_json import render_sweep_json
from .sweep_words import HEADS, LETTERS, command, figure_names

_SCRIPTS = ("data", "state", "views", "scatter", "parallel", "points")


def render_page(summary: Summary, *, command: str = "", created: str = "") -> str:
    """The page; it carries the JSON result, byte for byte as `render_sweep_json` gives it."""
    context: dict[str, Any] = {
        "s": summary,
        "facts": {key: shown.clean(value) for key, value in summary.table.facts.items()},
        "command": sweep_method.again(summary, command),
        "made_by": command,
        "created": created,
        "json": render_sweep_json(summary, command=command, created=created),
        "heads": HEADS,
        "letters": LETTERS,
        **page_data(summary),
    }
    return rendered("sweep.html", page_parts(), **context)


def page_data(summary: Summary) -> dict[str, Any]:
    """Everything that the template lays out."""
    table = summary.table
    total, best = max(1, len(table)), summary.front.best.tolist() if summary.front else []
    return {
        "question": shown.clean(table.facts.get("question") or "Which variant runs on which device?"),
        "counts": sweep_data.counts(summary),
        "bar": _stacked(summary, total),
        "unfinished": sweep_data.unfinished(summary),
        "limits": sweep_data.limits_sentence(summary),
        "goals": answer_rows(summary),
        "axes": sweep_charts.default_axes(summary),
        "scatter": sweep_charts.scatter(summary),
        "front_sentence": sweep_front.front_sentence(summary),
        "matrix": sweep_bars.matrix(summary),
        "effects": sweep_bars.effect_bars(summary),
        "heat": sweep_bars.heat(summary),
        "ladder": sweep_charts.ladder_lines(summary),
        "ladder_block": sweep_data.ladder_block(summary),
        "curves": sweep_charts.curve_lines(summary),
        "curves_block": sweep_data.curves_block(summary),
        "failures": sweep_data.failures_block(summary),
        "front_block": sweep_front.front_block(summary),
        "method": sweep_method.method_block(summary),
        "figures": figure_names(table),
        "example": command(table, best[0]) if best else "",
        "hashes": _hashes(summary),
    }


def _stacked(summary: Summary, total: int) -> list[tuple[str, float, float]]:
    """(word, x, width) of the bar over all points, in percent."""
    x, found = 0.0, []
    for word, count in zip(WORDS, summary.words, strict=True):
        width = 100 * count / total
        if count:
            found.append((word, round(x, 3), round(width, 3)))
        x += width
    return found


_MOST_HASHES = 100


def _hashes(summary: Summary) -> list[tuple[str, str]]:
    """What the figures depend on: (name, hashes) per target, then per model."""
    rows = [
        (row.label, ", ".join(f"{name} {value[:12]}" for name, value in (
            ("device", row.device_sha256), ("runtime", row.runtime_sha256),
            ("calibration", row.calibration_sha256)) if value))
        for row in summary.table.targets[:_MOST_HASHES]
    ]  # fmt: skip
    models = {row.model: row.model_sha256[:12] for row in summary.table.variants if row.model_sha256}
    said = [(model, f"model {digest}") for model, digest in models.items()]
    return [*said[:_MOST_HASHES], *rows]


@cache
def page_parts() -> dict[str, str]:
    """Style and scripts: what every page carries, and this page's own behind it."""
    shared = assets()
    script = "".join(_asset(f"sweep_{name}.js") for name in _SCRIPTS)
    return shared | {"css": shared["css"] + _asset("sweep.css"), "js": shared["js"] + script}


def _asset(name: str) -> str:
    return files(__package__).joinpath("templates", name).read_text(encoding="utf-8")
