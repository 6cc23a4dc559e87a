"""Which points are no worse than any other: the Pareto front, by value and beyond the error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...columns import Floats, Rows
from ..table import SweepTable
from .dominance import dominated

_Mask = npt.NDArray[np.bool_]
Goal = tuple[str, str]  # a figure, and "min" or "max"
AXES: tuple[Goal, ...] = (("ram_bytes", "min"), ("latency_s", "min"), ("accuracy", "max"))


@dataclass(frozen=True, eq=False)
class Front:
    """The points that no other beats.

    Args:
        axes: what they were compared by.
        best: positions of the points, by the first axis.
        compared: how many points took part.
        unknown: how many were left out because a figure is unknown.
    """

    axes: tuple[Goal, ...]
    best: Rows
    compared: int
    unknown: int


def pareto(table: SweepTable, axes: Sequence[Goal] = AXES, *, only_ok: bool = True) -> Rows:
    """Positions of the points that no other beats: no worse on every axis, better on one."""
    return front(table, axes, only_ok=only_ok).best


def front(
    table: SweepTable, axes: Sequence[Goal] = AXES, *, only_ok: bool = True, among: _Mask | None = None
) -> Front:
    """The front with what it was taken from.

    Args:
        axes: figures and directions, one or more.
        only_ok: whether only points that fit take part.
        among: which points take part, if it is not that.
    """
    asked = _asked(table, only_ok, among)
    figures = np.stack([_towards_less(table.figures[name].value, way) for name, way in axes], axis=1)
    known = asked & ~np.isnan(figures).any(axis=1)
    place = np.flatnonzero(known)
    rows = figures[place]
    best = place[~dominated(rows, rows)]
    best = best[np.lexsort(figures[best].T[::-1])]
    return Front(tuple(axes), best, len(place), int(asked.sum()) - len(place))


def surely_dominated(
    table: SweepTable, axes: Sequence[Goal] = AXES, *, only_ok: bool = True, among: _Mask | None = None
) -> _Mask:
    """Whether another point's worst corner beats this point's best corner: worse beyond the error.

    False for points that do not take part or whose ends are unknown.
    """
    asked = _asked(table, only_ok, among)
    best = np.stack([_corner(table, goal, is_best=True) for goal in axes], axis=1)
    worst = np.stack([_corner(table, goal, is_best=False) for goal in axes], axis=1)
    found = np.zeros(len(table), dtype=bool)
    place = np.flatnonzero(asked & ~np.isnan(best).any(axis=1))
    sources = worst[asked & ~np.isnan(worst).any(axis=1)]
    if len(sources):
        found[place] = dominated(best[place], sources[~dominated(sources, sources)])
    return found


def usable_axes(table: SweepTable, axes: Sequence[Goal] = AXES) -> tuple[Goal, ...]:
    """Those of the axes that any point has a figure on."""
    return tuple((name, way) for name, way in axes if not np.isnan(table.figures[name].value).all())


def _asked(table: SweepTable, only_ok: bool, among: _Mask | None) -> _Mask:
    if among is not None:
        return among
    return table.is_ok if only_ok else np.ones(len(table), dtype=bool)


def _corner(table: SweepTable, goal: Goal, *, is_best: bool) -> Floats:
    name, way = goal
    column = table.figures[name]
    return _towards_less(column.lo if is_best == (way == "min") else column.hi, way)


def _towards_less(figure: Floats, way: str) -> Floats:
    """The figure so that less is better."""
    turned: Floats = -figure if way == "max" else figure
    return turned
