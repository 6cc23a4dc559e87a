"""What do the rows of each variant add up to? Seconds of one or many variants that share a table."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .columns import Floats, Grades, KernelTable, Rows
from .interval import BY_WEAKNESS, Basis, Interval, exact, grade_of, unknown
from .latency import CycleColumns

_UNKNOWN = grade_of(Basis.UNKNOWN)
_LIGHT = 0.01  # rows of less than this share of the sum do not decide its basis
_NO_OPS = "the model has no ops"


class Latencies(NamedTuple):
    """Seconds per variant (nan is unknown), their interval, and how they are known.

    Args:
        edges: variant v has the rows from edges[v] to before edges[v + 1].
        lo: a lower bound also where `value` is nan, if one is known.
        dominant: the row that takes the most time among the priced ones, whose source stands for the sum's;
            -1 without one.
    """

    table: KernelTable
    cycles: CycleColumns
    edges: Rows
    value: Floats
    lo: Floats
    hi: Floats
    grade: Grades
    dominant: Rows

    def source(self, variant: int) -> str:
        if self.edges[variant] == self.edges[variant + 1]:
            return _NO_OPS
        row = int(self.dominant[variant])
        return self.cycles.source_of(row) if row >= 0 else ""

    def reason(self, variant: int) -> str:
        """Why there is no sum; "" if there is one."""
        if self.grade[variant] != _UNKNOWN:
            return ""
        first, last = int(self.edges[variant]), int(self.edges[variant + 1])
        unpriced = (first + np.flatnonzero(self.cycles.grade[first:last] == _UNKNOWN)).tolist()
        named = ", ".join(dict.fromkeys(self.table.ops[row].label for row in unpriced))
        reasons = "; ".join(dict.fromkeys(self.cycles.reason_of(row) for row in unpriced))
        return f"no price for {named}: {reasons}"

    def interval(self, variant: int) -> Interval:
        value, lo, hi = (float(part[variant]) for part in (self.value, self.lo, self.hi))
        basis, source = BY_WEAKNESS[self.grade[variant]], self.source(variant)
        if basis is Basis.UNKNOWN:
            return unknown(self.reason(variant), at_least=None if lo != lo else lo, source=source)
        return exact(value, source) if basis is Basis.EXACT else Interval(value, lo, hi, basis, source)


def sum_latencies(table: KernelTable, cycles: CycleColumns, clock_hz: float, *, edges: Rows) -> Latencies:
    """Sum over the rows of each variant / clock; bounds add, as the errors of one core go one way.

    With a row that nobody can price the sum is unknown and its `lo` a lower bound.
    """
    filled = edges[1:] > edges[:-1]
    starts = edges[:-1][filled]
    variants = len(edges) - 1
    value, lo, hi = np.zeros(variants), np.zeros(variants), np.zeros(variants)
    grade, dominant = np.full(variants, grade_of(Basis.EXACT), np.int8), np.full(variants, -1, np.intp)
    if len(starts):
        bounded = ~np.isnan(cycles.lo)
        known = np.logical_or.reduceat(bounded, starts)
        least = np.add.reduceat(np.where(bounded, cycles.lo, 0.0), starts) / clock_hz
        whole = np.add.reduceat(cycles.value, starts)
        grade[filled] = _grades(cycles, starts, whole)
        lost = grade[filled] == _UNKNOWN
        value[filled] = np.where(lost, np.nan, whole / clock_hz)
        lo[filled] = np.where(known, least, np.nan)
        hi[filled] = np.where(lost, np.nan, np.add.reduceat(cycles.hi, starts) / clock_hz)
        dominant[filled] = _dominant(cycles, starts)
    return Latencies(table, cycles, edges, value, lo, hi, grade, dominant)


def _grades(cycles: CycleColumns, starts: Rows, whole: Floats) -> Grades:
    """The weakest among the rows that make up the sum; unknown if any row is."""
    each = np.repeat(whole, np.diff(starts, append=len(cycles.value)))
    heavy = np.maximum.reduceat(np.where(cycles.value >= _LIGHT * each, cycles.grade, np.int8(-1)), starts)
    every = np.maximum.reduceat(cycles.grade, starts)
    return np.where((heavy < 0) | (every == _UNKNOWN), every, heavy)


def _dominant(cycles: CycleColumns, starts: Rows) -> Rows:
    """The first row with the most cycles among the priced ones of each variant; -1 without one."""
    priced = np.where(cycles.grade == _UNKNOWN, -1.0, cycles.value)
    most = np.maximum.reduceat(priced, starts)
    reached = np.flatnonzero(priced == np.repeat(most, np.diff(starts, append=len(priced))))
    return np.where(most < 0, -1, reached[np.searchsorted(reached, starts)])
