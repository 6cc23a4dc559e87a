"""Which cuts and grids are worth a look? Live bytes and MACs of all grids of a stage at once.

Rows and columns are independent: the extents of every part of every count are laid side by side, so one
pass over the stage serves all grids. Scratch is that of the whole ops here; the plans that follow count it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from ..columns import Floats
from ..workload import op_macs
from .buffers import live_bytes, tile_buffers
from .fields import Ints, Spans
from .schedule import Unpatched
from .stage import Stage
from .tiling import Grid, Trace, cut_extents, even_parts, trace


class Candidate(NamedTuple):
    """A stage under a grid, its live sum without the kernels' scratch at tile shapes, and its MACs."""

    stage: Stage
    grid: Grid
    live_bytes: int
    macs: int


class _Axis(NamedTuple):
    """All counts of parts along one axis, laid side by side; part counts[n] begins at starts[n]."""

    counts: list[int]
    starts: list[int]
    trace: Trace


def candidates(stage: Stage, unpatched: Unpatched, *, is_streamed: bool, finest: int) -> Iterator[Candidate]:
    """Every grid of the stage up to `finest` patches along each axis, 1x1 left out."""
    rows, cols = (_axis(stage, along, finest) for along in (0, 1))
    peaks = _peaks(stage, unpatched, rows, cols, is_streamed=is_streamed)
    macs, whole_macs = _macs(stage, rows, cols)
    legal = [np.logical_or.reduceat(axis.trace.is_empty, axis.starts) == 0 for axis in (rows, cols)]
    rest_macs = sum(op_macs(stage.subgraph, op) or 0 for op in stage.subgraph.ops) - whole_macs
    for i, p in enumerate(rows.counts):
        for j, q in enumerate(cols.counts):
            if p * q > 1 and legal[0][i] and legal[1][j]:
                yield Candidate(stage, Grid(p, q), int(peaks[i, j]), int(macs[i, j]) + rest_macs)


def _axis(stage: Stage, along: int, finest: int) -> _Axis:
    extent = cut_extents(stage)[along]
    counts = list(range(1, min(finest, extent) + 1))
    parts = [even_parts(extent, count) for count in counts]
    starts = np.cumsum([0, *counts[:-1]]).tolist()
    laid = Spans(np.concatenate([p.first for p in parts]), np.concatenate([p.stop for p in parts]))
    return _Axis(counts, starts, trace(stage, along, laid))


def _peaks(stage: Stage, unpatched: Unpatched, rows: _Axis, cols: _Axis, *, is_streamed: bool) -> Ints:
    """(row count, column count) -> the larger of the live sums while the patches run and after."""
    plan, steps = unpatched.plan, len(stage.ops)
    tiles = tile_buffers(stage, rows.trace, cols.trace, is_streamed=is_streamed,
                         alignment_bytes=plan.alignment_bytes)  # fmt: skip
    alive = live_bytes(tiles, steps + 1, (sum(rows.counts), sum(cols.counts)))
    for b in plan.buffers:
        if b.kind == "scratch" and b.subgraph == 0 and b.op <= stage.last:
            alive[b.op + 1] += b.size_bytes
    most = np.maximum.reduceat(np.maximum.reduceat(alive.max(axis=0), rows.starts, 0), cols.starts, 1)
    whole_bytes = sum(b.size_bytes for b in unpatched.whole_buffers(stage, is_streamed=is_streamed))
    peaks: Ints = np.maximum(most + whole_bytes, unpatched.rest_bytes(stage))
    return peaks


def _macs(stage: Stage, rows: _Axis, cols: _Axis) -> tuple[Floats, int]:
    """MACs of the stage by grid, and as it is: an op's MACs per output place x places made.

    Places made = (sum of the parts' rows) x (sum of the parts' columns).
    """
    total, whole_macs = np.zeros((len(rows.counts), len(cols.counts))), 0
    for op in stage.ops:
        macs, out = op_macs(stage.subgraph, op) or 0, op.outputs[0]
        shape, axes = stage.subgraph.tensors[out].shape, stage.axes[out]
        sums = [
            np.add.reduceat(axis.trace.tiles[out].stop - axis.trace.tiles[out].first, axis.starts)
            for axis in (rows, cols)
        ]
        places = sums[0][:, None].astype(np.float64) * sums[1][None, :]
        total += float(macs // (shape[axes[0]] * shape[axes[1]])) * places  # exact up to 2**53
        whole_macs += macs
    return total, whole_macs


def front(found: Iterable[Candidate]) -> list[Candidate]:
    """Those that no other beats in both bytes and MACs, by ascending bytes; the fewest patches of equals."""
    kept: list[Candidate] = []
    order = sorted(found, key=lambda c: (c.live_bytes, c.macs, c.grid.rows * c.grid.cols, c.grid.cols))
    for candidate in order:
        if not kept or candidate.macs < kept[-1].macs:
            kept.append(candidate)
    return kept
