"""Why would TFLM's allocator refuse the model? Each reason is one sentence that names the tensor or op.

Rules: specs/tflm_memory.md sections 2 to 4. What kernels refuse is the runtime file's business.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...graphs.ir import ModelGraph, Op, Subgraph
from ...graphs.kept import kept
from .custom_options import unreadable_options
from .lifetimes import nesting_faults
from .requests import offline_offsets
from .shapes import ELEMENT_BYTES, prepared_shape, tensor_bytes


def refusals(graph: ModelGraph) -> tuple[str, ...]:
    """Every reason; () if AllocateTensors gets through. Kept with the graph."""
    return kept(graph, "allocator_refusals", lambda one: tuple(_all(one)))


def _all(graph: ModelGraph) -> Iterator[str]:
    yield from nesting_faults(graph)
    for subgraph in graph.subgraphs:
        unsized = [t for t in subgraph.tensors if t.dtype not in ELEMENT_BYTES]
        for tensor in unsized:
            yield f"tensor {tensor.index} ({tensor.name}): TFLM has no size for {tensor.dtype} elements"
        for op in subgraph.ops:
            yield from _op(subgraph, op, sized=not unsized)
        made = {t for op in subgraph.ops for t in op.outputs}
        for tensor in subgraph.tensors:
            if tensor.index not in made and any(d < 0 for d in tensor.shape):
                yield f"tensor {tensor.index} ({tensor.name}) has the dynamic shape {tensor.shape}"
    yield from _offline(graph)


def _op(subgraph: Subgraph, op: Op, *, sized: bool) -> Iterator[str]:
    for t in op.outputs:
        if t < 0:
            continue
        shape = prepared_shape(subgraph, t)
        if any(d <= 0 for d in shape) and shape != (0,):
            name = subgraph.tensors[t].name
            yield f"{op.label} {op.index}: its output {name} has the dynamic shape {shape}"
    for name in unreadable_options(op):
        yield f"{op.label} {op.index}: its option {name} cannot be read"
    for t in op.intermediates:
        if sized and t >= 0 and tensor_bytes(subgraph, t):
            yield f"{op.label} {op.index}: its intermediate tensor {subgraph.tensors[t].name} is not empty"


def _offline(graph: ModelGraph) -> Iterator[str]:
    offsets = offline_offsets(graph)
    tensors = sum(len(s.tensors) for s in graph.subgraphs)
    if offsets is not None and len(offsets) != tensors:
        yield f"the offline memory plan names {len(offsets)} tensors, the model has {tensors}"
