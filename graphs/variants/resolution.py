"""Another resolution: the model's picture has other extents, and all shapes follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Annotated, ClassVar

from pydantic import Field

from ...errors import RecipeInvalid, VariantInvalid
from ..ir import ModelGraph
from ..static_shapes import with_static_shapes
from .given import SHAPE_ONLY, Given
from .picture_inputs import Factors, Picture, pictures
from .resize_shapes import Shape
from .resized import resized

_Extent = Annotated[int, Field(ge=1, le=65536)]
_MULTIPLES = (2, 4, 8, 16, 32, 64)


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
        found = pictures(solved)
        if not found:
            shapes = ", ".join(_text(solved.tensors[t].shape) for t in solved.inputs)
            raise VariantInvalid(
                f"no input is a picture: {shapes}", where=graph.name,
                fix="it takes three or four dimensions, or a flat input that is reshaped first",
            )  # fmt: skip
        factors = self._factors(found[0])
        if all(picture.with_factors(factors) == picture.shape for picture in found):
            return graph
        try:
            changed = _changed(solved, found, factors)
        except VariantInvalid as error:
            near = _that_would_do(solved, found, factors)
            raise VariantInvalid(error.what, where=error.where, fix=near or error.fix) from error.__cause__
        for old, new in zip(solved.outputs, changed.outputs, strict=True):
            before, after = (g.tensors[t].shape for g, t in ((solved, old), (changed, new)))
            if before != after:
                given.note(f"output {solved.tensors[old].name}: {_text(before)} becomes {_text(after)}")
        shape = found[0].with_factors(factors)
        given.note(f"{_text(found[0].shape)} becomes {_text(shape)}: {SHAPE_ONLY}")
        return changed

    def _factors(self, picture: Picture) -> Factors:
        height, width = picture.extents
        if self.scale is not None:
            new = tuple(e if e == 1 else max(1, round(e * self.scale)) for e in (height, width))
            return (new[0], height), (new[1], width)
        return (self.edge or self.height or height, height), (self.edge or self.width or width, width)


def _changed(graph: ModelGraph, found: Sequence[Picture], factors: Factors) -> ModelGraph:
    inputs, targets = dict[int, Shape](), dict[int, Shape]()
    for picture in found:
        shape = picture.with_factors(factors)
        inputs[picture.tensor] = shape if picture.reshape < 0 else (shape[0], prod(shape[1:]))
        if picture.reshape >= 0:
            targets[picture.reshape] = shape
    return resized(graph, inputs, targets)


def _that_would_do(graph: ModelGraph, found: Sequence[Picture], factors: Factors) -> str:
    """The nearest extents with more factors of two that the model can follow; "" if none of them does."""
    for multiple in _MULTIPLES:
        near = tuple(
            (new if new == old else max(multiple, round(new / multiple) * multiple), old)
            for new, old in factors
        )
        try:
            _changed(graph, found, (near[0], near[1]))
        except VariantInvalid:
            continue
        return f"height={near[0][0]} width={near[1][0]} would do"
    return ""


def _text(shape: Shape) -> str:
    return "x".join(map(str, shape))
