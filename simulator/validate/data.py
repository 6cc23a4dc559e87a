"""How far from the rows of a CSV of measurements are we? Per core and runtime, as `check` would say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import median

import numpy as np

from ...devices.calibration import Calibration
from ...errors import PreflashError
from ..calibrate.own import OwnFit, OwnRow
from ..calibrate.predict import Predicted, predict
from ..calibrate.rows import read_rows
from .table import Cell, ValidationTable


def data_table(path: Path, calibration: Calibration | None = None) -> ValidationTable:
    """Rows, median and p90 of |error|, how many lie between p10 and p90, and MACs x a constant beside it.

    Raises:
        MeasuredRowsInvalid: the file has faults.
    """
    groups: dict[tuple[str, str], list[Predicted]] = {}
    left_out = []
    for row in read_rows(path):
        if row.left_out:
            left_out.append(f"line {row.line} {row.label}: {row.left_out}")
            continue
        try:
            one = predict(row, calibration, folder=path.parent)
        except PreflashError as error:
            left_out.append(f"line {row.line} {row.label}: {error}")
            continue
        groups.setdefault((one.target.device.core.name, one.target.runtime.label), []).append(one)
    lines = tuple((*key, *_cells(rows)) for key, rows in sorted(groups.items()))
    columns = (
        "core",
        "runtime",
        "rows",
        "boards",
        "median_pct",
        "p90_pct",
        "inside",
        "MACs alone: median_pct",
    )
    return ValidationTable(
        path.name,
        f"Our latency against the rows of {path.name}; MACs alone: a constant from the other rows",
        columns,
        lines,
        left_out=tuple(left_out),
    )


def own_table(fit: OwnFit) -> ValidationTable:
    """A line per row of a user's own measurements: before, after, and predicted from the others."""
    lines = tuple(_own_line(row) for row in fit.rows)
    columns = (
        "board",
        "runtime",
        "network",
        "measured_ms",
        "before_ms",
        "before_pct",
        "after_ms",
        "after_pct",
        "from the others_pct",
    )
    return ValidationTable(
        "calibrate",
        "Your rows before and after; the last column is predicted from your other networks",
        columns,
        lines,
        left_out=tuple(f"line {row.line} {row.label}: {row.left_out}" for row in fit.left_out),
    )


def _own_line(row: OwnRow) -> tuple[Cell, ...]:
    one = row.before
    hz = one.target.clock_hz
    held = None if row.from_others is None else _percent(row.from_others.error)
    return (
        one.target.device.name,
        one.target.runtime.label,
        one.row.network,
        _ms(one.row.latency_s),
        _ms(one.value / hz),
        _percent(one.error),
        _ms(row.after.value / hz),
        _percent(row.after.error),
        held,
    )


def _cells(rows: Sequence[Predicted]) -> tuple[Cell, ...]:
    errors = [one.error for one in rows]
    plain = _proportional(rows)
    return (
        len(rows),
        len({one.target.device.name for one in rows}),
        _percent(median(errors)),
        _percent(float(np.percentile(errors, 90))),
        f"{sum(one.is_inside for one in rows)} / {len(rows)}",
        _percent(median(plain)) if plain else None,
    )


def _proportional(rows: Sequence[Predicted]) -> list[float]:
    """|error| of MACs x the median cycles per MAC of the group's other rows."""
    found = []
    for one in rows:
        others = [o.measured_cycles / o.macs for o in rows if o is not one and o.macs]
        if others and one.macs:
            found.append(abs(one.macs * median(others) / one.measured_cycles - 1))
    return found


def _percent(fraction: float) -> float:
    return round(100 * fraction, 1)


def _ms(seconds: float) -> float:
    return float(f"{seconds * 1e3:.4g}")
