"""What an instruction and a fetched weight byte cost on a core: cycles, with how they are known."""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from ...devices.target import Target
from ..interval import Basis

_PATH = Path(__file__).parents[1] / "data" / "cores.csv"


class Spread(NamedTuple):
    """A figure and the interval it lies in."""

    value: float
    lo: float
    hi: float


class CoreCosts(NamedTuple):
    """The costs of one core; `counted` names the core whose instruction counts are used."""

    core: str
    counted: str
    cpi: Spread
    is_cached: bool
    cycles_per_byte: Spread
    at_clock_hz: float | None
    element_factor: float
    basis: Basis
    source: str


def core_costs(target: Target) -> CoreCosts | None:
    """The most specific row for this target; None where no cost model covers its core."""
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
    counted = best["plain"] if build.library != "cmsis-nn" else best[build.flavour or "c"]
    return _costs(best, counted) if counted else None


def _costs(row: dict[str, str], counted: str) -> CoreCosts:
    return CoreCosts(
        row["core"], counted, _spread(row, "cpi"), row["fetch"] == "cached", _spread(row, "cycles_per_byte"),
        float(row["at_clock_hz"]) if row["at_clock_hz"] else None, float(row["element_factor"]),
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
