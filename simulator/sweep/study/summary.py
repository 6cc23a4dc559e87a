"""What a sweep says, all of it: counts, answers, fronts, effects, ladders, matrix, failures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...columns import Rows
from ...interval import BY_WEAKNESS
from ..table import FIGURES, UNITS, WORDS, SweepTable
from .answers import Answer, answers
from .axes import Axis, sweep_axes
from .density import CELLS as CELLS
from .density import Density, Scale, density, scales
from .effects import Effect, Together, effects, together
from .failures import Failure, failures
from .families import Curve, curves
from .feasibility import Feasibility, feasibility
from .ladder import Stairs, ladder
from .pareto import AXES, Front, Goal, front, surely_dominated, usable_axes
from .suitable import suitable

MOST_EMBEDDED, MOST_TEXT_BYTES = 20_000, 2_500_000  # a page carries every point up to here
_TOP = 200
_MOST_FRONT = 1_000
_METRICS = tuple(name for name in FIGURES if name != "arena_bytes")
_COSTS = ("flash_bytes", "latency_s")


@dataclass(frozen=True, eq=False)
class Summary:
    """Everything that is made from a table; positions are those of its points.

    Args:
        suitable: how many fit and keep every stated limit.
        words: points per word of WORDS.
        worse: of the points that take part in the front, those that another beats beyond the error.
        shown: positions of the points that a page carries: all, or the front and the best per goal.
        densities: grids for what is not shown; () where all is.
    """

    table: SweepTable
    suitable: int
    words: tuple[int, ...]
    answers: tuple[Answer, ...]
    axes: tuple[Axis, ...]
    front: Front | None
    worse: npt.NDArray[np.bool_]
    effects: tuple[tuple[Effect, ...], ...]
    together: Together | None
    ladder: tuple[Stairs, ...]
    curves: tuple[tuple[str, tuple[Curve, ...]], ...]
    feasibility: Feasibility
    failures: tuple[Failure, ...]
    scales: tuple[Scale, ...]
    densities: tuple[Density, ...]
    shown: Rows

    @property
    def bases(self) -> tuple[tuple[str, tuple[tuple[str, int], ...]], ...]:
        """Per figure how many points know it how."""
        names = [basis.value for basis in BY_WEAKNESS]
        counted = (
            (figure, np.bincount(column.grade, minlength=len(names)))
            for figure, column in self.table.figures.items()
        )
        return tuple(
            (figure, tuple((name, int(n)) for name, n in zip(names, counts, strict=True) if n))
            for figure, counts in counted
        )

    @property
    def clearly_worse(self) -> int:
        """How many points another beats beyond the error."""
        return int(self.worse.sum())

    @property
    def is_whole(self) -> bool:
        """Whether every point is shown."""
        return len(self.shown) == len(self.table)


def summarise(table: SweepTable) -> Summary:
    """All analyses of the table."""
    goals = compared_by(table)
    good = suitable(table)
    axes, best = sweep_axes(table), front(table, goals, among=good) if goals else None
    found = tuple(made for figure in _METRICS if (made := effects(table, axes, figure)))
    ranges = scales(table)
    is_whole = len(table) <= MOST_EMBEDDED and _text_bytes(table) <= MOST_TEXT_BYTES
    answered = answers(table)
    return Summary(
        table, int(good.sum()),
        tuple(int(n) for n in np.bincount(table.word, minlength=len(WORDS))),
        answered, axes, best,
        surely_dominated(table, goals, among=good) if goals else np.zeros(len(table), dtype=bool),
        found, _together(table, axes, found), ladder(table),
        tuple((cost, drawn) for cost in _COSTS if (drawn := curves(table, cost))),
        feasibility(table), failures(table), ranges,
        () if is_whole else _densities(table, ranges),
        np.arange(len(table)) if is_whole else _extract(table, best, answered),
    )  # fmt: skip


def _text_bytes(table: SweepTable) -> int:
    """What the names of its variants take."""
    return sum(len(row.text) + len(row.label) for row in table.variants)


def compared_by(table: SweepTable) -> tuple[Goal, ...]:
    """The sweep's objectives, else RAM, latency and accuracy; only what any point has a figure of."""
    stated = tuple(goal for goal in table.objectives if goal[0] in UNITS)
    return usable_axes(table, stated if len(stated) > 1 else AXES)


def _together(
    table: SweepTable, axes: tuple[Axis, ...], found: tuple[tuple[Effect, ...], ...]
) -> Together | None:
    """The strongest axis on latency and the next that crosses it, else on the first figure that has any."""
    chosen = next((made for made in found if made[0].figure == "latency_s"), found[0] if found else ())
    if len(chosen) < 2:
        return None
    first, *others = ({axis.name: axis for axis in axes}[effect.axis] for effect in chosen)
    second = next((axis for axis in others if _are_crossed(first, axis)), None)
    return together(table, first, second, chosen[0].figure) if second else None


def _are_crossed(one: Axis, other: Axis) -> bool:
    """Whether most pairs of levels occur: a device and its own clock do not cross."""
    cells = len(one.levels) * len(other.levels)
    return 2 * np.count_nonzero(np.bincount(one.code * len(other.levels) + other.code)) > cells


def _densities(table: SweepTable, ranges: tuple[Scale, ...]) -> tuple[Density, ...]:
    ranges = tuple(scale for scale in ranges if scale.figure in _METRICS) or ranges
    pairs = [(x, y) for place, x in enumerate(ranges) for y in ranges[place + 1 :]]
    return tuple(density(table, x, y) for x, y in pairs)


def _extract(table: SweepTable, best: Front | None, answered: tuple[Answer, ...]) -> Rows:
    """The front, the best points of every figure, all answers and misses."""
    chosen = [best.best[:: max(1, -(-len(best.best) // _MOST_FRONT))]] if best else []
    good = np.flatnonzero(suitable(table))
    for figure in FIGURES:
        value = table.figures[figure].value[good] * (-1 if figure == "accuracy" else 1)
        count = min(_TOP, int((~np.isnan(value)).sum()))
        if count:
            chosen.append(good[np.argpartition(value, count - 1)[:count]])
    chosen.append(np.array([b.point for answer in answered for b in answer.best], dtype=np.intp))
    chosen.append(np.array([answer.miss.point for answer in answered if answer.miss], dtype=np.intp))
    shown: Rows = np.unique(np.concatenate(chosen)).astype(np.intp)
    return shown
