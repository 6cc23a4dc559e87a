"""What counts as accurate? A score per sample, and how scores become one figure with an interval."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import DataInvalid
from .differences import PairedDifference, auc_difference, mean_difference, share_difference
from .intervals import CONFIDENCE, auc_bounds, auc_of, mean_bounds, wilson

Array = npt.NDArray[Any]
Reals = npt.NDArray[np.float64]
Bounds = tuple[float, float]

_MOST_CLASSES = 1_000_000
_TOP = re.compile(r"top([1-9][0-9]{0,3})")


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What a metric looks at.

    Args:
        outputs: the model's first output in real numbers, (samples, elements).
        inputs: the model's first input likewise, as it entered the model.
        labels: as the file has them.
        where: the file.
    """

    outputs: Reals
    inputs: Callable[[], Reals]
    labels: Array | None
    where: str


@dataclass(frozen=True, slots=True)
class Family:
    """How scores become a figure.

    Args:
        value, bounds: of (scores, whether each sample is positive); bounds at a confidence.
        difference: of two models' scores on the same samples.
        method: of the interval.
    """

    value: Callable[[Reals, Reals], float]
    bounds: Callable[[Reals, Reals, float], Bounds]
    difference: Callable[[Reals, Reals, Reals], PairedDifference]
    method: str


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric.

    Args:
        name: as users ask for it.
        unit: "share" (0 to 1, shown in percent), "auc", or "" for a plain number.
        scores: a number per sample.
        family: how they are added up.
        is_grouped: whether samples of one group count as one, with their mean score.
    """

    name: str
    unit: str
    scores: Callable[[Seen], Reals]
    family: Family
    is_higher_better: bool = True
    is_grouped: bool = False


def metric_named(name: str) -> Metric:
    """The metric of this name; topK for any K.

    Raises:
        DataInvalid: there is none.
    """
    top = _TOP.fullmatch(name)
    if top is not None:
        count = int(top.group(1))
        return Metric(name, "share", lambda seen: _hits(seen, count), _SHARE)
    if name not in _METRICS:
        known = f"known: top1, top5, topK, {', '.join(_METRICS)}"
        raise DataInvalid(f"no metric is called {name[:40]!r}", fix=known)
    return _METRICS[name]


def default_metric(labels: Array | None, output_elements: int) -> str:
    """top1 for class ids, mse for real targets, "" without labels."""
    if labels is None:
        return ""
    is_class = labels.dtype.kind in "iub" and labels.size == len(labels)
    is_one_hot = output_elements > 1 and _is_one_hot(labels.reshape(len(labels), -1))
    return "top1" if is_class or is_one_hot else "mse"


def predicted(outputs: Reals) -> npt.NDArray[np.int64]:
    """The class per sample: the first of the largest outputs; a single output means class 1 from 0.5 on."""
    if outputs.shape[1] == 1:
        is_one: npt.NDArray[np.int64] = (outputs[:, 0] >= 0.5).astype(np.int64)
        return is_one
    best: npt.NDArray[np.int64] = outputs.argmax(axis=1)
    return best


def grouped(scores: Reals, labels: Reals, groups: Array | None, where: str) -> tuple[Reals, Reals]:
    """Mean score and label per group; as they are without groups."""
    if groups is None:
        return scores, labels
    _, first, place, counts = np.unique(
        groups.reshape(len(groups), -1)[:, 0], return_index=True, return_inverse=True, return_counts=True
    )
    if (labels != labels[first][place]).any():
        raise DataInvalid("samples of one group have different labels", where=where, fix="check groups")
    means: Reals = np.bincount(place, scores) / counts
    return means, labels[first]


def _hits(seen: Seen, count: int) -> Reals:
    """1 where fewer than `count` classes stand before the right one; equal outputs stand in their order."""
    classes = seen.outputs.shape[1]
    wanted = _class_ids(seen, max(2, classes))
    if classes == 1:
        right: Reals = (predicted(seen.outputs) == wanted).astype(np.float64)
        return right
    own = np.take_along_axis(seen.outputs, wanted[:, None], axis=1)
    is_before = (seen.outputs > own) | ((seen.outputs == own) & (np.arange(classes) < wanted[:, None]))
    hits: Reals = (is_before.sum(axis=1) < count).astype(np.float64)
    return hits


def _class_ids(seen: Seen, classes: int) -> npt.NDArray[np.int64]:
    labels = _labels(seen).reshape(len(seen.outputs), -1)
    if labels.shape[1] > 1:
        if labels.shape[1] != classes or not _is_one_hot(labels):
            what = f"labels of shape {labels.shape} are no class ids for {classes} classes"
            raise DataInvalid(what, where=seen.where, fix="give one class id per sample")
        marked: npt.NDArray[np.int64] = labels.argmax(axis=1)
        return marked
    ids = labels[:, 0]
    if (ids != np.trunc(ids)).any() or ids.min() < 0 or ids.max() >= min(classes, _MOST_CLASSES):
        what = f"labels from {ids.min():g} to {ids.max():g} for {classes} classes"
        raise DataInvalid(what, where=seen.where, fix="class ids count from 0")
    return ids.astype(np.int64)


def _labels(seen: Seen) -> Array:
    if seen.labels is None:
        raise DataInvalid(
            "no labels: this metric needs them", where=seen.where,
            fix="add y=labels to the .npz, or give --baseline to compare with another model",
        )  # fmt: skip
    return seen.labels


def _is_one_hot(labels: Array) -> bool:
    return labels.shape[1] > 1 and bool(
        ((labels == 0) | (labels == 1)).all() and (labels.sum(axis=1) == 1).all()
    )


def _positive_output(seen: Seen) -> Reals:
    """The single output, or of two that of class 1 less that of class 0."""
    if seen.outputs.shape[1] > 2:
        what = f"auc is for one or two outputs, the model has {seen.outputs.shape[1]}"
        raise DataInvalid(what, where=seen.where, fix="take --metric top1, or auc-reconstruction")
    return seen.outputs[:, 0] if seen.outputs.shape[1] == 1 else seen.outputs[:, 1] - seen.outputs[:, 0]


def _reconstruction_error(seen: Seen) -> Reals:
    """Mean square of output less input: the anomaly score of an autoencoder."""
    inputs = seen.inputs()
    if inputs.shape != seen.outputs.shape:
        what = f"{seen.outputs.shape[1]} outputs for {inputs.shape[1]} inputs: no autoencoder"
        raise DataInvalid(what, where=seen.where, fix="take --metric auc or mse")
    return _mean_square(seen.outputs - inputs)


def _squared_error(seen: Seen) -> Reals:
    labels = _labels(seen).reshape(len(seen.outputs), -1).astype(np.float64)
    if labels.shape != seen.outputs.shape:
        what = f"labels of {labels.shape[1]} values for {seen.outputs.shape[1]} outputs"
        raise DataInvalid(what, where=seen.where, fix="mse needs a target per output")
    if not np.isfinite(labels).all():
        raise DataInvalid("labels that are no numbers", where=seen.where, fix="remove them")
    return _mean_square(seen.outputs - labels)


def _mean_square(errors: Reals) -> Reals:
    mean: Reals = (errors * errors).mean(axis=1)
    return mean


def _auc_bounds(scores: Reals, labels: Reals, confidence: float) -> Bounds:
    positives = int((labels > 0).sum())
    return auc_bounds(auc_of(scores, labels > 0), positives, len(labels) - positives, confidence)


_SHARE = Family(
    value=lambda hits, _: float(hits.mean()),
    bounds=lambda hits, _, confidence: wilson(float(hits.sum()), len(hits), confidence),
    difference=lambda a, b, _: share_difference(a, b),
    method="Wilson",
)
_RANK = Family(
    value=lambda scores, labels: auc_of(scores, labels > 0),
    bounds=_auc_bounds,
    difference=lambda a, b, labels: auc_difference(a, b, labels > 0),
    method="score interval with Hanley-McNeil variance",
)
_MEAN = Family(
    value=lambda errors, _: float(errors.mean()),
    bounds=lambda errors, _, confidence: mean_bounds(errors, confidence),
    difference=lambda a, b, _: mean_difference(a, b),
    method="normal",
)
_METRICS = {
    "auc": Metric("auc", "auc", _positive_output, _RANK, is_grouped=True),
    "auc-reconstruction": Metric("auc-reconstruction", "auc", _reconstruction_error, _RANK, is_grouped=True),
    "mse": Metric("mse", "", _squared_error, _MEAN, is_higher_better=False),
}


def binary_labels(labels: Array | None, where: str) -> Reals:
    """0 or 1 per sample, both there.

    Raises:
        DataInvalid: there are none, or others.
    """
    if labels is None or labels.size != len(labels):
        raise DataInvalid(
            "an AUC needs one label, 0 or 1, per sample", where=where, fix="add y=labels to the .npz"
        )
    flat: Reals = labels.reshape(-1).astype(np.float64)
    if set(np.unique(flat).tolist()) != {0.0, 1.0}:
        raise DataInvalid(
            "an AUC needs labels 0 and 1, both of them", where=where, fix="1 is the positive class"
        )
    return flat


def summarised(
    metric: Metric, scores: Reals, labels: Reals, confidence: float = CONFIDENCE
) -> tuple[float, float, float]:
    """(value, lower, upper); the interval holds the value."""
    value = metric.family.value(scores, labels)
    lo, hi = metric.family.bounds(scores, labels, confidence)
    return value, min(lo, value), max(hi, value)
