"""Which tensors ask for a place where nothing but activations is planned? Those that an op touches."""

from __future__ import annotations

from math import prod

from ...errors import PlanInvalid
from ...graphs.ir import ModelGraph, Tensor
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
            size_bytes = packed_bytes(tensor, prepared_shape(subgraph, tensor.index), model=graph.name)
            first, last = alive.tensor_first[number][tensor.index], alive.tensor_last[number][tensor.index]
            if tensor.is_variable:
                first, last = 0, alive.end
            if size_bytes:
                owners.append((number, tensor.index))
                requests.append(Request(up(size_bytes, alignment_bytes), first, last))
    return owners, requests


def packed_bytes(tensor: Tensor, shape: tuple[int, ...], *, model: str) -> int:
    """bytes = ceil(product(shape) x bits / 8); a scalar has one element.

    Args:
        shape: what the runtime plans the tensor with, which may differ from the stored one.
        model: its name, for the error.

    Raises:
        PlanInvalid: an element or the shape has no fixed size.
    """
    bits = tensor.dtype.bits
    if bits is None or any(d < 0 for d in shape):
        raise PlanInvalid(
            "a tensor without a fixed number of bytes cannot be planned",
            faults=(f"{tensor.name} is {tensor.dtype} {shape}",), where=model,
        )  # fmt: skip
    return (prod(shape) * bits + 7) // 8
