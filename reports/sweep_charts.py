"""Where do a sweep's marks lie: dots and whiskers, stairs, curves; percent of the drawing, y from the top."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..simulator.columns import Floats
from ..simulator.sweep.study.density import CELLS, Scale, density
from ..simulator.sweep.study.families import Curve
from ..simulator.sweep.study.summary import Summary
from . import format as shown
from .roofline_chart import Axis
from .sweep_words import HEADS, amount, figure_text, spread_text, target_label, told_apart, variant_label
from .variants_chart import LinearAxis

_Ticks = tuple[tuple[float, str], ...]
_MOST_FRONT = 300
_MOST_MODELS = 4
_FEW = 4  # ticks below a narrow drawing
_KIB = 1024.0
SERIES = 7  # colours of the style sheet; further curves are not drawn


@dataclass(frozen=True, slots=True)
class Dot:
    """A point: place, ends of its whiskers, number in the store's order."""

    x: float
    y: float
    lo_x: float
    hi_x: float
    lo_y: float
    hi_y: float
    point: int
    title: str


@dataclass(frozen=True, slots=True)
class Cell:
    """A place with other points; `shade` 1 to 5 by how many."""

    x: float
    y: float
    shade: int
    title: str


@dataclass(frozen=True, slots=True)
class Scatter:
    """Two figures against each other: the front as dots, all points as cells."""

    x_label: str
    y_label: str
    dots: tuple[Dot, ...]
    cells: tuple[Cell, ...]
    width: float
    x_ticks: _Ticks
    y_ticks: _Ticks


@dataclass(frozen=True, slots=True)
class Line:
    """A curve of one series: its corners as an SVG path in percent, its dots."""

    name: str
    series: int
    path: str
    dots: tuple[Dot, ...]


@dataclass(frozen=True, slots=True)
class Lines:
    """Several curves over one pair of axes."""

    title: str
    x_label: str
    lines: tuple[Line, ...]
    x_ticks: _Ticks
    y_ticks: _Ticks
    left_out: int = 0


def default_axes(summary: Summary) -> tuple[str, str] | None:
    """What the scatter shows at first: x and y; None with fewer than two known figures.

    Where no point has both, the next two that one has.
    """
    names = [goal[0] for goal in summary.front.axes] if summary.front else []
    names += [scale.figure for scale in summary.scales if scale.figure not in (*names, "arena_bytes")]
    if len(names) < 2:
        return None
    y = "accuracy" if "accuracy" in names else names[1]
    others = [name for name in names if name != y]
    x = "latency_s" if "latency_s" in others else others[0]
    pairs = ((x, y), *((x, y) for y in (y, *others) for x in (y, *others) if x != y))
    return next((pair for pair in pairs if _have_both(summary, pair)), (x, y))


def _have_both(summary: Summary, pair: tuple[str, str]) -> bool:
    is_unknown = [np.isnan(summary.table.figures[name].value) for name in pair]
    return not (is_unknown[0] | is_unknown[1]).all()


def scatter(summary: Summary) -> Scatter | None:
    """The front over the density of all points."""
    chosen = default_axes(summary)
    if chosen is None:
        return None
    ranges = {scale.figure: scale for scale in summary.scales}
    points = summary.front.best[:_MOST_FRONT].tolist() if summary.front else []
    x, y = (_room(_with_ends(summary, ranges[name], points)) for name in chosen)
    grid = density(summary.table, x, y)
    most = max(1, int(grid.points.max())) if len(grid.points) else 1
    cells = tuple(
        Cell(round(100 * c / CELLS, 2), round(100 * (1 - (r + 1) / CELLS), 2), _shade(n, most),
             f"{n:,} points, {fit:,} fit")
        for c, r, n, fit in zip(grid.column.tolist(), grid.row.tolist(), grid.points.tolist(),
                                grid.fitting.tolist(), strict=True)
    )  # fmt: skip
    dots = tuple(_dot(summary, (x, y), point) for point in points)
    return Scatter(
        HEADS[x.figure], HEADS[y.figure], dots, cells, round(100 / CELLS, 2), _across(x), _upwards(y)
    )


def ladder_lines(summary: Summary) -> Lines | None:
    """What each RAM budget buys, per model."""
    stairs = [one for one in summary.ladder if one.model or len(summary.ladder) == 1][:SERIES]
    points = [step for one in stairs for step in one.steps]
    if not points:
        return None
    goal = stairs[0].goal[0]
    x = _room(_scale("ram_bytes", [step.need_bytes for step in points]))
    y = _room(_scale(goal, [step.value for step in points]))
    lines = []
    for series, one in enumerate(stairs):
        places = [(_at(x, step.need_bytes), 100 - _at(y, step.value)) for step in one.steps]
        path = _stairs_path(places)
        dots = tuple(
            Dot(px, py, px, px, py, py, step.point,
                f"from {shown.memory(step.need_bytes)}: {amount(goal, step.value)}, "
                f"{shown.clean(variant_label(summary.table, step.point))}")
            for (px, py), step in zip(places, one.steps, strict=True)
        )  # fmt: skip
        lines.append(Line(one.model or summary.table.variants[0].model, series, path, dots))
    left_out = max(0, sum(bool(one.model) for one in summary.ladder) - SERIES)
    title = f"{HEADS[goal]} from a RAM budget on"
    return Lines(title, "RAM budget", tuple(lines), _across(x, _FEW), _upwards(y), left_out)


def _stairs_path(places: Sequence[tuple[float, float]]) -> str:
    """Across to the next step, then up; the last goes on to the edge."""
    parts = [f"M{places[0][0]} {places[0][1]}"]
    parts += [f"H{x}V{y}" for x, y in places[1:]]
    return "".join([*parts, "H100"])


def curve_lines(summary: Summary) -> tuple[Lines, ...]:
    """Accuracy against each cost, per model a drawing, per family a curve."""
    by_cost = [(cost, [c for c in made if c.model == model]) for model in _models(summary)
               for cost, made in summary.curves]  # fmt: skip
    return tuple(_family_lines(summary, cost, curves) for cost, curves in by_cost if curves)


def _models(summary: Summary) -> list[str]:
    """The first few; a chart per model and cost is what a reader can take in."""
    return list(dict.fromkeys(curve.model for _, made in summary.curves for curve in made))[:_MOST_MODELS]


def _family_lines(summary: Summary, cost: str, curves: Sequence[Curve]) -> Lines:
    table = summary.table
    drawn = sorted(curves, key=lambda curve: -curve.of)[:SERIES]
    place = np.array([point for curve in drawn for point in curve.points])
    column, accuracy = table.figures[cost], table.figures["accuracy"]
    x = _room(_scale(cost, np.concatenate((column.lo[place], column.hi[place], column.value[place]))))
    ends = np.concatenate((accuracy.lo[place], accuracy.hi[place], accuracy.value[place]))
    y = _room(_scale("accuracy", ends))
    lines = []
    for series, curve in enumerate(drawn):
        dots = tuple(_dot(summary, (x, y), point) for point in curve.points)
        path = "M" + "L".join(f"{dot.x} {dot.y}" for dot in dots)
        lines.append(Line(curve.family, series, path, dots))
    on = target_label(table, curves[0].points[0])
    title = f"{curves[0].model}: accuracy against {HEADS[cost]} on {on}"
    return Lines(title, HEADS[cost], tuple(lines), _across(x, _FEW), _upwards(y), len(curves) - len(drawn))


def _dot(summary: Summary, axes: tuple[Scale, Scale], point: int) -> Dot:
    table, (x, y) = summary.table, axes
    across, up = _ends(summary, x, point), [100 - value for value in _ends(summary, y, point)]
    said = [_said(summary, scale.figure, point) for scale in axes]
    where = f"{variant_label(table, point)} on {target_label(table, point)}"
    title = shown.clean(f"{where}: {', '.join(said)}")
    y0, y1, y2 = (round(value, 2) for value in up)
    return Dot(across[0], y0, across[1], across[2], y1, y2, point, title)


def _ends(summary: Summary, scale: Scale, point: int) -> list[float]:
    """Where value, p10 and p90 lie; an unknown end at the value."""
    column = summary.table.figures[scale.figure]
    ends = [float(part[point]) for part in column[:3]]
    return [_at(scale, ends[0] if np.isnan(end) else end) for end in ends]


def _said(summary: Summary, figure: str, point: int) -> str:
    spread = spread_text(summary.table, figure, point)
    text = f"{HEADS[figure]} {figure_text(summary.table, figure, point)}"
    return f"{text} ({spread})" if spread else text


def _with_ends(summary: Summary, scale: Scale, points: list[int]) -> Scale:
    """Wide enough for the whiskers of these points."""
    column = summary.table.figures[scale.figure]
    ends = [end for end in (*column.lo[points], *column.hi[points]) if end > 0 or not scale.is_log]
    lo, hi = min([scale.lo, *ends]), max([scale.hi, *ends])
    return Scale(scale.figure, float(lo), float(hi), scale.is_log)


def _scale(figure: str, values: Sequence[float] | Floats) -> Scale:
    lo, hi = float(np.nanmin(values)), float(np.nanmax(values))
    return Scale(figure, lo, hi, lo > 0 and hi / lo > 8 and figure != "accuracy")


def _room(scale: Scale) -> Scale:
    """A little wider than its figures."""
    if scale.is_log:
        more = (scale.hi / scale.lo) ** 0.04
        return Scale(scale.figure, scale.lo / more, scale.hi * more, True)
    more = (scale.hi - scale.lo or abs(scale.hi) or 1.0) * 0.05
    most = 1.0 if scale.figure == "accuracy" and scale.hi <= 1 else float("inf")
    lo = max(0.0, scale.lo - more) if scale.lo >= 0 else scale.lo - more
    return Scale(scale.figure, lo, min(most, scale.hi + more), False)


def _at(scale: Scale, value: float) -> float:
    axis = Axis(scale.lo, scale.hi) if scale.is_log else LinearAxis(scale.lo, scale.hi)
    return axis.at(max(value, scale.lo))


def _across(scale: Scale, most: int = 6) -> _Ticks:
    """Round values; of memory, round in KiB."""
    unit = _KIB if scale.figure.endswith("_bytes") else 1.0
    lo, hi = scale.lo / unit, scale.hi / unit
    axis = Axis(lo, hi) if scale.is_log else LinearAxis(lo, hi)
    values = axis.ticks(most)
    texts = tick_texts(scale.figure, [value * unit for value in values])
    found: dict[str, float] = {}
    for value, text in zip(values, texts, strict=True):
        found.setdefault(text, axis.at(value))
    return tuple((at, text) for text, at in found.items())


def tick_texts(figure: str, values: Sequence[float]) -> tuple[str, ...]:
    """Values of an axis with as many digits as tell them apart.

    >>> tick_texts("accuracy", (0.8971, 0.8972)), tick_texts("latency_s", (0.01, 0.02))
    (('89.71 %', '89.72 %'), ('10.0 ms', '20.0 ms'))
    """
    if figure != "accuracy":
        return told_apart(figure, values)
    texts = tuple(amount(figure, value) for value in values)
    for digits in range(2, 7):
        if len(set(texts)) == len(set(values)):
            break
        texts = tuple(f"{100 * value:.{digits}f} %" for value in values)
    return texts


def _upwards(scale: Scale) -> _Ticks:
    return tuple((round(100 - at, 2), text) for at, text in _across(scale))


def _shade(count: int, most: int) -> int:
    return 1 + min(4, int(5 * np.log1p(count) / np.log1p(most) * 0.999))
