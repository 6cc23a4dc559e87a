"""How accurate is a model on samples, and is it better or worse than another on the same ones?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import DataInvalid
from ...graphs.evaluate import dequantize
from ...graphs.ir import ModelGraph
from ..interval import Basis, Interval
from .differences import PairedDifference
from .feeding import entered
from .intervals import CONFIDENCE
from .kernels import DEFAULT, KernelSet, kernels_for, kernels_that_ran
from .metrics import (
    Metric,
    Seen,
    binary_labels,
    default_metric,
    grouped,
    metric_named,
    predicted,
    summarised,
)
from .outputs import Model, Outputs, Way, model_of, outputs_of
from .samples import Samples

Array = npt.NDArray[Any]
Reals = npt.NDArray[np.float64]

_P10_TO_P90 = 0.8


@dataclass(frozen=True, slots=True, eq=False)
class Accuracy:
    """A measured accuracy.

    Args:
        value: 0 to 1 for shares and AUCs.
        lo, hi: at 95 %; `method` says how.
        n: samples, or groups of them.
        kernels: which kernels stand for the target's, and why.
        package: whose kernels ran, with its version.
        scores, labels: per sample (or group) what the figure is made of.
        predictions: the class per sample.
        notes: what the user should know.
    """

    metric: Metric
    value: float
    lo: float
    hi: float
    n: int
    kernels: KernelSet
    package: str
    scores: Reals = field(repr=False)
    labels: Reals = field(repr=False)
    predictions: npt.NDArray[np.int64] = field(repr=False)
    outputs: Outputs = field(repr=False)
    notes: tuple[str, ...] = ()

    @property
    def method(self) -> str:
        return f"{self.metric.family.method}, 95 %"

    def keeps(self, bound: float) -> bool:
        """Whether the value is at least as good as this."""
        return self.value >= bound if self.metric.is_higher_better else self.value <= bound

    @property
    def figure(self) -> Interval:
        """The accuracy as other figures are given: p10 to p90 and a basis."""
        _, lo, hi = summarised(self.metric, self.scores, self.labels, _P10_TO_P90)
        basis = Basis.ANALYTIC if self.kernels.basis is Basis.ANALYTIC else Basis.MEASURED
        source = f"{self.metric.name} on {self.n} samples, {self.kernels.name} kernels of {self.package}"
        return Interval(self.value, lo, hi, basis, source)


def measure(
    model: bytes | ModelGraph | Model, samples: Samples, metric: str = "", *,
    kernels: KernelSet | str = DEFAULT, way: Way | None = None,
) -> Accuracy:  # fmt: skip
    """The accuracy of a model: its bytes, or a graph (written as a .tflite first).

    Args:
        metric: top1, topK, auc, auc-reconstruction or mse; "" follows from the labels.
        kernels: by name, or what `kernels_for(runtime)` gives.
        way: limits, cache and progress.

    Raises:
        DataInvalid: samples or labels do not go with the model or the metric.
        ModelError: the interpreter refuses the model, crashes on it, or needs more than allowed.
    """
    whole = model_of(model)
    chosen = kernels_for(None, kernels) if isinstance(kernels, str) else kernels
    wanted = _metric(whole.graph, samples, metric)
    found = outputs_of(whole, samples, replace(way or Way(), kernels=chosen.name))
    return _accuracy(whole, samples, wanted, kernels_that_ran(chosen, found.note), found)


def compare(first: Accuracy, second: Accuracy) -> PairedDifference:
    """The first less the second, from the same samples.

    Raises:
        DataInvalid: they were not measured alike.
    """
    if first.metric.name != second.metric.name or len(first.scores) != len(second.scores):
        raise DataInvalid("two accuracies of different metrics or samples", fix="measure both alike")
    if not np.array_equal(first.labels, second.labels):
        raise DataInvalid("two accuracies on different labels", fix="measure both on the same samples")
    return first.metric.family.difference(first.scores, second.scores, first.labels)


def scorer(
    samples: Samples, kernels: KernelSet | str = DEFAULT, metric: str = "", way: Way | None = None
) -> Callable[[ModelGraph], float]:
    """What gives a graph its accuracy, 0 to 1: for `Given.score`.

    Raises:
        DataInvalid: there are no labels, or the metric is none where more is better.
    """
    if samples.labels is None:
        raise DataInvalid(
            "no labels: accuracy needs them", where=samples.name, fix="add y=labels to the .npz"
        )
    if metric and not metric_named(metric).is_higher_better:
        raise DataInvalid(f"a score is better when higher, {metric} is not", fix="take top1 or auc")

    def score(graph: ModelGraph) -> float:
        found = measure(graph, samples, metric, kernels=kernels, way=way)
        if not found.metric.is_higher_better:
            raise DataInvalid(
                "labels are no class ids: name a metric", where=samples.name, fix="take top1 or auc"
            )
        return found.value

    return score


def _metric(graph: ModelGraph, samples: Samples, name: str) -> Metric:
    first = graph.tensors[graph.outputs[0]]
    wanted = name or default_metric(samples.labels, first.element_count)
    if not wanted:
        raise DataInvalid(
            "no labels: accuracy needs them", where=samples.name,
            fix="add y=labels to the .npz, or give --baseline to compare with another model",
        )  # fmt: skip
    return metric_named(wanted)


def _accuracy(model: Model, samples: Samples, metric: Metric, kernels: KernelSet, found: Outputs) -> Accuracy:
    outputs = flat(found.reals[0])
    if not np.isfinite(outputs).all():
        raise DataInvalid("the model's output is no number for some samples", where=model.graph.name, fix="")
    tensor = model.graph.tensors[model.graph.inputs[0]]

    def inputs() -> Reals:
        return flat(
            dequantize(tensor, entered(samples.inputs[0], samples.grids[0], tensor, where=samples.name))
        )

    scores = metric.scores(Seen(outputs, inputs, samples.labels, samples.name))
    labels = binary_labels(samples.labels, samples.name) if metric.is_grouped else np.zeros(len(scores))
    if metric.is_grouped:
        scores, labels = grouped(scores, labels, samples.groups, samples.name)
    value, lo, hi = summarised(metric, scores, labels, CONFIDENCE)
    return Accuracy(
        metric, value, lo, hi, len(scores), kernels, found.package, scores, labels, predicted(outputs), found,
        _notes(model.graph, found),
    )  # fmt: skip


def flat(values: Array) -> Reals:
    """(samples, elements)."""
    whole: Reals = values.reshape(len(values), -1).astype(np.float64)
    return whole


def _notes(graph: ModelGraph, found: Outputs) -> tuple[str, ...]:
    several = f"the first of {len(graph.outputs)} outputs is looked at" if len(graph.outputs) > 1 else ""
    return tuple(note for note in (found.note, several) if note)
