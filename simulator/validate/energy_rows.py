"""Which energies did others measure, at which operating point? Rows of the file that the package ships."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from statistics import median

from ...devices.operating_point import Asked
from ...devices.power import PowerPoint, PowerSpec
from ...devices.supply import Supply, parse_supply
from ...devices.units import parse_hz, parse_j, parse_s

PATH = Path(__file__).parents[1] / "data" / "measured" / "energy.csv"
MLPERF = "MLPerf Tiny"


@dataclass(frozen=True, slots=True)
class Point:
    """One operating point: a board with a runtime at a clock and a supply (None: nobody says)."""

    device: str
    runtime: str
    clock_hz: float
    supply: Supply | None
    boundary: str

    @property
    def asked(self) -> Asked:
        return Asked(self.clock_hz, self.supply, self.runtime)

    @property
    def runtime_name(self) -> str:
        """Without the release."""
        return self.runtime.partition("@")[0]


@dataclass(frozen=True, slots=True)
class EnergyRow:
    """One measured inference. `left_out` says why it stands in no comparison."""

    point: Point
    network: str
    latency_s: float
    energy_j: float
    source: str
    left_out: str

    @property
    def power_w(self) -> float:
        return self.energy_j / self.latency_s


Groups = dict[Point, list[EnergyRow]]


@lru_cache(maxsize=4)
def energy_rows(path: Path = PATH) -> tuple[EnergyRow, ...]:
    """All rows of the file, those left out too."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return tuple(_row(row) for row in rows)


def _row(row: dict[str, str]) -> EnergyRow:
    supply = parse_supply(f"{row['supply']} {row['regulator']}") if row["supply"] else None
    point = Point(row["device"], row["runtime"], parse_hz(row["clock"]), supply, row["boundary"])
    return EnergyRow(
        point, row["network"], parse_s(row["latency"]), parse_j(row["energy"]), row["source"], row["left_out"]
    )


def grouped(rows: Iterable[EnergyRow]) -> Groups:
    """Operating point -> its rows, in the file's order."""
    groups: Groups = {}
    for row in rows:
        groups.setdefault(row.point, []).append(row)
    return groups


def used_groups(path: Path = PATH) -> Groups:
    """The rows that comparisons use."""
    return grouped(row for row in energy_rows(path) if not row.left_out)


def spec_of(groups: Groups) -> PowerSpec | None:
    """A power block as a user would write it who knows these rows only: per point the median of its rows."""
    points = [_point(point, rows) for point, rows in groups.items()]
    if not points:
        return None
    return PowerSpec.model_validate({**points[0], "point": [PowerPoint.model_validate(p) for p in points]})


def _point(point: Point, rows: list[EnergyRow]) -> dict[str, object]:
    watts = median(row.power_w for row in rows)
    found: dict[str, object] = {
        "active": f"{watts * 1e6:.6f} uW", "at_clock": f"{point.clock_hz:.0f} Hz", "runtime": point.runtime,
        "boundary": point.boundary, "source": f"{len(rows)} rows of energy.csv", "confidence": "measured",
    }  # fmt: skip
    if point.supply is not None:
        found |= {"supply": f"{point.supply.volts:.6g} V", "regulator": point.supply.regulator}
    return found
