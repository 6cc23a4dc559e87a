"""Which kernels run when the stage runs patch by patch? A graph of tiles, and how often each op runs.

A tile is a tensor of its own: kernels read and write contiguous NHWC. So a tile is copied where it is not
contiguous in what holds it: from the picture in RAM, into the cut tensor, and for an op that reads less of a
tile than others do. A copy is a SLICE.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from ...graphs.geometry import Window
from ...graphs.ir import DType, ModelGraph, Op, Tensor, wire
from ..columns import Floats
from ..operands import dims_of
from .fields import WINDOWED, Spans, activation_inputs, pad_amounts
from .tiling import Range, Tiling, Trace, is_contiguous


@dataclass(frozen=True, eq=False)
class TiledKernels:
    """Kernels of distinct patches (and of the rest of the network) as one graph.

    Args:
        counts: per op, how often it runs; 0 for a copy that only moves a pointer.
        is_copy: per op, whether it only moves a tile.
    """

    graph: ModelGraph
    counts: Floats
    is_copy: tuple[bool, ...]


class PatchClass(NamedTuple):
    """Patches whose tiles have the same shapes and padding: the place of one, and how many there are."""

    row: int
    col: int
    repeats: int


def patch_classes(tiling: Tiling) -> tuple[PatchClass, ...]:
    """The distinct patches of a grid."""
    rows, cols = _axis_classes(tiling, 0), _axis_classes(tiling, 1)
    return tuple(PatchClass(i, j, m * n) for i, m in rows for j, n in cols)


def _axis_classes(tiling: Tiling, along: int) -> list[tuple[int, int]]:
    """(first part, number of parts) of each distinct shape along one axis."""
    axis = (tiling.rows, tiling.cols)[along]
    columns = [span.stop - span.first for span in axis.tiles.values()]
    for op in tiling.stage.ops:
        for n in activation_inputs(tiling.stage.subgraph, op):
            read, held, out = axis.reads[op.index, n], axis.tiles[op.inputs[n]], axis.tiles[op.outputs[0]]
            columns += [read.first - held.first, read.stop - read.first]
            window = _window_along(tiling, op, along)
            if window is not None:
                columns.append(read.first - out.first * window.stride)
            elif op.kind in ("PAD", "PADV2"):
                columns.append(read.first - out.first)
    found: dict[tuple[int, ...], list[int]] = {}
    for part, key in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
        found.setdefault(key, []).append(part)
    return [(parts[0], len(parts)) for parts in found.values()]


def _window_along(tiling: Tiling, op: Op, along: int) -> Window | None:
    if op.kind not in WINDOWED:
        return None
    dims = dims_of(tiling.stage.subgraph, op)
    assert dims is not None  # `why_whole` looked
    return (dims.rows, dims.cols)[along]


def one_patch(graph: ModelGraph, tiling: Tiling, row: int, col: int) -> ModelGraph:
    """The stage as a model of its own that makes one tile of the cut from one tile of each input."""
    drawing = _Drawing(tiling, list(graph.tensors), is_streamed=True)
    inputs = drawing.draw(PatchClass(row, col, 1))
    made = drawing.outputs[-1]
    return graph.with_main(wire(drawing.tensors, drawing.ops, inputs=inputs, outputs=[made]))


def tiled_kernels(graph: ModelGraph, tiling: Tiling, *, is_streamed: bool) -> TiledKernels:
    """The kernels of every distinct patch, then those of the rest of the network."""
    drawing = _Drawing(tiling, list(graph.tensors), is_streamed=is_streamed)
    inputs = [t for patch in patch_classes(tiling) for t in drawing.draw(patch)]
    rest = graph.ops[len(tiling.stage.ops) :]
    inputs += [tiling.stage.cut, *(t for t in graph.inputs if t not in tiling.stage.inputs)]
    main = wire(drawing.tensors, [*drawing.ops, *rest], inputs=inputs, outputs=graph.outputs)
    counts = np.array([*drawing.counts, *(1 for _ in rest)], dtype=np.float64)
    is_copy = (*drawing.is_copy, *(False for _ in rest))
    return TiledKernels(graph.with_main(main), counts, is_copy)


@dataclass
class _Drawing:
    """Tiles and their ops under construction."""

    tiling: Tiling
    tensors: list[Tensor]
    is_streamed: bool
    ops: list[Op] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    is_copy: list[bool] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)  # the cut's tile of each patch

    def draw(self, patch: PatchClass) -> list[int]:
        """Append the ops of one patch; the tensors that it takes as inputs."""
        stage, tile_of = self.tiling.stage, {}
        taken = []
        for t in stage.inputs:
            box = self._box(t, self.tiling.rows.tiles[t], self.tiling.cols.tiles[t], patch)
            tile_of[t] = self._tile(t, box)
            taken.append(tile_of[t])
            lies_there = is_contiguous(stage.subgraph.tensors[t].shape, self._shape(tile_of[t]))
            if not self.is_streamed and not lies_there:
                tile_of[t] = self._copy(tile_of[t], [0] * 4, self._shape(tile_of[t]), patch.repeats)
        for op in stage.ops:
            tile_of[op.outputs[0]] = self._op(op, tile_of, patch)
        made = tile_of[stage.cut]
        if not is_contiguous(stage.subgraph.tensors[stage.cut].shape, self._shape(made)):
            made = self._copy(made, [0] * 4, self._shape(made), patch.repeats)
        self.outputs.append(made)
        return taken

    def _op(self, op: Op, tile_of: dict[int, int], patch: PatchClass) -> int:
        """One op on its tiles, after the copies of what it reads of larger ones."""
        rows, cols = self.tiling.rows, self.tiling.cols
        inputs = list(op.inputs)
        for n in activation_inputs(self.tiling.stage.subgraph, op):
            t, at = op.inputs[n], (op.index, n)
            held = self._box(t, rows.tiles[t], cols.tiles[t], patch)
            read = self._box(t, rows.reads[at], cols.reads[at], patch)
            inputs[n] = tile_of[t]
            if read != held:
                begin = [r.first - h.first for r, h in zip(read, held, strict=True)]
                extents = tuple(r.extent for r in read)
                is_free = is_contiguous(self._shape(tile_of[t]), extents)
                inputs[n] = self._copy(tile_of[t], begin, extents, 0 if is_free else patch.repeats)
        out = op.outputs[0]
        made = self._tile(out, self._box(out, rows.tiles[out], cols.tiles[out], patch))
        pads = None
        if op.kind in WINDOWED:
            edges = [self._edge(op, along, patch) for along in (0, 1)]
            pads = (*edges[0], *edges[1])
        elif op.kind in ("PAD", "PADV2"):
            inputs[1] = self._amounts(op, patch)
        on_tiles = replace(op, inputs=tuple(inputs), outputs=(made,), pads=pads)
        self._append(on_tiles, patch.repeats, is_copy=False)
        return made

    def _edge(self, op: Op, along: int, patch: PatchClass) -> tuple[int, int]:
        """Padding (before, behind) of one axis: what the windows reach over, less what the tile holds."""
        out, read = self._along(op, along, patch)
        window = _window_along(self.tiling, op, along)
        assert window is not None
        start = out.first * window.stride - window.pad_before
        end = (out.stop - 1) * window.stride - window.pad_before + (window.kernel - 1) * window.dilation + 1
        return read.first - start, max(0, end - read.stop)

    def _amounts(self, op: Op, patch: PatchClass) -> int:
        """PAD's amounts for this patch: what of the padding lies in its output."""
        stage = self.tiling.stage
        pairs = [list(pair) for pair in pad_amounts(stage.subgraph, op)]
        for along, axis in enumerate(stage.axes[op.outputs[0]]):
            out, read = self._along(op, along, patch)
            before = pairs[axis][0]
            pairs[axis] = [read.first + before - out.first, out.stop - before - read.stop]
        return self._integers([value for pair in pairs for value in pair], (4, 2))

    def _along(self, op: Op, along: int, patch: PatchClass) -> tuple[Range, Range]:
        """What the op makes and what it reads of its first input, along one axis."""
        axis: Trace = (self.tiling.rows, self.tiling.cols)[along]
        part = (patch.row, patch.col)[along]
        return _range(axis.tiles[op.outputs[0]], part), _range(axis.reads[op.index, 0], part)

    def _copy(self, source: int, begin: list[int], extents: tuple[int, ...], count: int) -> int:
        like = self.tensors[source]
        made = len(self.tensors)
        self.tensors.append(replace(like, index=made, name=f"{like.name} copied", shape=extents))
        corner, size = self._integers(begin, (4,)), self._integers(list(extents), (4,))
        op = Op(0, "SLICE", (source, corner, size), (made,))
        self._append(op, count, is_copy=True)
        return made

    def _append(self, op: Op, count: int, *, is_copy: bool) -> None:
        self.ops.append(op)
        self.counts.append(count)
        self.is_copy.append(is_copy)

    def _integers(self, values: list[int], shape: tuple[int, ...]) -> int:
        made = len(self.tensors)
        data = np.array(values, dtype=np.int32).tobytes()
        self.tensors.append(Tensor(made, f"constant {made}", DType.INT32, shape, data))
        return made

    def _tile(self, tensor: int, box: list[Range]) -> int:
        like, made = self.tiling.stage.subgraph.tensors[tensor], len(self.tensors)
        shape = tuple(r.extent for r in box)
        self.tensors.append(
            replace(like, index=made, name=f"{like.name} tile", shape=shape, shape_signature=())
        )
        return made

    def _box(self, tensor: int, rows: Spans, cols: Spans, patch: PatchClass) -> list[Range]:
        stage = self.tiling.stage
        box = [Range(0, extent) for extent in stage.subgraph.tensors[tensor].shape]
        row, col = stage.axes[tensor]
        box[row], box[col] = _range(rows, patch.row), _range(cols, patch.col)
        return box

    def _shape(self, tensor: int) -> tuple[int, ...]:
        return self.tensors[tensor].shape


def _range(spans: Spans, part: int) -> Range:
    return Range(int(spans.first[part]), int(spans.stop[part]))
