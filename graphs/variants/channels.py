"""Structured pruning: the smallest channels leave the model, and shapes follow through the graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from ...errors import RecipeInvalid, VariantInvalid
from ..ir import ModelGraph
from .channel_cut import Stays, cuts_of, without_channels
from .channel_groups import ChannelGroup, ModelChannels, channels_of
from .channel_norms import channel_norms, group_weights
from .given import Given

_Fraction = Annotated[float, Field(gt=0, lt=1)]


@dataclass(frozen=True)
class PruneChannels:
    """Removes channels, so that the model needs fewer weights, operations and bytes anywhere.

    Args:
        fraction: of each group's channels goes; or
        keep: of each group's channels stays.
        multiple_of: as many stay as the nearest multiple of this, at least one multiple.
        distribution: "uniform" is the same fraction for all groups; "heuristic" takes more from groups
            with more weights; "given" takes from the groups in `each` alone.
        each: "name:fraction" of single groups, by a tensor of weights or an op index that makes them.
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
    norm: Literal["l1", "l2"] = "l1"
    criterion: Literal["filter", "channel"] = "filter"
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    first: bool = False

    def __post_init__(self) -> None:
        faults = []
        if self.distribution == "given":
            if not self.each or (self.fraction, self.keep) != (None, None):
                faults.append("distribution=given takes `each` and neither fraction nor keep")
        elif (self.fraction is None) == (self.keep is None):
            faults.append("give one of fraction and keep")
        faults += [f"each: {word[:60]!r} is no name:fraction" for word in self.each if _pair(word) is None]
        if faults:
            raise RecipeInvalid("recipe with faults", faults=faults, fix="e.g. prune-channels fraction=0.5")

    def apply(self, graph: ModelGraph, given: Given) -> ModelGraph:  # noqa: ARG002
        """The model with fewer channels.

        Raises:
            VariantInvalid: a name is of no filters of this model, or no channel can go; says why.
        """
        channels = channels_of(graph)
        stays = staying(channels, self)
        if stays.all():
            raise _nothing(channels)
        return without_channels(channels, stays)


def removed_channels(graph: ModelGraph, step: PruneChannels) -> dict[int, dict[int, Stays]]:
    """What the step takes from the model: tensor -> axis -> True where a position goes."""
    channels = channels_of(graph)
    cuts = cuts_of(channels, staying(channels, step))
    return {t: {axis: ~mask for axis, mask in axes.items()} for t, axes in cuts.items()}


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


def heuristic_fractions(weights: Sequence[int], fraction: float, most: Sequence[float]) -> list[float]:
    """r_i = a ln n_i, a = fraction x sum n / sum (n ln n), so that sum n r / sum n = fraction (PocketFlow).

    What exceeds the most that can go is cut, and the rest is shared anew among the others.

    >>> [round(r, 4) for r in heuristic_fractions([864, 2048, 8192, 131072, 1048576], 0.5, [1.0] * 5)]
    [0.2489, 0.2806, 0.3317, 0.4337, 0.5102]
    """
    found: dict[int, float] = {}
    free = list(range(len(weights)))
    logs = [log(max(2, n)) for n in weights]
    while free:
        wanted = fraction * sum(weights) - sum(weights[i] * r for i, r in found.items())
        alpha = max(0.0, wanted) / max(1.0, sum(weights[i] * logs[i] for i in free))
        shares = {i: alpha * logs[i] for i in free}
        over = {i: most[i] for i in free if shares[i] > most[i]}
        found.update(over or shares)
        free = [i for i in free if i not in over] if over else []
    return [found[i] for i in range(len(weights))]


def _fractions(channels: ModelChannels, step: PruneChannels) -> dict[int, float]:
    """group -> the fraction of it that goes, of the groups that are meant and can lose channels."""
    chosen = _known(channels, (*step.only, *step.skip))
    means = [n for n, group in enumerate(channels.groups) if not group.pinned and group.size > 1
             and _is_meant(channels, group, step, chosen)]  # fmt: skip
    found: dict[int, float] = {}
    if step.distribution != "given":
        fraction = step.fraction if step.fraction is not None else 1 - (step.keep or 0.0)
        found = dict.fromkeys(means, fraction)
    if step.distribution == "heuristic" and means:
        weights = group_weights(channels)
        most = [1 - 1 / channels.groups[n].size for n in means]
        found = dict(
            zip(means, heuristic_fractions([weights[n] for n in means], fraction, most), strict=True)
        )
    for word in step.each:
        name, own = _pair(word) or ("", 0.0)
        ops = _known(channels, (name,))[name]
        for n, group in enumerate(channels.groups):
            if not ops.isdisjoint(group.makers) and not group.pinned and group.size > 1:
                found[n] = own
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
    """The name and the fraction of "name:fraction"."""
    name, sign, text = word.rpartition(":")
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
