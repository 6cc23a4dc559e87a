"""study_variants(graph, recipes, targets) -> VariantStudy: every variant a real model, with its costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..devices.target import Target
from ..errors import PreflashError, VariantInvalid
from ..graphs.encodings.download import gzipped
from ..graphs.ir import ModelGraph
from ..graphs.tflite.read import parse_tflite
from ..graphs.tflite.write import write_tflite
from ..graphs.variants.given import SHAPE_ONLY, Given
from ..graphs.variants.recipe import Recipe, needs_retraining
from ..graphs.variants.weights import real_values, weights
from .encodings.rows import TensorEncodings, encoding_rows
from .estimate import Conditions, Estimate
from .simulate import simulate

BASELINE = "as it is"


@dataclass(frozen=True, slots=True)
class Quality:
    """How good a model is, measured on the user's samples.

    Args:
        metric, kernels: what was measured, and whose arithmetic ran.
        value, lo, hi: 0 to 1 with its interval; None where it could not be measured, as `reason` says.
        count: samples.
        change: value - that of the model as it is, in the metric's own unit; None for that model itself.
        change_text: the change with its significance, in words.
    """

    metric: str = ""
    kernels: str = ""
    value: float | None = None
    lo: float | None = None
    hi: float | None = None
    count: int = 0
    change: float | None = None
    change_text: str = ""
    reason: str = ""


Judge = Callable[[bytes, Target], Quality]  # the first file asked about is the model as it is
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True, eq=False)
class Variant:
    """One variant: the model, and what is counted, measured and predicted of it.

    Args:
        name, text: of the recipe.
        graph, file: the model and its .tflite; None and b"" where it could not be made.
        gzip_bytes: of the file, as a download takes it.
        sparsity: zeros / weights, over all weight tensors.
        bits: average bits of a weight, each counted once.
        weight_count: weights of all tensors.
        qualities: one per target, with the arithmetic of its runtime; () where no samples were given.
        estimates: one per target.
        storage: what each weight tensor takes in every encoding.
        notes: what its steps say of what they did.
        error: why there is no such model; "" if there is.
    """

    name: str
    text: str
    graph: ModelGraph | None = None
    file: bytes = b""
    gzip_bytes: int = 0
    sparsity: float = 0.0
    bits: float = 0.0
    weight_count: int = 0
    qualities: tuple[Quality, ...] = ()
    estimates: tuple[Estimate, ...] = ()
    storage: tuple[TensorEncodings, ...] = ()
    notes: tuple[str, ...] = ()
    error: str = ""

    @property
    def quality(self) -> Quality | None:
        """That of the first target."""
        return self.qualities[0] if self.qualities else None


@dataclass(frozen=True, slots=True, eq=False)
class VariantStudy:
    """The model as it is, and every variant; targets in the order of each variant's estimates."""

    model: str
    variants: tuple[Variant, ...]
    targets: tuple[Target, ...]

    @property
    def baseline(self) -> Variant:
        return self.variants[0]


def study_variants(
    graph: ModelGraph, recipes: Sequence[Recipe], targets: Sequence[Target], *, given: Given | None = None,
    judge: Judge | None = None, conditions: Conditions | None = None, progress: Progress | None = None,
    original: bytes = b"",
) -> VariantStudy:  # fmt: skip
    """The model as it is and every recipe's variant, written, read again, measured and priced.

    A recipe that this model does not allow is a row with its reason; the others go on.

    Args:
        given: samples and score for steps that need them.
        judge: how good a file is on the user's samples; None measures nothing.
        progress: told (done, of, what).
        original: the file that the graph was read from; without it the model as it is is written anew.
    """
    named = _with_own_names((Recipe(BASELINE), *recipes))
    found = []
    for number, recipe in enumerate(named):
        if progress is not None:
            progress(number, len(named), recipe.name)
        file = original if number == 0 else b""
        found.append(
            _variant(graph, recipe, targets, given=given, judge=judge, conditions=conditions, file=file)
        )
    if found[0].error:
        raise VariantInvalid(f"the model itself cannot be written: {found[0].error}", where=graph.name)
    return VariantStudy(graph.name, tuple(found), tuple(targets))


def sparsity_and_bits(graph: ModelGraph) -> tuple[float, float, int]:
    """(zeros / weights, sum of n bits / sum of n, n) over all weight tensors."""
    zeros, bits, count = 0, 0.0, 0
    for one in weights(graph):
        tensor = graph.tensors[one.tensor]
        zeros += int(one.count - np.count_nonzero(real_values(tensor)))
        own = None if tensor.form is None else tensor.form.bits
        bits += one.count * (own or tensor.dtype.bits or 0)
        count += one.count
    return (zeros / count, bits / count, count) if count else (0.0, 0.0, 0)


def _untrained(_file: bytes, _target: Target) -> Quality:
    """Nothing is measured of weights that were not trained in their places."""
    return Quality(reason=SHAPE_ONLY)


def _with_own_names(recipes: Sequence[Recipe]) -> tuple[Recipe, ...]:
    """Recipes of one name get a number, so that each variant has a file of its own."""
    seen: dict[str, int] = {}
    named = []
    for recipe in recipes:
        seen[recipe.name] = seen.get(recipe.name, 0) + 1
        number = seen[recipe.name]
        named.append(recipe if number == 1 else replace(recipe, name=f"{recipe.name} ({number})"))
    return tuple(named)


def _variant(
    graph: ModelGraph, recipe: Recipe, targets: Sequence[Target], *, given: Given | None,
    judge: Judge | None, conditions: Conditions | None, file: bytes = b"",
) -> Variant:  # fmt: skip
    notes: list[str] = []
    try:
        changed = recipe.apply(graph, replace(given or Given(), note=notes.append))
        file = file or write_tflite(changed)
        again = parse_tflite(file, name=f"{graph.name}, {recipe.name}" if recipe.steps else graph.name)
        estimates = tuple(simulate(again, target, conditions) for target in targets)
        sparsity, bits, count = sparsity_and_bits(again)
    except PreflashError as error:
        return Variant(recipe.name, recipe.text, error=str(error))
    qualities: tuple[Quality, ...] = ()
    if judge is not None:
        ask = _untrained if needs_retraining(recipe) else judge
        qualities = tuple(ask(file, target) for target in targets)
    return Variant(
        recipe.name, recipe.text, again, file, len(gzipped(file)), sparsity, bits, count,
        qualities, estimates, encoding_rows(again), tuple(dict.fromkeys(notes)),
    )  # fmt: skip
