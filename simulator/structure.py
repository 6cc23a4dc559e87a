"""Which variants cost the same wherever nobody looks at the values of their weights?

Two models of one structure differ in the values of filters and biases, in quantization scales and in what was
made of the weights (zeros, shared values, bits); types, shapes, wiring and all other constants are the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from ..devices.target import Target
from ..graphs.ir import ModelGraph, Quantization, Subgraph, Tensor
from ..graphs.kept import kept
from ..graphs.passes.live_channels import without_dead_channels
from ..graphs.static_shapes import with_static_shapes
from ..graphs.tflite.forms import NAME as FORMS
from ..graphs.variants.weights import WEIGHT_PLACES
from .columns import Rows
from .work_graph import drops_channels

_DENSE_LIBRARIES = frozenset(
    {"reference", "cmsis-nn", "esp-nn", "x-cube-ai", "xnnpack", "eigen", "gemmlowp", "ruy"}
)


def looks_at_weights(target: Target) -> bool:
    """Whether zeros, shared values or bits of weights change what a kernel, a plan or code takes there.

    What the model itself takes in flash is asked of every variant. Channels that are all zero are another
    matter: `distinct` tells models with some apart where they count.
    """
    device, runtime, build = target.device, target.runtime, target.kernels
    return (
        runtime.weights != "raw"
        or bool(runtime.unpacks_bits)
        or build.library not in _DENSE_LIBRARIES
        or build.flavour == "sparse"
        or (device.sparsity is not None and bool(runtime.requires_npu))
    )


def distinct(graphs: Sequence[ModelGraph], target: Target) -> tuple[list[ModelGraph], Rows]:
    """One graph per structure that this target tells apart, and for each graph the place of its own there."""
    if looks_at_weights(target):
        return list(graphs), np.arange(len(graphs))
    places: dict[bytes, int] = {}
    found: list[ModelGraph] = []
    rows, drops = np.empty(len(graphs), dtype=np.intp), drops_channels(target)
    for row, graph in enumerate(graphs):
        key = structure_key(graph)
        if drops and _has_dead_channels(graph):
            key = b"%d" % row
        if key not in places:
            places[key] = len(found)
            found.append(graph)
        rows[row] = places[key]
    return found, rows


def _has_dead_channels(graph: ModelGraph) -> bool:
    solved = with_static_shapes(graph)
    return without_dead_channels(solved) is not solved


def structure_key(graph: ModelGraph) -> bytes:
    """A hash of everything but names, weight values and scales; kept with the graph."""
    return kept(graph, "structure_key", _digest)


def _digest(graph: ModelGraph) -> bytes:
    digest = hashlib.sha256(repr((graph.version, graph.signatures)).encode())
    for name, content in graph.metadata:
        if name != FORMS:
            digest.update(repr((name, content)).encode())
    for subgraph in graph.subgraphs:
        free = _value_free(subgraph)
        for tensor in subgraph.tensors:
            digest.update(repr(_tensor_facts(tensor)).encode())
            if tensor.data is not None and tensor.index not in free:
                digest.update(tensor.data)
        for op in subgraph.ops:
            facts = (op.kind, op.inputs, op.outputs, op.attributes, op.version, op.custom_code,
                     op.custom_options, op.intermediates, op.mutating_inputs, op.only_legacy_code,
                     op.pads)  # fmt: skip
            digest.update(repr(facts).encode())
        digest.update(repr((subgraph.inputs, subgraph.outputs)).encode())
    return digest.digest()


def _value_free(subgraph: Subgraph) -> set[int]:
    """Constants that are filters or biases: (input 1, input 2) of ops with weights."""
    found: set[int] = set()
    for op in subgraph.ops:
        if op.kind in WEIGHT_PLACES:
            place = WEIGHT_PLACES[op.kind][0]
            found.update(t for t in op.inputs[place:] if t >= 0)
    return found


def _tensor_facts(tensor: Tensor) -> tuple[object, ...]:
    return (
        tensor.dtype.value, tensor.shape, tensor.is_constant, tensor.stored_bytes, tensor.sparsity,
        tensor.is_variable, tensor.shape_signature, tensor.has_rank, tensor.variants,
        _quantization_facts(tensor.quantization), _quantization_facts(tensor.recorded),
    )  # fmt: skip


def _quantization_facts(quantization: Quantization | None) -> tuple[object, ...] | None:
    if quantization is None:
        return None
    points = quantization.zero_points
    some = points.tobytes() if points.any() else b""
    return len(quantization.scales), len(points), some, quantization.axis, quantization.details
