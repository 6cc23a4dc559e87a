"""What is a picture: boxes, lines, dots and words at places in percent, with axes and a legend."""

from __future__ import annotations

from dataclasses import dataclass

from .charts import Mark

_Ticks = tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line through points; kind is ink, soft, budget, whisker, dashed, or the class of a colour."""

    points: tuple[tuple[float, float], ...]
    kind: str


@dataclass(frozen=True, slots=True)
class Spot:
    """A dot; kind and ring are the classes of its colours."""

    x: float
    y: float
    kind: str
    ring: str


@dataclass(frozen=True, slots=True)
class Words:
    """A text; anchor is left, middle or right of it."""

    x: float
    y: float
    text: str
    anchor: str = "left"


@dataclass(frozen=True, slots=True)
class Picture:
    """One chart of a report as its own file; x and y in percent, y from the top.

    Args:
        name: the file's name without its ending.
        marks: boxes; `kind` is the class of the colour.
        legend: (class of the colour, what it stands for).
        height_in: inches of the drawing itself; every picture has the same width.
    """

    name: str
    title: str
    marks: tuple[Mark, ...] = ()
    strokes: tuple[Stroke, ...] = ()
    spots: tuple[Spot, ...] = ()
    words: tuple[Words, ...] = ()
    x_ticks: _Ticks = ()
    y_ticks: _Ticks = ()
    x_label: str = ""
    y_label: str = ""
    legend: tuple[tuple[str, str], ...] = ()
    height_in: float = 3.0
