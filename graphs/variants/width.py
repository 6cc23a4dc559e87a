"""Another width: every group of channels that can change has more or fewer of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import Field

from ...errors import VariantInvalid
from ..ir import ModelGraph
from .channel_cut import Counts, with_channels
from .channel_groups import ModelChannels, channel_notes, channels_of
from .channels import PruneChannels, staying
from .given import SHAPE_ONLY, Given


@dataclass(frozen=True)
class Width:
    """Multiplies the channels inside the model; its inputs and outputs stay.

    The model's shapes and costs are right, its answers are not: it has to be trained.

    Args:
        multiplier: of each group's channels; below 1 those with the smallest norms go, above 1 channels are
            there more than once.
        multiple_of: as many channels as the nearest multiple of this, at least one multiple.
    """

    word: ClassVar[str] = "width"
    retrain: ClassVar[bool] = True
    multiplier: Annotated[float, Field(gt=0, le=16)] = 1.0
    multiple_of: Annotated[int, Field(ge=1, le=1024)] = 1

    def apply(self, graph: ModelGraph, given: Given) -> ModelGraph:
        """The model of that width; the very same for a multiplier of 1.

        Raises:
            VariantInvalid: no channels of this model can change; says why.
        """
        if self.multiplier == 1:
            return graph
        channels = channels_of(graph)
        if all(group.pinned for group in channels.groups):
            raise _all_stay(channels)
        for note in channel_notes(graph):
            given.note(note)
        changed = with_channels(channels, _counts(channels, self))
        same = changed is channels.graph
        given.note(f"width x {self.multiplier:g}: " + ("no group changes" if same else SHAPE_ONLY))
        return graph if same else changed


def widened_count(size: int, multiplier: float, multiple_of: int = 1) -> int:
    """How many channels `size` channels become: the multiple nearest to size x multiplier, at least `size`.

    >>> widened_count(24, 1.4), widened_count(24, 1.4, 8), widened_count(30, 1.1, 16)
    (34, 32, 32)
    """
    return max(size, int(size * multiplier / multiple_of + 0.5 + 1e-9) * multiple_of)


def _counts(channels: ModelChannels, step: Width) -> Counts:
    """Per channel how often it is there."""
    if step.multiplier < 1:
        cut = PruneChannels(keep=step.multiplier, multiple_of=step.multiple_of, first=True)
        return staying(channels, cut)
    counts: npt.NDArray[np.int64] = np.ones(len(channels.least), np.int64)
    for group in channels.groups:
        if not group.pinned:
            wanted = widened_count(group.size, step.multiplier, step.multiple_of)
            edges = np.arange(group.size + 1) * wanted // group.size  # spread evenly
            counts[group.channels] = np.diff(edges)
    return counts[channels.least]


def _all_stay(channels: ModelChannels) -> VariantInvalid:
    reasons = dict.fromkeys(group.pinned for group in channels.groups)
    why = "; ".join(list(reasons)[:4]) or "it has no filters"
    fix = "export the model at another width, or build one with zoo options"
    return VariantInvalid(f"no channels can change: {why}", where=channels.graph.name, fix=fix)
