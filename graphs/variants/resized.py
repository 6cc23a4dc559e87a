"""What is a model whose inputs have other extents? Shapes follow op by op; the first that cannot is named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ...errors import ModelError, ShapeInvalid, VariantInvalid
from ..dtype import DType
from ..ir import ModelGraph, Op, Subgraph, Tensor, wire
from ..quantities import NUMPY_OF_DTYPE
from ..reading import Reading
from ..shapes import infer_shapes
from .compact import compacted, without_offsets
from .picked import Picks, picked, reshaped
from .resize_change import Change, Said
from .resize_rules import ALSO_UNTOUCHED, RULES
from .resize_shapes import Extents, Shape

_FIX = "choose other extents, or export the model at that resolution"


def resized(graph: ModelGraph, inputs: Mapping[int, Shape], targets: Mapping[int, Shape]) -> ModelGraph:
    """The model with these input shapes.

    Args:
        graph: without open extents.
        inputs: input tensor -> its new shape, of the same rank.
        targets: RESHAPE op -> the picture that it makes of a flat input.

    Raises:
        VariantInvalid: an op cannot follow; says which and why.
    """
    work = _Work(graph.main, targets)
    for t, shape in inputs.items():
        work.set_shape(t, shape)
    for op in graph.ops:
        try:
            work.follow(op)
        except VariantInvalid as error:
            raise VariantInvalid(error.what, where=graph.name, fix=error.fix or _FIX) from None
        except ModelError as error:
            what = f"op {op.index} {op.label} cannot follow: {error.what}"
            raise VariantInvalid(what, where=graph.name, fix=_FIX) from error
        except (IndexError, ValueError, ZeroDivisionError) as error:
            what = f"op {op.index} {op.label} contradicts itself: {error}"
            raise VariantInvalid(what, where=graph.name, fix="export the model again") from error
    return compacted(without_offsets(graph.with_main(work.finished())))


class _Work:
    """The tensors and ops so far."""

    def __init__(self, old: Subgraph, targets: Mapping[int, Shape]) -> None:
        self.old = old
        self.targets = targets
        self.tensors = list(old.tensors)
        self.ops: list[Op] = []
        self.shapes: dict[int, Shape] = {}  # those that differ
        self.extents = Extents()
        self._copies: dict[tuple[int, bytes, Shape], int] = {}

    def set_shape(self, t: int, shape: Shape) -> None:
        self.extents.meet(self.old.tensors[t].shape, shape)
        if shape != self.old.tensors[t].shape:
            if self.tensors[t].is_variable:
                raise VariantInvalid(
                    f"{self.tensors[t].name}, a state of the model, would have another shape"
                )
            self.shapes[t] = shape
            self.tensors[t] = reshaped(self.tensors[t], shape)

    def follow(self, op: Op) -> None:
        """The op with what it says now, and its outputs' shapes."""
        if not any(t in self.shapes for t in op.inputs) and op.kind not in ALSO_UNTOUCHED:
            self.ops.append(op)
            for t in op.outputs:
                self.set_shape(t, self.old.tensors[t].shape)
            return
        rule = RULES.get(op.kind)
        if rule is None or op.fused or op.pads is not None:
            raise VariantInvalid(f"op {op.index} {op.label} is not understood: its shapes cannot follow")
        change = Change(Reading(self.old, op), self.shapes, self.extents)
        if op.index in self.targets:
            said = Said(integers={1: list(self.targets[op.index])})
        else:
            said = rule(change)
        made = self._saying(op, said)
        self.ops.append(made)
        for t, shape in zip(made.outputs, self._made(made), strict=True):
            self.set_shape(t, shape)

    def finished(self) -> Subgraph:
        """Wired again, without ops that computed a shape that is a constant now."""
        main = self.old
        read = {t for op in main.ops for t in op.inputs} | set(main.outputs)
        ops = list(self.ops)
        while True:
            now = {t for op in ops for t in op.inputs} | set(main.outputs)
            left = [op for op in ops if not op.outputs or any(t in now or t not in read for t in op.outputs)]
            if len(left) == len(ops):
                return wire(self.tensors, ops, inputs=main.inputs, outputs=main.outputs, name=main.name)
            ops = left

    def _made(self, op: Op) -> Sequence[Shape]:
        found = infer_shapes(Subgraph(tuple(self.tensors), (), (), ()), op)
        if found is None or len(found) != len(op.outputs):
            raise ShapeInvalid("its shape is known only when running")
        if any(extent < 1 for shape in found for extent in shape):
            raise ShapeInvalid("nothing would be left: the input is too small")
        if any(
            len(shape) != len(self.old.tensors[t].shape) for t, shape in zip(op.outputs, found, strict=True)
        ):
            raise ShapeInvalid("its result would have another rank")
        return found

    def _saying(self, op: Op, said: Said) -> Op:
        inputs = list(op.inputs)
        for position, values in said.integers.items():
            inputs[position] = self._with_integers(op, position, values)
        for position, picks in said.picks.items():
            inputs[position] = self._with_picks(op, position, picks)
        attributes = op.attributes if said.attributes is None else said.attributes
        return replace(op, inputs=tuple(inputs), attributes=attributes)

    def _with_integers(self, op: Op, position: int, values: list[int]) -> int:
        tensor = self.old.tensors[op.inputs[position]]
        kind = tensor.dtype if tensor.dtype in (DType.INT32, DType.INT64) else DType.INT32
        data = np.array(values, NUMPY_OF_DTYPE[kind]).tobytes()
        if tensor.data is not None and bytes(tensor.data) == data:
            return tensor.index
        shape = tensor.shape if tensor.is_constant else (len(values),)
        constant = replace(tensor, data=data, shape=shape, dtype=kind, shape_signature=())
        return self._put(op, position, constant)

    def _with_picks(self, op: Op, position: int, picks: Picks) -> int:
        tensor = self.old.tensors[op.inputs[position]]
        if tensor.is_constant:
            return self._put(op, position, picked(tensor, picks))
        maker = self.old.producer_of.get(tensor.index, -1)
        source = self.old.ops[maker] if maker >= 0 else None
        is_alone = len(self.old.consumers_of[tensor.index]) == 1
        if source is None or source.kind != "DEQUANTIZE" or not is_alone:
            raise VariantInvalid(f"op {op.index} {op.label} has weights that are computed or shared")
        stored = self._put(source, 0, picked(self.old.tensors[source.inputs[0]], picks))
        self.ops[maker] = replace(self.ops[maker], inputs=(stored,))
        self.tensors[tensor.index] = picked(tensor, picks)
        return tensor.index

    def _put(self, op: Op, position: int, tensor: Tensor) -> int:
        """Where the changed constant is: in its old place if no one else reads it there."""
        old = op.inputs[position]
        readers = self.old.consumers_of[old]
        is_alone = readers == (op.index,) and op.inputs.count(old) == 1 and old not in self.old.outputs
        if is_alone and self.old.tensors[old].is_constant:
            self.tensors[old] = tensor
            return old
        key = (old, bytes(tensor.data or b""), tensor.shape)
        if key not in self._copies:
            self._copies[key] = len(self.tensors)
            self.tensors.append(replace(tensor, index=len(self.tensors)))
        return self._copies[key]
