"""How is a float model written with integers? Ops on their grids, conversions where types meet."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..dtype import DType
from ..evaluate import BIASED
from ..grids import version_of
from ..ir import OPTIONAL, ModelGraph, Op, Quantization, Tensor
from .compact import rewritten
from .integer_constants import Loss, integer_bias, integer_operand, integer_weights, least_scales
from .shared_grids import Grids, real_ends


@dataclass(frozen=True)
class IntegerPlan:
    """What becomes integer, and how.

    Args:
        ops: indices of the ops that run on integers.
        grids: of all activations they touch.
        dtype: of activations, int8 or int16.
        weight_bits: 8 or 4.
        per_channel: one scale per output channel where the op takes that.
        integer_ends: whether the model's inputs and outputs are integers too.
    """

    ops: Collection[int]
    grids: Grids
    dtype: DType
    weight_bits: int = 8
    per_channel: bool = True
    integer_ends: bool = True


@dataclass
class _Writing:
    """The model so far: `homes` are the activations that are integers where they are made."""

    graph: ModelGraph
    plan: IntegerPlan
    tensors: list[Tensor]
    ops: list[Op] = field(default_factory=list)
    homes: set[int] = field(default_factory=set)
    copies: dict[tuple[Any, ...], int] = field(default_factory=dict)
    losses: list[Loss] = field(default_factory=list)

    def append(self, tensor: Tensor, key: tuple[Any, ...]) -> int:
        """The index of a new tensor, made once per key."""
        if key not in self.copies:
            self.tensors.append(replace(tensor, index=len(self.tensors)))
            self.copies[key] = len(self.tensors) - 1
        return self.copies[key]


def integer_graph(graph: ModelGraph, plan: IntegerPlan) -> tuple[ModelGraph, tuple[Loss, ...]]:
    """The model with these ops on integers, and what each weight tensor lost.

    Args:
        graph: in float32; constants may name the grid on which their values lie.
    """
    w = _Writing(graph, plan, list(graph.tensors))
    for t in _homes(graph, plan):
        w.homes.add(t)
        w.tensors[t] = replace(
            graph.tensors[t], dtype=plan.dtype, quantization=plan.grids.of[t], recorded=None
        )
    for op in graph.ops:
        w.ops.append(_integer_op(w, op) if op.index in plan.ops else _float_op(w, op))
    outputs = [_end(w, t) for t in graph.outputs]
    return rewritten(graph, w.tensors, w.ops, outputs), tuple(w.losses)


def _homes(graph: ModelGraph, plan: IntegerPlan) -> set[int]:
    made = {t for op in graph.ops if op.index in plan.ops for t in op.outputs}
    given = set(graph.inputs) if plan.integer_ends else set()
    return {t for t in made | given if t in plan.grids.of}


def _float_op(w: _Writing, op: Op) -> Op:
    inputs = tuple(_as_float(w, t) if t in w.homes else t for t in op.inputs)
    return replace(op, inputs=inputs)


def _integer_op(w: _Writing, op: Op) -> Op:
    main, dtype = w.graph.main, w.plan.dtype
    real = set(real_ends(main, op))
    data, weight, bias = BIASED.get(op.kind, (-1, -1, -1))
    inputs = list(op.inputs)
    for place, t in enumerate(op.inputs):
        if t not in real or place in (weight, bias):
            continue
        if main.tensors[t].is_constant:
            inputs[place] = _operand(w, op, place)
        else:
            inputs[place] = _on_grid(w, t, w.plan.grids.inside.get((op.index, place), w.plan.grids.of[t]))
    if weight >= 0:
        _weigh(w, op, inputs, w.tensors[inputs[data]])
    return replace(
        op, inputs=tuple(inputs), version=version_of(op.kind, dtype), attributes=_attributes(op, dtype)
    )


def _attributes(op: Op, dtype: DType) -> Any:
    """Scales of ADD and SUB in int16 are no powers of two."""
    if dtype is DType.INT16 and getattr(op.attributes, "pot_scale_int16", False):
        changed: Any = op.attributes
        return replace(changed, pot_scale_int16=False)
    return op.attributes


def _operand(w: _Writing, op: Op, place: int) -> int:
    """A constant on its group's grid, or on one of its own range."""
    from ..quantities import affine

    t = op.inputs[place]
    tensor = w.graph.tensors[t]
    grid = w.plan.grids.inside.get((op.index, place), w.plan.grids.of.get(t))
    if grid is None:
        values = np.frombuffer(tensor.data or b"", np.float32)
        grid = affine(float(values.min(initial=0.0)), float(values.max(initial=0.0)), w.plan.dtype)
    return w.append(integer_operand(tensor, grid, w.plan.dtype), ("operand", t, *_key(grid)))


def _weigh(w: _Writing, op: Op, inputs: list[int], data: Tensor) -> None:
    """Weights and bias of an op whose integer input is known."""
    _, weight, bias = BIASED[op.kind]
    tensors, dtype = w.graph.tensors, w.plan.dtype
    assert data.quantization is not None
    scale = np.float32(data.quantization.scales[0])
    has_bias = bias < len(inputs) and inputs[bias] != OPTIONAL
    offset = tensors[op.inputs[bias]] if has_bias else None
    least = 0.0 if dtype is DType.INT16 else least_scales(offset, float(scale))
    bits = w.plan.weight_bits
    made, loss = integer_weights(
        tensors[op.inputs[weight]], op.kind, bits=bits, per_channel=w.plan.per_channel, least=least
    )
    grid = made.quantization
    assert grid is not None
    key = ("weights", op.inputs[weight], op.kind, grid.scales.tobytes())
    if key not in w.copies:
        w.losses.append(loss)
    inputs[weight] = w.append(made, key)
    if offset is None and op.kind == "CONV_2D":
        offset = _zeros(tensors[op.outputs[0]])
        inputs[bias:] = [OPTIONAL]
    if offset is not None:
        stored = integer_bias(offset, scale, grid, dtype)
        assert stored.quantization is not None
        key = ("bias", offset.index, offset.name, stored.quantization.scales.tobytes())
        inputs[bias] = w.append(stored, key)


def _zeros(output: Tensor) -> Tensor:
    """A bias for a CONV_2D without one: integer kernels of tflite-runtime insist on it."""
    channels = output.shape[-1]
    return Tensor(-1, f"{output.name}_bias", DType.FLOAT32, (channels,), bytes(4 * channels))


def _on_grid(w: _Writing, t: int, grid: Quantization) -> int:
    """The activation on that grid: itself, or a QUANTIZE of it."""
    held = w.tensors[t]
    if t in w.homes and held.quantization is not None and _key(held.quantization) == _key(grid):
        return t
    name = f"{held.name}_{w.plan.dtype}"
    made = replace(held, name=name, dtype=w.plan.dtype, quantization=grid, recorded=None)
    return _converted(w, t, made, "QUANTIZE", _key(grid))


def _as_float(w: _Writing, t: int) -> int:
    made = replace(w.graph.tensors[t], name=f"{w.graph.tensors[t].name}_float")
    return _converted(w, t, made, "DEQUANTIZE", ())


def _converted(w: _Writing, t: int, made: Tensor, kind: str, key: tuple[Any, ...]) -> int:
    whole = (kind, t, *key)
    if whole not in w.copies:
        target = w.append(made, whole)
        version = version_of(kind, w.plan.dtype)
        w.ops.append(Op(len(w.ops), kind, (t,), (target,), None, version))
    return w.copies[whole]


def _end(w: _Writing, t: int) -> int:
    """The model's output: integer or float as the ends are meant to be; it keeps its name."""
    is_real = w.graph.tensors[t].dtype is DType.FLOAT32
    if w.plan.integer_ends and is_real and t not in w.homes and t in w.plan.grids.of:
        return _on_grid(w, t, w.plan.grids.of[t])
    if not w.plan.integer_ends and t in w.homes:
        end = _as_float(w, t)
        name = w.graph.tensors[t].name
        w.tensors[end] = replace(w.tensors[end], name=name)
        w.tensors[t] = replace(w.tensors[t], name=f"{name}_{w.plan.dtype}")
        return end
    return t


def _key(grid: Quantization) -> tuple[Any, ...]:
    return grid.scales.tobytes(), grid.zero_points.tobytes()
