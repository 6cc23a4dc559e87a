"""What is a model with other channels: tensors, what is known of them, and what ops say of them.

Per position along an axis there is a count: 0 goes, 1 stays, 2 is there twice, side by side.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from ..ir import ModelGraph, Tensor
from .channel_groups import ModelChannels
from .channel_restated import restated
from .compact import without_offsets
from .picked import picked

Stays = npt.NDArray[np.bool_]  # along one axis; False goes
Counts = npt.NDArray[np.bool_] | npt.NDArray[np.int64]  # along one axis; how often each position is there


def cuts_of(channels: ModelChannels, counts: Counts) -> dict[int, dict[int, Counts]]:
    """tensor -> axis -> counts, of the tensors that change.

    Args:
        counts: per channel number; read at the number that stands for those united with it.
    """
    found: dict[int, dict[int, Counts]] = {}
    for t, axes in channels.flow.places.items():
        for axis, numbers in axes.items():
            along = counts[channels.least[numbers]]
            if not (along == 1).all():
                found.setdefault(t, {})[axis] = along
    return found


def with_channels(channels: ModelChannels, counts: Counts) -> ModelGraph:
    """The model in which each channel is there as often as its count says; the very same if all are once."""
    cuts = cuts_of(channels, counts)
    if not cuts:
        return channels.graph
    old = channels.graph.main
    tensors = [_counted(t, cuts[t.index]) if t.index in cuts else t for t in old.tensors]
    return without_offsets(channels.graph.with_main(restated(old, tensors, cuts)))


def _counted(tensor: Tensor, cuts: Mapping[int, Counts]) -> Tensor:
    """The tensor with what its axes' counts say."""
    picks = {axis: np.repeat(np.arange(len(n)), n.astype(np.int64)) for axis, n in cuts.items()}
    return picked(tensor, picks)
