"""What does TFLM keep in the arena's tail, and in which order? specs/tflm_memory.md section 5.

The tail grows down; from an end aligned to 16, an allocation moves its depth to up(depth + bytes, alignment).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...graphs.ir import ModelGraph, Op, Subgraph, Tensor
from ..operands import operand
from .departures import init_struct, option_struct, sizes_of
from .persistent_sizes import AbiSizes
from .prepare_data import assigned_bytes, init_state, prepare_data
from .shapes import ELEMENT_BYTES

if TYPE_CHECKING:
    from ...devices.target import KernelBuild

FIXED, EVAL, NODES = "fixed objects", "eval tensors", "nodes and registrations"
OPTIONS, OP_DATA, PER_CHANNEL = "op options", "op data", "per-channel data"
RESOURCES, SCRATCH_HANDLES = "resource variables", "scratch handles"
VARIABLES, IN_OUT = "variables", "inputs and outputs"
_PER_CHANNEL_KINDS = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "FULLY_CONNECTED"})


@dataclass(slots=True)
class Tail:
    """A stack of persistent allocations, and how deep it was at the moments that matter.

    Args:
        before_prepare, after_prepare: depth around each op's Prepare, in Prepare order.
        before_io: depth when the planner runs: all but input and output structs.
    """

    depth_bytes: int = 0
    by_kind: dict[str, int] = field(default_factory=dict)
    before_prepare: list[int] = field(default_factory=list)
    after_prepare: list[int] = field(default_factory=list)
    before_io: int = 0
    unknown_ops: dict[str, None] = field(default_factory=dict)

    def push(self, kind: str, size_bytes: int, alignment_bytes: int) -> None:
        """depth = up(depth + bytes, alignment)."""
        depth = -(-(self.depth_bytes + size_bytes) // alignment_bytes) * alignment_bytes
        self.by_kind[kind] = self.by_kind.get(kind, 0) + depth - self.depth_bytes
        self.depth_bytes = depth


def lay_tail(graph: ModelGraph, build: KernelBuild, *, scratch_count: int, variables: Sequence[int]) -> Tail:
    """The whole tail; `variables` are the bytes of those that are not planned, in order."""
    sizes = sizes_of(build)
    tail = Tail()
    _push_objects(tail, graph, build)
    for subgraph in graph.subgraphs:
        for op in subgraph.ops:
            _push_init(tail, subgraph, op, build)
    _push_prepare(tail, graph, build)
    if scratch_count:
        tail.push(SCRATCH_HANDLES, sizes.pointer * scratch_count, 4)
    for size_bytes in variables:
        tail.push(VARIABLES, size_bytes, 16)
    tail.before_io = tail.depth_bytes
    main = graph.main
    for indices in (main.inputs, main.outputs):
        tail.push(IN_OUT, sizes.pointer * len(indices), 16)
        for index in indices:
            _push_tensor(tail, main.tensors[index], sizes)
    return tail


def _push_objects(tail: Tail, graph: ModelGraph, build: KernelBuild) -> None:
    """The rows of section 5 before op data."""
    sizes = sizes_of(build)
    for size_bytes in (sizes.allocator, sizes.planner, sizes.micro_allocator):
        tail.push(FIXED, size_bytes, 4)
    resources = resource_count(graph)
    if resources:
        tail.push(RESOURCES, sizes.resource_variables, 16)
        tail.push(RESOURCES, sizes.resource_variable * resources, 16)
    tail.push(FIXED, sizes.builtin_data_allocator, 4)
    tail.push(FIXED, sizes.subgraph * len(graph.subgraphs), 4)
    for subgraph in graph.subgraphs:
        tail.push(EVAL, sizes.eval_tensor * len(subgraph.tensors), 4)
    for subgraph in graph.subgraphs:
        tail.push(NODES, sizes.node_and_registration * len(subgraph.ops), 4)
    for subgraph in graph.subgraphs:
        for op in subgraph.ops:
            size_bytes, alignment = option_struct(op.kind, build)
            if size_bytes:
                tail.push(OPTIONS, size_bytes, alignment)


def resource_count(graph: ModelGraph) -> int:
    """Resource variables that the application must create: distinct names of VAR_HANDLE ops."""
    return len({_resource(op) for s in graph.subgraphs for op in s.ops if op.kind == "VAR_HANDLE"})


def _resource(op: Op) -> tuple[object, object]:
    return getattr(op.attributes, "container", None), getattr(op.attributes, "shared_name", None)


def _push_init(tail: Tail, subgraph: Subgraph, op: Op, build: KernelBuild) -> None:
    label = op.custom_code if op.kind == "CUSTOM" else op.kind
    size_bytes = init_struct(label, build)
    if size_bytes is None:
        tail.unknown_ops[op.label] = None
    elif size_bytes:
        tail.push(OP_DATA, size_bytes, 16)
    if op.kind == "CUSTOM":
        data = operand(subgraph, op, 0)
        for state_bytes in init_state(op, ELEMENT_BYTES.get(data.dtype, 0) if data is not None else 0):
            tail.push(OP_DATA, state_bytes, 16)


def _push_prepare(tail: Tail, graph: ModelGraph, build: KernelBuild) -> None:
    assigned: set[tuple[object, object]] = set()
    for subgraph in graph.subgraphs:
        for op in subgraph.ops:
            tail.before_prepare.append(tail.depth_bytes)
            kind = PER_CHANNEL if op.kind in _PER_CHANNEL_KINDS else OP_DATA
            for size_bytes in prepare_data(subgraph, op, build):
                tail.push(kind, size_bytes, 16)
            if op.kind == "ASSIGN_VARIABLE":
                handle = subgraph.ops[op.producers[0]] if op.producers and op.producers[0] >= 0 else op
                if _resource(handle) not in assigned:
                    assigned.add(_resource(handle))
                    tail.push(RESOURCES, assigned_bytes(subgraph, op), 16)
            tail.after_prepare.append(tail.depth_bytes)


def _push_tensor(tail: Tail, tensor: Tensor, sizes: AbiSizes) -> None:
    """The tensor struct; with scales and zero points 12 and 4 + 4*n_scales more."""
    tail.push(IN_OUT, sizes.tensor, 4)
    for size_bytes in quantization_bytes(tensor, sizes):
        tail.push(IN_OUT, size_bytes, 4)


def quantization_bytes(tensor: Tensor, sizes: AbiSizes) -> tuple[int, ...]:
    """The affine struct and its array of zero points; () without scales and zero points."""
    q = tensor.quantization
    if q is None or not len(q.scales) or not q.has_zero_points:
        return ()
    return sizes.affine_quantization, 4 + 4 * len(q.scales)
