"""What do we say of a measured row: the same figures as `check`, for the ops that were measured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ...devices.calibration import Calibration
from ...devices.target import Target
from ...errors import PreflashError
from ...graphs.static_shapes import with_static_shapes
from ..latency import kernel_cycles
from ..work_graph import work_graph
from ..workload import compile_table
from .features import meant_rows, row_target
from .networks import measured_network
from .rows import MeasuredRow


@dataclass(frozen=True, slots=True)
class Predicted:
    """One row, measured and predicted, in cycles of the row's clock.

    Args:
        compute_cycles: the part of `value` that the core itself takes; the rest waits for memories.
        low, high: p10 and p90.
    """

    row: MeasuredRow
    target: Target
    value: float
    low: float
    high: float
    compute_cycles: float
    macs: float

    @property
    def measured_cycles(self) -> float:
        return self.row.latency_s * self.target.clock_hz

    @property
    def error(self) -> float:
        """|predicted / measured - 1|."""
        return abs(self.value / self.measured_cycles - 1)

    @property
    def is_inside(self) -> bool:
        return self.low <= self.measured_cycles <= self.high


def predict(row: MeasuredRow, calibration: Calibration | None, *, folder: Path | None = None) -> Predicted:
    """The prediction with this calibration; None is what ships.

    Raises:
        PreflashError: board, runtime or network are not there, or nobody can price them.
    """
    target = replace(row_target(row), own_calibration=calibration)
    solved = with_static_shapes(measured_network(row.network, folder))
    table = compile_table(work_graph(solved, target), target.kernels)
    cycles = kernel_cycles(table, target)
    meant = meant_rows(table, row.op)
    if not meant.any():
        raise PreflashError(f"the network has no op {row.op!r}", where=row.label)
    if np.isnan(cycles.value[meant]).any():
        reasons = dict.fromkeys(cycles.reason[i] for i in np.flatnonzero(meant & np.isnan(cycles.value)))
        raise PreflashError(f"no price: {'; '.join(reasons)}", where=row.label)
    value, low, high, compute, macs = (
        float(np.nansum(column[meant]))
        for column in (cycles.value, cycles.lo, cycles.hi, cycles.compute_cycles, table.macs)
    )
    return Predicted(row, target, value, low, high, compute, macs)
