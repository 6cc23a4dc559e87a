"""Where do channels go in ops that move elements: reshape, pad, join, cut, reorder?

Rules as in channel_rules.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

import numpy as np

from ..ir import OPTIONAL
from ..reading import Reading
from ..slicing import strided_ranges
from .channel_flow import ChannelFlow, Channels

Placed = tuple[int, Channels]  # an axis and the channels along it
Shape = tuple[int, ...]


def together(flow: ChannelFlow, r: Reading, places: Sequence[tuple[int, int]]) -> Channels:
    """The channels of (tensor, axis) places that the op reads position by position: constants follow them,
    and they stay if one of the places is not known to have channels."""
    found: Channels | None = None
    stays = ""
    for t, axis in places:
        placed = None if flow.is_fixed(t) else flow.of(t)
        if placed is not None and placed[0] == axis:
            found = placed[1] if found is None else found
            flow.unite(found, placed[1])
        elif not flow.is_fixed(t):
            stays = f"{r.op.label} {r.op.index} joins them with {r.subgraph.tensors[t].name}, which stays"
    assert found is not None  # a rule asks for places that have channels
    for t, axis in places:
        if flow.is_fixed(t):
            flow.follow(r.op.index, t, axis, found)
    if stays:
        flow.pin(found, stays)
    return found


def carried(flow: ChannelFlow, placed: Placed, before: Shape, after: Shape) -> Placed | None:
    """Where channels are when elements are only counted anew; None if an axis would cut across them.

    With C channels that lie `inner` elements apart, element i belongs to channel i // inner % C. An axis of
    the new shape that holds whole rounds of channels repeats them; axes that share one round among them
    tie the channels, so that one of the axes can be cut.
    """
    axis, channels = placed
    count, inner = len(channels), prod(before[axis + 1 :])
    if 0 in before:
        return None
    for m, extent in enumerate(after):
        step = prod(after[m + 1 :])
        if inner % step == 0 and (extent * step) % (count * inner) == 0:
            return m, channels[np.arange(extent) * step // inner % count]
    return _shared(flow, channels, inner, after)


def _shared(flow: ChannelFlow, channels: Channels, inner: int, after: Shape) -> Placed | None:
    """The axes from `first` to before `end` hold whole rounds of channels: one of them is chosen.

    It is the one along which alone the channels differ already, else the last one longer than 1.
    """
    for end in range(len(after), 0, -1):
        for first in range(end - 1, -1, -1):
            rounds, rest = divmod(prod(after[first:end]), len(channels))
            if prod(after[end:]) != inner or rest:
                continue
            grid = np.tile(flow.least(channels), rounds).reshape(after[first:end])
            long = [d for d, extent in enumerate(grid.shape) if extent > 1]
            rows = [np.moveaxis(grid, d, -1).reshape(-1, grid.shape[d]) for d in long]
            apart = [n for n, row in enumerate(rows) if (row == row[0]).all()]
            n = apart[0] if apart else -1
            flow.unite(rows[n], rows[n][0])
            return first + long[n], rows[n][0]
    return None


def _counted_anew(flow: ChannelFlow, r: Reading) -> str:
    """RESHAPE, SQUEEZE, EXPAND_DIMS: elements keep their order."""
    placed, out = flow.of(r.op.inputs[0]), r.op.outputs[0]
    if placed is None:
        return ""
    after = carried(flow, placed, r.shape(0), r.subgraph.tensors[out].shape)
    if after is None:
        return "cuts across them"
    flow.carry(out, *after)
    return ""


def _pad(flow: ChannelFlow, r: Reading) -> str:
    """Padding along the channels' axis makes channels of its own."""
    placed, amounts = flow.of(r.op.inputs[0]), r.integers(1)
    if placed is None or amounts is None:
        return ""
    axis, channels = placed
    before, after = amounts[2 * axis : 2 * axis + 2]
    whole = np.concatenate([flow.fresh(before), channels, flow.fresh(after)])
    flow.carry(r.op.outputs[0], axis, whole)
    return ""


def _concatenation(flow: ChannelFlow, r: Reading) -> str:
    inputs, out = [t for t in r.op.inputs if t != OPTIONAL], r.op.outputs[0]
    found = [None if flow.is_fixed(t) else flow.of(t) for t in inputs]
    axes = {placed[0] for placed in found if placed is not None}
    if len(axes) != 1:
        return "joins channels along different axes" if axes else ""
    (axis,) = axes
    if axis != r.axis(r.attribute("axis", 0), len(r.shape())):
        flow.carry(out, axis, together(flow, r, [(t, axis) for t in inputs]))
        return ""
    parts = []
    for t, placed in zip(inputs, found, strict=True):
        parts.append(flow.fresh(r.subgraph.tensors[t].shape[axis]) if placed is None else placed[1])
        if placed is None:
            flow.pin(parts[-1], f"{r.subgraph.tensors[t].name} stays")
    flow.carry(out, axis, np.concatenate(parts))
    return ""


def _split(flow: ChannelFlow, r: Reading) -> str:
    """Along the channels' axis the parts stay equally long: their channels go by rank."""
    placed, axes = flow.of(r.op.inputs[1]), r.integers(0)
    if placed is None or axes is None:
        return ""
    axis, channels = placed
    if axis == r.axis(axes[0], len(r.shape(1))):
        parts = np.split(channels, len(r.op.outputs))
        for part in parts[1:]:
            flow.unite(parts[0], part)
    else:
        parts = [channels] * len(r.op.outputs)
    for t, part in zip(r.op.outputs, parts, strict=True):
        flow.carry(t, axis, part)
    return ""


def _split_v(flow: ChannelFlow, r: Reading) -> str:
    placed, axes = flow.of(r.op.inputs[0]), r.integers(2)
    if placed is None or axes is None:
        return ""
    axis, channels = placed
    parts = [channels] * len(r.op.outputs)
    if axis == r.axis(axes[0], len(r.shape(0))):
        extents = [r.subgraph.tensors[t].shape[axis] for t in r.op.outputs]
        parts = np.split(channels, np.cumsum(extents)[:-1])
    for t, part in zip(r.op.outputs, parts, strict=True):
        flow.carry(t, axis, part)
    return ""


def _slice(flow: ChannelFlow, r: Reading) -> str:
    placed, begin = flow.of(r.op.inputs[0]), r.integers(1)
    if placed is None or begin is None:
        return ""
    axis, channels = placed
    extent = r.subgraph.tensors[r.op.outputs[0]].shape[axis]
    flow.carry(r.op.outputs[0], axis, channels[begin[axis] : begin[axis] + extent])
    return ""


def _strided_slice(flow: ChannelFlow, r: Reading) -> str:
    placed, taken = flow.of(r.op.inputs[0]), strided_ranges(r)
    if placed is None or taken is None:
        return ""
    axis, channels = placed
    positions, is_dropped = taken[axis]
    if is_dropped or positions.step != 1 or not len(positions):
        return "picks some of them"
    before = sum(dropped for _, dropped in taken[:axis])
    flow.carry(r.op.outputs[0], axis - before, channels[positions.start : positions.stop])
    return ""


def _transpose(flow: ChannelFlow, r: Reading) -> str:
    placed, order = flow.of(r.op.inputs[0]), r.integers(1)
    if placed is None or order is None:
        return ""
    axes = [r.axis(d, len(order)) for d in order]
    flow.carry(r.op.outputs[0], axes.index(placed[0]), placed[1])
    return ""


def _pack(flow: ChannelFlow, r: Reading) -> str:
    inputs = list(r.op.inputs)
    found = [None if flow.is_fixed(t) else flow.of(t) for t in inputs]
    axes = {placed[0] for placed in found if placed is not None}
    if len(axes) != 1:
        return "joins channels along different axes" if axes else ""
    (axis,) = axes
    at = r.axis(r.attribute("axis", 0), len(r.shape()) + 1)
    channels = together(flow, r, [(t, axis) for t in inputs])
    flow.carry(r.op.outputs[0], axis + (at <= axis), channels)
    return ""


def _unpack(flow: ChannelFlow, r: Reading) -> str:
    placed = flow.of(r.op.inputs[0])
    if placed is None:
        return ""
    axis, channels = placed
    at = r.axis(r.attribute("axis", 0), len(r.shape()))
    if at == axis:
        return "takes them apart"
    for t in r.op.outputs:
        flow.carry(t, axis - (at < axis), channels)
    return ""


def _tile(flow: ChannelFlow, r: Reading) -> str:
    placed, repeats = flow.of(r.op.inputs[0]), r.integers(1)
    if placed is not None and repeats is not None:
        flow.carry(r.op.outputs[0], placed[0], np.tile(placed[1], repeats[placed[0]]))
    return ""


def _space_to_depth(flow: ChannelFlow, r: Reading) -> str:
    """Channel b * C + c of the output is channel c of pixel b of the block."""
    placed = flow.of(r.op.inputs[0])
    if placed is None:
        return ""
    if placed[0] != 3:
        return "slides over them"
    flow.carry(r.op.outputs[0], 3, np.tile(placed[1], r.attribute("block_size", 1) ** 2))
    return ""


def _depth_to_space(flow: ChannelFlow, r: Reading) -> str:
    """Channel c of the output has channels b * C + c of the input, one per pixel b of the block."""
    placed = flow.of(r.op.inputs[0])
    if placed is None:
        return ""
    if placed[0] != 3:
        return "slides over them"
    pixels = placed[1].reshape(r.attribute("block_size", 1) ** 2, -1)
    flow.unite(pixels, pixels[0])
    flow.carry(r.op.outputs[0], 3, pixels[0])
    return ""


def _batches(flow: ChannelFlow, r: Reading) -> str:
    """SPACE_TO_BATCH_ND and back move pixels; channels are what follows the blocks' axes."""
    placed, blocks = flow.of(r.op.inputs[0]), r.integers(1)
    if placed is None or blocks is None:
        return ""
    if placed[0] <= len(blocks):
        return "moves them to samples"
    flow.carry(r.op.outputs[0], *placed)
    return ""


MOVES: dict[str, Callable[[ChannelFlow, Reading], str]] = {
    **dict.fromkeys(("RESHAPE", "SQUEEZE", "EXPAND_DIMS"), _counted_anew),
    **dict.fromkeys(("PAD", "PADV2"), _pad),
    **dict.fromkeys(("SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND"), _batches),
    "CONCATENATION": _concatenation,
    "SPLIT": _split,
    "SPLIT_V": _split_v,
    "SLICE": _slice,
    "STRIDED_SLICE": _strided_slice,
    "TRANSPOSE": _transpose,
    "PACK": _pack,
    "UNPACK": _unpack,
    "TILE": _tile,
    "SPACE_TO_DEPTH": _space_to_depth,
    "DEPTH_TO_SPACE": _depth_to_space,
}
