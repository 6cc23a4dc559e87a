"""How accurate is a model whose activations have few bits? The step `fake-quantize`, for any interpreter."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from ...errors import VariantInvalid
from ..ir import DType, ModelGraph, Op, wire
from ..ops import FakeQuantAttributes
from .calibrate import observed, real_samples
from .given import Given
from .quantize_weights import QuantizeWeights
from .ranges import Range, chosen_range

# Outputs that hold values of an input and no others: they lie on its grid.
_MOVES = frozenset({
    "RESHAPE", "SQUEEZE", "EXPAND_DIMS", "TRANSPOSE", "SLICE", "STRIDED_SLICE", "SPLIT", "SPLIT_V", "UNPACK",
    "GATHER", "PAD", "MAX_POOL_2D", "REDUCE_MAX", "REDUCE_MIN", "SPACE_TO_DEPTH", "DEPTH_TO_SPACE",
    "RESIZE_NEAREST_NEIGHBOR", "FAKE_QUANT",
})  # fmt: skip
# Outputs whose range the quantization spec of TFLite fixes; its highest step is left out.
_FIXED_RANGES = {"SOFTMAX": (0.0, 1.0), "LOGISTIC": (0.0, 1.0), "TANH": (-1.0, 1.0)}


@dataclass(frozen=True)
class FakeQuantize:
    """Float activations are rounded to k bits by FAKE_QUANT ops behind the ops that compute them.

    The model stays float and runs wherever TFLite runs, so its accuracy is that of k-bit activations; no
    runtime becomes faster or smaller by it. Ranges are those of the values on the samples, widened to hold
    0; softmax, logistic and tanh have TFLite's fixed ones. Ops that only move values add no rounding.

    Args:
        bits: of activations.
        weight_bits: of weights too (quantize-weights); absent leaves them.
        per_channel, best: of the weights, as in quantize-weights.
        ranges, percentile: all values of an activation, or without the rarest on either side.
        only, skip: names of activations, or indices of the ops that make them. What is rounded already stays.
        most_samples: of the given ones, the first so many are used.
    """

    word: ClassVar[str] = "fake-quantize"
    bits: Annotated[int, Field(ge=2, le=16)] = 8
    weight_bits: Annotated[int, Field(ge=2, le=8)] | None = None
    per_channel: bool = True
    best: bool = False
    ranges: Literal["minmax", "percentile"] = "minmax"
    percentile: Annotated[float, Field(gt=50, le=100)] = 99.99
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    most_samples: Annotated[int, Field(ge=1)] = 100

    def apply(self, graph: ModelGraph, given: Given) -> ModelGraph:
        """The model with rounded activations, and weights where asked for."""
        if self.weight_bits is not None:
            graph = QuantizeWeights(self.weight_bits, self.per_channel, self.best).apply(graph, given)
        meant = _meant(graph, self)
        return _inserted(graph, _ranges(graph, meant, given, self), self.bits)


def activation_bits(graph: ModelGraph) -> dict[int, int]:
    """Activations that FAKE_QUANT ops make -> their bits."""
    return {
        op.outputs[0]: op.attributes.num_bits
        for op in graph.ops if op.kind == "FAKE_QUANT" and isinstance(op.attributes, FakeQuantAttributes)
    }  # fmt: skip


def _meant(graph: ModelGraph, step: FakeQuantize) -> list[int]:
    """The activations to round: inputs and what ops compute."""
    main = graph.main
    made = [(t, op) for op in main.ops if op.kind not in _MOVES for t in op.outputs]
    every: list[tuple[int, Op | None]] = [*((t, None) for t in main.inputs), *made]
    flowing = [t for t, _ in every if main.tensors[t].dtype is DType.FLOAT32]
    if not flowing or any(main.tensors[t].dtype in (DType.INT8, DType.INT16, DType.UINT8) for t, op in made):
        raise VariantInvalid("its activations are integers already", where=graph.name,
                             fix="start from the float model")  # fmt: skip
    words = {t: {main.tensors[t].name, *([] if op is None else [str(op.index)])} for t, op in every}
    strange = (set(step.only) | set(step.skip)) - set().union(*words.values())
    if strange:
        raise VariantInvalid(f"no activation is called {sorted(strange)[0][:80]!r}", where=graph.name)
    rounded = {op.inputs[0] for op in main.ops if op.kind == "FAKE_QUANT"}
    return [
        t for t in flowing
        if t not in rounded and (not step.only or words[t] & set(step.only)) and not words[t] & set(step.skip)
    ]  # fmt: skip


def _ranges(graph: ModelGraph, meant: Iterable[int], given: Given, step: FakeQuantize) -> dict[int, Range]:
    """The range of each activation, 0 in it."""
    kinds = {t: op.kind for op in graph.ops for t in op.outputs}
    found = {t: _fixed_range(kinds.get(t, ""), step.bits) for t in meant}
    asked = [t for t in found if kinds.get(t) not in _FIXED_RANGES]
    few = replace(given, samples=tuple(s[: step.most_samples] for s in given.samples))
    samples = real_samples(graph, few, random_samples=0)
    seen = observed(graph, asked, few, samples=samples, bins=step.ranges != "minmax")
    for t, histogram in seen.items():
        low, high = chosen_range(histogram, step.ranges, percentile=step.percentile)
        found[t] = min(low, 0.0), max(high, 0.0)
    return {t: r if r[0] < r[1] else (0.0, 1.0) for t, r in found.items()}


def _fixed_range(kind: str, bits: int) -> Range:
    """low .. high - s with s = (high - low) / 2^k; empty where samples tell."""
    low, high = _FIXED_RANGES.get(kind, (0.0, 0.0))
    return low, high - (high - low) / (1 << bits)


def _inserted(graph: ModelGraph, ranges: dict[int, Range], bits: int) -> ModelGraph:
    """FAKE_QUANT behind each of these tensors.

    What an op makes gets a new index and the rounded tensor keeps the old one, so readers, outputs and
    signatures stay as they are; a model input stays, and its readers read the rounded one.
    """
    main, tensors = graph.main, list(graph.tensors)
    unrounded: dict[int, int] = {}
    for t in ranges:
        unrounded[t] = len(tensors)
        suffix = "rounded" if t in main.inputs else "unrounded"
        tensors.append(replace(tensors[t], index=len(tensors), name=f"{tensors[t].name}_{suffix}"))
    ops = [_rounding(t, unrounded[t], ranges[t], bits) for t in main.inputs if t in ranges]
    for op in main.ops:
        inputs = tuple(unrounded.get(t, t) if t in main.inputs else t for t in op.inputs)
        outputs = tuple(unrounded.get(t, t) for t in op.outputs)
        ops.append(replace(op, inputs=inputs, outputs=outputs))
        ops += [_rounding(unrounded[t], t, ranges[t], bits) for t in op.outputs if t in ranges]
    whole = wire(tensors, ops, inputs=main.inputs, outputs=main.outputs, name=main.name)
    return graph.with_main(whole)


def _rounding(source: int, target: int, within: Range, bits: int) -> Op:
    attributes = FakeQuantAttributes(float(np.float32(within[0])), float(np.float32(within[1])), bits)
    return Op(0, "FAKE_QUANT", (source,), (target,), attributes)
