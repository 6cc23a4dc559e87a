"""What is a step of a recipe, and what may it use beside the model?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy.typing as npt

from ..ir import ModelGraph

Array = npt.NDArray[Any]
SHAPE_ONLY = "shape only, retrain needed"  # what steps note whose weights are no longer trained ones


def _silent(*_said: object) -> None:
    """Nobody is told."""


class Step(Protocol):
    """A frozen value that turns a model into another one and leaves the first as it is."""

    word: ClassVar[str]  # how recipes call it
    # A step whose result has shapes and costs but no trained weights says `retrain: ClassVar[bool] = True`.

    def apply(self, graph: ModelGraph, given: Given) -> ModelGraph:
        """The changed model.

        Raises:
            VariantInvalid: this model cannot be changed that way; says what to do.
            NeedsSamples: the step needs samples or a score and has none.
        """
        ...


@dataclass(frozen=True)
class Given:
    """What a step may use beside the model.

    Args:
        samples: per model input an array whose first axis counts samples, as real numbers, or as the input's
            own type where that is an integer; () is none.
        activations: the real values of all tensors of a model for one sample: tensor index -> array.
        score: the accuracy of a model on the user's data, 0 to 1.
        progress: told (done, of, what) by steps that take long.
        seed: of whatever is drawn.
        note: told what is worth knowing of what was done: what stayed float, what kept its channels.
    """

    samples: tuple[Array, ...] = ()
    activations: Callable[[ModelGraph, Sequence[Array]], Mapping[int, Array]] | None = None
    score: Callable[[ModelGraph], float] | None = None
    progress: Callable[[int, int, str], None] = _silent
    seed: int = 0
    note: Callable[[str], None] = _silent

    @property
    def sample_count(self) -> int:
        return len(self.samples[0]) if self.samples else 0
