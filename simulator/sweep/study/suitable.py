"""Which points answer the question: they fit, and keep every limit that was stated."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...columns import Floats, Rows
from ..table import FIGURES, WORDS, SweepTable

_AT_LEAST = ("accuracy",)


def kept(table: SweepTable, figure: str) -> npt.NDArray[np.bool_]:
    """Whether the figure of each point is known and on the right side of its limit; True without a limit."""
    limit = table.limits.get(figure)
    if limit is None:
        return np.ones(len(table), dtype=bool)
    value = table.figures[figure].value
    inside: npt.NDArray[np.bool_] = value >= limit if figure in _AT_LEAST else value <= limit
    return inside


def not_kept(table: SweepTable) -> Rows:
    """Per point: how many stated limits and memories of its board it is not known to keep."""
    count = np.zeros(len(table), dtype=np.intp)
    for figure in FIGURES:
        count += ~kept(table, figure)
    for figure in _OF_TARGET:
        has = np.array([getattr(row, figure) or np.nan for row in table.targets] or [np.nan])
        count += ~(table.figures[figure].value <= has[table.target])
    return count


def suitable(table: SweepTable) -> npt.NDArray[np.bool_]:
    """FITS or TIGHT, and inside every stated limit."""
    found = table.is_ok
    for figure in FIGURES:
        found = found & kept(table, figure)
    return found


def unknown_without_limit(
    table: SweepTable,
) -> tuple[dict[str, npt.NDArray[np.bool_]], npt.NDArray[np.bool_]]:
    """Per figure that nobody limits where it is unknown; and where any that is limited is unknown.

    RAM and flash are always limited, by the board; accuracy is asked for by those who limit it.
    """
    unlimited, limited = {}, np.zeros(len(table), dtype=bool)
    for figure, name in (("latency_s", "latency"), ("energy_j", "energy")):
        is_unknown = np.isnan(table.figures[figure].value)
        if figure in table.limits:
            limited |= is_unknown
        else:
            unlimited[name] = is_unknown
    for figure in (*_OF_TARGET, *(("accuracy",) if "accuracy" in table.limits else ())):
        limited |= np.isnan(table.figures[figure].value)
    return unlimited, limited


def limiting_name(table: SweepTable, code: int, word: int) -> str:
    """The budget that decides, by its position in limits_named; "" where nothing was decided."""
    if WORDS[word] == "ERROR" or not 0 <= code < len(table.limits_named):
        return ""
    return table.limits_named[code]


_FIGURE_OF = {"ram": "ram_bytes", "arena": "arena_bytes", "flash": "flash_bytes", "latency": "latency_s",
              "energy": "energy_j", "accuracy": "accuracy"}  # fmt: skip
_OF_TARGET = ("ram_bytes", "flash_bytes")


def figure_of(budget: str) -> str:
    """The figure that a budget is of; "" for a refusal.

    >>> figure_of("ram:sram"), figure_of("energy limit"), figure_of("latency"), figure_of("runtime")
    ('ram_bytes', 'energy_j', 'latency_s', '')
    """
    return _FIGURE_OF.get(budget.split(":")[0].removesuffix(" limit"), "")


def need_of_budget(table: SweepTable) -> Floats:
    """The deciding need over its budget; nan where either is not known. Memories count as one per role.

    need / budget = figure / limit; of accuracy the errors over those allowed: (1 - value) / (1 - limit).
    """
    result = np.full(len(table), np.nan)
    for code in np.unique(table.limiting):
        budget = table.limits_named[code] if 0 <= code < len(table.limits_named) else ""
        figure = figure_of(budget)
        if figure:
            points = np.flatnonzero(table.limiting == code)
            budgets = _budgets(table, budget, figure)[table.target[points]]
            result[points] = share_of(figure, table.figures[figure].value[points], budgets)
    return result


def share_of(figure: str, value: Floats, limit: Floats | float) -> Floats:
    """Need over budget, more than 1 where it is broken; nan where nothing is allowed.

    >>> share_of("accuracy", np.array([0.75]), 0.5), share_of("latency_s", np.array([3.0]), 2.0)
    (array([0.5]), array([1.5]))
    """
    need, most = (1 - value, 1 - np.asarray(limit)) if figure in _AT_LEAST else (value, np.asarray(limit))
    found: Floats = need / np.where(most > 0, most, np.nan)
    return found


def _budgets(table: SweepTable, budget: str, figure: str) -> Floats:
    """Per target: all memories of the role, or what the user allows."""
    if ":" in budget and figure in _OF_TARGET:
        return np.array([getattr(row, figure) or np.nan for row in table.targets])
    return np.full(len(table.targets), table.limits.get(figure, np.nan))
