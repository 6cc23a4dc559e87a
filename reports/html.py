"""How does an estimate read as one self-contained page: no network, readable without JavaScript."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..simulator.estimate import Estimate, MemoryFit
from . import charts, plan_sections, roofline, sections, traffic_table
from . import format as shown
from .blocks import Block, cell_text
from .colouring import colourings
from .data import render_json
from .duty_block import duty_blocks
from .latency_chart import latency_bars, latency_chart
from .plan_blocks import LADDER, ladder_block
from .roofline_chart import roofline_chart

if TYPE_CHECKING:
    import jinja2

_SEVERITY_LABELS = {"error": "error", "warning": "warning", "info": "note"}


def render_html(
    estimate: Estimate, *, command: str = "", created: str = "", blocks: Sequence[Block] = ()
) -> str:
    """The report as one HTML file; it carries the JSON result, byte for byte as `render_json` gives it.

    Args:
        command, created: as for `render_json`.
        blocks: what else was studied, shown behind the RAM timeline.
    """
    return rendered(
        "report.html",
        assets(),
        e=estimate,
        verdict_sentence=sections.verdict_sentence(estimate),
        f=shown,
        command=command,
        created=created,
        json=render_json(estimate, command=command, created=created),
        severities=_SEVERITY_LABELS,
        blocks=(*duty_blocks(estimate), *_ladder(estimate, blocks), *blocks),
        **page_data(estimate),
    )


def page_data(estimate: Estimate) -> dict[str, Any]:
    """Everything that the template lays out."""
    return {
        "model_line": sections.model_line(estimate),
        "target_line": sections.target_line(estimate),
        "gauges": [(gauge, charts.bullet(gauge)) for gauge in sections.gauges(estimate)],
        "deciding": sections.deciding_findings(estimate),
        "further": sections.ranked_findings(estimate)[len(sections.deciding_findings(estimate)) :],
        "maps": [_memory_map(memory) for memory in estimate.memories],
        **_timelines(estimate),
        "arena_line": sections.arena_line(estimate),
        "latency": latency_chart(estimate),
        "bars": latency_bars(estimate),
        "views": colourings(estimate),
        **_roofline(estimate),
        "moved": traffic_table.traffic_table(estimate),
        "overlap": traffic_table.overlap_sentence(estimate),
        "statuses": sections.status_counts(estimate.ops),
        "interval_text": sections.interval_text,
        "figures": sections.asked_metrics(estimate),
    }


def _ladder(estimate: Estimate, blocks: Sequence[Block]) -> tuple[Block, ...]:
    """The ladder, where a study has not brought its own."""
    if not estimate.ladder or any(block.title == LADDER for block in blocks):
        return ()
    return (ladder_block(estimate.ladder),)


def _timelines(estimate: Estimate) -> dict[str, Any]:
    """The runtime's plan, and beside it on the same scale the best one known where that is lower."""
    plan, best = estimate.plan, plan_sections.best_plan(estimate)
    top = 0 if plan is None else plan.head_bytes + plan.tail_bytes
    return {
        "timeline": None if plan is None else charts.timeline(plan, estimate.ops),
        "best_timeline": None if best is None else charts.timeline(best, estimate.ops, top_bytes=top),
        "plan_sentence": plan_sections.plan_sentence(estimate),
    }


def _memory_map(
    memory: MemoryFit,
) -> tuple[MemoryFit, tuple[sections.Segment, ...], tuple[charts.Mark, ...], float]:
    """The memory, its segments, their marks, and where its capacity lies."""
    segments, capacity = sections.memory_segments(memory), memory.capacity_bytes
    return memory, segments, charts.stack(segments, capacity), charts.capacity_mark(segments, capacity)


def _roofline(estimate: Estimate) -> dict[str, Any]:
    figures = roofline.roofline(estimate)
    peak = "" if figures.peak is None else roofline.peak_sentence(figures.peak)
    return {"roofline": figures, "roofline_chart": roofline_chart(estimate), "peak_sentence": peak}


def assets() -> dict[str, str]:
    """Style and scripts that every page carries."""
    return {name: _asset(f"report.{name}") for name in ("css", "js")} | {"theme": _asset("theme.js")}


@cache
def environment() -> jinja2.Environment:
    """The templates, with the filters that print figures."""
    import jinja2

    made = jinja2.Environment(
        loader=jinja2.FunctionLoader(_asset), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    made.filters |= {
        "clean": shown.clean, "memory": shown.memory, "bytes": shown.exact_bytes, "seconds": shown.seconds,
        "macs": shown.macs, "count": shown.count, "rate": shown.rate, "shape": shown.shape,
        "percent": shown.percent, "short": shown.short, "ratio": shown.ratio, "lines": shown.lines,
    }  # fmt: skip
    return made


@cache
def _asset(name: str) -> str:
    return files(__package__).joinpath("templates", name).read_text(encoding="utf-8")


def rendered(template: str, parts: dict[str, str], **context: Any) -> str:
    """The page of a template, with what every page has: version, policy, cells, scripts and styles."""
    page = environment().get_template(template)
    return page.render(version=__version__, policy=policy(parts), cell_text=cell_text, **context, **parts)


def policy(parts: dict[str, str]) -> str:
    """A content security policy that runs exactly these scripts and styles, and fetches nothing."""
    digest = {name: _digest(f"\n{text}") for name, text in parts.items()}
    return (
        f"default-src 'none'; style-src {digest['css']}; script-src {digest['theme']} {digest['js']}; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    """The source expression of an inline element with this content."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
