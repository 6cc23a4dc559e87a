"""What does a measured row tell the fit: instructions by kernel class, fetched bytes, waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ...devices.calibration import UNFITTED
from ...devices.catalog import load_target
from ...devices.target import Target
from ...errors import PreflashError
from ...graphs.static_shapes import with_static_shapes
from ..columns import KernelTable
from ..kernels.class_cpi import class_cpi
from ..kernels.classes import kernel_classes
from ..kernels.cores import core_costs
from ..kernels.instructions import count_instructions, firmware_of
from ..placing.words import parse_placement
from ..stalls import arena_stalls, fetched_weights, weight_stalls
from ..traffic import kernel_traffic
from ..work_graph import work_graph
from ..workload import compile_table
from .networks import measured_network
from .rows import MeasuredRow

Part = tuple[str, str]  # kernel class; "loops" and "rest", or "all"
SPLIT = frozenset({"conv", "conv1x1", "depthwise"})  # whose inner loops have a factor of their own


@dataclass(frozen=True, slots=True)
class Features:
    """One row as the fit sees it: cycles = cpi x sum(factor x instructions) + per byte x bytes + waits.

    Args:
        instructions: kernel class and part of it -> instructions of the row's ops, compiled as the row says,
            a kernel class that waits more per instruction counted that much higher.
        fetched_bytes: weight bytes, times wait states at the row's clock over those at the part's highest.
        waits_cycles: what the stall model says for memories that are no home of this board's fits.
        macs: of the row's ops; what a MAC-proportional model takes.
    """

    row: MeasuredRow
    target: Target
    table: KernelTable
    instructions: Mapping[Part, float]
    fetched_bytes: float
    waits_cycles: float
    macs: float

    @property
    def measured_cycles(self) -> float:
        return self.row.latency_s * self.target.clock_hz

    @property
    def core(self) -> str:
        return self.target.device.core.name

    @property
    def device(self) -> str:
        return self.target.device.name

    @property
    def library(self) -> str:
        return self.target.kernels.library

    @property
    def label(self) -> str:
        return self.target.runtime.label


def row_target(row: MeasuredRow) -> Target:
    """The target that a row was measured on.

    Raises:
        PreflashError: there is no such board, runtime, clock or placement.
    """
    target = replace(load_target(row.device, row.runtime or None, row.clock_hz), own_calibration=UNFITTED)
    if row.flags is not None:
        code = target.runtime.code.model_copy(update={"flags": row.flags})
        target = replace(target, runtime=target.runtime.model_copy(update={"code": code}))
    return target.placed(parse_placement(target, row.place)) if row.place else target


def row_features(row: MeasuredRow, *, folder: Path | None = None) -> Features:
    """The features of a row.

    Raises:
        PreflashError: board, runtime or network are not there, or a kernel of it has no price.
    """
    target = row_target(row)
    solved = with_static_shapes(measured_network(row.network, folder))
    table = compile_table(work_graph(solved, target), target.kernels)
    costs = core_costs(target)
    if costs is None:
        raise PreflashError(f"no cost model for {target.device.core.name}", where=row.label)
    counted = count_instructions(table, costs, firmware_of(target))
    meant = meant_rows(table, row.op)
    if not meant.any():
        raise PreflashError(f"the network has no op {row.op!r}", where=row.label)
    if np.isnan(counted.value[meant]).any():
        lost = [op.label for op, value in zip(table.ops, counted.value, strict=True) if value != value]
        raise PreflashError(f"no price for {', '.join(dict.fromkeys(lost))}", where=row.label)
    traffic = kernel_traffic(table, target)
    unit = costs._replace(cycles_per_byte=costs.cycles_per_byte._replace(value=1.0, lo=1.0, hi=1.0))
    streamed = fetched_weights(table, target, traffic, costs)
    fetched = weight_stalls(table, target, traffic, costs=unit, fetched=streamed).value
    waits = arena_stalls(table, target, traffic).value
    slower = class_cpi(table, target)
    by_part: dict[Part, float] = {}
    for index in np.flatnonzero(meant):
        name, count = kernel_classes(table)[index], float(counted.value[index] * slower[index])
        inner = float(counted.loops[index] * slower[index])
        parts = {"loops": inner, "rest": count - inner} if name in SPLIT else {"all": count}
        for part, amount in parts.items():
            by_part[name, part] = by_part.get((name, part), 0.0) + amount
    return Features(row, target, table, by_part, float(fetched[meant].sum()), float(waits[meant].sum()),
                    float(np.nansum(table.macs[meant])))  # fmt: skip


def meant_rows(table: KernelTable, op: str) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Which rows of the table a measurement is of: all, those of an op kind, or one index."""
    if not op:
        return np.ones(len(table), dtype=bool)
    return np.array([op in (one.kind, str(one.index)) for one in table.ops], dtype=bool)
