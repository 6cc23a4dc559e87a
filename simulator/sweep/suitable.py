"""Which points answer the question: they fit, and keep every limit that was stated."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..columns import Floats
from .table import FIGURES, WORDS, SweepTable

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


_ROLES = ("ram", "flash", "latency")


def need_of_budget(table: SweepTable) -> Floats:
    """The deciding need over its budget; nan where either is not known. Memories count as one per role."""
    roles = [name.split(":")[0] for name in table.limits_named] or [""]
    codes = np.array([_ROLES.index(role) if role in _ROLES else -1 for role in roles])
    deciding = codes[np.clip(table.limiting, 0, len(codes) - 1)]
    ram, flash = (
        np.array([getattr(row, name) or np.nan for row in table.targets] or [np.nan])
        for name in ("ram_bytes", "flash_bytes")
    )
    figures, latency_limit = table.figures, table.limits.get("latency_s", np.nan)
    shares = (
        figures["ram_bytes"].value / ram[table.target],
        figures["flash_bytes"].value / flash[table.target],
        figures["latency_s"].value / latency_limit,
    )
    result = np.full(len(table), np.nan)
    for code, share in enumerate(shares):
        result = np.where(deciding == code, share, result)
    return result
