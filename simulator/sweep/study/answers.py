"""What answers the question on each device: the best point per goal, or what misses by the least."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...columns import Floats, Rows
from ..table import WORDS, SweepTable
from .suitable import limiting_name, need_of_budget, suitable

# goal -> (figure, direction)
GOALS: tuple[tuple[str, str, str], ...] = (
    ("fastest", "latency_s", "min"),
    ("least energy", "energy_j", "min"),
    ("least RAM", "ram_bytes", "min"),
    ("least flash", "flash_bytes", "min"),
    ("most accurate", "accuracy", "max"),
)
ASKED_FOR = "asked for"  # by the sweep's own objectives, the most important first
_TIE = ("latency_s", "ram_bytes", "flash_bytes")


@dataclass(frozen=True, slots=True)
class Best:
    """The best point of a device for a goal."""

    goal: str
    point: int


@dataclass(frozen=True, slots=True)
class Miss:
    """What comes closest on a device without an answer.

    Args:
        over: deciding need over its budget; None where not known.
    """

    point: int
    word: str
    limiting: str
    over: float | None


@dataclass(frozen=True, slots=True)
class Answer:
    """One device: its points, those that answer, the best of them, or the closest miss."""

    device: str
    points: int
    fitting: int
    best: tuple[Best, ...]
    miss: Miss | None


def answers(table: SweepTable) -> tuple[Answer, ...]:
    """One per device: those with an answer first, by the first figure asked for; then the closest misses."""
    names = list(dict.fromkeys(target.device for target in table.targets))
    of_target = np.array([names.index(target.device) for target in table.targets] or [0], dtype=np.intp)
    device = of_target[table.target]
    is_good, over = suitable(table), need_of_budget(table)
    order = np.argsort(device, kind="stable")
    ends = np.searchsorted(device[order], np.arange(len(names) + 1))
    found = [
        _answer(table, name, order[ends[place] : ends[place + 1]], (is_good, over))
        for place, name in enumerate(names)
    ]
    return tuple(sorted(found, key=lambda answer: _rank(table, answer)))


def _rank(table: SweepTable, answer: Answer) -> tuple[int, float]:
    """Answers by their best point's first figure, misses by word and by how far they are over."""
    if answer.best:
        figure, way = (table.objectives or (("latency_s", "min"),))[0]
        value = float(table.figures[figure].value[answer.best[0].point])
        return 0, np.inf if np.isnan(value) else -value if way == "max" else value
    if answer.miss is None:
        return 1 + len(WORDS), 0.0
    return 1 + WORDS.index(answer.miss.word), np.inf if answer.miss.over is None else answer.miss.over


def _answer(
    table: SweepTable, device: str, place: Rows, judged: tuple[npt.NDArray[np.bool_], Floats]
) -> Answer:
    is_good, over = judged
    good = place[is_good[place]]
    if not len(place):
        return Answer(device, 0, 0, (), None)
    if not len(good):
        return Answer(device, len(place), 0, (), _closest(table, place, over))
    asked = [(ASKED_FOR, table.objectives)] if table.objectives else []
    goals = [*asked, *((goal, ((figure, way),)) for goal, figure, way in GOALS)]
    found = ((goal, best_of(table, good, by)) for goal, by in goals)
    return Answer(device, len(place), len(good), tuple(Best(g, p) for g, p in found if p is not None), None)


def best_of(table: SweepTable, place: Rows, by: Sequence[tuple[str, str]]) -> int | None:
    """The point of these that is best by the first figure, then the next; None if nobody knows the first."""
    known = place[~np.isnan(table.figures[by[0][0]].value[place])]
    if not len(known):
        return None
    keys = [*by, *((name, "min") for name in _TIE)]
    for name, way in keys:
        figure = table.figures[name].value[known] * (-1 if way == "max" else 1)
        least = np.nanmin(figure) if not np.isnan(figure).all() else np.nan
        known = known[figure == least] if not np.isnan(least) else known
    return int(known[0])


def _closest(table: SweepTable, place: Rows, over: Floats) -> Miss:
    """The least severe word, then the least over its budget; what fits but breaks a limit comes first."""
    word = table.word[place]
    by_over = np.where(np.isnan(over[place]), np.inf, over[place])
    chosen = place[np.lexsort((by_over, word))[0]]
    if table.is_ok[chosen]:
        return _outside(table, place[table.is_ok[place]])
    limiting = limiting_name(table, int(table.limiting[chosen]), int(table.word[chosen]))
    share = None if np.isnan(over[chosen]) else float(over[chosen])
    return Miss(int(chosen), WORDS[table.word[chosen]], limiting, share)


def _outside(table: SweepTable, place: Rows) -> Miss:
    """Of points that fit but break a stated limit, the one that breaks it least."""
    worst = np.zeros(len(place))
    which = np.full(len(place), "", dtype=object)
    for figure, limit in table.limits.items():
        if figure not in table.figures:
            continue
        value = table.figures[figure].value[place]
        share = limit / value if figure == "accuracy" else value / limit
        share = np.where(np.isnan(share), np.inf, share)
        which = np.where(share > worst, figure, which)
        worst = np.maximum(worst, share)
    first = int(np.argmin(worst))
    over = float(worst[first]) if np.isfinite(worst[first]) else None
    return Miss(int(place[first]), WORDS[table.word[place[first]]], str(which[first]), over)
