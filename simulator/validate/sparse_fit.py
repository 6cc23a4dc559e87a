"""What does one MAC of a sparse product cost by the published rows, and how far off are rows left out?

Seconds of a network = a + b x cost, all else priced as in `preflash check`; least squares on log(predicted /
measured). scripts/fit_sparse.py writes the result down.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ..interval import Interval
from ..kernels.spmm import coefficients
from ..kernels.xnnpack import neon_terms
from ..kernels.xnnpack_data import neon_costs
from ..latency import kernel_cycles
from ..rows import total_latency_s
from ..workload import compile_table
from .sparse_rows import SparseRow, sparse_rows


class Point(NamedTuple):
    """seconds = a + b x cost."""

    row: SparseRow
    core: str
    a_s: float
    b_s: float


def point_of(row: SparseRow) -> Point:
    target = row.target
    terms = neon_terms(compile_table(row.graph, target.kernels), "float32")
    costs = neon_costs(target, "float32")
    per_cost_s = float(terms.sparse.sum()) / (costs.macs_per_cycle * target.clock_hz)
    whole_s = predicted(row).value
    assert whole_s is not None
    return Point(row, target.device.core.name, whole_s - per_cost_s * coefficients()["cost", ""], per_cost_s)


def fit_cost(points: Sequence[Point]) -> float:
    """The cost that makes sum(log(predicted / measured) ** 2) least, by Gauss-Newton."""
    a, b, wanted = (
        np.array(part) for part in zip(*((p.a_s, p.b_s, p.row.latency_s) for p in points), strict=True)
    )
    cost = 1.0
    for _ in range(50):
        seconds = a + b * cost
        off, slope = np.log(seconds / wanted), b / seconds
        cost -= float((off * slope).sum() / (slope * slope).sum())
    return cost


def ratios(points: Sequence[Point], groups: Sequence[Hashable]) -> list[float]:
    """measured / predicted of every row by the fit to the rows of other groups."""
    found = []
    for point, group in zip(points, groups, strict=True):
        cost = fit_cost([p for p, other in zip(points, groups, strict=True) if other != group])
        found.append(point.row.latency_s / (point.a_s + point.b_s * cost))
    return found


@lru_cache(maxsize=1)
def sparse_points() -> tuple[Point, ...]:
    """All sparse networks that were measured on a board of the catalogue."""
    return tuple(point_of(row) for row in sparse_rows() if row.device and row.sparsity)


@lru_cache(maxsize=64)
def predicted(row: SparseRow) -> Interval:
    """What `preflash check` says of this network on this board."""
    target = row.target
    table = compile_table(row.graph, target.kernels)
    return total_latency_s(table, kernel_cycles(table, target), target.clock_hz)
