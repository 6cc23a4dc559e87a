"""Which charts does an estimate have as pictures: the same marks as on the page."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..simulator.estimate import Estimate, MemoryFit, MemoryPlan
from . import charts, plan_sections, sections
from . import format as shown
from .charts import Mark
from .colouring import Colouring, colourings
from .latency_chart import Bar, latency_bars, latency_chart
from .picture import Picture, Spot, Stroke, Words
from .roofline import peak_sentence, roofline
from .roofline_chart import roofline_chart

_ROW_IN = 0.22
_ROOFLINE_LABEL = (
    "MACs per byte of the memory that is slowest for the op; a dot stays below the line in the colour of its "
    "ring."
)
_VIEW_LETTERS = {"bound": "b", "kind": "k", "basis": "z"}
_KIND_LABELS = {"tensor": "activation", "arena_tail": "persistent", "scratch": "scratch"}


def pictures(estimate: Estimate) -> tuple[Picture, ...]:
    """Every chart of the report that has something to show, in its order."""
    found = [summary_picture(estimate), *_memory_pictures(estimate), *_timelines(estimate)]
    for view in colourings(estimate):
        found += [*_slowest(estimate, view), *_in_order(estimate, view)]
    return (*found, *_roofline(estimate))


def summary_picture(estimate: Estimate) -> Picture:
    """A row per gauge: used, p10..p90, budget; each row has its own axis."""
    gauges = sections.gauges(estimate)
    step = 100 / len(gauges)
    marks, strokes, words = [], [], []
    for row, gauge in enumerate(gauges):
        bar, top = charts.bullet(gauge), row * step
        middle = top + 0.5 * step
        spread = f"   p10–p90 {gauge.spread}" if gauge.spread else ""
        why = "" if bar else f": {shown.clean(gauge.reason)}"
        words.append(Words(0, top + 0.14 * step, shown.short(f"{gauge.figure}{spread}{why}", 110)))
        if bar is None:
            continue
        box = (top + 0.3 * step, 0.4 * step)
        kind = f"used {gauge.word.value if gauge.word else 'free'}"
        marks += [Mark(0, box[0], 100, box[1], "track", ""), Mark(0, box[0], bar.used, box[1], kind, "")]
        if gauge.lo != gauge.hi:
            strokes.append(Stroke(((bar.lo, middle), (bar.hi, middle)), "whisker"))
        if bar.limit is not None:
            marks.append(Mark(bar.reserved_from, box[0], bar.reserved, box[1], "hatch", ""))
            strokes.append(Stroke(((bar.limit, top + 0.22 * step), (bar.limit, top + 0.78 * step)), "budget"))
    labels = tuple(((row + 0.5) * step, gauge.label) for row, gauge in enumerate(gauges))
    title = f"{estimate.verdict.word.value}: {_who(estimate)}"
    return Picture(
        "summary", title, tuple(marks), tuple(strokes), (), tuple(words), y_ticks=labels,
        height_in=0.55 * len(gauges),
    )  # fmt: skip


def _who(estimate: Estimate) -> str:
    model = shown.short(shown.clean(estimate.model.name) or "model", 48)
    return f"{model} on {shown.short(shown.clean(estimate.target.title), 48)}"


def _memory_pictures(estimate: Estimate) -> Iterator[Picture]:
    """What lies in each memory that the model or the firmware takes part of."""
    for memory in estimate.memories:
        if memory.used or memory.reserved:
            yield _memory_picture(memory, estimate)


def _memory_picture(memory: MemoryFit, estimate: Estimate) -> Picture:
    segments, capacity = sections.memory_segments(memory), memory.capacity_bytes
    end = charts.stack_end(segments, capacity)
    marks = charts.stack(segments, capacity)
    at = charts.capacity_mark(segments, capacity)
    edge = (Stroke(((at, 0), (at, 100)), "budget"),) if at < 100 else ()
    legend = tuple((f"f-{s.kind}", f"{shown.clean(s.label)} {shown.memory(s.size_bytes)}") for s in segments)
    return Picture(
        f"memory-{_stem(memory.name)}", f"{memory.name}, {shown.memory(capacity)}: {_who(estimate)}",
        tuple(_as_class(mark) for mark in marks), edge, legend=legend, height_in=0.5,
        x_ticks=tuple((part * 25.0, shown.memory(end * part / 4)) for part in range(5)),
    )  # fmt: skip


def _as_class(mark: Mark) -> Mark:
    """The mark with the sheet's class for its kind."""
    return Mark(mark.x, mark.y, mark.w, mark.h, f"f-{mark.kind}", mark.title, mark.label, mark.ops)


def _stem(name: str) -> str:
    """The name as part of a file's name.

    >>> _stem("sram1+2+3"), _stem("AXI sram")
    ('sram1-2-3', 'axi-sram')
    """
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "memory"


def _timelines(estimate: Estimate) -> Iterator[Picture]:
    plan, best = estimate.plan, plan_sections.best_plan(estimate)
    if plan is None:
        return
    yield from _timeline(estimate, plan, named=("ram-timeline", "RAM timeline"), scale=plan)
    if best is not None:
        yield from _timeline(estimate, best, named=("ram-timeline-best", "Best plan known"), scale=plan)


def _timeline(
    estimate: Estimate, plan: MemoryPlan, *, named: tuple[str, str], scale: MemoryPlan
) -> Iterator[Picture]:
    drawn = charts.timeline(plan, estimate.ops, top_bytes=scale.head_bytes + scale.tail_bytes)
    if drawn is None:
        return
    marks = [_as_class(mark) for mark in (*drawn.buffers, *((drawn.tail,) if drawn.tail else ()))]
    peak = (drawn.peak,) if drawn.peak else ()
    lines = (
        Stroke(((0, drawn.head_y), (100, drawn.head_y)), "soft"),
        Stroke(((0, drawn.lower_bound_y), (100, drawn.lower_bound_y)), "dashed"),
    )
    kinds = {mark.kind for mark in marks}
    legend = [(f"f-{kind}", text) for kind, text in _KIND_LABELS.items() if f"f-{kind}" in kinds]
    legend += [(mark.kind, mark.title) for mark in peak]
    legend.append(("dashed", f"no plan can be lower: {shown.exact_bytes(plan.lower_bound_bytes)}"))
    yield Picture(
        named[0], f"{named[1]}: {_who(estimate)}", (*marks, *peak), lines, legend=tuple(legend), x_label="op",
        words=tuple(Words(m.x + 0.4, m.y + 2.5, m.label) for m in marks if m.label and m.w >= 14),
        x_ticks=tuple((x, str(op)) for x, op in drawn.ticks),
        y_ticks=tuple((100.0 - 50 * half, shown.memory(drawn.top_bytes * half / 2)) for half in range(3)),
        height_in=3.4,
    )  # fmt: skip


def _slowest(estimate: Estimate, view: Colouring) -> Iterator[Picture]:
    """One row per op, the slowest on top."""
    bars = latency_bars(estimate)
    if bars is None:
        return
    rows = [*bars.shown, *((bars.rest,) if bars.rest else ())]
    step = 100 / len(rows)
    marks, strokes, words = [], [], []
    for row, bar in enumerate(rows):
        top = (row + 0.15) * step
        marks += _row_marks(bar, view, top=top, height=0.7 * step)
        if bar.is_priced and bar.lo != bar.hi:
            middle = (row + 0.5) * step
            strokes.append(Stroke(((bar.lo, middle), (bar.hi, middle)), "whisker"))
        said = f"{bar.figure}, {bar.note}" if bar.note else bar.figure
        words.append(Words(max(bar.hi, bar.length) + 1, (row + 0.5) * step, said))
    labels = tuple(((row + 0.5) * step, shown.short(bar.label, 44)) for row, bar in enumerate(rows))
    yield Picture(
        f"latency-by-{view.view}", f"Latency per op, colour: {view.title}. {_who(estimate)}", tuple(marks),
        tuple(strokes), words=tuple(words), y_ticks=labels, legend=_legend(view),
        height_in=max(0.6, _ROW_IN * len(rows)),
    )  # fmt: skip


def _row_marks(bar: Bar, view: Colouring, *, top: float, height: float) -> list[Mark]:
    solid = Mark(0, top, bar.length, height, _class_in(bar.classes, view), bar.title)
    if bar.is_priced:
        return [solid]
    least = Mark(0, top, bar.length, height, "least", bar.title)
    return [Mark(bar.length, top, 100 - bar.length, height, "sn", bar.title), least]


def _in_order(estimate: Estimate, view: Colouring) -> Iterator[Picture]:
    """One column per op in the model's order, with the running sum."""
    chart = latency_chart(estimate)
    if chart is None:
        return
    marks = tuple(
        Mark(m.x, m.y, m.w, m.h, _class_in(m.kind, view), m.title, "", m.ops) for m in chart.columns
    )
    whiskers = (Stroke(((x, high), (x, low)), "whisker") for x, high, low in chart.whiskers)
    title = f"Latency in the model's order, colour: {view.title}. {_who(estimate)}"
    yield Picture(
        f"latency-in-order-by-{view.view}", title, marks, (*whiskers, Stroke(chart.running, "soft")),
        x_label="op", legend=_legend(view), x_ticks=tuple((x, str(op)) for x, op in chart.ticks),
        y_ticks=tuple((100.0 - 50 * half, shown.seconds(chart.top_s * half / 2)) for half in range(3)),
    )  # fmt: skip


def _class_in(classes: str, view: Colouring) -> str:
    """ "b0 k1 z2" -> "s1" in the view by kind."""
    letter = _VIEW_LETTERS[view.view]
    return next(f"s{name[1:]}" for name in classes.split() if name.startswith(letter))


def _legend(view: Colouring) -> tuple[tuple[str, str], ...]:
    return tuple((f"s{number}", text) for number, text in view.legend)


def _roofline(estimate: Estimate) -> Iterator[Picture]:
    chart, peak = roofline_chart(estimate), roofline(estimate).peak
    if chart is None or peak is None:
        return
    roofs = (*chart.slopes, chart.core)
    strokes = [Stroke(((roof.x1, roof.y1), (roof.x2, roof.y2)), f"t{roof.series}") for roof in roofs]
    strokes += [Stroke(((dot.x, dot.hi_y), (dot.x, dot.lo_y)), "whisker") for dot in chart.dots]
    words = (Words(chart.core.x1 + 0.5, chart.core.y1 - 3.5, chart.core.label),)
    lines = tuple((f"t{roof.series}", roof.label) for roof in chart.slopes)
    yield Picture(
        "roofline", f"Roofline: {_who(estimate)}", strokes=tuple(strokes), words=words,
        spots=tuple(Spot(dot.x, dot.y, f"s{dot.series}", f"t{dot.ring}") for dot in chart.dots),
        x_ticks=chart.x_ticks, y_ticks=chart.y_ticks, height_in=4.0,
        x_label=f"{_ROOFLINE_LABEL} {peak_sentence(peak)}",
        legend=(*lines, *((f"s{number}", text) for number, text in chart.legend)),
    )  # fmt: skip
