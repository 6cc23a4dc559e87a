"""Where do bars and colours of effects and of the matrix lie: shares, levels, heat, verdict cells."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..simulator.sweep.study.effects import Effect, Level
from ..simulator.sweep.study.suitable import limiting_name
from ..simulator.sweep.study.summary import Summary
from ..simulator.sweep.table import WORDS
from . import format as shown
from .sweep_data import effect_text
from .sweep_words import HEADS, LETTERS

_MOST_LEVELS = 12
_MOST_AXES = 8
_MOST_HEAT = 40
_SHADES = 4  # on either side of the middle


@dataclass(frozen=True, slots=True)
class LevelBar:
    """One level: from x over width, in percent, of a scale whose middle is no effect."""

    name: str
    x: float
    width: float
    text: str
    fits: str
    points: int
    is_more: bool


@dataclass(frozen=True, slots=True)
class AxisBars:
    """One axis: its share per figure as (text, percent), and its levels on one figure."""

    axis: str
    shares: tuple[tuple[str, float], ...]
    levels: tuple[LevelBar, ...]
    hidden: int


@dataclass(frozen=True, slots=True)
class EffectBars:
    """What matters: heads of the figures, the figure that levels are of, a row per axis."""

    figures: tuple[str, ...]
    figure: str
    axes: tuple[AxisBars, ...]


@dataclass(frozen=True, slots=True)
class Heat:
    """Two axes together: (shade from -4 to 4 or None, text) per cell."""

    title: str
    rows: tuple[tuple[str, tuple[tuple[int | None, str], ...]], ...]
    columns: tuple[str, ...]
    note: str


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """One cell: its word, what stands in it, 0 to 4 by how many of its points fit, what limits it."""

    word: str
    text: str
    share: int
    title: str


@dataclass(frozen=True, slots=True)
class Matrix:
    """Which runs where: (name, cells) per row."""

    sentence: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[MatrixCell, ...]], ...]
    hidden: int


def effect_bars(summary: Summary) -> EffectBars | None:
    """The strongest axes."""
    if not summary.effects:
        return None
    first = next((made for made in summary.effects if made[0].figure == "latency_s"), summary.effects[0])
    shares = [{effect.axis: effect.share for effect in made} for made in summary.effects]
    kept = [(effect, _outermost(effect)) for effect in first[:_MOST_AXES]]
    every = [_log(effect, level) for effect, levels in kept for level in levels]
    reach = max((abs(value) for value in every), default=0.0) or 1.0
    axes = tuple(
        AxisBars(
            effect.axis, tuple(_share(share.get(effect.axis)) for share in shares),
            tuple(_bar(effect, level, reach) for level in levels), len(effect.levels) - len(levels),
        )
        for effect, levels in kept
    )  # fmt: skip
    heads = tuple(HEADS[made[0].figure] for made in summary.effects)
    return EffectBars(heads, HEADS[first[0].figure], axes)


def _share(share: float | None) -> tuple[str, float]:
    return shown.percent(share), round(100 * (share or 0.0), 1)


def _outermost(effect: Effect) -> tuple[Level, ...]:
    """All levels, or those at both ends where there are many."""
    if len(effect.levels) <= _MOST_LEVELS:
        return effect.levels
    by_effect = sorted(effect.levels, key=lambda level: _log(effect, level))
    half = _MOST_LEVELS // 2
    return (*by_effect[:half], *by_effect[-half:])


def _bar(effect: Effect, level: Level, reach: float) -> LevelBar:
    share = _log(effect, level) / reach
    x, width = (50 + 50 * min(share, 0.0), 50 * abs(share))
    text = effect_text(effect.figure, level.effect)
    return LevelBar(
        shown.clean(level.name), round(x, 2), round(width, 2), text, shown.percent(level.fits), level.points,
        share > 0,
    )  # fmt: skip


def _log(effect: Effect, level: Level) -> float:
    if level.effect is None:
        return 0.0
    return level.effect if effect.figure == "accuracy" else math.log(level.effect)


def heat(summary: Summary) -> Heat | None:
    """The two strongest axes on one figure."""
    both = summary.together
    if both is None:
        return None
    scaled = both.effect if both.figure == "accuracy" else np.log(both.effect)
    reach = float(np.nanmax(np.abs(scaled))) or 1.0
    rows = tuple(
        (shown.clean(name), tuple(_heat_cell(both.figure, both.effect[r, c], scaled[r, c] / reach)
                                  for c in range(min(_MOST_HEAT, len(both.columns.levels)))))
        for r, name in enumerate(both.rows.levels[:_MOST_HEAT])
    )  # fmt: skip
    title = f"{both.rows.name} and {both.columns.name} on {HEADS[both.figure]}"
    cut = max(len(both.rows.levels), len(both.columns.levels)) > _MOST_HEAT
    note = f"Together they explain {shown.percent(both.extra)} more of the variance than by themselves."
    note += f" Only the first {_MOST_HEAT} levels are drawn." if cut else ""
    columns = tuple(shown.clean(level) for level in both.columns.levels[:_MOST_HEAT])
    return Heat(shown.clean(title), rows, columns, note)


def _heat_cell(figure: str, effect: float, share: float) -> tuple[int | None, str]:
    if math.isnan(share):
        return None, ""
    return round(_SHADES * share), effect_text(figure, float(effect))


def matrix(summary: Summary) -> Matrix:
    """The best word of each cell with its letter, or how many of its points fit where it has many."""
    found = summary.feasibility
    has_many = bool(found.points.size) and int(found.points.max()) > _FEW
    rows = tuple(
        (shown.clean(name), tuple(_matrix_cell(summary, (r, c), has_many) for c in range(len(found.columns))))
        for r, name in enumerate(found.rows[:_MOST_ROWS])
    )
    sentence = (
        f"Rows: {found.row_of}; columns: {found.column_of}. Each cell is the best verdict over everything "
        "else that was varied; point at it for what limits it, click it to keep its points."
    )
    if has_many:
        sentence += " Where some of its points fit, it says how many of 100."
    columns = tuple(shown.clean(name) for name in found.columns)
    return Matrix(sentence, columns, rows, len(found.rows) - len(rows))


def _matrix_cell(summary: Summary, at: tuple[int, int], has_many: bool) -> MatrixCell:
    found = summary.feasibility
    points, fitting = int(found.points[at]), int(found.fitting[at])
    if not points:
        return MatrixCell("none", "", _SHADES, "no point")
    word = WORDS[found.word[at]]
    limiting = limiting_name(summary.table, int(found.limiting[at]), int(found.word[at]))
    title = " · ".join(part for part in (word, shown.clean(limiting)) if part)
    title += f" · {fitting:,} of {points:,} fit" if points > 1 else ""
    if not has_many or not fitting:
        return MatrixCell(word, LETTERS[word], _SHADES, title)
    return MatrixCell(word, str(max(1, 100 * fitting // points)), _SHADES * fitting // points, title)


_FEW = 6  # points in a cell, from clocks and places
_MOST_ROWS = 200
