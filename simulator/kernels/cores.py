"""What an instruction and a fetched weight byte cost on a core: cycles, with how they are known."""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from ...devices.calibration import BoardFit, Calibration, CoreFit, Given
from ...devices.target import Target
from ...devices.what_if import AS_KNOWN
from ..interval import Basis

# Libraries whose figures a calibration fits on Arm cores; the table's are what others take.
_FITTED = frozenset({"cmsis-nn", "x-cube-ai"})
_NEVER_MEASURED = (0.6, 1.7)  # no left-out row: as wide as two cores differ (mlperf_cross_core_ratio.csv)
_FROM_MOST_KNOWN: tuple[Given, ...] = ("board", "core", "nothing")
_KNOWN = {
    "board": "its own among them; p10..p90 of networks left out",
    "core": "none of them this one; p10..p90 of boards left out",
    "nothing": "and this core was never measured",
}
_PATH = Path(__file__).parents[1] / "data" / "cores.csv"


class Spread(NamedTuple):
    """A figure and the interval it lies in."""

    value: float
    lo: float
    hi: float


class CoreCosts(NamedTuple):
    """The costs of one core.

    Args:
        counted: the core whose instruction counts are used.
        at_clock_hz: the clock that they were fitted at; None is any.
        is_cached: cycles_per_byte is paid for what the data cache in front of the weights lets through.
        is_of_bus_time: it is a factor on the time that the weights' bus takes.
        stalls_at_clock_hz: the clock whose wait states cycles_per_byte holds for; None is the part's highest.
    """

    core: str
    counted: str
    cpi: Spread
    is_cached: bool
    is_of_bus_time: bool
    cycles_per_byte: Spread
    at_clock_hz: float | None
    stalls_at_clock_hz: float | None
    element_factor: float
    basis: Basis
    source: str


def core_costs(target: Target) -> CoreCosts | None:
    """What the calibration says of this board or core, else the most specific row of the table.

    None where no cost model covers the core.
    """
    costs, what_if = _known_costs(target), target.what_if
    if costs is None or what_if == AS_KNOWN:
        return costs
    return costs._replace(
        cpi=Spread(*(cpi * what_if.compute for cpi in costs.cpi)),
        cycles_per_byte=Spread(*(cost * what_if.stalls for cost in costs.cycles_per_byte)),
    )


def _known_costs(target: Target) -> CoreCosts | None:
    costs = _tabled(target)
    if costs is None:
        return None
    if target.kernels.library not in _FITTED:
        return _of_own_board(costs, target)
    costs = costs._replace(is_cached=True)
    fit = target.calibration.core_table.get(target.device.core.name)
    return costs if fit is None else _fitted(costs, fit, target)


def _fitted(costs: CoreCosts, core: CoreFit, target: Target) -> CoreCosts:
    """cpi = the core's x the factors of board and build; p10 to p90 of measured / predicted left out."""
    library, calibration = target.kernels.library, target.calibration
    board = calibration.board_table.get(target.device.name)
    given: Given = "nothing" if not core.boards else "core" if board is None else "board"
    factor, stall = (1.0, 1.0) if board is None else (board.factor, board.stall_factor)
    build = calibration.build_table.get((target.device.name, target.runtime.measured_label))
    factor *= 1.0 if build is None else build.factor
    stall *= calibration.fetch_table.get(library, 1.0)
    low, high = _own_ratios(board) or error_ratios(calibration, library, given)
    source = f"fitted to {core.rows} rows of {core.boards} boards of this core, {_KNOWN[given]}"
    return costs._replace(
        cpi=_around(core.cpi * factor, low, high),
        cycles_per_byte=_around(core.cycles_per_byte * stall, low, high),
        at_clock_hz=None if board is None else board.at_clock_hz,
        stalls_at_clock_hz=None,
        basis=Basis.CALIBRATED if core.boards else Basis.ANALYTIC,
        source=f"{source}; {calibration.date}",
    )


def _own_ratios(board: BoardFit | None) -> tuple[float, float] | None:
    if board is None or board.p10 is None or board.p90 is None:
        return None
    return min(1.0, board.p10), max(1.0, board.p90)


def _of_own_board(costs: CoreCosts, target: Target) -> CoreCosts:
    """The table's costs times the factors of a board that was measured with these kernels."""
    board = target.calibration.board_table.get(target.device.name)
    library = target.kernels.library
    if board is None or library not in board.libraries:
        return costs
    low, high = _own_ratios(board) or error_ratios(target.calibration, library, "board")
    return costs._replace(
        cpi=_around(costs.cpi.value * board.factor, low, high),
        cycles_per_byte=_around(costs.cycles_per_byte.value * board.stall_factor, low, high),
        basis=Basis.CALIBRATED,
        source=f"{costs.source}; fitted to {board.rows} rows of this board, {target.calibration.date}",
    )


def error_ratios(calibration: Calibration, library: str, given: Given) -> tuple[float, float]:
    """p10 and p90 of measured / predicted of rows left out, for the library or for all of them.

    Whoever knows less is never surer: no narrower than with what else is known of the board.
    """
    table = calibration.spread_table
    ends = [(1.0, 1.0)]
    for known in _FROM_MOST_KNOWN[: _FROM_MOST_KNOWN.index(given) + 1]:
        spread = table.get((library, known)) or table.get(("", known))
        if spread is not None:
            ends.append((spread.p10, spread.p90))
        elif known == given:
            ends.append(_NEVER_MEASURED)
    return min(low for low, _ in ends), max(high for _, high in ends)


def _around(value: float, low: float, high: float) -> Spread:
    return Spread(value, value * low, value * high)


def _tabled(target: Target) -> CoreCosts | None:
    """The most specific row for this target."""
    device, build = target.device, target.kernels
    best: dict[str, str] | None = None
    rank = -1
    for row in _table().get(device.core.name, ()):
        if row["library"] not in ("", build.library) or row["device"] not in ("", device.name):
            continue
        specific = 2 * bool(row["device"]) + bool(row["library"])
        if specific > rank:
            best, rank = row, specific
    if best is None:
        return None
    counted = best[build.flavour or "c"] if build.library in _FITTED else best["plain"]
    return _costs(best, counted) if counted else None


def _costs(row: dict[str, str], counted: str) -> CoreCosts:
    is_cached = row["fetch"] == "cached"
    at_clock_hz = float(row["at_clock_hz"]) if row["at_clock_hz"] else None
    return CoreCosts(
        row["core"], counted, _spread(row, "cpi"), is_cached, is_cached, _spread(row, "cycles_per_byte"),
        at_clock_hz, at_clock_hz, float(row["element_factor"]),
        Basis(row["basis"]), row["source"],
    )  # fmt: skip


def _spread(row: dict[str, str], name: str) -> Spread:
    return Spread(float(row[name]), float(row[f"{name}_lo"]), float(row[f"{name}_hi"]))


@lru_cache(maxsize=1)
def _table() -> dict[str, list[dict[str, str]]]:
    rows: dict[str, list[dict[str, str]]] = {}
    with _PATH.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(line for line in file if not line.startswith("#")):
            rows.setdefault(row["core"], []).append(row)
    return rows
