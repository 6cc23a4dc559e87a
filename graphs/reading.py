"""What a shape rule looks at: an op's input shapes, constant integers and attributes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ShapeInvalid
from .ir import OPTIONAL, DType, Op, Subgraph

Shape = tuple[int, ...]
Shapes = tuple[Shape, ...]
_INTEGERS = {DType.INT32: np.int32, DType.INT64: np.int64}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a rule looks at: the op's inputs and attributes."""

    subgraph: Subgraph
    op: Op

    def has(self, position: int) -> bool:
        return position < len(self.op.inputs) and self.op.inputs[position] != OPTIONAL

    def shape(self, position: int = 0) -> Shape:
        """The shape of an input; raises where the op lacks it."""
        if not self.has(position):
            raise self.fault(f"lacks input {position}")
        return self.subgraph.tensors[self.op.inputs[position]].shape

    def shapes(self) -> list[Shape]:
        return [self.subgraph.tensors[i].shape for i in self.op.inputs if i != OPTIONAL]

    def integers(self, position: int) -> list[int] | None:
        """The values of a constant integer input, flattened; None if they are known only when running."""
        if not self.has(position):
            raise self.fault(f"lacks input {position}")
        tensor = self.subgraph.tensors[self.op.inputs[position]]
        kind = _INTEGERS.get(tensor.dtype)
        if tensor.data is None or kind is None or len(tensor.data) != tensor.dense_bytes:
            return None
        values: npt.NDArray[Any] = np.frombuffer(tensor.data, kind)
        return [int(v) for v in values]

    def attribute(self, name: str, default: Any) -> Any:
        """An attribute by the schema's name; the schema's default where the file has none."""
        return getattr(self.op.attributes, name, default)

    def axis(self, axis: int, rank: int) -> int:
        """The axis counted from the front."""
        if not -rank <= axis < rank:
            raise self.fault(f"has axis {axis} outside rank {rank}")
        return axis % rank if rank else 0

    def fault(self, what: str) -> ShapeInvalid:
        given = ", ".join("x".join(map(str, s)) or "scalar" for s in self.shapes())
        return ShapeInvalid(
            f"{self.op.label} {what}; inputs are {given or 'none'}", where=f"op {self.op.index}",
            fix="the model contradicts itself; export it again",
        )  # fmt: skip


def broadcast(a: Shape, b: Shape) -> Shape | None:
    """The common shape under numpy's broadcasting; None if there is none.

    >>> broadcast((1, 4, 4, 8), (8,))
    (1, 4, 4, 8)
    """
    rank = max(len(a), len(b))
    longer, other = (1,) * (rank - len(a)) + a, (1,) * (rank - len(b)) + b
    if any(x != y and 1 not in (x, y) for x, y in zip(longer, other, strict=True)):
        return None
    return tuple(y if x == 1 else x for x, y in zip(longer, other, strict=True))
