"""Which inputs of a model are pictures, and what is one with other extents?"""

from __future__ import annotations

from dataclasses import dataclass

from ..ir import ModelGraph, Op
from ..reading import Reading
from .resize_shapes import Shape

Factors = tuple[tuple[int, int], tuple[int, int]]  # (new, old) extents of height and of width
_SAME_SHAPE = ("QUANTIZE", "DEQUANTIZE", "CAST")


@dataclass(frozen=True, slots=True)
class Picture:
    """An input that is a picture.

    Args:
        tensor: the input.
        shape: of the picture.
        axes: of height and width.
        reshape: the op that makes the picture of a flat input; -1 if it is none.
    """

    tensor: int
    shape: Shape
    axes: tuple[int, int]
    reshape: int = -1

    @property
    def extents(self) -> tuple[int, int]:
        return self.shape[self.axes[0]], self.shape[self.axes[1]]

    def with_factors(self, factors: Factors) -> Shape:
        """Its shape with other extents."""
        shape = list(self.shape)
        for axis, (new, old) in zip(self.axes, factors, strict=True):
            shape[axis] = new if shape[axis] == old else max(1, round(shape[axis] * new / old))
        return tuple(shape)


def pictures(graph: ModelGraph) -> tuple[Picture, ...]:
    """The inputs that are pictures, in their order."""
    return tuple(found for t in graph.inputs if (found := _picture(graph, t)) is not None)


def _picture(graph: ModelGraph, t: int) -> Picture | None:
    """The input as a picture: NHWC, NCHW where it is transposed first, (batch, height, width), or flat."""
    shape, reader = graph.tensors[t].shape, _first_reader(graph, t)
    if len(shape) == 4:
        is_nchw = reader is not None and _order(graph, reader) == [0, 2, 3, 1]
        return Picture(t, shape, (2, 3) if is_nchw else (1, 2))
    if len(shape) == 3:
        return Picture(t, shape, (1, 2))
    if len(shape) == 2 and reader is not None and reader.kind == "RESHAPE":
        target = graph.tensors[reader.outputs[0]].shape
        if len(target) in (3, 4) and target[0] == shape[0] and Reading(graph.main, reader).has(1):
            return Picture(t, target, (1, 2), reader.index)
    return None


def _first_reader(graph: ModelGraph, t: int) -> Op | None:
    """The only op that reads it, behind conversions of its type."""
    readers = graph.main.consumers_of.get(t, ())
    if len(readers) != 1:
        return None
    op = graph.ops[readers[0]]
    return _first_reader(graph, op.outputs[0]) if op.kind in _SAME_SHAPE else op


def _order(graph: ModelGraph, op: Op) -> list[int] | None:
    return Reading(graph.main, op).integers(1) if op.kind == "TRANSPOSE" else None
