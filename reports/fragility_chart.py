"""Where do the bars of a tornado chart lie: per figure a row per assumption, in percent of the drawing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..simulator.fragility import End, Fragility, Swing
from . import format as shown
from .fragility_data import FIGURES, by_words, knob_words
from .variants_chart import LinearAxis

_MOST_ROWS = 12
_EDGE = 0.04  # of the range, beside the outermost ends
_STILL = 5e-4
_Value = Callable[[End], float | None]


@dataclass(frozen=True, slots=True)
class TornadoRow:
    """One assumption: from the base to where its low and its high value take the figure."""

    label: str
    title: str
    figure: str
    low_x: float
    low_width: float
    high_x: float
    high_width: float
    is_turning: bool
    is_first: bool


@dataclass(frozen=True, slots=True)
class Tornado:
    """One figure under every assumption that moves it, the widest first.

    Args:
        base_x: where the figure stands as assumed; limit_x where the budget ends, None without one.
    """

    title: str
    base: str
    base_x: float
    limit_x: float | None
    rows: tuple[TornadoRow, ...]
    ticks: tuple[tuple[float, str], ...]
    hidden: int


def tornadoes(found: Fragility) -> tuple[Tornado, ...]:
    """The use of the fullest budget, then every figure that an assumption moves; not slack, it is latency."""
    charts = [_tornado(found, "fullest budget", "1", lambda end: end.fullest)]
    charts += [
        _tornado(found, head, unit, _figure(name))
        for name, (head, unit) in FIGURES.items()
        if name != "slack_s"
    ]
    return tuple(chart for chart in charts if chart is not None)


def _figure(name: str) -> _Value:
    return lambda end: end.figures[name].value


def _tornado(found: Fragility, head: str, unit: str, value: _Value) -> Tornado | None:
    base = value(found.base)
    if not base:
        return None
    rows = [(s, low, high) for s in found.swings
            if (low := value(s.low)) is not None and (high := value(s.high)) is not None
            and max(abs(low - base), abs(high - base)) > _STILL * base]  # fmt: skip
    if not rows:
        return None
    rows.sort(key=lambda row: -abs(row[2] - row[1]))
    shown_rows = rows[:_MOST_ROWS]
    limit = 1.0 if unit == "1" else None
    ends = [base, *(x for _, low, high in shown_rows for x in (low, high)), *((limit,) if limit else ())]
    edge = _EDGE * (max(ends) - min(ends))
    axis = LinearAxis(min(ends) - edge, max(ends) + edge)
    return Tornado(
        head, shown.amount(base, unit), axis.at(base), None if limit is None else axis.at(limit),
        tuple(_row(found, s, axis, unit=unit, ends=(base, low, high)) for s, low, high in shown_rows),
        tuple((axis.at(v), shown.amount(v, unit)) for v in axis.ticks(4)), len(rows) - len(shown_rows),
    )  # fmt: skip


def _row(
    found: Fragility, swing: Swing, axis: LinearAxis, *, unit: str, ends: tuple[float, float, float]
) -> TornadoRow:
    base, low, high = (axis.at(value) for value in ends)
    figures = [shown.amount(value, unit) for value in ends[1:]]
    words = by_words(found)
    title = "; ".join(
        f"{word}: {figure}, {end.word}"
        for word, figure, end in zip(words, figures, (swing.low, swing.high), strict=True)
    )
    return TornadoRow(
        knob_words(swing), f"{shown.clean(swing.knob.name)} at {title}", " / ".join(figures),
        min(base, low), round(abs(low - base), 2), min(base, high), round(abs(high - base), 2),
        swing.is_turning, swing.is_first,
    )  # fmt: skip
