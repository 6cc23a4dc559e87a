"""Which shapes follow from the others: outputs stored with -1 get the extents that a kernel would compute."""

from __future__ import annotations

from dataclasses import replace

from ..errors import ShapeInvalid
from .ir import ModelGraph, Subgraph
from .kept import kept
from .shapes import infer_shapes


def with_static_shapes(graph: ModelGraph) -> ModelGraph:
    """The same model with every -1 that can be solved replaced; the same object where nothing is to solve.

    A shape that depends on data stays as it is. The file's identity is kept: only open extents change.
    """
    if not any(-1 in tensor.shape for subgraph in graph.subgraphs for tensor in subgraph.tensors):
        return graph
    return kept(graph, "static_shapes", _with_solved)


def _with_solved(graph: ModelGraph) -> ModelGraph:
    solved = tuple(_solved(subgraph) for subgraph in graph.subgraphs)
    return replace(graph, subgraphs=solved, _cache={})


def _solved(subgraph: Subgraph) -> Subgraph:
    current = subgraph
    for op in subgraph.ops:
        if any(-1 in current.tensors[t].shape for t in op.outputs):
            current = _with_outputs(current, op.index)
    return current


def _with_outputs(subgraph: Subgraph, index: int) -> Subgraph:
    op = subgraph.ops[index]
    try:
        shapes = infer_shapes(subgraph, op)
    except ShapeInvalid:
        return subgraph
    if shapes is None:
        return subgraph
    tensors = list(subgraph.tensors)
    for t, shape in zip(op.outputs, shapes, strict=False):
        tensors[t] = replace(tensors[t], shape=shape)
    return replace(subgraph, tensors=tuple(tensors))
