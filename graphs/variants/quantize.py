"""How does a float model become an integer one? The step of recipes, and what it tells beside the model."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ...errors import VariantInvalid
from ..dtype import DType
from ..ir import ModelGraph
from .calibrate import observed, real_samples
from .given import Given
from .integer_constants import Loss
from .integer_graph import IntegerPlan, integer_graph
from .integer_ops import Choice, integer_ops, kept_float
from .prepared import prepared
from .quantized_kinds import INT4_KINDS
from .ranges import Range, RangeMethod, chosen_range
from .shared_grids import grids, real_ends
from .weight_only import weight_only
from .weights import WEIGHT_PLACES


@dataclass(frozen=True)
class Quantized:
    """An integer model and what is to be said of it.

    Args:
        losses: per weight tensor, against the values it had before.
        notes: ops that stay float and why, what was folded, where the ranges come from.
    """

    graph: ModelGraph
    losses: tuple[Loss, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Quantize:
    """Full integer arithmetic, or integer weights alone (TFLite's 8-bit and 16x8 specifications).

    Args:
        activations: "float" stores weights as integers and computes in float.
        weights: bits that the file stores per weight.
        per_channel: a scale per output channel of convolutions; fully connected ops have one.
        ranges: of activations on the samples: all values, a percentile, or the least squared error or
            divergence that 256 levels cause.
        percentile: of the values that ranges="percentile" keeps on either side.
        io: "float" adds QUANTIZE and DEQUANTIZE at the ends; "int8" gives them the activations' own type.
        random_samples: so many of seeded noise stand in where no samples are given: for structure and size.
        keep_float: ops that stay float, by index or by the name of their weights.
    """

    word: ClassVar[str] = "quantize"
    activations: Literal["int8", "int16", "float"] = "int8"
    weights: Literal["int8", "int4", "int2"] = "int8"
    per_channel: bool = True
    ranges: RangeMethod = "minmax"
    percentile: Annotated[float, Field(gt=50, le=100)] = 99.99
    io: Literal["int8", "float"] = "int8"
    random_samples: Annotated[int, Field(ge=0, le=100_000)] = 0
    keep_float: tuple[str, ...] = ()

    def apply(self, graph: ModelGraph, given: Given) -> ModelGraph:
        """The model in integers; notes and the losses of re-quantized weights are told.

        Raises:
            VariantInvalid, NeedsSamples: as of `quantized`.
        """
        found = quantized(graph, self, given)
        for note in (*found.notes, *_loss_note(found.losses)):
            given.note(note)
        return found.graph


def _loss_note(losses: tuple[Loss, ...]) -> tuple[str, ...]:
    """The weight tensor that lost most, in one sentence."""
    lossy = [loss for loss in losses if isfinite(loss.sqnr_db)]
    if not lossy:
        return ()
    worst = min(lossy, key=lambda loss: loss.sqnr_db)
    rest = len(losses) - len(lossy)
    exact = f"; {rest} weight tensors lose nothing" if rest else ""
    return (f"weights: SQNR of {worst.sqnr_db:.1f} dB or more, least in {worst.name}{exact}",)


def quantized(graph: ModelGraph, step: Quantize, given: Given | None = None) -> Quantized:
    """The model in integers as the step says, what its weights lost, and notes.

    Raises:
        VariantInvalid: no interpreter has kernels for these types, or nothing can be made integer.
        NeedsSamples: activations need ranges and there are no samples.
    """
    ready, notes = prepared(graph)
    apart = kept_float(ready, step.keep_float)
    _refuse(ready, step, apart)
    bits = int(step.weights.removeprefix("int"))
    if step.activations == "float":
        whole, losses, said = weight_only(ready, bits=bits, per_channel=step.per_channel, keep_float=apart)
        return Quantized(whole, losses, (*notes, *said))
    dtype = DType(step.activations)
    choice = integer_ops(ready, dtype, apart, integer_ends=step.io == "int8")
    ranges, source = _ranges(graph, ready, choice, step, given or Given())
    plan = IntegerPlan(
        ops=frozenset(op.index for op in choice.ops), grids=grids(ready.main, choice.ops, ranges, dtype),
        dtype=dtype, weight_bits=bits, per_channel=step.per_channel, integer_ends=step.io == "int8",
    )  # fmt: skip
    whole, losses = integer_graph(ready, plan)
    return Quantized(whole, losses, (*notes, *choice.notes, *_float_ends(whole, step), source))


def _float_ends(graph: ModelGraph, step: Quantize) -> tuple[str, ...]:
    """Ends that were meant to be integers, but that float ops alone touch."""
    ends = [graph.tensors[t] for t in dict.fromkeys((*graph.inputs, *graph.outputs))]
    left = [t.name for t in ends if t.dtype is DType.FLOAT32 and step.io == "int8"]
    return tuple(f"{name} stays float: no op that runs on integers touches it" for name in left)


def _refuse(graph: ModelGraph, step: Quantize, apart: frozenset[int]) -> None:
    """No file claims a type that interpreters lack or compute wrongly."""
    if step.activations != "float" and any(op.kind == "FAKE_QUANT" for op in graph.ops):
        raise VariantInvalid(
            "FAKE_QUANT ops round its activations already, in float", where=graph.name,
            fix="quantize the model without them: leave fake-quantize out",
        )  # fmt: skip
    other = "or keep k bits on a grid in int8: quantize-weights"
    if step.weights == "int2":
        raise VariantInvalid(
            "no interpreter has kernels for int2 weights", where=graph.name, fix=f"int4, {other}"
        )
    if step.weights == "int4":
        kinds = INT4_KINDS[step.activations]
        lacking = [op for op in graph.ops if op.kind in WEIGHT_PLACES and op.index not in apart]
        lacking = [op for op in lacking if op.kind not in kinds]
        if lacking:
            named = ", ".join(f"{op.kind} (op {op.index})" for op in lacking[:4])
            raise VariantInvalid(
                f"int4 weights beside {step.activations} activations are not computed rightly by: {named}",
                where=graph.name, fix=f"keep_float=... for those, {other}",
            )  # fmt: skip
    if step.activations == "int16" and step.ranges in ("mse", "kl"):
        raise VariantInvalid(
            f"ranges={step.ranges} weighs the errors of 256 levels", where=graph.name,
            fix="int16 takes minmax or percentile",
        )  # fmt: skip


def _ranges(
    graph: ModelGraph, ready: ModelGraph, choice: Choice, step: Quantize, given: Given
) -> tuple[dict[int, Range], str]:
    """The range of every activation that integer ops touch, and where it comes from."""
    touched = {t for op in choice.ops for t in real_ends(ready.main, op)}
    flowing = sorted(t for t in touched if not ready.tensors[t].is_constant)
    samples = real_samples(graph, given, random_samples=step.random_samples)
    seen = observed(ready, flowing, given, samples=samples, bins=step.ranges != "minmax")
    found = {}
    for done, (t, histogram) in enumerate(seen.items()):
        found[t] = chosen_range(histogram, step.ranges, percentile=step.percentile)
        if step.ranges != "minmax":
            given.progress(done + 1, len(seen), f"ranges by {step.ranges}")
    if given.sample_count:
        return found, f"ranges by {step.ranges} of {given.sample_count} samples"
    return found, f"ranges of {step.random_samples} samples of noise: structure and size, no accuracy"
