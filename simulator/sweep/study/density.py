"""How do many points lie: counts over a grid of two figures, all points and those that fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...columns import Floats, Rows
from ..table import SweepTable

CELLS = 48
_WIDE = 8.0  # from this ratio of its ends on a figure is binned by its logarithm


@dataclass(frozen=True, slots=True)
class Scale:
    """A figure's range in the sweep; `is_log` where its ends are far apart."""

    figure: str
    lo: float
    hi: float
    is_log: bool


@dataclass(frozen=True, eq=False)
class Density:
    """Cells with points: their column, row, points, and how many of these fit; x rises, y rises."""

    x: Scale
    y: Scale
    column: Rows
    row: Rows
    points: Rows
    fitting: Rows


def scales(table: SweepTable) -> tuple[Scale, ...]:
    """The range of every figure that any point has, ends of intervals included."""
    found = []
    for name, column in table.figures.items():
        known = ~np.isnan(column.value)
        if known.any():
            lo, hi = float(np.nanmin(column.value)), float(np.nanmax(column.value))
            found.append(Scale(name, lo, hi, lo > 0 and hi / lo > _WIDE and name != "accuracy"))
    return tuple(found)


def density(table: SweepTable, x: Scale, y: Scale) -> Density:
    """The grid of one pair."""
    column, row = _cells(table.figures[x.figure].value, x), _cells(table.figures[y.figure].value, y)
    known = np.flatnonzero((column >= 0) & (row >= 0))
    cell = column[known] * CELLS + row[known]
    points = np.bincount(cell, minlength=CELLS * CELLS)
    fitting = np.bincount(cell, weights=table.is_ok[known], minlength=CELLS * CELLS).astype(np.intp)
    used = np.flatnonzero(points)
    return Density(x, y, used // CELLS, used % CELLS, points[used], fitting[used])


def _cells(value: Floats, scale: Scale) -> Rows:
    """The cell of every point; -1 where the figure is unknown."""
    known = ~np.isnan(value)
    lo, hi, at = scale.lo, scale.hi, np.where(known, value, scale.lo)
    if scale.is_log:
        lo, hi, at = np.log(lo), np.log(hi), np.log(at)
    share = (at - lo) / (hi - lo or 1.0)
    return np.where(known, np.clip((share * CELLS).astype(np.intp), 0, CELLS - 1), -1).astype(np.intp)
