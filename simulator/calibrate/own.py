"""What do a user's own measurements of a board say of it, beyond what ships?

    cycles = a compute + b waits

a and b are the board's: those with the smallest sum of ((log measured - log predicted) / noise)^2 +
(log a / spread)^2 + (log b / 0.4)^2. With one row mostly a moves; the spread is that of the interval before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import exp, log
from pathlib import Path
from statistics import mode

import numpy as np

from ...devices.calibration import BoardFit, Calibration, shipped_calibration
from ...errors import MeasuredRowsInvalid, PreflashError
from ..kernels.cores import error_ratios
from .assemble import rounded
from .predict import Predicted, predict
from .rows import MeasuredRow

_NOISE = 0.05  # of one row against its board: median |error| with one network known (validate latency)
_STALL_SPREAD = 0.4
_P10_TO_P90 = 2.563  # standard deviations between p10 and p90 of a normal distribution
_LEAST_SPREAD = 0.03
_STEPS = 40
_WEIGHT, _FEWEST_OWN = 3, 2  # rows that the usual spread counts for; own errors needed to change it


@dataclass(frozen=True, slots=True)
class OwnRow:
    """One row: before, after, and predicted from the other rows (None with one network)."""

    before: Predicted
    after: Predicted
    from_others: Predicted | None


@dataclass(frozen=True, slots=True)
class OwnFit:
    """The calibration of one or more boards, and how it does on its rows."""

    calibration: Calibration
    rows: tuple[OwnRow, ...]
    left_out: tuple[MeasuredRow, ...]


def fit_own(
    rows: Sequence[MeasuredRow], *, folder: Path | None = None, base: Calibration | None = None
) -> OwnFit:
    """What these rows say of their boards.

    Args:
        folder: model files are relative to it.
        base: what is known before; None is what ships.

    Raises:
        MeasuredRowsInvalid: rows that nobody can price, or none to fit; all of them are in `.faults`.
    """
    known = base or shipped_calibration()
    used = [row for row in rows if not row.left_out]
    before = _predictions(used, known, folder)
    held = [_from_others(one, before, known, folder) for one in before]
    fits = _of_boards(before, known)
    boards = tuple(_with_own_ratios(fit, before, held) for fit in fits.boards)
    own = fits.model_copy(update={"boards": boards})
    after = _predictions(used, known.overlaid(own), folder)
    found = tuple(OwnRow(*three) for three in zip(before, after, held, strict=True))
    return OwnFit(own, found, tuple(row for row in rows if row.left_out))


def _from_others(
    one: Predicted, rows: Sequence[Predicted], known: Calibration, folder: Path | None
) -> Predicted | None:
    """The row predicted from the board's other networks alone; None if there are none."""
    others = [p for p in rows if _board(p) == _board(one) and p.row.network != one.row.network]
    if not others:
        return None
    return predict(one.row, known.overlaid(_of_boards(others, known)), folder=folder)


def _with_own_ratios(fit: BoardFit, rows: Sequence[Predicted], held: Sequence[Predicted | None]) -> BoardFit:
    """p10 and p90 of this board: the spread of any measured board, and its own rows' errors as they come in.

    variance = (3 x that of measured boards + sum of squared log errors from the others) / (3 + rows).
    """
    errors = [
        log(one.measured_cycles / one.value)
        for one in held if one is not None and _board(one) == fit.device
    ]  # fmt: skip
    if len(errors) < _FEWEST_OWN:
        return fit
    one = next(row for row in rows if _board(row) == fit.device)
    low, high = error_ratios(shipped_calibration(), one.target.kernels.library, "board")
    usual = log(high / low) / _P10_TO_P90
    variance = (_WEIGHT * usual**2 + sum(e**2 for e in errors)) / (_WEIGHT + len(errors))
    reach = variance**0.5 * _P10_TO_P90 / 2
    return fit.model_copy(update={"p10": rounded(exp(-reach)), "p90": rounded(exp(reach))})


def _predictions(rows: Sequence[MeasuredRow], known: Calibration, folder: Path | None) -> list[Predicted]:
    found, faults = [], []
    for row in rows:
        try:
            found.append(predict(row, known, folder=folder))
        except PreflashError as error:
            faults.append(f"line {row.line}: {error}")
    faults += [f"line {p.row.line}: {p.target.runtime.name} has no board factor to fit" for p in found
               if p.target.kernels.library not in CALIBRATED_LIBRARIES]  # fmt: skip
    if faults or not found:
        fix = 'correct the rows, or give the reason in a column "left_out"'
        raise MeasuredRowsInvalid("nothing to fit", faults=faults or ["every row is left out"], fix=fix)
    return found


CALIBRATED_LIBRARIES = frozenset({"cmsis-nn", "x-cube-ai", "reference", "esp-nn"})


def _board(one: Predicted) -> str:
    return one.target.device.name


def _of_boards(rows: Sequence[Predicted], known: Calibration) -> Calibration:
    boards = []
    for device in dict.fromkeys(_board(one) for one in rows):
        own = [one for one in rows if _board(one) == device]
        earlier = known.board_table.get(device)
        factor, stall = _factors(own)
        libraries = {one.target.kernels.library for one in own}
        libraries |= set(earlier.libraries) if earlier else set()
        boards.append(BoardFit.model_construct(
            device=device, factor=rounded(factor * (earlier.factor if earlier else 1.0)),
            stall_factor=rounded(stall * (earlier.stall_factor if earlier else 1.0)),
            at_clock_hz=mode(one.target.clock_hz for one in own),
            libraries=tuple(sorted(libraries)),
            rows=len(own) + (earlier.rows if earlier else 0),
        ))  # fmt: skip
    today = datetime.now(tz=UTC).date().isoformat()
    return Calibration.model_construct(
        date=today, sources=("own measurements",), boards=tuple(boards), builds=(), cores=(), kernels=(),
        fetches=(), spreads=(),
    )  # fmt: skip


def _factors(rows: Sequence[Predicted]) -> tuple[float, float]:
    """(a, b) of the formula above, by Gauss-Newton on their logs."""
    compute = np.array([one.compute_cycles for one in rows])
    waits = np.array([max(0.0, one.value - one.compute_cycles) for one in rows])
    measured = np.log([one.measured_cycles for one in rows])
    spread = max(_LEAST_SPREAD, log(rows[0].high / rows[0].low) / _P10_TO_P90)
    prior = np.diag([1 / spread**2, 1 / _STALL_SPREAD**2])
    logs = np.zeros(2)
    for _ in range(_STEPS):
        parts = np.stack([exp(logs[0]) * compute, exp(logs[1]) * waits], axis=1)
        total = parts.sum(axis=1)
        slope, miss = parts / total[:, None] / _NOISE, (measured - np.log(total)) / _NOISE
        logs = logs + np.linalg.solve(slope.T @ slope + prior, slope.T @ miss - prior @ logs)
    return exp(logs[0]), exp(logs[1])
