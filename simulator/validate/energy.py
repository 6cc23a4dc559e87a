"""How far from measured energies are ours? Per board, supply and runtime: a point given, none, end to end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from ...devices.catalog import load_device
from ...devices.power import PowerSpec
from ...errors import DeviceUnknown, FactsNotFound
from ..energy import energy_at
from ..interval import Interval, exact, unknown
from ..power import Spreads, active_power_w, shipped_spreads
from .energy_checks import check_claims, network_claims
from .energy_rows import MLPERF, EnergyRow, Groups, Point, energy_rows, spec_of, used_groups
from .energy_simulated import simulated_j
from .facts import Facts, find_facts
from .loads import datasheet_only, load_without
from .st_zoo import quantile
from .table import Cell, Claim, ValidationTable

ONE_GIVEN, NONE_GIVEN, FEWEST_BOARDS = 0.06, 0.25, 3
_COLUMNS = (
    "board", "supply", "runtime", "boundary", "rows", "power_mw", "one_given_median_pct", "one_given_p90_pct",
    "point_unseen_median_pct", "board_unseen_median_pct", "end_to_end_median_pct", "latency_median_pct",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Compared:
    """One row with what we say of it."""

    row: EnergyRow
    predicted: Interval

    @property
    def error(self) -> float | None:
        """|predicted / measured - 1|; None where we say unknown."""
        value = self.predicted.value
        return None if value is None else abs(value / self.row.energy_j - 1)


def energy_tables(
    folder: Path | None = None, *, only: tuple[str, ...] | None = None
) -> tuple[ValidationTable, ...]:
    """The one table of this topic; models of the folder, where there is one, make the end-to-end columns.

    Raises:
        FactsNotFound: the folder that was given does not exist, or there is no such table.
    """
    for name in only or ():
        if name != "energy":
            raise FactsNotFound(f"there is no table {name!r}", fix="known: energy")
    return (energy_table(_facts_if_any(folder)),)


def _facts_if_any(folder: Path | None) -> Facts | None:
    try:
        return find_facts(folder)
    except FactsNotFound:
        if folder is not None:
            raise
        return None


def energy_table(facts: Facts | None) -> ValidationTable:
    """A line per operating point, the stated targets, and what was left out."""
    groups = used_groups()
    simulated = {point: simulated_j(point, rows, facts) for point, rows in groups.items()}
    lines = [
        (*_head(point, rows), *_errors_of(groups, point), *simulated[point].cells)
        for point, rows in groups.items()
    ]
    left_out = dict.fromkeys(f"{row.point.device}: {row.left_out}" for row in energy_rows() if row.left_out)
    return ValidationTable(
        "energy", "Energy per inference given the measured latency; end to end with the predicted one beside",
        _COLUMNS, tuple(lines),
        (*_target_claims(groups), _coverage_claim(groups), *network_claims(groups), *check_claims()),
        tuple(left_out),
    )  # fmt: skip


def one_given(groups: Groups, point: Point) -> Iterator[Compared]:
    """Each row of a point predicted from each other row of it alone."""
    for given in groups[point]:
        known = spec_of({point: [given]})
        yield from (compare(row, known) for row in groups[point] if row is not given)


def point_unseen(groups: Groups, point: Point) -> Iterator[Compared]:
    """Each row predicted from the board's other operating points."""
    known = spec_of({p: rows for p, rows in groups.items() if p != point and p.device == point.device})
    yield from (compare(row, known) for row in groups[point])


def board_unseen(groups: Groups, point: Point) -> Iterator[Compared]:
    """Each row predicted from the datasheet and the load that other boards show."""
    try:
        known = datasheet_only(load_device(point.device).power)
    except DeviceUnknown:
        known = None
    load = {"load": load_without(point.device)}
    yield from (compare(row, known, load) for row in groups[point])


def compare(row: EnergyRow, known: PowerSpec | None, spreads: Spreads | None = None) -> Compared:
    """The energy of this row's measured time at the power that `known` says."""
    if known is None or known.boundary != row.point.boundary:
        return Compared(row, unknown(f"nothing else is known of the power of {row.point.device}"))
    steps = {**shipped_spreads(), **(spreads or {})}
    watts = active_power_w(known, row.point.asked, steps)
    return Compared(row, energy_at(exact(row.latency_s, row.source), watts))


def _head(point: Point, rows: list[EnergyRow]) -> tuple[Cell, ...]:
    watts = median(row.power_w for row in rows)
    supply = "not stated" if point.supply is None else str(point.supply)
    return (point.device, supply, point.runtime, point.boundary, len(rows), round(watts * 1e3, 2))


def _errors_of(groups: Groups, point: Point) -> tuple[Cell, ...]:
    given = errors(one_given(groups, point))
    return (
        _percent(given, 0.5), _percent(given, 0.9), _percent(errors(point_unseen(groups, point)), 0.5),
        _percent(errors(board_unseen(groups, point)), 0.5),
    )  # fmt: skip


def errors(compared: Iterable[Compared]) -> list[float]:
    """|error| of what is not unknown, ascending."""
    return sorted(one.error for one in compared if one.error is not None)


def _percent(ascending: list[float], fraction: float) -> Cell:
    return round(100 * quantile(ascending, fraction), 1) if ascending else "unknown"


def _target_claims(groups: Groups) -> Iterator[Claim]:
    """The stated targets, over the rows of MLPerf Tiny."""
    points = [point for point, rows in groups.items() if rows[0].source.startswith(MLPERF)]
    given = [one for point in points for one in one_given(groups, point)]
    yield _claim("one measured point of that board, supply and runtime: median <= 6 %", given, ONE_GIVEN)
    other = [one for point in points for one in point_unseen(groups, point)]
    yield _claim("no point of that board, supply and runtime: median <= 25 %", other, NONE_GIVEN)
    unseen = [one for point in points for one in board_unseen(groups, point)]
    yield _claim("no measured point of that board: median <= 25 %", unseen, NONE_GIVEN)


def _claim(text: str, compared: list[Compared], most: float) -> Claim:
    """Met only where at least three boards are predicted."""
    found = errors(compared)
    boards = {one.row.point.device for one in compared if one.error is not None}
    without = {one.row.point.device for one in compared} - boards
    reached = f"median {_percent(found, 0.5)} %, p90 {_percent(found, 0.9)} % ({len(found)} predictions, "
    reached += f"{len(boards)} boards: {', '.join(sorted(boards))})"
    if without:
        reached += f"; unknown for {', '.join(sorted(without))}: no datasheet figure"
    enough = len(boards) >= FEWEST_BOARDS
    if not enough:
        reached += "; too few boards to call it met"
    return Claim(text, reached, bool(found) and quantile(found, 0.5) <= most if enough else None)


def _coverage_claim(groups: Groups) -> Claim:
    """Another network at a known point, with the interval that the other boards' rows suggest."""
    inside = total = 0
    for point, rows in groups.items():
        lo, hi = _network_ends(groups, point.device)
        for row in rows:
            rest = [other.power_w for other in rows if other is not row]
            if rest:
                total += 1
                inside += lo <= row.power_w / median(rest) <= hi
    share = inside / total
    return Claim("80 % +- 7 % of left-out networks lie in the p10..p90 fitted on the other boards",
                 f"{inside} of {total} ({100 * share:.0f} %)", 0.73 <= share <= 0.87)  # fmt: skip


def _network_ends(groups: Groups, without: str) -> tuple[float, float]:
    ratios = sorted(
        row.power_w / median(other.power_w for other in rows if other is not row)
        for point, rows in groups.items() if point.device != without and len(rows) > 1
        for row in rows
    )  # fmt: skip
    return quantile(ratios, 0.1), quantile(ratios, 0.9)
