"""How are ops of a model put in place of others, a change at a time?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..ir import ModelGraph, Op, Tensor
from ..ops import Activation
from .compact import rewritten, without_offsets

# What TFLite's converter fuses an activation into.
_FUSABLE = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD", "SUB", "MUL", "DIV")
_FUSABLE_FLOAT = ("AVERAGE_POOL_2D", "MAX_POOL_2D")  # of integers their grid is that of the input
# What two activations one after the other are, where that is one again.
_ONE_OF = {
    (Activation.NONE, Activation.RELU): Activation.RELU,
    (Activation.NONE, Activation.RELU6): Activation.RELU6,
    (Activation.RELU, Activation.RELU): Activation.RELU,
    (Activation.RELU, Activation.RELU6): Activation.RELU6,
    (Activation.RELU6, Activation.RELU): Activation.RELU6,
    (Activation.RELU6, Activation.RELU6): Activation.RELU6,
}


class Rewiring:
    """A model's main subgraph under change; ops keep the places they had."""

    def __init__(self, graph: ModelGraph) -> None:
        self.graph = graph
        self.tensors = list(graph.tensors)
        self._ops: dict[tuple[int, int], Op] = {(op.index, 0): op for op in graph.ops}
        self._outputs = list(graph.outputs)

    def op(self, index: int) -> Op:
        """The op at this place as it is now."""
        return self._ops[index, 0]

    def remove(self, indices: Iterable[int]) -> None:
        for index in indices:
            del self._ops[index, 0]

    def put(self, index: int, ops: Iterable[Op]) -> None:
        """These ops at this place, behind what is there."""
        used = 1 + max((n for place, n in self._ops if place == index), default=-1)
        self._ops.update({(index, used + n): op for n, op in enumerate(ops)})

    def change(self, index: int, op: Op) -> None:
        self._ops[index, 0] = op

    def add(self, tensor: Tensor) -> int:
        """The tensor under an index of its own."""
        self.tensors.append(replace(tensor, index=len(self.tensors)))
        return len(self.tensors) - 1

    def fuse(self, source: int, end: int, activation: Activation) -> bool:
        """Whether the op that makes `source` could make `end` instead, with this activation; it then does."""
        place = next((p for p, op in self._ops.items() if source in op.outputs), None)
        if place is None or source in self._outputs or self._is_read(source):
            return False
        maker, is_float = self._ops[place], self.tensors[end].dtype.is_float
        kinds = _FUSABLE + _FUSABLE_FLOAT * is_float
        if maker.kind not in kinds or maker.fused or maker.attributes is None or len(maker.outputs) != 1:
            return False
        before = Activation(getattr(maker.attributes, "fused_activation_function", Activation.NONE))
        after = before if activation is Activation.NONE else _ONE_OF.get((before, activation))
        if after is None or self.tensors[source].dtype is not self.tensors[end].dtype:
            return False
        attributes = replace(maker.attributes, fused_activation_function=after)  # type: ignore[call-arg]
        self._ops[place] = replace(maker, outputs=(end,), attributes=attributes)
        return True

    def read_instead(self, end: int, source: int) -> bool:
        """Whether what reads `end` could read `source`; it then does."""
        if end in self._outputs and source in (*self.graph.inputs, *self._outputs):
            return False
        for place, op in self._ops.items():
            if end in op.inputs:
                self._ops[place] = replace(op, inputs=tuple(source if t == end else t for t in op.inputs))
        self._outputs = [source if t == end else t for t in self._outputs]
        return True

    def finished(self) -> ModelGraph:
        ops = [self._ops[place] for place in sorted(self._ops)]
        return without_offsets(rewritten(self.graph, self.tensors, ops, self._outputs))

    def _is_read(self, tensor: int) -> bool:
        return any(tensor in op.inputs for op in self._ops.values())
