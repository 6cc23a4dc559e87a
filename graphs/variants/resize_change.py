"""What is known of an op when the picture gets other extents, and what can it say of them?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ...errors import VariantInvalid
from ..ops import OpAttributes
from ..reading import Reading
from .picked import Positions
from .resize_shapes import Extents, Shape


@dataclass(frozen=True, slots=True)
class Change:
    """An op of the old model, and what is known of the new one.

    Args:
        r: the op among the old tensors.
        shapes: tensor -> its new shape, where that is another one.
        extents: which extents became which.
    """

    r: Reading
    shapes: Mapping[int, Shape]
    extents: Extents

    def new(self, position: int = 0) -> Shape:
        """The new shape of an input."""
        return self.shapes.get(self.r.op.inputs[position], self.r.shape(position))

    def changes(self, axis: int, position: int = 0) -> bool:
        return self.new(position)[axis] != self.r.shape(position)[axis]

    def refused(self, what: str) -> VariantInvalid:
        place = f"op {self.r.op.index} {self.r.op.label}"
        return VariantInvalid(
            f"{place} {what}", fix="choose other extents, or export the model at that resolution"
        )


@dataclass(frozen=True, slots=True)
class Said:
    """What the op says now.

    Args:
        attributes: None for the same.
        integers: position of an input -> its new values.
        picks: position of a constant input -> axis -> the old positions along it.
    """

    attributes: OpAttributes | None = None
    integers: Mapping[int, list[int]] = field(default_factory=dict)
    picks: Mapping[int, Mapping[int, Positions]] = field(default_factory=dict)


Rule = Callable[[Change], Said]
