"""What does it cost to prune one tensor of a model alone: in its weights, the outputs or the user's score?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import NeedsSamples
from ..ir import ModelGraph, Tensor
from .given import Given
from .prune_masks import Granularity, Magnitudes, kept_mask, matrix_units
from .prune_shares import LossCurve
from .weights import Weight, with_tensors
from .zeros import zeroed

Array = npt.NDArray[Any]
Loss = Callable[[ModelGraph], float]

_FINE = np.linspace(0.0, 1.0, 65)  # x highest, where one sort gives the whole curve
_COARSE = np.array([0.0, 0.25, 0.5, 0.75, 0.9, 1.0])  # x highest, where every point is a run
_MOST_SAMPLES = 8


def weight_curve(
    magnitudes: Magnitudes, granularity: Granularity, *, output_axis: int, highest: float
) -> LossCurve:
    """Loss = sum of the squares that go / sum of all squares = 10^(-SQNR in dB / 10) of the weights."""
    energies, sizes = matrix_units(magnitudes, granularity, output_axis)
    if len(sizes) == 1:
        gone, risen = np.arange(len(energies) + 1) * sizes, np.sort(energies)
    else:
        order = np.argsort(energies / sizes, kind="stable")
        gone, risen = np.append(0, np.cumsum(sizes[order])), energies[order]
    lost = np.append(0.0, np.cumsum(risen))
    sparsities = _FINE * highest
    losses = np.interp(sparsities * gone[-1], gone, lost) / (lost[-1] or 1.0)
    return LossCurve(sparsities, losses)


def run_curves(
    graph: ModelGraph, picked: Mapping[Weight, Magnitudes], loss: Loss, *,
    granularity: Granularity, highest: float, given: Given,
) -> list[LossCurve]:  # fmt: skip
    """Each tensor pruned alone to a few sparsities, and the loss of the model that results."""
    sparsities = _COARSE * highest
    curves = []
    of = len(picked) * (len(sparsities) - 1)
    for number, (one, magnitudes) in enumerate(picked.items()):
        losses = [0.0]
        for point, sparsity in enumerate(sparsities[1:], 1):
            kept = kept_mask(magnitudes, granularity, sparsity=float(sparsity), output_axis=one.output_axis)
            tensor: Tensor = zeroed(graph.tensors[one.tensor], kept)
            losses.append(loss(with_tensors(graph, [tensor])))
            given.progress(number * (len(sparsities) - 1) + point, of, f"pruning {one.name} alone")
        known = np.nan_to_num(losses, nan=1.0, posinf=1.0)  # no number: all is lost
        curves.append(LossCurve(sparsities, np.maximum(known, 0.0)))
    return curves


def score_loss(graph: ModelGraph, given: Given) -> Loss:
    """Loss = the model's score - that of the changed model.

    Raises:
        NeedsSamples: there is no score.
    """
    score = given.score
    if score is None:
        raise NeedsSamples("a loss by score needs labelled samples", fix="pass --data, or loss=weights")
    before = score(graph)
    return lambda changed: before - score(changed)


def output_loss(graph: ModelGraph, given: Given) -> Loss:
    """Loss = noise / signal = 10^(-SQNR in dB / 10) of the model's outputs, over up to 8 samples.

    Raises:
        NeedsSamples: there are no samples, or nothing that runs them.
    """
    run = given.activations
    if run is None or not given.sample_count:
        raise NeedsSamples("a loss by outputs needs samples", fix="pass --data, or loss=weights")
    samples = [_sample(graph, given.samples, k) for k in range(min(_MOST_SAMPLES, given.sample_count))]

    def outputs(model: ModelGraph) -> Array:
        found = [run(model, sample) for sample in samples]
        return np.concatenate([
            np.asarray(one[t], np.float64).reshape(-1) for one in found for t in model.main.outputs
        ])  # fmt: skip

    before = outputs(graph)
    signal = float(np.square(before).sum()) or 1.0
    return lambda changed: float(np.square(outputs(changed) - before).sum()) / signal


def _sample(graph: ModelGraph, samples: Sequence[Array], number: int) -> list[Array]:
    """One sample of every input, in the input's shape where it has as many values."""
    found = []
    for index, values in zip(graph.main.inputs, samples, strict=False):
        tensor, one = graph.tensors[index], np.asarray(values[number])
        found.append(one.reshape(tensor.shape) if one.size == tensor.element_count else one)
    return found
