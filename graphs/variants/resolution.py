"""Another resolution: the model's picture has other extents, and all shapes follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field

from ...errors import RecipeInvalid, VariantInvalid
from ..ir import ModelGraph, Op
from ..reading import Reading
from ..static_shapes import with_static_shapes
from .given import SHAPE_ONLY, Given
from .resize_shapes import Shape
from .resized import resized

_Extent = Annotated[int, Field(ge=1, le=65536)]
_SAME_SHAPE = ("QUANTIZE", "DEQUANTIZE", "CAST")


@dataclass(frozen=True)
class Resolution:
    """Gives the model's picture another height and width; what is not given stays.

    Windows over the whole picture, sizes and shapes that the model states follow; weights of a dense op on a
    flat picture become as many as it needs. The model's shapes and costs are right, its answers are not: it
    has to be trained.

    Args:
        height, width: of the first input that is a picture, pixels (or steps of time, and features).
        edge: height and width at once.
        scale: multiplies height and width instead, to the nearest pixel; an extent of 1 stays.
    """

    word: ClassVar[str] = "resolution"
    retrain: ClassVar[bool] = True
    height: _Extent | None = None
    width: _Extent | None = None
    edge: _Extent | None = None
    scale: Annotated[float, Field(gt=0, le=64)] | None = None

    def __post_init__(self) -> None:
        ways = (
            self.height is not None or self.width is not None,
            self.edge is not None,
            self.scale is not None,
        )
        if sum(ways) != 1:
            fault = "give height and width, or edge, or scale"
            raise RecipeInvalid("recipe with faults", faults=[fault], fix="preflash schema recipe")

    def apply(self, graph: ModelGraph, given: Given) -> ModelGraph:
        """The model at that resolution; the very same where nothing changes.

        Raises:
            VariantInvalid: the model has no picture, or an op cannot follow; says which.
        """
        solved = with_static_shapes(graph)
        pictures = [found for t in solved.inputs if (found := _picture(solved, t)) is not None]
        if not pictures:
            shapes = ", ".join("x".join(map(str, solved.tensors[t].shape)) for t in solved.inputs)
            raise VariantInvalid(
                f"no input is a picture: {shapes}", where=graph.name,
                fix="it takes three or four dimensions, or a flat input that is reshaped first",
            )  # fmt: skip
        factors = self._factors(pictures[0])
        inputs, targets = dict[int, Shape](), dict[int, Shape]()
        for picture in pictures:
            shape = picture.with_factors(factors)
            inputs[picture.tensor] = shape if picture.reshape < 0 else (shape[0], _count(shape))
            if picture.reshape >= 0:
                targets[picture.reshape] = shape
        if all(solved.tensors[t].shape == shape for t, shape in inputs.items()):
            return graph
        changed = resized(solved, inputs, targets)
        for old, new in zip(solved.outputs, changed.outputs, strict=True):
            before, after = (g.tensors[t].shape for g, t in ((solved, old), (changed, new)))
            if before != after:
                given.note(f"output {solved.tensors[old].name}: {_text(before)} becomes {_text(after)}")
        given.note(
            f"{_text(pictures[0].shape)} becomes {_text(pictures[0].with_factors(factors))}: {SHAPE_ONLY}"
        )
        return changed

    def _factors(self, picture: _Picture) -> tuple[tuple[int, int], tuple[int, int]]:
        """(new, old) extents of height and of width."""
        height, width = picture.extents
        if self.scale is not None:
            new = tuple(e if e == 1 else max(1, round(e * self.scale)) for e in (height, width))
            return (new[0], height), (new[1], width)
        return (self.edge or self.height or height, height), (self.edge or self.width or width, width)


@dataclass(frozen=True, slots=True)
class _Picture:
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

    def with_factors(self, factors: tuple[tuple[int, int], tuple[int, int]]) -> Shape:
        shape = list(self.shape)
        for axis, (new, old) in zip(self.axes, factors, strict=True):
            shape[axis] = new if shape[axis] == old else max(1, round(shape[axis] * new / old))
        return tuple(shape)


def _picture(graph: ModelGraph, t: int) -> _Picture | None:
    """The input as a picture: NHWC, NCHW where it is transposed first, (batch, height, width), or flat."""
    shape, reader = graph.tensors[t].shape, _first_reader(graph, t)
    if len(shape) == 4:
        is_nchw = reader is not None and _order(graph, reader) == [0, 2, 3, 1]
        return _Picture(t, shape, (2, 3) if is_nchw else (1, 2))
    if len(shape) == 3:
        return _Picture(t, shape, (1, 2))
    if len(shape) == 2 and reader is not None and reader.kind == "RESHAPE":
        target = graph.tensors[reader.outputs[0]].shape
        if len(target) in (3, 4) and target[0] == shape[0] and Reading(graph.main, reader).has(1):
            return _Picture(t, target, (1, 2), reader.index)
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


def _count(shape: Shape) -> int:
    count = 1
    for extent in shape[1:]:
        count *= extent
    return count


def _text(shape: Shape) -> str:
    return "x".join(map(str, shape))
