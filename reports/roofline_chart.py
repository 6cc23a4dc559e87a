"""Where do the dots and roofs of a roofline lie: two logarithmic axes in percent of the drawing."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..simulator.estimate import Estimate
from . import format as shown
from .colouring import bound_numbers, colourings
from .roofline import Peak, Point, Roofline, Slope, roofline

_Ticks = tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True)
class Axis:
    """A logarithmic axis from `lo` to `hi`."""

    lo: float
    hi: float

    def at(self, value: float) -> float:
        """Percent from its beginning.

        >>> Axis(1, 100).at(10)
        50.0
        """
        share = math.log(value / self.lo) / math.log(self.hi / self.lo)
        return round(100 * min(1.0, max(0.0, share)), 2)

    def ticks(self, most: int) -> tuple[float, ...]:
        """Powers of ten; with 2 and 5 where there is room for them, every second one where there is not.

        >>> Axis(1, 100).ticks(4), Axis(2, 30).ticks(6)
        ((1.0, 10.0, 100.0), (2.0, 5.0, 10.0, 20.0))
        """
        first, last = math.floor(math.log10(self.lo)), math.ceil(math.log10(self.hi))
        fine = [step * 10.0**power for power in range(first, last + 1) for step in (1, 2, 5)]
        inside = [value for value in fine if self.lo <= value * 1.0001 and value <= self.hi * 1.0001]
        if len(inside) <= most:
            return tuple(inside)
        tens = [10.0**power for power in range(first, last + 1)]
        tens = [value for value in tens if self.lo <= value * 1.0001 and value <= self.hi * 1.0001]
        return tuple(tens[:: max(1, -(-len(tens) // most))])


@dataclass(frozen=True, slots=True)
class Dot:
    """One op; x, y, and the y of its p10 and p90, in percent, y from the top.

    Args:
        series, ring: the numbers of two colours: what the op waits for, and the memory that x is about.
    """

    x: float
    y: float
    lo_y: float
    hi_y: float
    op: int
    series: str
    ring: str
    title: str


@dataclass(frozen=True, slots=True)
class Roof:
    """One line."""

    x1: float
    y1: float
    x2: float
    y2: float
    label: str
    series: str
    title: str


@dataclass(frozen=True, slots=True)
class RooflineChart:
    """The picture: dots, the memories' slopes, the core's flat roof, and the two axes."""

    dots: tuple[Dot, ...]
    slopes: tuple[Roof, ...]
    core: Roof
    x_ticks: _Ticks
    y_ticks: _Ticks
    legend: tuple[tuple[str, str], ...]


def roofline_chart(estimate: Estimate) -> RooflineChart | None:
    """The marks of the roofline; None where there is nothing to draw."""
    figures = roofline(estimate)
    if figures.peak is None or not figures.slopes:
        return None
    x_axis, y_axis = _axes(figures)
    bound = colourings(estimate)[0]
    peak, numbers = figures.peak, bound_numbers(estimate)
    dots = tuple(
        _dot(point, (x_axis, y_axis), series=bound.of(point.op), ring=numbers[point.memory])
        for point in figures.points
    )
    slopes = tuple(
        _slope(slope, (x_axis, y_axis), peak=peak, series=numbers[slope.memory]) for slope in figures.slopes
    )
    used = {dot.series for dot in dots}
    return RooflineChart(
        dots, slopes, _core(figures, x_axis, y_axis),
        tuple((x_axis.at(v), shown.ratio(v, "")) for v in x_axis.ticks(6)),
        tuple((100 - y_axis.at(v), shown.macs_per_s(v)) for v in y_axis.ticks(5)),
        tuple(entry for entry in bound.legend if entry[0] in used),
    )  # fmt: skip


def _axes(figures: Roofline) -> tuple[Axis, Axis]:
    """Both axes hold every dot, and the ridge where each slope meets the core's roof."""
    peak = figures.peak
    assert peak is not None
    ridges = [peak.macs_per_s / slope.bytes_per_s for slope in figures.slopes]
    across = [*ridges, *(point.macs_per_byte for point in figures.points)]
    up = [end for point in figures.points for end in (point.lo_macs_per_s, point.hi_macs_per_s)]
    return Axis(min(across) / 2, max(across) * 2), Axis(min(up) / 1.6, max(*up, peak.macs_per_s) * 1.6)


def _dot(point: Point, axes: tuple[Axis, Axis], *, series: str, ring: str) -> Dot:
    (x_axis, y_axis), op = axes, point.op
    ends = (100 - y_axis.at(v) for v in (point.macs_per_s, point.lo_macs_per_s, point.hi_macs_per_s))
    name = shown.short(shown.clean(op.name), 96)
    title = (
        f"op {op.index} {shown.clean(op.kind)} {name}: {shown.macs_per_s(point.macs_per_s)} at "
        f"{shown.ratio(point.macs_per_byte, 'MAC/B')} of {point.memory} "
        f"({shown.exact_bytes(point.moved_bytes)} once), bound by {shown.clean(op.bound)}"
    )
    y, lo_y, hi_y = (round(end, 2) for end in ends)
    return Dot(x_axis.at(point.macs_per_byte), y, lo_y, hi_y, op.index, series, ring, title)


def _slope(slope: Slope, axes: tuple[Axis, Axis], *, peak: Peak, series: str) -> Roof:
    """From where it enters the drawing to the core's roof."""
    x_axis, y_axis = axes
    begin = max(x_axis.lo, y_axis.lo / slope.bytes_per_s)
    x1, x2 = x_axis.at(begin), x_axis.at(peak.macs_per_s / slope.bytes_per_s)
    y1, y2 = 100 - y_axis.at(begin * slope.bytes_per_s), 100 - y_axis.at(peak.macs_per_s)
    label = f"{slope.memory} {shown.rate(slope.bytes_per_s)}"
    title = f"{label} ({slope.basis}), {shown.clean(slope.source)}"
    return Roof(x1, round(y1, 2), x2, round(y2, 2), label, series, title)


def _core(figures: Roofline, x_axis: Axis, y_axis: Axis) -> Roof:
    """From the ridge of the fastest memory to the right end."""
    peak = figures.peak
    assert peak is not None
    fastest = max(slope.bytes_per_s for slope in figures.slopes)
    x1, y = x_axis.at(peak.macs_per_s / fastest), round(100 - y_axis.at(peak.macs_per_s), 2)
    label = f"core {shown.macs_per_s(peak.macs_per_s)}"
    return Roof(x1, y, 100.0, y, label, "0", label)
