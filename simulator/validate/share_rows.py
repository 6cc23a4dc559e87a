"""What share of the time do op kinds take: measured, ours, ours with the op held out?"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from ...devices.units import parse_hz, parse_s
from ..calibrate.features import Features, meant_rows, row_target
from ..calibrate.fit import Fit
from ..calibrate.networks import measured_network
from ..calibrate.op_factors import LABELS, OPS, class_factors, class_of, cycles_with, op_features
from ..calibrate.rows import MeasuredRow, read_rows
from ..calibrate.shipped import MEASURED
from ..columns import KernelTable
from ..latency import kernel_cycles
from ..work_graph import work_graph
from ..workload import compile_table

Key = tuple[str, str, str]  # device, runtime, network
Seconds = dict[str, float]  # op kind -> seconds


@dataclass(frozen=True, slots=True)
class Shares:
    """One network on one board: seconds per op kind of the ops that were measured."""

    key: Key
    measured: Seconds
    ours: Seconds
    ops: int

    @property
    def largest_points(self) -> float:
        """The largest difference of a share, in points."""
        return max(abs(self.points(kind)) for kind in self.measured)

    def points(self, kind: str) -> float:
        """Our share less the measured one, in points."""
        return 100 * (share(self.ours, kind) - share(self.measured, kind))


def share(seconds: Mapping[str, float], kind: str) -> float:
    return seconds[kind] / sum(seconds.values())


@lru_cache(maxsize=1)
def op_rows() -> tuple[MeasuredRow, ...]:
    """All measured single ops in the package."""
    rows = (*read_rows(MEASURED / "latency.csv"), *read_rows(OPS), *_esp_rows())
    return tuple(row for row in rows if row.op and not row.left_out)


def _esp_rows() -> Iterable[MeasuredRow]:
    with (MEASURED / "esp.csv").open(newline="", encoding="utf-8") as file:
        for raw in csv.DictReader(line for line in file if not line.startswith("#")):
            if raw["op"]:
                yield MeasuredRow(
                    0, raw["device"], raw["runtime"], raw["network"], parse_s(raw["latency"]),
                    parse_hz(raw["clock"]), op=raw["op"], source=raw["source"], left_out=raw["left_out"],
                )  # fmt: skip


def shares() -> dict[Key, Shares]:
    """Per board, runtime and network, with what this version says."""
    groups: dict[Key, list[MeasuredRow]] = {}
    for row in op_rows():
        groups.setdefault((row.device, row.runtime, row.network), []).append(row)
    return {key: _shares(key, rows) for key, rows in groups.items()}


def _shares(key: Key, rows: list[MeasuredRow]) -> Shares:
    target = replace(row_target(rows[0]), own_calibration=None)
    table = compile_table(work_graph(measured_network(key[2]), target), target.kernels)
    cycles = kernel_cycles(table, target).value
    measured, ours = Seconds(), Seconds()
    for row in rows:
        kind = _kind(table, row.op)
        measured[kind] = measured.get(kind, 0.0) + row.latency_s
        predicted = float(cycles[meant_rows(table, row.op)].sum()) / target.clock_hz
        ours[kind] = ours.get(kind, 0.0) + predicted
    return Shares(key, measured, ours, len(rows))


def _kind(table: KernelTable, op: str) -> str:
    return table.ops[int(op)].kind if op.isdigit() else op


Cycles = Callable[[Features, Sequence[Features], Fit], float]


def other_shares(cycles: Cycles, fit: Fit) -> Shares:
    """The same for the runtime whose kernel factors are fitted to its ops, priced in another way.

    Args:
        cycles: of one op, given all of them.
    """
    (label,) = LABELS
    own = [one for one in op_features() if one.label == label]
    measured, ours = Seconds(), Seconds()
    for one in own:
        kind = _kind(one.table, one.row.op)
        measured[kind] = measured.get(kind, 0.0) + one.row.latency_s
        ours[kind] = ours.get(kind, 0.0) + cycles(one, own, fit) / one.target.clock_hz
    return Shares((own[0].device, label, own[0].row.network), measured, ours, len(own))


def counted_cycles(one: Features, _rows: Sequence[Features], fit: Fit) -> float:
    """One op as if its kernel were the one that was counted."""
    return cycles_with(one, (1.0, 1.0), fit)


def held_out_cycles(one: Features, rows: Sequence[Features], fit: Fit) -> float:
    """One op, its class fitted to ops of other shapes; its kernel as counted where there are none."""
    others = [
        row for row in rows
        if class_of(row) == class_of(one) and dict(row.instructions) != dict(one.instructions)
    ]  # fmt: skip
    return cycles_with(one, class_factors(others, fit), fit)
