"""What does a model answer on the given samples, and how far are a variant's answers from it (SQNR)?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import inf, log10
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import DataInvalid, NeedsSamples
from ..evaluate import dequantize, quantize
from ..ir import ModelGraph, Tensor
from .calibrate import activations as computed
from .calibrate import batch_size, batched
from .given import Given

Array = npt.NDArray[Any]
Answers = list[list[Array]]  # per sample, per output


def sample_count(graph: ModelGraph, given: Given, most: int) -> int:
    """How many samples are used.

    Raises:
        NeedsSamples: there are none.
        DataInvalid: they do not go with the model's inputs.
    """
    if not given.sample_count:
        raise NeedsSamples("the model is compared on samples, and none were given", where=graph.name,
                           fix="give samples of the model's inputs")  # fmt: skip
    if len(given.samples) != len(graph.inputs) or len({len(s) for s in given.samples}) != 1:
        raise DataInvalid(
            f"the model has {len(graph.inputs)} inputs, samples of {len(given.samples)} were given",
            where=graph.name, fix="one array per input; their first axis counts the same samples",
        )  # fmt: skip
    return min(most, given.sample_count)


def stored_inputs(graph: ModelGraph, given: Given, number: int) -> list[Array]:
    """One sample as the model's inputs take it: in their shape and type."""
    return [
        _stored(graph.tensors[t], np.asarray(samples[number]))
        for t, samples in zip(graph.inputs, given.samples, strict=True)
    ]


def activations(graph: ModelGraph, given: Given, number: int) -> Iterator[tuple[int, Array]]:
    """(tensor, real values) of all activations for one sample, by the given runner or in numpy."""
    inputs = stored_inputs(graph, given, number)
    if given.activations is not None:
        found: Mapping[int, Array] = given.activations(graph, inputs)
        yield from found.items()
        return
    for t, stored in computed(graph.main, inputs):
        yield t, dequantize(graph.tensors[t], stored)


def answers(graph: ModelGraph, given: Given, count: int) -> Answers:
    """The real values of the outputs for the first samples, several at once where the model allows."""
    size = 1 if given.activations is not None else min(count, batch_size(graph))
    if size > 1:
        runs = (range(n, min(n + size, count)) for n in range(0, count, size))
        return [answer for numbers in runs for answer in _of_batch(graph, given, numbers)]
    told: Answers = []
    for number in range(count):
        found = {t: values for t, values in activations(graph, given, number) if t in graph.outputs}
        told.append([np.asarray(found[t], np.float64) for t in graph.outputs])
    return told


def _of_batch(graph: ModelGraph, given: Given, numbers: range) -> Answers:
    each = [stored_inputs(graph, given, number) for number in numbers]
    inputs = [np.concatenate(parts) for parts in zip(*each, strict=True)]
    main = batched(graph.main, len(numbers))
    found = {t: stored for t, stored in computed(main, inputs) if t in main.outputs}
    outputs = [dequantize(main.tensors[t], found[t]) for t in main.outputs]
    return [[values[n : n + 1] for values in outputs] for n in range(len(numbers))]


def sqnr_db(reference: Answers, other: Answers) -> float:
    """10 log10(sum y^2 / sum (y - y')^2) over all samples, of the worst output; inf where nothing differs."""
    worst = inf
    for place in range(len(reference[0])):
        signal = sum(float(np.square(y[place]).sum()) for y in reference)
        noise = sum(
            float(np.square(y[place] - z[place]).sum()) for y, z in zip(reference, other, strict=True)
        )
        worst = min(worst, _decibel(signal, noise))
    return worst


def _decibel(signal: float, noise: float) -> float:
    if noise == 0:
        return inf
    return 10 * log10(signal / noise) if signal > 0 else -inf


def _stored(tensor: Tensor, sample: Array) -> Array:
    if sample.size != tensor.element_count or sample.dtype.kind not in "fiub":
        raise DataInvalid(
            f"a sample of shape {sample.shape} and type {sample.dtype} does not go with {tensor.shape}",
            where=f"input {tensor.name}",
        )  # fmt: skip
    shaped = sample.reshape(tensor.shape)
    if not tensor.dtype.is_float and sample.dtype.kind in "iub":
        return shaped.astype(tensor.dtype.value)
    stored: Array = quantize(tensor, shaped)
    return stored
