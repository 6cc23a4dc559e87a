"""What values do a float model's activations take on samples? Streamed through histograms, batch by batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import DataInvalid, NeedsSamples, VariantInvalid
from ..dtype import DType
from ..evaluate import dequantize, run_op
from ..ir import OPTIONAL, ModelGraph, Op, Subgraph, Tensor, wire
from .given import Given
from .histogram import Histogram

Array = npt.NDArray[Any]
_BATCH_BYTES = 1 << 25  # of the largest activation, in float64
_LARGEST_BATCH = 64
# Ops that treat the first dimension as samples that do not see each other.
_BY_SAMPLE = frozenset({
    "CONV_2D", "DEPTHWISE_CONV_2D", "AVERAGE_POOL_2D", "MAX_POOL_2D", "FULLY_CONNECTED", "SOFTMAX",
    "LOG_SOFTMAX", "ADD", "SUB", "MUL", "DIV", "MAXIMUM", "MINIMUM", "SQUARED_DIFFERENCE", "PRELU", "RELU",
    "RELU6", "RELU_N1_TO_1", "LEAKY_RELU", "LOGISTIC", "TANH", "HARD_SWISH", "ABS", "NEG", "EXP", "SQUARE",
    "SQRT", "RSQRT", "RESHAPE", "SQUEEZE", "RESIZE_NEAREST_NEIGHBOR",
})  # fmt: skip


def observed(
    graph: ModelGraph, tensors: Iterable[int], given: Given, *, samples: Sequence[Array], bins: bool
) -> dict[int, Histogram]:
    """The histograms of these tensors of a float model over all samples.

    Args:
        samples: real numbers, per model input (samples, *shape).
        bins: whether to count, or to keep lowest and highest alone.

    Raises:
        VariantInvalid: an activation is no number for some sample, or has no values at all.
    """
    wanted = {t: Histogram(bins=bins) for t in tensors}
    count = len(samples[0]) if samples else 0
    done = 0
    given.progress(0, count, "calibrating")
    for size, values in _runs(graph, given, samples, count):
        for t, array in values:
            if t in wanted:
                if not np.isfinite(array).all():
                    raise VariantInvalid(
                        "is infinite or no number for a sample", where=f"tensor {graph.tensors[t].name}",
                        fix="check the samples' range and the float model",
                    )  # fmt: skip
                wanted[t].add(array)
        done += size
        given.progress(done, count, "calibrating")
    unseen = [graph.tensors[t].name for t, histogram in wanted.items() if not histogram.seen]
    if unseen:
        fix = "give activations of all tensors that are no constants"
        raise VariantInvalid("has no values in any run of the model", where=f"tensor {unseen[0]}", fix=fix)
    return wanted


def real_samples(graph: ModelGraph, given: Given, *, random_samples: int) -> tuple[Array, ...]:
    """Per model input (samples, *shape) real numbers; seeded noise where asked for and none are given.

    Noise is uniform over the range of a quantized input, else over [-1, 1].

    Raises:
        NeedsSamples: there are none.
        DataInvalid: they do not go with the model's inputs.
    """
    inputs = [graph.tensors[t] for t in graph.inputs]
    if not given.samples or not given.sample_count:
        if not random_samples:
            raise NeedsSamples(
                "activations get their ranges from samples, and none were given", where=graph.name,
                fix="give samples, or ask for noise: random_samples=100 (structure and size only)",
            )  # fmt: skip
        random = np.random.default_rng(given.seed)
        return tuple(_noise(t, random_samples, random) for t in inputs)
    if len(given.samples) != len(inputs):
        raise DataInvalid(
            f"the model has {len(inputs)} inputs, samples of {len(given.samples)} were given",
            where=graph.name, fix="one array per input, its first axis counts samples",
        )  # fmt: skip
    return tuple(_real(t, np.asarray(s)) for t, s in zip(inputs, given.samples, strict=True))


def _noise(tensor: Tensor, count: int, random: np.random.Generator) -> Array:
    shape = (count, *tensor.shape)
    if tensor.dtype.is_float:
        return random.uniform(-1.0, 1.0, shape).astype(np.float32)
    if tensor.dtype in (DType.INT8, DType.UINT8, DType.INT16) and tensor.quantization is not None:
        low, high = np.iinfo(tensor.dtype.value).min, np.iinfo(tensor.dtype.value).max
        drawn = random.integers(low, high + 1, shape)
        return dequantize(replace(tensor, shape=shape), drawn).astype(np.float32)
    raise NeedsSamples(
        f"no noise can be drawn for an input of {tensor.dtype}", where=tensor.name, fix="give samples"
    )


def _real(tensor: Tensor, given: Array) -> Array:
    """Samples as real numbers, the shape of the input behind their first axis."""
    shape = (len(given), *tensor.shape)
    if given.ndim < 1 or given.size != int(np.prod(shape)):
        raise DataInvalid(
            f"samples of shape {given.shape} do not go with {tensor.shape}", where=f"input {tensor.name}"
        )
    whole = given.reshape(shape)
    if not tensor.dtype.is_float and given.dtype.kind in "iu":
        if tensor.quantization is None:
            return whole
        return dequantize(tensor, whole).astype(np.float32)
    if given.dtype.kind not in "fiu":
        raise DataInvalid(f"samples of type {given.dtype} are no numbers", where=f"input {tensor.name}")
    return whole.astype(np.float32)


def _runs(
    graph: ModelGraph, given: Given, samples: Sequence[Array], count: int
) -> Iterator[tuple[int, Iterable[tuple[int, Array]]]]:
    """(samples in it, (tensor, values) pairs) per run of the model."""
    if given.activations is not None:
        for n in range(count):
            found: Mapping[int, Array] = given.activations(graph, [s[n] for s in samples])
            yield 1, found.items()
        return
    size = batch_size(graph) if count > 1 else 1
    for start in range(0, count, size):
        taken = [s[start : start + size] for s in samples]
        n = len(taken[0])
        if n == 1:
            yield 1, activations(graph.main, [s[0] for s in taken])
        else:
            yield n, activations(batched(graph.main, n), [s.reshape(n, *s.shape[2:]) for s in taken])


def activations(main: Subgraph, inputs: Sequence[Array]) -> Iterator[tuple[int, Array]]:
    """(tensor, values) of all activations as they are made; values that nobody reads any more are dropped."""
    values = dict(zip(main.inputs, inputs, strict=True))
    yield from values.items()
    last = {t: op.index for op in main.ops for t in op.inputs}
    for op in main.ops:
        made = run_op(main, op, values)
        yield from made.items()
        values.update(made)
        for t in op.inputs:
            if last.get(t) == op.index:
                values.pop(t, None)


def batch_size(graph: ModelGraph) -> int:
    """How many samples may run at once: 1 where an op could mix them."""
    main = graph.main
    flowing = [t for op in main.ops for t in (*op.inputs, *op.outputs) if t != OPTIONAL]
    live = {t: main.tensors[t] for t in (*main.inputs, *flowing) if not main.tensors[t].is_constant}
    if not all(t.shape[:1] == (1,) and len(t.shape) > 1 for t in live.values()):
        return 1
    if not all(_keeps_samples(main, op) for op in main.ops):
        return 1
    largest = max(t.element_count for t in live.values())
    return max(1, min(_LARGEST_BATCH, _BATCH_BYTES // (8 * max(1, largest))))


def _keeps_samples(main: Subgraph, op: Op) -> bool:
    if op.kind in _BY_SAMPLE:
        return not op.fused
    if op.kind in ("CONCATENATION", "MEAN", "PAD"):
        return _spares_first(main, op)
    return False


def _spares_first(main: Subgraph, op: Op) -> bool:
    """Whether the axes or paddings leave the first dimension alone."""
    rank = len(main.tensors[op.inputs[0]].shape)
    if op.kind == "CONCATENATION":
        no_constants = not any(main.tensors[t].is_constant for t in op.inputs)
        return no_constants and getattr(op.attributes, "axis", 0) % rank != 0
    stated = main.tensors[op.inputs[1]]
    if stated.data is None or stated.dtype is not DType.INT32:
        return False
    numbers = np.frombuffer(stated.data, np.int32)
    return not numbers[:2].any() if op.kind == "PAD" else not (numbers % rank == 0).any()


def batched(main: Subgraph, count: int) -> Subgraph:
    """The subgraph for so many samples at once."""
    tensors = [t if t.is_constant else replace(t, shape=(count, *t.shape[1:])) for t in main.tensors]
    return wire(tensors, main.ops, inputs=main.inputs, outputs=main.outputs, name=main.name)
