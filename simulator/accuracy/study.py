"""What is to be said of a model on the user's data: accuracy, and how it stands to a baseline?"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

from ...errors import BudgetInvalid, DataInvalid, ModelError
from .differences import PairedDifference
from .divergence import DIVERGES_BELOW_DB, Agreement, Divergence, agreement, divergence
from .kernels import KernelSet, kernels_for, kernels_that_ran
from .measure import Accuracy, compare, measure
from .outputs import Model, Way, outputs_of
from .samples import Grid, Samples, load_samples


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked into.

    Args:
        metric: by name; "" follows from the labels.
        baseline: the model to compare with.
        grid: what integers in the data stand for, where neither the file nor a model says so.
        count: how many samples, from the first on; None is all.
        below_db: from where on a tensor counts as diverging.
        least, most: what the accuracy has to keep, by whether more is better.
    """

    metric: str = ""
    baseline: Model | None = None
    grid: Grid | None = None
    count: int | None = None
    below_db: float = DIVERGES_BELOW_DB
    least: float | None = None
    most: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class AccuracyStudy:
    """What was found; None is what was not asked for, or what data without labels do not tell.

    Args:
        bound, is_kept: what the accuracy had to keep, and whether it does; None where nothing was said.
    """

    model: Model
    samples: Samples
    kernels: KernelSet
    package: str
    accuracy: Accuracy | None
    baseline: Model | None = None
    baseline_accuracy: Accuracy | None = None
    difference: PairedDifference | None = None
    agreement: Agreement | None = None
    divergence: Divergence | None = None
    notes: tuple[str, ...] = ()
    bound: float | None = None
    is_kept: bool | None = None


def study(
    model: Model, data: str | os.PathLike[str], asked: Asked, *,
    kernels: KernelSet | None = None, way: Way | None = None,
) -> AccuracyStudy:  # fmt: skip
    """The model on the samples of an .npz.

    Raises:
        DataInvalid: the data do not go with the model, or there is neither a label nor a baseline.
        ModelError: the interpreter refuses a model, crashes on it, or needs more than allowed.
    """
    chosen = kernels or kernels_for(None)
    run = replace(way or Way(), kernels=chosen.name)
    samples = _loaded(model, data, asked)
    accuracy = None
    if samples.labels is not None or asked.metric or asked.baseline is None:
        accuracy = measure(model, samples, asked.metric, kernels=chosen, way=run)
    bound = _bound(accuracy, asked)
    own = accuracy.outputs if accuracy else outputs_of(model, samples, run)
    found = AccuracyStudy(
        model, samples, kernels_that_ran(chosen, own.note), own.package, accuracy, bound=bound,
        notes=accuracy.notes if accuracy else _told(own.note),
        is_kept=None if accuracy is None or bound is None else accuracy.keeps(bound),
    )  # fmt: skip
    if asked.baseline is None:
        return found
    other = None if accuracy is None else measure(
        asked.baseline, samples, accuracy.metric.name, kernels=chosen, way=run
    )  # fmt: skip
    its = other.outputs if other else outputs_of(asked.baseline, samples, run)
    try:
        along, notes = divergence(model, asked.baseline, samples, run, below_db=asked.below_db), found.notes
    except ModelError as error:
        along, notes = None, (*found.notes, f"tensors between the ops could not be compared: {error}")
    return replace(
        found, baseline=asked.baseline, baseline_accuracy=other,
        difference=compare(accuracy, other) if accuracy and other else None,
        agreement=agreement(own, its), divergence=along, notes=notes,
    )  # fmt: skip


def _loaded(model: Model, data: str | os.PathLike[str], asked: Asked) -> Samples:
    """The samples; integers made for the baseline's input are read on its grid."""
    samples = load_samples(data, model.graph, grid=asked.grid)
    if asked.baseline is not None and None in samples.grids:
        theirs = load_samples(data, asked.baseline.graph, grid=asked.grid)
        grids = tuple(a or b for a, b in zip(samples.grids, theirs.grids, strict=False))
        samples = replace(samples, grids=grids)
    if asked.count is not None:
        if not 0 < asked.count <= len(samples):
            what = f"{asked.count} samples were asked for, there are {len(samples)}"
            raise DataInvalid(what, where=samples.name, fix="leave --samples out for all")
        samples = samples.first(asked.count)
    return samples


def _bound(found: Accuracy | None, asked: Asked) -> float | None:
    """What the accuracy has to keep.

    Raises:
        BudgetInvalid: a bound that says nothing here.
    """
    if asked.least is None and asked.most is None:
        return None
    if found is None:
        raise BudgetInvalid("--min and --max need an accuracy", fix="give labels in the data")
    right, wrong = (asked.least, asked.most) if found.metric.is_higher_better else (asked.most, asked.least)
    if right is None or wrong is not None:
        word = "--min" if found.metric.is_higher_better else "--max"
        raise BudgetInvalid(f"{found.metric.name} is bounded by {word} alone", fix=f"give {word}")
    return right


def _told(note: str) -> tuple[str, ...]:
    return (note,) if note else ()
