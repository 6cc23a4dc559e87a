"""What counts as accurate: hits with ties, AUCs of scores and reconstruction errors, square errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from preflash.errors import DataInvalid
from preflash.simulator.accuracy.metrics import (
    Seen,
    binary_labels,
    default_metric,
    grouped,
    metric_named,
    predicted,
    summarised,
)


def scores(name: str, outputs: Any, labels: Any, inputs: Any = None) -> list[float]:
    seen = Seen(
        np.asarray(outputs, float), lambda: np.asarray(inputs, float),
        None if labels is None else np.asarray(labels), "d.npz",
    )  # fmt: skip
    return metric_named(name).scores(seen).tolist()


@pytest.mark.parametrize(
    ("outputs", "label", "hits"),
    [
        ([1, 3, 2], 1, [1, 1, 1]),
        ([1, 3, 2], 2, [0, 1, 1]),
        ([1, 3, 2], 0, [0, 0, 1]),
        ([5, 5, 2], 0, [1, 1, 1]),  # of equal outputs the first counts, as argmax has it
        ([5, 5, 2], 1, [0, 1, 1]),
        ([7, 7, 7], 2, [0, 0, 1]),
    ],
)
def test_a_hit_is_a_class_with_fewer_than_k_before_it(
    outputs: list[int], label: int, hits: list[int]
) -> None:
    assert [scores(f"top{k}", [outputs], [label])[0] for k in (1, 2, 3)] == hits


def test_top1_is_what_argmax_says_also_with_ties() -> None:
    rng = np.random.default_rng(0)
    outputs, labels = rng.integers(0, 3, (200, 5)), rng.integers(0, 5, 200)
    assert scores("top1", outputs, labels) == (outputs.argmax(1) == labels).astype(float).tolist()


def test_one_hot_labels_are_class_ids() -> None:
    assert scores("top1", [[1, 3, 2], [1, 3, 2]], [[0, 1, 0], [1, 0, 0]]) == [1, 0]


def test_a_single_output_is_class_one_from_one_half_on() -> None:
    assert scores("top1", [[0.5], [0.49], [0.9]], [1, 1, 0]) == [1, 0, 0]
    assert predicted(np.array([[0.5], [0.49]])).tolist() == [1, 0]


def test_a_reconstruction_error_is_the_mean_square_of_output_less_input() -> None:
    assert scores("auc-reconstruction", [[1, 2], [0, 0]], [0, 1], [[1, 0], [3, 1]]) == [2.0, 5.0]


def test_the_auc_of_two_outputs_is_that_of_their_difference() -> None:
    assert scores("auc", [[1, 3], [2, 0]], [1, 0]) == [2, -2]


def test_a_squared_error_is_the_mean_over_the_outputs() -> None:
    assert scores("mse", [[1, 2], [3, 3]], [[1.0, 0], [3, 3]]) == [2, 0]


def test_windows_of_one_recording_count_as_one() -> None:
    means, labels = grouped(
        np.array([1.0, 3, 5, 7]), np.array([0.0, 0, 1, 1]), np.array([4, 4, 2, 2]), "d.npz"
    )
    assert (means.tolist(), labels.tolist()) == ([6, 2], [1, 0])
    with pytest.raises(DataInvalid, match="one group"):
        grouped(np.zeros(2), np.array([0.0, 1]), np.array([1, 1]), "d.npz")


@pytest.mark.parametrize(
    ("labels", "outputs", "name"),
    [
        (None, 12, ""),
        (np.arange(3), 12, "top1"),
        (np.eye(3), 3, "top1"),
        (np.eye(3, dtype=np.int8), 3, "top1"),
        (np.zeros((3, 4), np.float32), 4, "mse"),
        (np.array([0.5, 1.5]), 1, "mse"),
    ],
)
def test_the_metric_follows_from_the_labels(labels: np.ndarray | None, outputs: int, name: str) -> None:
    assert default_metric(labels, outputs) == name


@pytest.mark.parametrize(
    ("name", "outputs", "labels", "said"),
    [
        ("top0", [[1, 2]], [0], "no metric is called"),
        ("accuracy", [[1, 2]], [0], "no metric is called"),
        ("top1", [[1, 2]], None, "no labels"),
        ("top1", [[1, 2]], [2], "for 2 classes"),
        ("top1", [[1, 2]], [-1], "for 2 classes"),
        ("top1", [[1, 2]], [0.5], "for 2 classes"),
        ("top1", [[1, 2]], [[0.0, 0.5]], "no class ids"),
        ("auc", [[1, 2, 3]], [0], "one or two outputs"),
        ("mse", [[1, 2]], [[1.0, 2, 3]], "labels of 3 values"),
        ("mse", [[1, 2]], [[1.0, np.nan]], "no numbers"),
        ("auc-reconstruction", [[1, 2]], [0], "no autoencoder"),
    ],
)
def test_labels_that_do_not_go_with_the_metric_are_refused(
    name: str, outputs: Any, labels: Any, said: str
) -> None:
    with pytest.raises(DataInvalid, match=said):
        scores(name, outputs, labels, [[1, 2, 3]])


@pytest.mark.parametrize("labels", [None, np.zeros(4), np.array([0, 1, 2]), np.zeros((4, 2))])
def test_an_auc_needs_both_classes(labels: np.ndarray | None) -> None:
    with pytest.raises(DataInvalid, match="0"):
        binary_labels(labels, "d.npz")


@pytest.mark.parametrize("name", ["top1", "auc", "mse"])
def test_the_interval_holds_the_value(name: str) -> None:
    rng = np.random.default_rng(1)
    values, labels = (rng.random(50) < 0.8).astype(float), (rng.random(50) < 0.5).astype(float)
    value, lo, hi = summarised(metric_named(name), values, labels)
    inner = summarised(metric_named(name), values, labels, 0.8)
    assert lo <= inner[1] <= value <= inner[2] <= hi
