"""Which tensors ask for a place in TFLM's head, in which order? specs/tflm_memory.md sections 2 and 4."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from ...graphs.ir import ModelGraph
from ...graphs.kept import kept
from .lifetimes import lifetimes
from .planners.problem import ONLINE, Request
from .rounding import up
from .shapes import tensor_bytes

ALIGNMENT_BYTES = 16
OFFLINE_PLAN = "OfflineMemoryAllocation"


@dataclass(frozen=True, slots=True)
class TensorRequests:
    """The planned tensors of all subgraphs, in TFLM's order, and the variables that are not planned."""

    places: tuple[tuple[int, int], ...]  # (subgraph, tensor)
    requests: tuple[Request, ...]
    variables: tuple[int, ...]  # bytes


def tensor_requests(graph: ModelGraph) -> TensorRequests:
    """Every tensor without stored data, not a variable and not empty; kept with the graph.

    A variable that an offline plan places is planned too; the handle of a resource variable is not, its
    VAR_HANDLE points it at the op's own data in Prepare (recorded with tflite-micro 0.dev20261023).
    """
    return kept(graph, "tensor_requests", _collect)


def _collect(graph: ModelGraph) -> TensorRequests:
    alive = lifetimes(graph)
    offsets = iter(offline_offsets(graph) or ())
    places, requests, variables = [], [], []
    for number, subgraph in enumerate(graph.subgraphs):
        first, last = alive.tensor_first[number], alive.tensor_last[number]
        handles = {t for op in subgraph.ops if op.kind == "VAR_HANDLE" for t in op.outputs}
        for tensor in subgraph.tensors:
            offset = next(offsets, ONLINE)
            if tensor.data is not None or tensor.index in handles:
                continue
            size_bytes = tensor_bytes(subgraph, tensor.index)
            if tensor.is_variable and offset == ONLINE:
                variables.append(size_bytes)
            elif size_bytes:
                places.append((number, tensor.index))
                rounded = up(size_bytes, ALIGNMENT_BYTES)
                requests.append(Request(rounded, first[tensor.index], last[tensor.index], offset))
    return TensorRequests(tuple(places), tuple(requests), tuple(variables))


def offline_offsets(graph: ModelGraph) -> tuple[int, ...] | None:
    """The offsets of an offline plan, one per tensor of all subgraphs; None without a plan.

    Metadata, int32 words: version, subgraph, n, then n offsets (-1: plan it online).
    """
    for name, data in graph.metadata:
        if name == OFFLINE_PLAN:
            words = struct.unpack(f"<{len(data) // 4}i", data[: len(data) // 4 * 4])
            return words[3 : 3 + words[2]] if len(words) >= 3 and words[2] >= 0 else ()
    return None
