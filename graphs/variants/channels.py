"""Structured pruning: the smallest channels leave the model, and shapes follow through the graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from ...errors import RecipeInvalid, VariantInvalid
from ..ir import ModelGraph
from .channel_cut import Stays, cuts_of, with_channels
from .channel_groups import ChannelGroup, ModelChannels, channel_notes, channels_of
from .channel_norms import channel_norms, group_weights
from .given import Given
from .prune_shares import heuristic_shares

_Fraction = Annotated[float, Field(gt=0, lt=1)]


@dataclass(frozen=True)
class PruneChannels:
    """Removes channels, so that the model needs fewer weights, operations and bytes anywhere.

    Args:
        fraction: of each group's channels goes; or
        keep: of each group's channels stays.
        multiple_of: as many stay as the nearest multiple of this, at least one multiple.
        distribution: "uniform" (the same of every group), "heuristic" (alpha ln n of a group whose channels n
            weights make, PocketFlow), "given" (`each`).
        each: "name=0.5" or "op=0.5" is the fraction of the group that these filters make, where given; other
            groups lose `fraction`, or stay.
        highest: the most that the heuristic takes from one group.
        norm, criterion: the channels with the smallest norm go: "filter" of the filters that make them,
            "channel" of the kernels that read them.
        only, skip: names of weights or op indices; a group goes with one of `only`, stays with one of `skip`.
        first: whether the channels of the first filters are meant where `only` is empty.
    """

    word: ClassVar[str] = "prune-channels"
    fraction: _Fraction | None = None
    keep: _Fraction | None = None
    multiple_of: Annotated[int, Field(ge=1, le=1024)] = 1
    distribution: Literal["uniform", "heuristic", "given"] = "uniform"
    each: tuple[str, ...] = ()
    highest: Annotated[float, Field(gt=0, le=1)] = 0.99
    norm: Literal["l1", "l2"] = "l1"
    criterion: Literal["filter", "channel"] = "filter"
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    first: bool = False

    def __post_init__(self) -> None:
        faults = []
        given = sum(value is not None for value in (self.fraction, self.keep))
        if given > 1 or (not given and self.distribution != "given"):
            faults.append("give one of fraction and keep")
        if (self.distribution == "given") != bool(self.each):
            faults.append('each: "name=0.5" per group goes with distribution=given, and only with it')
        faults += [f'each: {word[:60]!r} is not "name=0.5"' for word in self.each if _pair(word) is None]
        if faults:
            raise RecipeInvalid("recipe with faults", faults=faults, fix="preflash schema recipe")

    def apply(self, graph: ModelGraph, given: Given) -> ModelGraph:
        """The model with fewer channels.

        Raises:
            VariantInvalid: a name is of no filters of this model, or no channel can go; says why.
        """
        channels = channels_of(graph)
        stays = staying(channels, self)
        if stays.all():
            raise _nothing(channels)
        for note in channel_notes(graph):
            given.note(note)
        return with_channels(channels, stays)


def removed_channels(graph: ModelGraph, step: PruneChannels) -> dict[int, dict[int, Stays]]:
    """What the step takes from the model: tensor -> axis -> True where a position goes."""
    channels = channels_of(graph)
    cuts = cuts_of(channels, staying(channels, step))
    return {t: {axis: mask == 0 for axis, mask in axes.items()} for t, axes in cuts.items()}


def staying(channels: ModelChannels, step: PruneChannels) -> Stays:
    """Per channel whether it stays; of equal norms the first ones go."""
    stays = np.ones(len(channels.least), bool)
    fractions = _fractions(channels, step)
    if not fractions:
        return stays
    norms = channel_norms(channels, norm=step.norm, of=step.criterion)
    for n, fraction in fractions.items():
        group = channels.groups[n]
        gone = group.size - kept_count(group.size, fraction, step.multiple_of)
        order = np.argsort(norms[group.channels], kind="stable")
        stays[group.channels[order[:gone]]] = False
    return stays[channels.least]


def kept_count(size: int, fraction: float, multiple_of: int = 1) -> int:
    """How many of `size` channels stay: the multiple nearest to size x (1 - fraction), at least one multiple.

    >>> kept_count(64, 0.4), kept_count(64, 0.4, 8), kept_count(6, 0.9, 8)
    (38, 40, 6)
    """
    nearest = int(size * (1 - fraction) / multiple_of + 0.5 + 1e-9) * multiple_of
    return min(size, max(nearest, multiple_of))


def _fractions(channels: ModelChannels, step: PruneChannels) -> dict[int, float]:
    """group -> the fraction of it that goes, of the groups that are meant and can lose channels."""
    chosen = _known(channels, (*step.only, *step.skip))
    can = [n for n, group in enumerate(channels.groups) if not group.pinned and group.size > 1]
    means = [n for n in can if _is_meant(channels, channels.groups[n], step, chosen)]
    fraction = 1 - step.keep if step.keep is not None else step.fraction
    found = {} if fraction is None else dict.fromkeys(means, fraction)
    if step.distribution == "heuristic" and found:
        counts = group_weights(channels)
        shares = heuristic_shares([counts[n] for n in means], found[means[0]], highest=step.highest)
        found = dict(zip(means, shares, strict=True))
    for word in step.each:
        name, own = _pair(word) or ("", 0.0)
        ops = _known(channels, (name,))[name]
        found.update({n: own for n in can if not ops.isdisjoint(channels.groups[n].makers)})
    return found


def _is_meant(
    channels: ModelChannels, group: ChannelGroup, step: PruneChannels, ops: Mapping[str, set[int]]
) -> bool:
    """One of `only` makes its channels, or all but the first filters are meant; none of `skip` does."""
    makers = set(group.makers)
    if any(makers & ops[word] for word in step.skip):
        return False
    if step.only:
        return any(makers & ops[word] for word in step.only)
    first = min((filters.op for filters in channels.flow.makers), default=-1)
    return step.first or first not in makers


def _known(channels: ModelChannels, words: Sequence[str]) -> dict[str, set[int]]:
    """word -> the ops whose filters are called so.

    Raises:
        VariantInvalid: a word is of no filters.
    """
    names: dict[str, set[int]] = {}
    for filters in channels.flow.makers:
        for name in (str(filters.op), channels.graph.tensors[filters.tensor].name):
            names.setdefault(name, set()).add(filters.op)
    strange = [word for word in words if word not in names]
    if strange:
        known = ", ".join(list(names)[1:16:2])
        raise VariantInvalid(
            f"no filters are called {strange[0][:80]!r}", where=channels.graph.name, fix=f"filters: {known}"
        )
    return {word: names[word] for word in words}


def _pair(word: str) -> tuple[str, float] | None:
    """("name", 0.5) of "name=0.5"; None where it is none."""
    name, sign, text = word.rpartition("=")
    try:
        fraction = float(text)
    except ValueError:
        return None
    return (name, fraction) if sign and name and 0 < fraction < 1 else None


def _nothing(channels: ModelChannels) -> VariantInvalid:
    """Why no channel goes."""
    reasons = dict.fromkeys(group.pinned for group in channels.groups if group.pinned)
    why = "; ".join(list(reasons)[:4]) or "it has no filters, or too few channels are meant"
    fix = "skip this step, mean more (first=true, no `only`) or take a larger fraction"
    return VariantInvalid(f"no channels can go: {why}", where=channels.graph.name, fix=fix)
