"""Which buffers are alive while a patch runs, and how large? For all patches of a grid at once.

Clock of one patch: 0 delivers its input, n runs the stage's n-th op (from 1). The cut tensor is whole and
filled patch by patch. The picture is whole too, unless the application streams tiles of it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..memory.shapes import ELEMENT_BYTES
from .fields import Ints, Spans, activation_inputs
from .stage import Stage
from .tiling import Bools, Trace


class TileBuffer(NamedTuple):
    """A buffer of one patch: bytes by row and column of patches, and its inclusive lifetime.

    `kind` is "tile", or "copy" for the part of a tile that one op reads.
    """

    kind: str
    tensor: int
    op: int  # the op that needs the copy; -1 for a tile
    first: int
    last: int
    size_bytes: Ints  # (rows, columns); 0 where a patch needs none


def tile_buffers(
    stage: Stage, rows: Trace, cols: Trace, *, is_streamed: bool, alignment_bytes: int
) -> list[TileBuffer]:
    """Every buffer of every patch, bytes rounded up to the alignment.

    A tile that is contiguous in the whole picture or the whole cut tensor lies there and is no buffer; an op
    that reads a contiguous part of a tile reads it where it is.
    """
    last = _last_reads(stage)
    found = []
    for step, t in enumerate(stage.tensors, 1 - len(stage.inputs)):
        size_bytes = _bytes(stage, t, rows.tiles[t], cols.tiles[t], alignment_bytes)
        if t == stage.cut or (t in stage.inputs and not is_streamed):
            whole = _shape(stage, t, None, None)
            lies_there = _contiguous(whole, _shape(stage, t, rows.tiles[t], cols.tiles[t]))
            size_bytes = np.where(lies_there, 0, size_bytes)
        first = max(0, step)
        found.append(TileBuffer("tile", t, -1, first, last.get(t, first), size_bytes))
    return [*found, *_copies(stage, rows, cols, alignment_bytes)]


def _last_reads(stage: Stage) -> dict[int, int]:
    return {
        op.inputs[n]: step
        for step, op in enumerate(stage.ops, 1)
        for n in activation_inputs(stage.subgraph, op)
    }


def _copies(stage: Stage, rows: Trace, cols: Trace, alignment_bytes: int) -> list[TileBuffer]:
    """What an op reads of a tile that is larger for others, where that is not contiguous."""
    found = []
    for step, op in enumerate(stage.ops, 1):
        for n in activation_inputs(stage.subgraph, op):
            t, read = op.inputs[n], (rows.reads[op.index, n], cols.reads[op.index, n])
            held = rows.tiles[t], cols.tiles[t]
            if np.array_equal(read[0], held[0]) and np.array_equal(read[1], held[1]):
                continue
            lies_there = _contiguous(_shape(stage, t, *held), _shape(stage, t, *read))
            size_bytes = np.where(lies_there, 0, _bytes(stage, t, *read, alignment_bytes))
            found.append(TileBuffer("copy", t, op.index, step, step, size_bytes))
    return found


def _shape(stage: Stage, tensor: int, rows: Spans | None, cols: Spans | None) -> list[Ints]:
    """The extents of a tile, each broadcast over (rows, columns); of the whole tensor without spans."""
    shape = [np.array([[extent]], dtype=np.int64) for extent in stage.subgraph.tensors[tensor].shape]
    row, col = stage.axes[tensor]
    if rows is not None and cols is not None:
        shape[row] = (rows.stop - rows.first)[:, None]
        shape[col] = (cols.stop - cols.first)[None, :]
    return shape


def _bytes(stage: Stage, tensor: int, rows: Spans, cols: Spans, alignment_bytes: int) -> Ints:
    """up(rows x columns x other extents x element bytes, alignment)."""
    elements = np.ones((1, 1), dtype=np.int64)
    for extent in _shape(stage, tensor, rows, cols):
        elements = elements * extent
    size_bytes = elements * ELEMENT_BYTES[stage.subgraph.tensors[tensor].dtype]
    return -(-size_bytes // alignment_bytes) * alignment_bytes


def _contiguous(whole: list[Ints], part: list[Ints]) -> Bools:
    """`tiling.is_contiguous` for every patch: before the last axis that is cut, all extents are 1."""
    shape = np.broadcast_shapes(*(extent.shape for extent in (*whole, *part)))
    is_one, is_cut_behind = np.ones(shape, dtype=bool), np.zeros(shape, dtype=bool)
    for extent, whole_extent in zip(reversed(part), reversed(whole), strict=True):
        is_one &= ~is_cut_behind | (extent == 1)
        is_cut_behind |= extent != whole_extent
    return is_one


def live_bytes(buffers: list[TileBuffer], instants: int, shape: tuple[int, int]) -> Ints:
    """(instant, row, column) -> bytes alive, the whole tensors not counted."""
    alive = np.zeros((instants + 1, *shape), dtype=np.int64)
    for b in buffers:
        alive[b.first] += b.size_bytes
        alive[b.last + 1] -= b.size_bytes
    return np.cumsum(alive[:-1], axis=0)
