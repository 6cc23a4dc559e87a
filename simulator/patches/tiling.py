"""What does each patch need of every tensor? Half-open rows and columns, from the cut back to the input."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...errors import PatchesInvalid
from .fields import Edge, Spans, activation_inputs, needed
from .stage import Stage

Bools = npt.NDArray[np.bool_]


class Grid(NamedTuple):
    """Patches along the height and along the width of the cut tensor."""

    rows: int
    cols: int

    def __str__(self) -> str:
        return f"{self.rows}x{self.cols}"


class Range(NamedTuple):
    """[first, stop)."""

    first: int
    stop: int

    @property
    def extent(self) -> int:
        return self.stop - self.first


@dataclass(frozen=True, slots=True)
class Tile:
    """The part of one tensor that one patch needs."""

    tensor: int
    rows: Range
    cols: Range


@dataclass(frozen=True)
class Patch:
    """One patch: its place in the grid and its tile of every activation of the stage."""

    row: int
    col: int
    tiles: tuple[Tile, ...]

    @cached_property
    def tile_of(self) -> dict[int, Tile]:
        """tensor -> its tile."""
        return {tile.tensor: tile for tile in self.tiles}


def even_parts(extent: int, count: int) -> Spans:
    """The extent in `count` parts that differ by one at most.

    >>> even_parts(7, 3)
    Spans(first=array([0, 2, 4]), stop=array([2, 4, 7]))
    """
    bounds = np.arange(count + 1, dtype=np.int64) * extent // count
    return Spans(bounds[:-1], bounds[1:])


class Trace(NamedTuple):
    """What the parts need, along one axis.

    Args:
        tiles: tensor -> what the part needs of it.
        reads: (op index, input position) -> what that op reads; less than the tile where others read more.
    """

    tiles: dict[int, Spans]
    reads: dict[tuple[int, int], Spans]

    @property
    def is_empty(self) -> Bools:
        """Per part, whether it reads nothing at all of some tensor: it lies in padding."""
        empty = [span.first >= span.stop for span in (*self.tiles.values(), *self.reads.values())]
        result: Bools = np.logical_or.reduce(empty)
        return result


def trace(stage: Stage, along: int, parts: Spans) -> Trace:
    """From the parts of the cut back to the inputs; `along` is 0 for rows, 1 for columns.

    A tensor with several readers needs the hull of what they read.
    """
    tiles, reads = {stage.cut: parts}, {}
    for op in reversed(stage.ops):
        out, axis_out = tiles[op.outputs[0]], stage.axes[op.outputs[0]][along]
        for n in activation_inputs(stage.subgraph, op):
            t = op.inputs[n]
            read = needed(Edge(stage.subgraph, op, n, stage.axes[t][along], axis_out), out)
            reads[op.index, n] = read
            tiles[t] = _hull(tiles[t], read) if t in tiles else read
    return Trace(tiles, reads)


def _hull(a: Spans, b: Spans) -> Spans:
    return Spans(np.minimum(a.first, b.first), np.maximum(a.stop, b.stop))


def cut_extents(stage: Stage) -> tuple[int, int]:
    """Rows and columns of the cut tensor."""
    shape, (row, col) = stage.subgraph.tensors[stage.cut].shape, stage.axes[stage.cut]
    return shape[row], shape[col]


class Tiling(NamedTuple):
    """A stage under a grid: what every row and every column of patches needs."""

    stage: Stage
    grid: Grid
    rows: Trace
    cols: Trace

    def patches(self) -> tuple[Patch, ...]:
        """Every patch, row by row."""
        rows, cols = ({t: _ranges(s) for t, s in axis.tiles.items()} for axis in (self.rows, self.cols))
        return tuple(
            Patch(i, j, tuple(Tile(t, rows[t][i], cols[t][j]) for t in self.stage.tensors))
            for i in range(self.grid.rows) for j in range(self.grid.cols)
        )  # fmt: skip


def tile(stage: Stage, grid: Grid) -> Tiling:
    """The stage under this grid.

    Raises:
        PatchesInvalid: the grid is finer than the cut tensor, or a patch lies in padding alone.
    """
    extents = cut_extents(stage)
    if not all(1 <= count <= extent for count, extent in zip(grid, extents, strict=True)):
        raise PatchesInvalid(
            f"a tensor of {extents[0]} rows and {extents[1]} columns cannot be cut into {grid} patches",
            where=f"op {stage.last}", fix="use fewer patches, at least 1x1",
        )  # fmt: skip
    rows, cols = (trace(stage, n, even_parts(extents[n], grid[n])) for n in (0, 1))
    if rows.is_empty.any() or cols.is_empty.any():
        raise PatchesInvalid(
            f"of {grid} patches one would lie in padding alone", where=f"op {stage.last}",
            fix="use fewer patches",
        )  # fmt: skip
    return Tiling(stage, grid, rows, cols)


def _ranges(spans: Spans) -> list[Range]:
    return [Range(*pair) for pair in zip(spans.first.tolist(), spans.stop.tolist(), strict=True)]


def is_contiguous(shape: tuple[int, ...], tile: tuple[int, ...]) -> bool:
    """Whether a tile's bytes follow each other in the whole tensor: before the last axis it cuts, all are 1.

    >>> is_contiguous((1, 8, 8, 3), (1, 2, 8, 3)), is_contiguous((1, 8, 8, 3), (1, 2, 4, 3))
    (True, False)
    """
    cut = [axis for axis, (whole, part) in enumerate(zip(shape, tile, strict=True)) if whole != part]
    return not cut or all(extent == 1 for extent in tile[: cut[-1]])
