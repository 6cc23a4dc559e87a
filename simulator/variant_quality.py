"""How good is each variant, measured on the user's samples with the arithmetic of every target's runtime?"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from ..devices.target import Target
from ..errors import DataInvalid, PreflashError
from ..graphs.ir import ModelGraph
from ..graphs.variants.given import Given
from ..graphs.variants.recipe import Recipe
from .accuracy.activations import activations
from .accuracy.kernels import kernels_for
from .accuracy.measure import Accuracy, compare, measure, scorer
from .accuracy.outputs import Way
from .accuracy.samples import Grid, Samples, load_samples
from .estimate import Conditions
from .variant_study import Progress, Quality, VariantStudy, study_variants


@dataclass(frozen=True, slots=True)
class Measured:
    """Samples to measure on.

    Args:
        data: an .npz as `preflash accuracy` takes it.
        metric: by name; "" follows from the labels.
        calibrate: so many samples from the first on are for ranges and sensitivities; the rest is measured.
        grid: what integers in the data stand for, where neither file nor model says so.
        way: limits, cache and progress of running models.
    """

    data: str | os.PathLike[str]
    metric: str = ""
    calibrate: int = 100
    grid: Grid | None = None
    way: Way = field(default_factory=Way)


def study_measured(
    graph: ModelGraph, recipes: Sequence[Recipe], targets: Sequence[Target], *,
    measured: Measured | None = None, conditions: Conditions | None = None, seed: int = 0,
    progress: Progress | None = None, original: bytes = b"",
) -> VariantStudy:  # fmt: skip
    """`study_variants` with the accuracy of every variant on samples that no step has seen.

    Raises:
        DataInvalid: the data do not go with the model, or too few are left for accuracy.
    """
    if measured is None:
        given = Given(seed=seed) if progress is None else Given(seed=seed, progress=progress)
        return study_variants(
            graph, recipes, targets, given=given, conditions=conditions, progress=progress, original=original
        )
    known, rest = split_samples(measured, graph)
    judge = Judge(rest, measured)
    given = given_from(known, measured, targets, seed)
    if progress is not None:
        given = replace(given, progress=progress)
    return study_variants(
        graph, recipes, targets, given=given, judge=judge, conditions=conditions, progress=progress,
        original=original,
    )  # fmt: skip


def split_samples(measured: Measured, graph: ModelGraph) -> tuple[Samples, Samples]:
    """Those for ranges and sensitivities, and the rest, which accuracy is measured on.

    Raises:
        DataInvalid: the data do not go with the model, or too few are left for accuracy.
    """
    samples = load_samples(measured.data, graph, grid=measured.grid)
    if measured.calibrate >= len(samples):
        what = f"{measured.calibrate} of {len(samples)} samples for calibration leave none for accuracy"
        raise DataInvalid(what, where=samples.name, fix="give a smaller --calibrate")
    return samples.first(measured.calibrate), samples.first(len(samples), skip=measured.calibrate)


def given_from(known: Samples, measured: Measured, targets: Sequence[Target], seed: int) -> Given:
    """What steps may use: the samples set apart, and the accuracy on them with the first target's kernels."""
    if not len(known):
        return Given(seed=seed)
    kernels = kernels_for(targets[0].runtime if targets else None)
    score = None
    if known.labels is not None:
        score = scorer(known, kernels, measured.metric, measured.way)
    run = partial(activations, way=replace(measured.way, kernels="builtin"))
    return Given(samples=known.reals, activations=run, score=score, seed=seed)


class Judge:
    """Measures files with a target's kernels; the first one is what the others are compared with."""

    def __init__(self, samples: Samples, measured: Measured) -> None:
        self._samples, self._measured = samples, measured
        self._first: dict[str, Accuracy] = {}
        self._known: dict[tuple[int, str], Quality] = {}

    def __call__(self, file: bytes, target: Target) -> Quality:
        kernels = kernels_for(target.runtime)
        key = (hash(file), kernels.name)
        if key not in self._known:
            self._known[key] = self._measure(file, target)
        return self._known[key]

    def _measure(self, file: bytes, target: Target) -> Quality:
        kernels, wanted = kernels_for(target.runtime), self._measured
        try:
            found = measure(file, self._samples, wanted.metric, kernels=kernels, way=wanted.way)
            before = self._first.setdefault(kernels.name, found)
            change, text = _change(found, before)
        except PreflashError as error:
            return Quality(metric=wanted.metric, kernels=kernels.name, reason=str(error))
        return Quality(
            found.metric.name, found.kernels.name, found.value, found.lo, found.hi, found.n, change, text
        )


def _change(found: Accuracy, before: Accuracy) -> tuple[float | None, str]:
    """The paired difference in points, and in words whether it is more than chance."""
    if found is before:
        return None, ""
    pair = compare(found, before)
    sure = "significant" if pair.is_significant else "not significant"
    return pair.value, f"{100 * pair.value:+.1f} points, {sure} (p = {pair.p:.2g})"
