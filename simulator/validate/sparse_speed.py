"""How far from published latencies of sparse networks are ours, and do two rates per machine explain them?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ...graphs.ir import ModelGraph
from ..kernels.spmm import nonzero_macs
from ..neon_routes import SPARSE
from ..workload import compile_table
from .sparse_fit import predicted, ratios, sparse_points
from .sparse_rows import DENSE, SparseRow, all_sparse_rows, sparse_rows
from .sparse_rows import SPARSE as SPARSE_RUNTIME
from .table import Claim, ValidationTable

_FLOP_TOLERANCE, _LATENCY_TOLERANCE = 0.025, 0.10


class Rates(NamedTuple):
    """FLOP per second of one machine, from one dense and one sparse network."""

    dense: float
    sparse: float

    @property
    def efficiency(self) -> float:
        """Of a sparse FLOP against a dense one."""
        return self.sparse / self.dense

    @property
    def break_even(self) -> float:
        """The share of zeros from which sparse products take less time: 1 - sparse / dense."""
        return 1 - self.efficiency


def sparse_table() -> ValidationTable:
    """Sparse networks on phones: what litert-xnnpack-sparse is said to take, also with the row left out."""
    points = sparse_points()
    alone = ratios(points, range(len(points)))
    other_core = ratios(points, [point.core for point in points])
    away = [1 / ratio - 1 for ratio in alone]
    lines, inside = [], 0
    for point, error in zip(points, away, strict=True):
        row, ours = point.row, predicted(point.row)
        lo_s, hi_s = ours.lo or 0.0, ours.hi or 0.0
        inside += lo_s <= row.latency_s <= hi_s
        lines.append((
            row.device, row.network, row.sparsity, _ms(row.latency_s), _ms(ours.value or 0.0), _ms(lo_s),
            _ms(hi_s), _percent(_off(ours.value or 0.0, row.latency_s)), _percent(error),
        ))  # fmt: skip
    within = sum(abs(error) <= _LATENCY_TOLERANCE for error in away)
    return ValidationTable(
        "sparse", "networks with sparse 1x1 convolutions: predicted and published latency",
        ("device", "network", "zeros", "published ms", "ours ms", "lo ms", "hi ms", "off %",
         "left out: off %"),
        tuple(lines),
        (Claim("rows left out of the fit: within 10 %", f"{within} of {len(away)}", within == len(away)),
         Claim("rows of one core from those of the other: largest",
               f"{_percent(max(abs(1 / r - 1) for r in other_core))} %", None),
         Claim("rows inside their interval", f"{inside} of {len(points)}", None)),
        tuple(f"{r.network} at {r.sparsity:.0%}: {r.left_out}" for r in all_sparse_rows() if r.left_out),
    )  # fmt: skip


def rates_table() -> ValidationTable:
    """One dense and one sparse rate per machine, from the pair 1.0 dense and 1.4 sparse."""
    lines, claims = [], list(_flop_claims())
    for machine in dict.fromkeys(row.machine for row in sparse_rows()):
        rates = machine_rates(machine)
        for row in _checked(machine):
            ours = by_rates(row, rates)
            error = _off(ours, row.latency_s)
            lines.append((machine, row.network, row.sparsity, _ms(row.latency_s), _ms(ours), _percent(error)))
            claims.append(Claim(f"{machine}, {row.network} at {row.sparsity:.0%}: within 10 %",
                                f"{100 * error:+.1f} %", abs(error) <= _LATENCY_TOLERANCE))  # fmt: skip
        claims.append(
            Claim(f"{machine}: zeros from which a sparse product pays", f"{rates.break_even:.0%}", None)
        )
    return ValidationTable(
        "sparse-rates", "two rates per machine, from 1.0 dense and 1.4 sparse: the other networks in ms",
        ("machine", "network", "zeros", "published ms", "ours ms", "off %"), tuple(lines), tuple(claims),
    )  # fmt: skip


def flop(graph: ModelGraph, runtime: str) -> float:
    """2 x MACs of weights that are multiplied, without the first convolution, as the paper counts."""
    from ...devices.catalog import load_target

    table = compile_table(graph, load_target("pixel-2", runtime).kernels)
    is_sparse = np.array([choice.route == SPARSE for choice in table.choices], dtype=bool)
    counted = np.where(is_sparse, nonzero_macs(table), table.macs)
    first = next(row for row, op in enumerate(table.ops) if op.kind == "CONV_2D")
    return 2 * float(counted.sum() - counted[first])


def row_flop(row: SparseRow) -> float:
    """As printed; counted where it is not."""
    if row.mflop is not None:
        return row.mflop * 1e6
    return flop(row.graph, SPARSE_RUNTIME if row.sparsity else DENSE)


def machine_rates(machine: str) -> Rates:
    """FLOP / seconds of 1.0 dense and of 1.4 sparse."""
    pair = [row for row in sparse_rows() if row.machine == machine and row.role == "rates"]
    dense, sparse = (
        next(row for row in pair if bool(row.sparsity) is is_sparse) for is_sparse in (False, True)
    )
    return Rates(row_flop(dense) / dense.latency_s, row_flop(sparse) / sparse.latency_s)


def by_rates(row: SparseRow, rates: Rates) -> float:
    """Seconds: FLOP / rate."""
    return row_flop(row) / (rates.sparse if row.sparsity else rates.dense)


def _checked(machine: str) -> Iterator[SparseRow]:
    """MobileNetV1, which the rates were taken from."""
    for row in sparse_rows():
        if row.machine == machine and not row.role and row.network.startswith("fast-mobilenet-v1"):
            yield row


def _flop_claims() -> Iterator[Claim]:
    printed = [row for row in sparse_rows() if row.mflop is not None and row.machine == "SD835"]
    for row in printed:
        assert row.mflop is not None
        counted = flop(row.graph, SPARSE_RUNTIME if row.sparsity else DENSE) / 1e6
        error = counted / row.mflop - 1
        yield Claim(f"{row.network} at {row.sparsity:.0%}: MFLOP within 2.5 % of the printed {row.mflop:g}",
                    f"{counted:.1f} ({100 * error:+.1f} %)", abs(error) <= _FLOP_TOLERANCE)  # fmt: skip


def _off(ours: float, published: float) -> float:
    return ours / published - 1


def _ms(seconds: float) -> float:
    return round(1e3 * seconds, 1)


def _percent(fraction: float) -> float:
    return round(100 * fraction, 1)
