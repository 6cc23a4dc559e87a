"""Which points answer the question: they fit, and keep every limit that was stated."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...columns import Floats
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


def suitable(table: SweepTable) -> npt.NDArray[np.bool_]:
    """FITS or TIGHT, and inside every stated limit."""
    found = table.is_ok
    for figure in FIGURES:
        found = found & kept(table, figure)
    return found


def limiting_name(table: SweepTable, code: int, word: int) -> str:
    """The budget that decides, by its position in limits_named; "" where nothing was decided."""
    if WORDS[word] == "ERROR" or not 0 <= code < len(table.limits_named):
        return ""
    return table.limits_named[code]


_FIGURE_OF = {"ram": "ram_bytes", "arena": "arena_bytes", "flash": "flash_bytes", "latency": "latency_s",
              "energy": "energy_j"}  # fmt: skip
_OF_TARGET = ("ram_bytes", "flash_bytes")


def figure_of(budget: str) -> str:
    """The figure that a budget is of; "" for a refusal.

    >>> figure_of("ram:sram"), figure_of("energy limit"), figure_of("latency"), figure_of("runtime")
    ('ram_bytes', 'energy_j', 'latency_s', '')
    """
    return _FIGURE_OF.get(budget.split(":")[0].removesuffix(" limit"), "")


def need_of_budget(table: SweepTable) -> Floats:
    """The deciding need over its budget; nan where either is not known. Memories count as one per role."""
    result = np.full(len(table), np.nan)
    for code in np.unique(table.limiting):
        budget = table.limits_named[code] if 0 <= code < len(table.limits_named) else ""
        figure = figure_of(budget)
        if figure:
            points = np.flatnonzero(table.limiting == code)
            result[points] = (
                table.figures[figure].value[points] / _budgets(table, budget, figure)[table.target[points]]
            )
    return result


def _budgets(table: SweepTable, budget: str, figure: str) -> Floats:
    """Per target: all memories of the role, or what the user allows."""
    if ":" in budget and figure in _OF_TARGET:
        return np.array([getattr(row, figure) or np.nan for row in table.targets])
    return np.full(len(table.targets), table.limits.get(figure, np.nan))
