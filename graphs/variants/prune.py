"""Prune: which weights of a model become zero, chosen by magnitude; no shape changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from ...errors import RecipeInvalid, VariantInvalid
from ..ir import ModelGraph
from .given import Given
from .prune_losses import output_loss, run_curves, score_loss, weight_curve
from .prune_masks import Magnitudes, granularity_of, kept_mask
from .prune_shares import LossCurve, equal_loss_shares, heuristic_shares
from .weights import Selection, Weight, chosen, real_values, with_tensors
from .zeros import zeroed

Sparsity = Annotated[float, Field(ge=0, lt=1)]


@dataclass(frozen=True)
class Prune:
    """The smallest weights become zero.

    Args:
        sparsity: fraction of zeros among the selected weights; N:M and stride-K patterns state it themselves.
        granularity: "weight"; blocks "RxC" of R output channels x C of the flattened rest in memory order;
            "N:M", N of M consecutive input channels stay; "stride-K", every K-th tap of a kernel stays
            (and kernels of one tap, 1x1 and fully connected, as they are).
        distribution: "uniform" (the same in every tensor), "heuristic" (alpha ln n, PocketFlow), "given"
            (`each`), or "sensitivity" (every tensor loses the same).
        each: "name=0.5" or "op=0.5" per tensor, where given; a name here needs no selection. Other selected
            tensors get `sparsity`, or stay.
        loss: by what sensitivity judges: noise of the weights, noise of the outputs (samples), or the score
            (labelled samples). "auto" is the last of these that there is data for.
        highest: the most that heuristic and sensitivity take from one tensor.
        relative: magnitudes as parts of the largest in their output channel: where batch norms were folded
            into the weights, a channel's scale says nothing of its worth.
        only, skip, depthwise, first: the selection (weights.Selection).
    """

    word: ClassVar[str] = "prune"

    sparsity: Sparsity | None = None
    granularity: str = "weight"
    distribution: Literal["uniform", "heuristic", "given", "sensitivity"] = "uniform"
    each: tuple[str, ...] = ()
    loss: Literal["auto", "weights", "outputs", "score"] = "auto"
    highest: Annotated[float, Field(gt=0, le=1)] = 0.99
    relative: bool = False
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    depthwise: bool = False
    first: bool = False

    def __post_init__(self) -> None:
        faults: list[str] = []
        try:
            pattern = granularity_of(self.granularity)
        except RecipeInvalid as error:
            faults += error.faults
        else:
            object.__setattr__(self, "granularity", self.granularity.replace(" ", "-"))
            faults += _disagreements(self, pattern.fixed_sparsity)
        if (self.distribution == "given") != bool(self.each):
            faults.append('each: "name=0.5" per tensor goes with distribution=given, and only with it')
        faults += [f'each: {text[:60]!r} is not "name=0.5"' for text in self.each if _entry(text) is None]
        if faults:
            raise RecipeInvalid("recipe with faults", faults=faults, fix="preflash schema recipe")

    def apply(self, graph: ModelGraph, given: Given) -> ModelGraph:
        """The model with more zeros; earlier ones stay.

        Raises:
            VariantInvalid: nothing is selected, or weights that cannot be pruned are.
            UnsupportedOp: selected weights are of a type that cannot be read as numbers.
            NeedsSamples: the loss needs samples or a score that are not there.
        """
        picked = self._picked(graph)
        pattern = granularity_of(self.granularity)
        new = []
        for one, share in zip(picked, self._shares(graph, picked, given), strict=True):
            tensor = graph.tensors[one.tensor]
            if share == 0:
                continue
            kept = kept_mask(picked[one], pattern, sparsity=share, output_axis=one.output_axis)
            if pattern.kind != "stride" or not kept.all():  # a sole tap has no pattern
                new.append(zeroed(tensor, kept, pattern.pattern))
        if not new and self.sparsity != 0:
            raise VariantInvalid(
                f"granularity {self.granularity} leaves every selected weight", where=graph.name,
                fix="strides need kernels of more than one tap; or ask for more than 0",
            )  # fmt: skip
        return with_tensors(graph, new)

    def shares(self, graph: ModelGraph, given: Given | None = None) -> dict[int, float]:
        """tensor index -> the sparsity that is asked of it."""
        picked = self._picked(graph)
        asked = self._shares(graph, picked, given or Given())
        return {one.tensor: share for one, share in zip(picked, asked, strict=True)}

    def _picked(self, graph: ModelGraph) -> dict[Weight, Magnitudes]:
        """The selected weights and their magnitudes, in the order of the ops."""
        selection = Selection(self.only, self.skip, self.depthwise, self.first)
        every = {one.tensor: one for one in chosen(graph, selection)}
        if self.each:
            named = Selection(only=tuple(name for name, _ in map(_known_entry, self.each)), skip=self.skip)
            every |= {one.tensor: one for one in chosen(graph, named)}
        if not every:
            raise VariantInvalid(
                "no weights are selected", where=graph.name, fix="first=true, depthwise=true, or only=NAME"
            )
        found = sorted(every.values(), key=lambda one: (one.op, one.tensor))
        return {one: _magnitudes(graph, one, relative=self.relative) for one in found}

    def _shares(self, graph: ModelGraph, picked: dict[Weight, Magnitudes], given: Given) -> list[float]:
        pattern = granularity_of(self.granularity)
        counts = [one.count for one in picked]
        mean = pattern.fixed_sparsity if self.sparsity is None else self.sparsity
        if self.distribution == "given":
            table = dict(map(_known_entry, self.each))
            rest = self.sparsity or 0.0
            return [table.get(str(one.op), table.get(one.name, rest)) for one in picked]
        assert mean is not None  # __post_init__ refuses the rest
        if self.distribution == "heuristic":
            return list(heuristic_shares(counts, mean, highest=self.highest))
        if self.distribution == "sensitivity":
            return list(equal_loss_shares(counts, self._curves(graph, picked, given), mean))
        return [mean] * len(counts)

    def _curves(self, graph: ModelGraph, picked: dict[Weight, Magnitudes], given: Given) -> list[LossCurve]:
        pattern = granularity_of(self.granularity)
        has_runs = given.activations is not None and given.sample_count > 0
        auto = "score" if given.score is not None else "outputs" if has_runs else "weights"
        by = auto if self.loss == "auto" else self.loss
        if by == "weights":
            return [
                weight_curve(magnitudes, pattern, output_axis=one.output_axis, highest=self.highest)
                for one, magnitudes in picked.items()
            ]
        loss = (score_loss if by == "score" else output_loss)(graph, given)
        return run_curves(
            graph, picked, loss, granularity=pattern, highest=self.highest, given=given
        )  # fmt: skip


def _disagreements(step: Prune, fixed: float | None) -> list[str]:
    """What a step's sparsity, pattern and distribution say against each other."""
    faults = []
    if step.sparsity is not None and not 0 <= step.sparsity < 1:
        faults.append("sparsity: at least 0 and below 1")
    if fixed is None and step.sparsity is None and step.distribution != "given":
        faults.append("sparsity: is missing")
    if fixed is not None and step.sparsity is not None and abs(step.sparsity - fixed) > 1e-6:
        faults.append(f"sparsity: {step.granularity} makes it {fixed:.4g}, {step.sparsity:.4g} is asked for")
    if fixed is not None and step.distribution != "uniform":
        faults.append(f"distribution: {step.granularity} prunes all tensors alike")
    if step.distribution in ("heuristic", "sensitivity") and (step.sparsity or 0.0) > step.highest:
        faults.append(f"highest: {step.highest:.4g} of each tensor are less than the sparsity of all")
    return faults


def _magnitudes(graph: ModelGraph, one: Weight, *, relative: bool) -> Magnitudes:
    """|w|, or |w| / max|w| of its output channel."""
    tensor = graph.tensors[one.tensor]
    found: Magnitudes = np.abs(real_values(tensor))
    if not np.isfinite(found).all():
        raise VariantInvalid("weights that are no finite numbers have no magnitude", where=one.name)
    if not relative:
        return found
    others = tuple(axis for axis in range(found.ndim) if axis != one.output_axis)
    largest = found.max(axis=others, keepdims=True)
    parts: Magnitudes = found / np.where(largest > 0, largest, 1)
    return parts


def _entry(text: str) -> tuple[str, float] | None:
    """("name", 0.5) of "name=0.5"; None where it is none."""
    name, sign, value = text.rpartition("=")
    try:
        share = float(value)
    except ValueError:
        return None
    return (name, share) if sign and name and 0 <= share < 1 else None


def _known_entry(text: str) -> tuple[str, float]:
    entry = _entry(text)
    assert entry is not None  # __post_init__ refuses the rest
    return entry
