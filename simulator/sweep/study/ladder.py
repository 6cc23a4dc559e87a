"""What does each budget buy: the best that fits from so many bytes of RAM on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ...columns import Rows
from ..table import SweepTable
from .pareto import Goal, usable_axes
from .suitable import suitable

_GOALS: tuple[Goal, ...] = (("accuracy", "max"), ("latency_s", "min"))


@dataclass(frozen=True, slots=True)
class Stair:
    """From `need_bytes` on, `value` can be had, by this point."""

    need_bytes: float
    value: float
    point: int


@dataclass(frozen=True, slots=True)
class Stairs:
    """A step curve; `model` is "" for all models together."""

    model: str
    goal: Goal
    steps: tuple[Stair, ...]


def ladder(table: SweepTable, need: str = "ram_bytes") -> tuple[Stairs, ...]:
    """The curve over all models, then one per model where there are several; () where nothing is known.

    Of the points that answer the question, and of no others: what does not fit anywhere buys nothing.
    """
    goals = usable_axes(table, _GOALS)
    if not goals:
        return ()
    allowed = suitable(table)
    models = list(dict.fromkeys(variant.model for variant in table.variants))
    found = [_stairs(table, need, goals[0], ("", np.flatnonzero(allowed)))]
    if len(models) > 1:
        of = np.array([models.index(variant.model) for variant in table.variants], dtype=np.intp)
        model = of[table.variant]
        places = ((name, np.flatnonzero(allowed & (model == i))) for i, name in enumerate(models))
        found += [_stairs(table, need, goals[0], place) for place in places]
    return tuple(stairs for stairs in found if stairs.steps)


def _stairs(table: SweepTable, need: str, goal: Goal, of: tuple[str, Rows]) -> Stairs:
    model, place = of
    bytes_needed, value = table.figures[need].value[place], table.figures[goal[0]].value[place]
    known = ~np.isnan(bytes_needed) & ~np.isnan(value)
    place, bytes_needed, value = place[known], bytes_needed[known], value[known]
    sign = -1.0 if goal[1] == "max" else 1.0
    order = np.lexsort((sign * value, bytes_needed))
    best = np.minimum.accumulate(sign * value[order])
    is_step = np.concatenate(([True], best[1:] < best[:-1])) if len(best) else np.zeros(0, dtype=bool)
    steps = order[is_step]
    return Stairs(model, goal, tuple(_stair(place[i], bytes_needed[i], value[i]) for i in steps))


def _stair(point: int, need_bytes: float, value: float) -> Stair:
    return Stair(float(need_bytes), float(value), int(point))


def cheapest(stairs: Iterable[Stairs]) -> tuple[tuple[str, Stair], ...]:
    """Per curve its first step: the smallest budget that runs the model at all."""
    return tuple((one.model, one.steps[0]) for one in stairs)
