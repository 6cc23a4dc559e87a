"""How long does each op take, drawn twice: in the model's order, and the slowest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..simulator.estimate import Estimate, Interval, OpEstimate, total
from . import format as shown
from .charts import Mark, share, ticks_of
from .colouring import Colouring, colourings

MOST_BARS = 24  # ops that are shown one by one; a few more are not folded
_FOLD_FROM = 32
_MOST_UNPRICED = 8


@dataclass(frozen=True, slots=True)
class Bar:
    """One row: everything in percent of the longest.

    Args:
        op: the op's index; None is the sum of the folded ones.
        length, lo, hi: value and p10..p90; an unpriced op has `lo` as its length, hatched beyond.
        classes: the colour's number per view, as "b0 k1 z2".
        title: the whole story, for a tooltip and a screen reader.
        note: what stands in the place of a bar that cannot be drawn; "" for a bar.
    """

    op: int | None
    label: str
    name: str
    length: float
    lo: float
    hi: float
    is_priced: bool
    figure: str
    classes: str
    title: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class LatencyBars:
    """The slowest ops one by one, the rest as a sum that opens; the axis ends at the longest op."""

    shown: tuple[Bar, ...]
    rest: Bar | None
    folded: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class LatencyChart:
    """A column per op in order, its p10..p90, and the running sum as points of a 100 x 100 drawing."""

    columns: tuple[Mark, ...]
    whiskers: tuple[tuple[float, float, float], ...]  # x, y of p90, y of p10
    running: tuple[tuple[float, float], ...]
    top_s: float
    total_s: float
    ticks: tuple[tuple[float, int], ...]
    unpriced: int


def latency_chart(estimate: Estimate) -> LatencyChart | None:
    """The columns of the latency chart; None when no op has a price."""
    ops, views = estimate.ops, colourings(estimate)
    top = max((op.latency_s.hi or op.latency_s.lo or 0.0 for op in ops), default=0.0)
    total_s = sum(op.latency_s.value or 0.0 for op in ops)
    if top <= 0 or total_s <= 0:
        return None
    step = 100 / len(ops)
    columns, whiskers, running, sum_s = [], [], [(0.0, 100.0)], 0.0
    for position, op in enumerate(ops):
        x, figure = position * step, op.latency_s
        columns.append(_column(op, views, x=x, step=step, top=top))
        if figure.value is not None and figure.lo != figure.hi:
            middle = round(x + step / 2, 2)
            whiskers.append((middle, 100 - share(figure.hi or 0, top), 100 - share(figure.lo or 0, top)))
        sum_s += figure.value or 0.0
        running.append((round(x + step, 2), round(100 - 100 * sum_s / total_s, 2)))
    unpriced = sum(op.latency_s.value is None for op in ops)
    ticks = tuple((x, ops[position].index) for x, position in ticks_of(len(ops)))
    return LatencyChart(tuple(columns), tuple(whiskers), tuple(running), top, total_s, ticks, unpriced)


def _column(op: OpEstimate, views: Sequence[Colouring], *, x: float, step: float, top: float) -> Mark:
    """A bar of the op's time; one without a price is hatched over its whole column."""
    value = op.latency_s.value
    classes = _classes(op, views)
    if value is None:
        return Mark(round(x, 2), 0, round(step, 2), 100, classes, op_title(op), "", (op.index,))
    h = share(value, top)
    left, width = round(x + step * 0.1, 2), round(step * 0.8, 2)
    return Mark(left, round(100 - h, 2), width, h, classes, op_title(op), "", (op.index,))


def latency_bars(estimate: Estimate) -> LatencyBars | None:
    """The ops by falling time, those without a price behind them; None when no op has a price."""
    ops, views = estimate.ops, colourings(estimate)
    priced = sorted((op for op in ops if op.latency_s.value is not None), key=_falling)
    lost = sorted((op for op in ops if op.latency_s.value is None), key=_falling)
    if not sum(op.latency_s.value or 0.0 for op in priced):
        return None
    is_long = len(ops) > _FOLD_FROM
    first, later = (priced[:MOST_BARS], priced[MOST_BARS:]) if is_long else (priced, [])
    named, hidden = (lost[:_MOST_UNPRICED], lost[_MOST_UNPRICED:]) if is_long else (lost, [])
    folded = [*later, *hidden]
    sum_s = total((op.latency_s for op in folded), empty_source="nothing is folded")
    top = max(op.latency_s.hi or op.latency_s.lo or 0.0 for op in ops)
    rest = _rest_bar(sum_s, len(folded), unpriced=len(hidden), top=top) if folded else None
    return LatencyBars(
        tuple(_bar(op, views, top=top) for op in (*first, *named)), rest,
        tuple(_bar(op, views, top=top) for op in folded),
    )  # fmt: skip


def _falling(op: OpEstimate) -> tuple[float, int]:
    return -(op.latency_s.value or op.latency_s.lo or 0.0), op.index


def _bar(op: OpEstimate, views: Sequence[Colouring], *, top: float) -> Bar:
    label, name = f"{op.index} {shown.clean(op.kind)}", shown.short(shown.clean(op.name), 96)
    ends = _ends(op.latency_s, top)
    is_priced = op.latency_s.value is not None
    return Bar(
        op.index, label, name, *ends, is_priced, figure(op.latency_s), _classes(op, views), op_title(op)
    )


def _rest_bar(sum_s: Interval, count: int, *, unpriced: int, top: float) -> Bar:
    lost = f", {unpriced} of them without a price" if unpriced else ""
    label = f"the other {count} ops together{lost}"
    is_too_long = (sum_s.hi or sum_s.lo or 0.0) > top
    ends = (0.0, 0.0, 0.0) if is_too_long else _ends(sum_s, top)
    is_solid = is_too_long or sum_s.value is not None
    said, note = figure(sum_s), "longer than this axis" if is_too_long else ""
    return Bar(None, label, "", *ends, is_solid, said, "b6 k6 z6", f"{label}: {said}", note)


def _ends(time_s: Interval, top: float) -> tuple[float, float, float]:
    """length, p10, p90 in percent."""
    lo, hi = share(time_s.lo or 0.0, top), share(time_s.hi or 0.0, top)
    return (lo if time_s.value is None else share(time_s.value, top)), lo, hi


def _classes(op: OpEstimate, views: Sequence[Colouring]) -> str:
    letters = {"bound": "b", "kind": "k", "basis": "z"}
    return " ".join(f"{letters[view.view]}{view.of(op)}" for view in views)


def figure(time_s: Interval) -> str:
    """ "12.3 ms"; the lower bound, or "unknown"."""
    if time_s.value is None:
        return f"≥ {shown.seconds(time_s.lo)}" if time_s.lo else shown.UNKNOWN
    return shown.seconds(time_s.value)


def op_title(op: OpEstimate) -> str:
    """ "op 3 CONV_2D net/conv: 12.3 ms (11.0–13.5 ms, calibrated), bound by flash"."""
    lead = f"op {op.index} {shown.clean(op.kind)} {shown.short(shown.clean(op.name), 96)}"
    time_s = op.latency_s
    if time_s.value is None:
        bound = f" (at least {shown.seconds(time_s.lo)})" if time_s.lo else ""
        return f"{lead}: unknown{bound}, {shown.clean(time_s.reason)}"
    spread = shown.interval(time_s.lo, time_s.hi, "s")
    bound = "compute" if op.bound == "compute" else shown.clean(op.bound)
    return f"{lead}: {shown.seconds(time_s.value)} ({spread}, {time_s.basis.value}), bound by {bound}"
