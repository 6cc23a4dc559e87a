"""Which channels of a model can go, and which only together?

Positions are united where an op reads them pairwise (ADD, depthwise kernels, the pixels of a flattened
picture, ...). A group is the set of united channels that occur in the same activations: a residual chain is
one group, the parts of a CONCATENATION are one each. What an op that is not understood reads stays, and so do
the model's inputs, outputs and states.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...errors import ShapeInvalid
from ..ir import OPTIONAL, ModelGraph, Op, Subgraph
from ..kept import kept
from ..reading import Reading
from ..shapes import infer_shapes
from ..static_shapes import with_static_shapes
from .channel_flow import ChannelFlow, Channels
from .channel_rules import RULES
from .weights import WEIGHT_PLACES


@dataclass(frozen=True, slots=True, eq=False)
class ChannelGroup:
    """Channels of which each can stay or go on its own, with all that is tied to it.

    Args:
        channels: one number per channel that can go, ascending.
        makers: ops whose filters make them (convolutions, depthwise ones, dense ones).
        readers: ops whose filters read them.
        tensors: activations that have them.
        pinned: why they stay; "" if they can go.
    """

    channels: Channels
    makers: tuple[int, ...]
    readers: tuple[int, ...]
    tensors: tuple[int, ...]
    pinned: str = ""

    @property
    def size(self) -> int:
        return len(self.channels)


@dataclass(frozen=True, slots=True, eq=False)
class ModelChannels:
    """All channels of the main subgraph.

    Args:
        graph: the model, with open extents solved.
        least: of each channel the number that stands for all united with it.
    """

    graph: ModelGraph
    flow: ChannelFlow
    least: Channels
    groups: tuple[ChannelGroup, ...]


def channel_groups(graph: ModelGraph) -> tuple[ChannelGroup, ...]:
    """The groups of the main subgraph, in the order in which their channels are made."""
    return channels_of(graph).groups


def channel_notes(graph: ModelGraph) -> tuple[str, ...]:
    """Per group that stays, one sentence: which channels, and which op or output holds them."""
    return tuple(
        f"{group.size} channels of {_names(graph, group)} stay: {group.pinned}"
        for group in channel_groups(graph) if group.pinned
    )  # fmt: skip


def channels_of(graph: ModelGraph) -> ModelChannels:
    """The channels, worked out once per graph."""
    return kept(graph, "channels", _found)


def _found(graph: ModelGraph) -> ModelChannels:
    graph = with_static_shapes(graph)
    flow = channel_flow(graph.main)
    least = flow.every()
    return ModelChannels(graph, flow, least, _groups(flow, least))


def channel_flow(subgraph: Subgraph) -> ChannelFlow:
    """What every op does with channels, in execution order."""
    flow = ChannelFlow(subgraph)
    for op in subgraph.ops:
        reason = _asked(flow, op)
        if reason and op.kind in WEIGHT_PLACES and op.outputs and flow.of(op.outputs[0]) is None:
            flow.stay(op.outputs[0], f"{op.label} {op.index} {reason}")
        read = [flow.of(t) for t in op.inputs if t != OPTIONAL and not flow.is_fixed(t)]
        for placed in read:
            if reason and placed is not None:
                flow.pin(placed[1], f"{op.label} {op.index} {reason}")
    flow.pin_what_others_read()
    return flow


def _asked(flow: ChannelFlow, op: Op) -> str:
    """What the op's rule says, if it can be asked."""
    rule = RULES.get(op.kind)
    if rule is None:
        return "is not understood"
    if op.fused or op.pads is not None:
        return "is a fused or tiled kernel"
    try:
        shapes = infer_shapes(flow.subgraph, op)
        if shapes is None:
            return "has a shape known only when running"
        if shapes != tuple(flow.subgraph.tensors[t].shape for t in op.outputs):
            return "records other shapes than its inputs give"
        return rule(flow, Reading(flow.subgraph, op))
    except ShapeInvalid:
        return "has shapes that contradict each other"


def _groups(flow: ChannelFlow, least: Channels) -> tuple[ChannelGroup, ...]:
    activations = {
        t: np.unique(least[placed[1]])
        for t in flow.places if not flow.is_fixed(t) and (placed := flow.of(t)) is not None
    }  # fmt: skip
    reasons: dict[int, str] = {}
    for channels, reason in flow.pinned:
        for one in np.unique(least[channels]).tolist():
            reasons.setdefault(one, reason)
    stays = np.array(sorted(reasons), np.int64)
    number = _refined(len(least), [*activations.values(), stays])
    ops = {
        role: [(f.op, set(number[least[f.channels]].tolist())) for f in filters]
        for role, filters in (("makers", flow.makers), ("readers", flow.readers))
    }
    of_tensor = {t: set(number[channels].tolist()) for t, channels in activations.items()}
    order = np.argsort(number, kind="stable")
    groups = []
    for members in np.split(order, np.flatnonzero(np.diff(number[order])) + 1):
        channels = members[least[members] == members]
        if not len(channels):
            continue
        n = int(number[channels[0]])
        makers, readers = (
            tuple(dict.fromkeys(op for op, numbers in ops[role] if n in numbers)) for role in ops
        )
        tensors = tuple(sorted(t for t, numbers in of_tensor.items() if n in numbers))
        pinned = reasons.get(int(channels[0]), "" if makers else "no filter makes them")
        groups.append(ChannelGroup(channels, makers, readers, tensors, pinned))
    return tuple(sorted(groups, key=lambda group: int(group.channels[0])))


def _refined(count: int, sets: list[Channels]) -> npt.NDArray[np.int64]:
    """One number per channel, the same for channels that are in the same of the sets."""
    number = np.zeros(count, np.int64)
    used = 1
    for members in sets:
        known, place = np.unique(number[members], return_inverse=True)
        number[members] = used + place
        used += len(known)
    return number


def _names(graph: ModelGraph, group: ChannelGroup) -> str:
    """The makers as users know them."""
    if not group.makers:
        return ", ".join(graph.tensors[t].name for t in group.tensors[:3])
    ops = [graph.ops[i] for i in group.makers[:3]]
    more = f" and {len(group.makers) - 3} more" * (len(group.makers) > 3)
    return ", ".join(f"{op.label} {op.index}" for op in ops) + more
