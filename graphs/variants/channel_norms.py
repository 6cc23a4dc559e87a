"""How much does each channel weigh, and how many weights make a group of them?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...errors import VariantInvalid
from .channel_groups import ModelChannels
from .weights import real_values

Norms = npt.NDArray[np.float64]  # by channel number


def channel_norms(channels: ModelChannels, *, norm: str, of: str) -> Norms:
    """The norm of all weights of a channel and of those that are tied to it, taken as one vector.

    l1 = sum |w|, l2 = sqrt(sum w^2) (Li et al., arXiv 1608.08710, rank filters by l1).

    Args:
        norm: "l1" or "l2".
        of: "filter", the filters that make the channel; "channel", the kernels that read it.

    Raises:
        VariantInvalid: there are weights that are no finite numbers.
    """
    flow, main = channels.flow, channels.graph.main
    summed = np.zeros(len(channels.least))
    seen: set[tuple[int, int]] = set()
    for filters in flow.makers if of == "filter" else flow.readers:
        if (filters.tensor, filters.axis) in seen:  # shared weights count once
            continue
        seen.add((filters.tensor, filters.axis))
        values = np.moveaxis(real_values(main.tensors[filters.tensor]), filters.axis, 0)
        if not np.isfinite(values).all():
            where = main.tensors[filters.tensor].name
            raise VariantInvalid("weights that are no finite numbers have no norm", where=where)
        if not values.size:
            continue
        rows = values.reshape(len(filters.channels), -1)
        per_position = np.abs(rows).sum(axis=1, dtype=np.float64) if norm == "l1" else _squares(rows)
        np.add.at(summed, channels.least[filters.channels], per_position)
    return summed if norm == "l1" else np.sqrt(summed)


def _squares(rows: npt.NDArray[np.float32]) -> Norms:
    found: Norms = np.einsum("ij,ij->i", rows, rows, dtype=np.float64)
    return found


def group_weights(channels: ModelChannels) -> tuple[int, ...]:
    """Per group the weights of the filters that make its channels."""
    main = channels.graph.main
    counts = np.zeros(len(channels.least), np.int64)
    for filters in {(f.tensor, f.axis): f for f in channels.flow.makers}.values():
        weights = main.tensors[filters.tensor].element_count
        each = weights // max(1, len(filters.channels))
        np.add.at(counts, channels.least[filters.channels], each)
    return tuple(max(1, int(counts[group.channels].sum())) for group in channels.groups)
