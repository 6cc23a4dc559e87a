"""Which tensors ask for a place where nothing but activations is planned? Those that an op touches."""

from __future__ import annotations

from math import prod

from ...errors import PlanInvalid
from ...graphs.ir import ModelGraph
from .lifetimes import lifetimes
from .planners.problem import Request
from .rounding import up
from .shapes import prepared_shape


def touched_requests(
    graph: ModelGraph, alignment_bytes: int
) -> tuple[list[tuple[int, int]], list[Request]]:
    """(subgraph, tensor) and request of each activation; a variable lives throughout.

    bytes = up(elements x bits / 8, alignment): packed, unlike TFLM's int4.
    """
    alive = lifetimes(graph)
    owners, requests = [], []
    for number, subgraph in enumerate(graph.subgraphs):
        touched = {t for op in subgraph.ops for t in (*op.inputs, *op.outputs)}
        for tensor in subgraph.tensors:
            if tensor.data is not None or tensor.index not in touched:
                continue
            shape, bits = prepared_shape(subgraph, tensor.index), tensor.dtype.bits
            if bits is None or any(d < 0 for d in shape):
                raise PlanInvalid(
                    "a tensor without a fixed number of bytes cannot be planned",
                    faults=(f"{tensor.name} is {tensor.dtype} {shape}",), where=graph.name,
                )  # fmt: skip
            first, last = alive.tensor_first[number][tensor.index], alive.tensor_last[number][tensor.index]
            if tensor.is_variable:
                first, last = 0, alive.end
            size_bytes = (prod(shape) * bits + 7) // 8
            if size_bytes:
                owners.append((number, tensor.index))
                requests.append(Request(up(size_bytes, alignment_bytes), first, last))
    return owners, requests
