"""What can be computed when the model is compiled: ops on constants, and batch-norms next to weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import ModelError
from ..evaluate import constant_array, run_op
from ..ir import OPTIONAL, DType, ModelGraph, Op, Subgraph, Tensor, wire
from ..ops import Activation
from .base import PassResult

Array = npt.NDArray[Any]
# The axis of the weights that runs along the op's outputs, and along its inputs.
_OUTPUT_AXIS = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 0}
_INPUT_AXIS = {"CONV_2D": 3, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 1}


@dataclass(frozen=True, slots=True)
class FoldConstants:
    """Every op whose inputs are all constants becomes constants itself, in the bits that evaluate gives."""

    name: str = "fold-constants"

    def apply(self, graph: ModelGraph) -> PassResult:
        main, tensors, kept, notes = graph.main, list(graph.tensors), list[Op](), list[str]()
        for op in main.ops:
            known = [tensors[i].is_constant for i in op.inputs if i != OPTIONAL]
            folded = _folded(tensors, op) if known and all(known) and not op.fused else None
            if folded is None:
                kept.append(op)
                continue
            for t, values in folded.items():
                tensors[t] = replace(tensors[t], data=np.ascontiguousarray(values).tobytes())
            notes.append(f"{op.label} (op {op.index}) is a constant")
        return _rewritten(graph, tensors, kept, notes)


def _folded(tensors: list[Tensor], op: Op) -> Mapping[int, Array] | None:
    try:
        return run_op(Subgraph(tuple(tensors), (op,), (), ()), op, {})
    except ModelError:
        return None  # it cannot be evaluated, and stays as it is


@dataclass(frozen=True, slots=True)
class FoldBatchNorms:
    """Float MUL, ADD and SUB by one value per channel move into the weights and bias next to them.

    After the op: w' = w * s and b' = b * s for MUL, b' = b + t for ADD. Before it: w' = w * s for MUL, and
    b' = b + sum(w * t) for ADD where no padding hides the shift.
    """

    name: str = "fold-batch-norms"

    def apply(self, graph: ModelGraph) -> PassResult:
        current, notes = graph, list[str]()
        while (step := _fold_one(current)) is not None:
            current = step.graph
            notes += step.notes
        return PassResult(current, current is not graph, tuple(notes))


def _fold_one(graph: ModelGraph) -> PassResult | None:
    main = graph.main
    for op in main.ops:
        if op.kind not in _OUTPUT_AXIS or op.fused or not _has_float_weights(main, op):
            continue
        follower = _neighbour(main, op, op.consumers[0] if len(op.consumers) == 1 else -1)
        if follower is not None and follower.inputs.count(op.outputs[0]) == 1 and _is_linear(op):
            folded = _absorb(main, op, follower, after=True)
            if folded is not None:
                return _merged(graph, op, follower, folded)
        leader = _neighbour(main, op, op.producers[0])
        if leader is not None and leader.consumers == (op.index,) and _is_linear(leader):
            folded = _absorb(main, op, leader, after=False)
            if folded is not None:
                return _merged(graph, op, leader, folded)
    return None


def _has_float_weights(main: Subgraph, op: Op) -> bool:
    rest = [main.tensors[i] for i in op.inputs[1:] if i != OPTIONAL]
    rank = 2 if op.kind == "FULLY_CONNECTED" else 4
    if len(op.inputs) < 2 or OPTIONAL in op.inputs[:2] or len(rest[0].shape) != rank:
        return False
    if _shares_values(rest[0]):
        return False
    return all(t.is_constant and t.dtype is DType.FLOAT32 and t.sparsity is None for t in rest)


def _shares_values(weight: Tensor) -> bool:
    """Whether scaling its channels would undo what a variant made of it: few values, or few bits."""
    form = weight.form
    return form is not None and (form.codebook is not None or form.bits is not None)


def _is_linear(op: Op) -> bool:
    return getattr(op.attributes, "fused_activation_function", Activation.NONE) == Activation.NONE


def _neighbour(main: Subgraph, op: Op, index: int) -> Op | None:
    """The MUL, ADD or SUB next to the op; None if what lies between is a graph output."""
    if index < 0 or main.ops[index].kind not in ("MUL", "ADD", "SUB") or main.ops[index].fused:
        return None
    between = op.outputs[0] if index > op.index else main.ops[index].outputs[0]
    return None if between in main.outputs else main.ops[index]


def _absorb(main: Subgraph, op: Op, norm: Op, *, after: bool) -> tuple[Array, Array] | None:
    """Weights and bias with the neighbour in them; None where it is no per-channel op or not exact."""
    between = op.outputs[0] if after else norm.outputs[0]
    flowing = [i for i in norm.inputs if not main.tensors[i].is_constant]
    if len(flowing) != 1 or len(norm.inputs) != 2 or (norm.kind == "SUB" and norm.inputs[0] != flowing[0]):
        return None
    if after and flowing[0] != between:
        return None
    channels = main.tensors[between].shape[-1]
    factor = main.tensors[next(i for i in norm.inputs if i != flowing[0])]
    same_shape = main.tensors[flowing[0]].shape == main.tensors[norm.outputs[0]].shape
    if factor.dtype is not DType.FLOAT32 or not same_shape or factor.element_count not in (1, channels):
        return None
    if factor.element_count > 1 and factor.shape[-1] != channels:
        return None
    values = np.broadcast_to(constant_array(factor).reshape(-1).astype(np.float64), (channels,))
    weight = constant_array(main.tensors[op.inputs[1]]).astype(np.float64)
    bias = _bias_of(main, op, weight.shape[_OUTPUT_AXIS[op.kind]])
    signed = -values if norm.kind == "SUB" else values
    if after:
        return _after(op, weight, bias, signed, scales=norm.kind == "MUL")
    return _before(op, weight, bias, signed, scales=norm.kind == "MUL")


def _bias_of(main: Subgraph, op: Op, units: int) -> Array:
    if len(op.inputs) < 3 or op.inputs[2] == OPTIONAL:
        return np.zeros(units)
    return constant_array(main.tensors[op.inputs[2]]).reshape(-1).astype(np.float64)


def _after(op: Op, weight: Array, bias: Array, values: Array, *, scales: bool) -> tuple[Array, Array] | None:
    if not scales:
        return weight, bias + values
    return weight * _along(values, weight.ndim, _OUTPUT_AXIS[op.kind]), bias * values


def _before(op: Op, weight: Array, bias: Array, values: Array, *, scales: bool) -> tuple[Array, Array] | None:
    axis = _INPUT_AXIS[op.kind]
    if weight.shape[axis] != len(values):  # groups, a depth multiplier, or a flattened input
        return None
    spread = weight * _along(values, weight.ndim, axis)
    if scales:
        return spread, bias
    if getattr(op.attributes, "padding", "valid") != "valid":
        return None
    gone = tuple(d for d in range(weight.ndim) if d != _OUTPUT_AXIS[op.kind])
    return weight, bias + spread.sum(axis=gone)


def _along(values: Array, rank: int, axis: int) -> Array:
    return values.reshape([-1 if d == axis else 1 for d in range(rank)])


def _merged(graph: ModelGraph, op: Op, norm: Op, folded: tuple[Array, Array]) -> PassResult:
    """The graph in which the op, with new constants, stands for both; its place is that of the later one."""
    main, count = graph.main, len(graph.tensors)
    old = main.tensors[op.inputs[1]]
    weight, bias = (values.astype(np.float32) for values in folded)
    tensors = [
        *main.tensors,
        Tensor(count, f"{old.name}_folded", DType.FLOAT32, weight.shape, weight.tobytes(), form=old.form),
        Tensor(count + 1, f"{old.name}_bias", DType.FLOAT32, bias.shape, bias.tobytes()),
    ]
    after = norm.index > op.index
    data = op.inputs[0] if after else next(i for i in norm.inputs if not main.tensors[i].is_constant)
    attributes = op.attributes
    if after and attributes is not None:
        activation = getattr(norm.attributes, "fused_activation_function", Activation.NONE)
        attributes = replace(attributes, fused_activation_function=activation)  # type: ignore[call-arg]
    outputs = norm.outputs if after else op.outputs
    one = replace(op, inputs=(data, count, count + 1), outputs=outputs, attributes=attributes)
    later = norm if after else op
    earlier = op if after else norm
    ops = [one if o is later else o for o in main.ops if o is not earlier]
    note = f"{norm.label} (op {norm.index}) moved into {op.label} (op {op.index})"
    return _rewritten(graph, tensors, ops, [note])


def _rewritten(graph: ModelGraph, tensors: list[Tensor], ops: list[Op], notes: Iterable[str]) -> PassResult:
    """The graph with these ops; constants that nobody reads any more lose their bytes."""
    said = tuple(notes)
    if not said:
        return PassResult(graph)
    main = graph.main
    read = {i for op in ops for part in (op, *op.fused) for i in part.inputs} | set(main.outputs)
    once = {i for op in main.ops for i in op.inputs}
    lean = [replace(t, data=None) if t.index in once and t.index not in read else t for t in tensors]
    wired = wire(lean, ops, inputs=main.inputs, outputs=main.outputs, name=main.name)
    return PassResult(graph.with_main(wired), True, said)
