"""How far from measured latencies are ours, where a board was left out of the fit, or all but one network?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import FactsNotFound
from ..calibrate.assemble import spreads_of
from ..calibrate.features import Features
from ..calibrate.holdout import HeldOut, median_of_choices
from ..calibrate.shipped import ShippedFit, fit_shipped
from .latency_esp import esp_claims, esp_lines
from .table import Cell, Claim, ValidationTable

_FEWEST_BOARDS = 3  # with fewer a figure is printed and not called met
_FEWEST_ROWS = 20  # fewer rows say nothing about how many lie inside
_INSIDE = 0.80, 0.07
_COLUMNS = (
    "set",
    "rows",
    "boards",
    "board unseen: median_pct",
    "p90_pct",
    "MACs alone: median_pct",
    "inside",
    "one network given: choices",
    "median_pct ",
    "p90_pct ",
)
_NEW_RELEASES = tuple(f"x-cube-ai@{version}" for version in ("8.1", "9.0", "10.0", "3.0"))


@dataclass(frozen=True, slots=True)
class LatencySet:
    """Rows that a target speaks of.

    Args:
        unseen, given: the largest median and p90 of |error| allowed; None where no target is stated.
    """

    title: str
    holds: Callable[[Features], bool]
    unseen: tuple[float, float | None]
    given: tuple[float, float | None]


_SETS = (
    LatencySet(
        "CMSIS-NN on M4, M33",
        lambda f: f.library == "cmsis-nn" and f.core in ("cortex-m4", "cortex-m33"),
        (0.08, 0.20),
        (0.04, 0.10),
    ),
    LatencySet(
        "CMSIS-NN, MVE on M55, M85",
        lambda f: f.library == "cmsis-nn" and f.core in ("cortex-m55", "cortex-m85"),
        (0.20, None),
        (0.08, None),
    ),
    LatencySet("X-CUBE-AI >= 8.1", lambda f: f.label in _NEW_RELEASES, (0.10, 0.22), (0.04, None)),
)
_OLDER = LatencySet(
    "X-CUBE-AI 7 (no target)",
    lambda f: f.library == "x-cube-ai" and f.label not in _NEW_RELEASES,
    (1.0, None),
    (1.0, None),
)


def latency_tables(
    _facts: Path | None = None, *, only: tuple[str, ...] | None = None
) -> tuple[ValidationTable, ...]:
    """Targets per set, and every row; the rows are in the package, so no folder of facts is needed.

    Raises:
        FactsNotFound: another table was asked for.
    """
    tables = {"latency": latency_table, "latency-rows": rows_table}
    for name in only or ():
        if name not in tables:
            raise FactsNotFound(f"there is no table {name!r}", fix=f"known: {', '.join(tables)}")
    fitted = fit_shipped()
    return tuple(tables[name](fitted) for name in (only or tables))


def latency_table(fitted: ShippedFit) -> ValidationTable:
    """A line per set of rows, the stated targets, and what was left out."""
    lines = [_line(one, fitted) for one in (*_SETS, _OLDER)]
    claims = [claim for one in _SETS for claim in _claims(one, fitted)]
    left_out = dict.fromkeys(f"{row.label}: {row.left_out}" for row in fitted.left_out)
    return ValidationTable(
        "latency",
        "Latency on boards that the fit has not seen, or of which it knows one network",
        _COLUMNS,
        (*lines, *esp_lines()),
        (*claims, *esp_claims(), _coverage(fitted)),
        tuple(left_out),
    )


def rows_table(fitted: ShippedFit) -> ValidationTable:
    """Per core and runtime, and per board: rows, error with the board unseen, share inside, MACs alone."""
    groups: dict[tuple[str, str, str], list[HeldOut]] = {}
    for row in fitted.board_out:
        one = row.features
        groups.setdefault((one.core, one.label, one.device), []).append(row)
    lines = tuple(
        (
            *key,
            len(rows),
            _percent(_median(rows)),
            _percent(_p90(rows)),
            _inside_words(rows, fitted),
            _percent(float(np.median([row.proportional_error for row in rows]))),
        )
        for key, rows in sorted(groups.items())
    )
    columns = (
        "core",
        "runtime",
        "board",
        "rows",
        "median_pct",
        "p90_pct",
        "inside",
        "MACs alone: median_pct",
    )
    return ValidationTable(
        "latency-rows", "The same per core, runtime and board, the board unseen", columns, lines
    )


def is_inside(row: HeldOut, fitted: ShippedFit) -> bool:
    """Whether the row lies between p10 and p90 as the rows of all other boards would have them."""
    others = [one for one in fitted.board_out if one.features.device != row.features.device]
    table = {spread.library: spread for spread in spreads_of(others, ())}
    spread = table.get(row.features.library) or table[""]
    return min(1.0, spread.p10) <= row.ratio <= max(1.0, spread.p90)


def _line(one: LatencySet, fitted: ShippedFit) -> tuple[Cell, ...]:
    unseen = [row for row in fitted.board_out if one.holds(row.features)]
    given = [row for row in fitted.one_given if one.holds(row.features)]
    plain = float(np.median([row.proportional_error for row in unseen]))
    choices = len({(row.features.device, row.given) for row in given})
    return (
        one.title,
        len(unseen),
        _boards(unseen),
        _percent(_median(unseen)),
        _percent(_p90(unseen)),
        _percent(plain),
        _inside_words(unseen, fitted),
        choices,
        _percent(median_of_choices(given, 50)),
        _percent(median_of_choices(given, 90)),
    )


def _claims(one: LatencySet, fitted: ShippedFit) -> Iterator[Claim]:
    unseen = [row for row in fitted.board_out if one.holds(row.features)]
    given = [row for row in fitted.one_given if one.holds(row.features)]
    counted = f"{len(unseen)} rows of {_boards(unseen)} boards"
    is_enough = _boards(unseen) >= _FEWEST_BOARDS
    yield claim(
        f"{one.title}: no row of the board known",
        one.unseen,
        (_median(unseen), _p90(unseen)),
        counted=counted,
        is_enough=is_enough,
    )
    pairs = median_of_choices(given, 50), median_of_choices(given, 90)
    boards = _boards(given)
    yield claim(
        f"{one.title}: one network of the board known",
        one.given,
        pairs,
        counted=f"{len(given)} predictions on {boards} boards",
        is_enough=boards >= _FEWEST_BOARDS,
    )
    plain = float(np.median([row.proportional_error for row in unseen]))
    ours = _median(unseen)
    yield Claim(
        f"{one.title}: MACs x a constant loses clearly (twice the median error)",
        f"{plain:.1%} against {ours:.1%}",
        plain > 2 * ours if is_enough else None,
    )


def claim(
    text: str,
    most: tuple[float, float | None],
    reached: tuple[float | None, float | None],
    *,
    counted: str,
    is_enough: bool,
) -> Claim:
    """A target on median and p90; reported only where there are too few boards."""
    (median, p90), (most_median, most_p90) = reached, most
    if median is None or p90 is None:
        return Claim(text, f"no prediction ({counted})", None)
    wanted = f"median <= {most_median:.0%}" + (f", p90 <= {most_p90:.0%}" if most_p90 else "")
    is_met = median <= most_median and (most_p90 is None or p90 <= most_p90)
    few = "" if is_enough else ", fewer than three boards"
    return Claim(
        f"{text}: {wanted}", f"{median:.1%}, {p90:.1%} ({counted}{few})", is_met if is_enough else None
    )


def _coverage(fitted: ShippedFit) -> Claim:
    rows = fitted.board_out
    inside = sum(is_inside(row, fitted) for row in rows)
    share, (wanted, off) = inside / len(rows), _INSIDE
    text = "pooled rows of unseen boards between p10 and p90 of the other boards: 80 % +- 7 %"
    is_met = abs(share - wanted) <= off if len(rows) >= _FEWEST_ROWS else None
    return Claim(text, f"{inside} of {len(rows)} ({share:.1%})", is_met)


def _inside_words(rows: Sequence[HeldOut], fitted: ShippedFit) -> str:
    return f"{sum(is_inside(row, fitted) for row in rows)} / {len(rows)}"


def _boards(rows: Sequence[HeldOut]) -> int:
    return len({row.features.device for row in rows})


def _median(rows: Sequence[HeldOut]) -> float:
    return float(np.median([row.error for row in rows]))


def _p90(rows: Sequence[HeldOut]) -> float:
    return float(np.percentile([row.error for row in rows], 90))


def _percent(fraction: float | None) -> float | None:
    return None if fraction is None else round(100 * fraction, 1)
