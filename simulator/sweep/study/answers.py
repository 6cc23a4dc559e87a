"""What answers the question on each device: the best point per goal, or what misses by the least."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...columns import Floats, Rows
from ..table import WORDS, SweepTable
from .suitable import limiting_name, need_of_budget, not_kept, share_of, suitable

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
        over: deciding need over its budget, of accuracy errors over those allowed; None where not known,
            or where it does not say why: the figure is unknown, or one memory of several is too small.
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
    is_good, over, broken = suitable(table), need_of_budget(table), not_kept(table)
    order = np.argsort(device, kind="stable")
    ends = np.searchsorted(device[order], np.arange(len(names) + 1))
    found = [
        _answer(table, name, order[ends[place] : ends[place + 1]], (is_good, over, broken))
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
    table: SweepTable, device: str, place: Rows, judged: tuple[npt.NDArray[np.bool_], Floats, Rows]
) -> Answer:
    is_good, over, broken = judged
    good = place[is_good[place]]
    if not len(place):
        return Answer(device, 0, 0, (), None)
    if not len(good):
        return Answer(device, len(place), 0, (), _closest(table, place, (over, broken)))
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


def _closest(table: SweepTable, place: Rows, judged: tuple[Floats, Rows]) -> Miss:
    """The least severe word, then the fewest limits not kept, then the least over; unknown comes last.

    What fits but breaks a limit comes before all that does not fit.
    """
    over, broken = (column[place] for column in judged)
    by_over = np.where(np.isnan(over), np.inf, over)
    chosen = place[np.lexsort((by_over, broken, table.word[place]))[0]]
    if table.is_ok[chosen]:
        return _outside(table, place[table.is_ok[place]])
    word = int(table.word[chosen])
    limiting = limiting_name(table, int(table.limiting[chosen]), word)
    return Miss(int(chosen), WORDS[word], limiting, _said(WORDS[word], float(judged[0][chosen])))


def _said(word: str, share: float) -> float | None:
    """A share that explains the word: below 1 only of what may be over, none of what is unknown."""
    if np.isnan(share) or word in ("UNKNOWN", "ERROR") or (word == "NO" and share <= 1):
        return None
    return share


def _outside(table: SweepTable, place: Rows) -> Miss:
    """Of points that fit but break a stated limit, the one that breaks it least."""
    worst = np.zeros(len(place))
    which = np.full(len(place), "", dtype=object)
    for figure, limit in table.limits.items():
        if figure not in table.figures:
            continue
        share = share_of(figure, table.figures[figure].value[place], limit)
        share = np.where(np.isnan(share), np.inf, share)
        which = np.where(share > worst, figure, which)
        worst = np.maximum(worst, share)
    first = int(np.argmin(worst))
    over = float(worst[first]) if np.isfinite(worst[first]) else None
    return Miss(int(place[first]), WORDS[table.word[place[first]]], str(which[first]), over)
