"""Does the network give the same numbers patch by patch? It is run that way, in plain numpy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ...graphs.evaluate import evaluate
from ...graphs.ir import ModelGraph, wire
from ...graphs.quantities import NUMPY_OF_DTYPE
from ...graphs.static_shapes import with_static_shapes
from .kernels import one_patch
from .stage import Stage, stage_at
from .tiling import Grid, Patch, tile

Array = npt.NDArray[Any]


def run_patches(
    graph: ModelGraph, inputs: Sequence[Array], *, cut: int, grid: tuple[int, int]
) -> list[Array]:
    """The graph's outputs, the stage up to op `cut` computed tile by tile, the rest as a whole.

    Raises:
        PatchesInvalid: there are no such patches.
        UnsupportedOp: an op that `evaluate` does not cover.
    """
    solved = with_static_shapes(graph)
    stage = stage_at(solved, cut)
    tiling = tile(stage, Grid(*grid))
    given = dict(zip(solved.inputs, inputs, strict=True))
    whole = solved.tensors[stage.cut]
    made = np.empty(whole.shape, NUMPY_OF_DTYPE[whole.dtype])
    for patch in tiling.patches():
        tiles = [np.ascontiguousarray(given[t][_box(stage, patch, t)]) for t in stage.inputs]
        (part,) = evaluate(one_patch(solved, tiling, patch.row, patch.col), tiles)
        made[_box(stage, patch, stage.cut)] = part
    given[stage.cut] = made
    return _rest(solved, stage, given)


def _box(stage: Stage, patch: Patch, tensor: int) -> tuple[slice, ...]:
    box = [slice(None)] * len(stage.subgraph.tensors[tensor].shape)
    part = patch.tile_of[tensor]
    for axis, span in zip(stage.axes[tensor], (part.rows, part.cols), strict=True):
        box[axis] = slice(span.first, span.stop)
    return tuple(box)


def _rest(graph: ModelGraph, stage: Stage, given: dict[int, Array]) -> list[Array]:
    ops = graph.ops[len(stage.ops) :]
    taken = [stage.cut, *(t for t in graph.inputs if t not in stage.inputs)]
    main = wire(graph.tensors, ops, inputs=taken, outputs=graph.outputs)
    return evaluate(graph.with_main(main), [given[t] for t in taken])
