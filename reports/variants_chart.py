"""Where do the dots of accuracy against cost lie: percent of the drawing, y from the top."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log10

from ..simulator.variant_study import VariantStudy
from . import format as shown
from .roofline_chart import Axis
from .variants_data import Point, points

_MARGIN = 1.15  # a logarithmic axis reaches this far beyond the outermost end
_WIDE = 8.0  # from this ratio of its ends on an axis is logarithmic
_VARIES = 1.02  # a figure that differs by less between variants is no axis
_HEADS = {"latency_s": "latency", "flash_bytes": "flash"}
_UNITS = {"latency_s": "s", "flash_bytes": "B"}


@dataclass(frozen=True, slots=True)
class CostDot:
    """One variant.

    Args:
        x, lo_x, hi_x: figure and its p10 and p90.
        y, lo_y, hi_y: accuracy and its 95 % interval.
        number: of the variant in the table, as the dot's label.
    """

    x: float
    lo_x: float
    hi_x: float
    y: float
    lo_y: float
    hi_y: float
    number: int
    is_best: bool
    title: str


@dataclass(frozen=True, slots=True)
class CostChart:
    """Accuracy upwards, a cost of one target across."""

    title: str
    x_label: str
    dots: tuple[CostDot, ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True)
class LinearAxis:
    """A linear axis from `lo` to `hi`."""

    lo: float
    hi: float

    def at(self, value: float) -> float:
        """Percent from its beginning.

        >>> LinearAxis(10, 20).at(15)
        50.0
        """
        share = (value - self.lo) / (self.hi - self.lo or 1.0)
        return round(100 * min(1.0, max(0.0, share)), 2)

    def ticks(self, most: int) -> tuple[float, ...]:
        """Multiples of 1, 2 or 5 times a power of ten, at most so many.

        >>> LinearAxis(78, 105).ticks(6)
        (80.0, 85.0, 90.0, 95.0, 100.0, 105.0)
        """
        power = 10.0 ** floor(log10((self.hi - self.lo or 1.0) / most))
        for step in (power, 2 * power, 5 * power, 10 * power):
            first, last = ceil(self.lo / step - 1e-9), floor(self.hi / step + 1e-9)
            if last - first < most:
                break
        return tuple(step * count for count in range(first, last + 1))


def cost_charts(study: VariantStudy) -> tuple[CostChart, ...]:
    """Per target a chart for latency and for flash, where they differ between variants."""
    found = []
    for number, target in enumerate(study.targets):
        title = f"{target.device.title} with {target.runtime.label}"
        for metric in _HEADS:
            all_points = points(study, number, metric)
            values = [p.x.value for p in all_points if p.x.value]
            if len(values) > 1 and max(values) > _VARIES * min(values):
                found.append(_chart(study, all_points, metric, title))
    return tuple(found)


def _chart(study: VariantStudy, all_points: tuple[Point, ...], metric: str, title: str) -> CostChart:
    ends = [(p.x.lo or p.x.value or 0.0, p.x.hi or p.x.value or 0.0) for p in all_points]
    x_axis = _axis(min(lo for lo, _ in ends), max(hi for _, hi in ends))
    low = max(0.0, min(p.y_lo for p in all_points) - 0.01)
    high = min(1.0, max(p.y_hi for p in all_points) + 0.01)

    def up(value: float) -> float:
        return round(100 * (1 - (value - low) / (high - low or 1.0)), 2)

    dots = tuple(
        CostDot(
            x_axis.at(p.x.value or lo), x_axis.at(lo), x_axis.at(hi), up(p.y), up(p.y_lo), up(p.y_hi),
            p.variant, p.is_best, _title(study, p),
        )
        for p, (lo, hi) in zip(all_points, ends, strict=True)
    )  # fmt: skip
    steps = [low + (high - low) * part / 4 for part in range(5)]
    return CostChart(
        title, _HEADS[metric], dots,
        tuple((x_axis.at(v), shown.amount(v, _UNITS[metric])) for v in x_axis.ticks(6)),
        tuple((up(v), f"{100 * v:.1f} %") for v in steps),
    )  # fmt: skip


def _axis(low: float, high: float) -> Axis | LinearAxis:
    """Logarithmic where the ends are far apart; a little wider than they are."""
    if low > 0 and high / low > _WIDE:
        return Axis(low / _MARGIN, high * _MARGIN)
    edge = (high - low or abs(high)) * 0.05
    return LinearAxis(max(0.0, low - edge), high + edge)


def _title(study: VariantStudy, point: Point) -> str:
    variant = study.variants[point.variant]
    figure = shown.amount(point.x.value, point.x.unit)
    spread = shown.interval(point.x.lo, point.x.hi, point.x.unit)
    best = "; no other is better in both" if point.is_best else ""
    return f"{shown.clean(variant.name)}: {shown.percent(point.y)}, {figure} ({spread}){best}"
