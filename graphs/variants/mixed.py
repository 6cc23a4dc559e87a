"""Which weights can do with how few bits? Sensitivity per op, and the step `mixed`: largest first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

from pydantic import Field

from ...errors import NeedsSamples, RecipeInvalid
from ..ir import ModelGraph
from .answers import answers, sample_count, sqnr_db
from .bit_widths import weight_bits
from .given import Given
from .quantize_weights import QuantizeWeights
from .weights import Selection, Weight, chosen

Bits = Annotated[int, Field(ge=2, le=8)]
# What a variant reaches, SQNR in dB or accuracy in 0..1.
Gauge = Callable[[ModelGraph], float]


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """What becomes of the model where one weight tensor alone gets few bits; None is not measured."""

    weight: Weight
    bits: int
    sqnr_db: float | None
    accuracy: float | None


@dataclass(frozen=True, slots=True)
class Choice:
    """The bits that a tensor got, and what the model reaches with this and all choices before it.

    Args:
        bits: None where no bit-width kept to the budget; the tensor then stays as it is.
        reached: SQNR in dB, or accuracy; of the last model within the budget.
    """

    weight: Weight
    bits: int | None
    reached: float


def sensitivity(
    graph: ModelGraph, bits: Sequence[int], given: Given, *, most_samples: int = 32, best: bool = False
) -> tuple[Sensitivity, ...]:
    """Every weight tensor alone at every bit-width: SQNR at the outputs (samples), accuracy (score).

    Raises:
        NeedsSamples: neither samples nor a score are given.
    """
    if given.score is None and not given.sample_count:
        raise NeedsSamples("sensitivity needs samples or a score", where=graph.name)
    distance = _distance(graph, given, most_samples) if given.sample_count else None
    meant = chosen(graph, Selection(depthwise=True, first=True))
    found = []
    for number, (weight, width) in enumerate((w, b) for w in meant for b in bits):
        given.progress(number, len(meant) * len(bits), f"{weight.name} at {width} bits")
        variant = _at(graph, weight, QuantizeWeights(width, best=best), given)
        found.append(
            Sensitivity(
                weight, width, None if distance is None else distance(variant),
                None if given.score is None else given.score(variant),
            )
        )  # fmt: skip
    given.progress(len(found), len(found), "measured sensitivity")
    return tuple(found)


@dataclass(frozen=True)
class Mixed:
    """Each weight tensor, largest first, gets the fewest bits with which the model stays within a budget.

    The error cascades: a tensor is tried in the model in which all larger ones have their bits already.
    State one budget. Tensors with which no bit-width stays within it are left as they are.

    Args:
        bits: the bit-widths to choose from.
        min_sqnr_db: least signal-to-noise ratio at the model's outputs against the model before this step,
            on the given samples; no labels needed.
        max_drop: most accuracy that may be lost, 0.01 is one point; on the given score.
        per_channel, best: as in quantize-weights.
        most_samples: of the given ones, the first so many are used.
    """

    word: ClassVar[str] = "mixed"
    bits: tuple[Bits, ...] = (2, 4, 8)
    min_sqnr_db: float | None = None
    max_drop: Annotated[float, Field(ge=0, lt=1)] | None = None
    per_channel: bool = True
    best: bool = False
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    most_samples: Annotated[int, Field(ge=1)] = 32

    def __post_init__(self) -> None:
        if (self.min_sqnr_db is None) == (self.max_drop is None) or not self.bits:
            raise RecipeInvalid(
                "mixed precision needs one budget and some bit-widths",
                faults=["state bits and either min_sqnr_db or max_drop"],
            )

    def apply(self, graph: ModelGraph, given: Given) -> ModelGraph:
        """The model with chosen bit-widths; `bits_of` lists them."""
        return [graph, *(now for now, _ in _chosen_one_by_one(graph, self, given))][-1]


def choices(graph: ModelGraph, step: Mixed, given: Given) -> tuple[Choice, ...]:
    """What the step chooses, in the order in which it chooses."""
    return tuple(choice for _, choice in _chosen_one_by_one(graph, step, given))


def _chosen_one_by_one(graph: ModelGraph, step: Mixed, given: Given) -> Iterator[tuple[ModelGraph, Choice]]:
    """(the model so far, choice) after each tensor; sizes fall, ties go by the order of ops."""
    gauge, least = _budget(graph, step, given)
    meant = sorted(
        chosen(graph, Selection(step.only, step.skip, depthwise=True, first=True)), key=lambda w: -w.count
    )
    now, reached = graph, gauge(graph)
    for number, weight in enumerate(meant):
        given.progress(number, len(meant), f"choosing bits of {weight.name}")
        bits = None
        for width in sorted(set(step.bits)):
            if width >= weight_bits(now.tensors[weight.tensor]):
                break  # it needs no more already
            variant = _at(now, weight, QuantizeWeights(width, step.per_channel, step.best), given)
            if (measured := gauge(variant)) >= least:
                now, bits, reached = variant, width, measured
                break
        yield now, Choice(weight, bits, reached)
    given.progress(len(meant), len(meant), "chose bits")


def _budget(graph: ModelGraph, step: Mixed, given: Given) -> tuple[Gauge, float]:
    """What is measured, and the least of it that is within the budget."""
    if step.min_sqnr_db is not None:
        return _distance(graph, given, step.most_samples), step.min_sqnr_db
    if given.score is None or step.max_drop is None:
        raise NeedsSamples("max_drop needs labelled data to score on", where=graph.name,
                           fix="give labels, or state min_sqnr_db")  # fmt: skip
    return given.score, given.score(graph) - step.max_drop


def _distance(graph: ModelGraph, given: Given, most_samples: int) -> Gauge:
    """SQNR of a variant's outputs against this model's."""
    count = sample_count(graph, given, most_samples)
    reference = answers(graph, given, count)
    return lambda variant: sqnr_db(reference, answers(variant, given, count))


def _at(graph: ModelGraph, weight: Weight, step: QuantizeWeights, given: Given) -> ModelGraph:
    """The model in which this tensor alone was quantized."""
    quiet = replace(given, progress=lambda _done, _of, _what: None)
    return replace(step, only=(str(weight.op),)).apply(graph, quiet)
