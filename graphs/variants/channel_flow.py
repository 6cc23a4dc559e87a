"""Which positions of which tensors are one channel? What is found out while a graph is walked op by op.

A channel is a number; along an axis a tensor has one number per position. Positions of one number stay or go
together, and so do numbers that were united.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..ir import OPTIONAL, DType, Op, Subgraph
from ..quantities import NUMPY_OF_DTYPE

Channels = npt.NDArray[np.int64]  # one number per position along an axis


@dataclass(frozen=True, slots=True, eq=False)
class Filters:
    """Weights that make channels, or that read them: one channel per position of one axis."""

    op: int
    tensor: int
    axis: int
    channels: Channels


class ChannelFlow:
    """What is known so far of a subgraph's channels.

    Args:
        places: tensor -> axis -> the channels along it; an activation has at most one such axis.
        makers, readers: filters that make channels, and filters that read them.
    """

    def __init__(self, subgraph: Subgraph) -> None:
        self.subgraph = subgraph
        self.places: dict[int, dict[int, Channels]] = {}
        self.makers: list[Filters] = []
        self.readers: list[Filters] = []
        self.pinned: list[tuple[Channels, str]] = []
        self._above = np.empty(0, np.int64)  # towards the least channel of those united with it
        self._cut_by: set[tuple[int, int, int]] = set()  # (constant, axis, op that reads it so)

    # Channels.

    def fresh(self, count: int) -> Channels:
        """Channels that nobody has yet."""
        first = len(self._above)
        made = np.arange(first, first + count, dtype=np.int64)
        self._above = np.concatenate([self._above, made])
        return made

    def least(self, channels: Channels) -> Channels:
        """Of each channel the least one that is united with it."""
        while True:
            above: Channels = self._above[channels]
            if np.array_equal(above, channels):
                return above
            channels = above

    def every(self) -> Channels:
        """The least one of all channels, by channel."""
        return self.least(np.arange(len(self._above), dtype=np.int64))

    def unite(self, some: Channels, others: Channels) -> None:
        """From now on they stay or go in pairs."""
        some, others = (c.reshape(-1) for c in np.broadcast_arrays(some, others))
        while True:
            some, others = self.least(some), self.least(others)
            apart = some != others
            if not apart.any():
                return
            some, others = some[apart], others[apart]
            np.minimum.at(self._above, np.maximum(some, others), np.minimum(some, others))

    def pin(self, channels: Channels, reason: str) -> None:
        """They stay."""
        self.pinned.append((channels, reason))

    # Tensors.

    def stay(self, tensor: int, reason: str) -> None:
        """The activation's last axis has channels of its own, and they stay."""
        shape = self.subgraph.tensors[tensor].shape
        if shape and shape[-1] > 0:
            channels = self.fresh(shape[-1])
            self.pin(channels, reason)
            self.carry(tensor, len(shape) - 1, channels)

    def of(self, tensor: int) -> tuple[int, Channels] | None:
        """The axis of an activation's channels, and the channels."""
        return next(iter(self.places.get(tensor, {}).items()), None)

    def carry(self, tensor: int, axis: int, channels: Channels) -> None:
        """The activation has these channels."""
        self.places[tensor] = {axis: channels}

    def is_fixed(self, tensor: int) -> bool:
        """Whether a constant can be cut: dense numbers, or DEQUANTIZE of such."""
        if tensor == OPTIONAL:
            return False
        t = self.subgraph.tensors[tensor]
        if not t.is_constant:
            source = self._dequantized(tensor)
            return source is not None and self.is_fixed(source.inputs[0])
        blocks = t.quantization.details if t.quantization is not None else None
        is_number = t.dtype in NUMPY_OF_DTYPE or t.dtype is DType.INT4
        return t.sparsity is None and blocks is None and is_number and t.stored_bytes == t.dense_bytes

    def follow(self, op: int, tensor: int, axis: int, channels: Channels) -> None:
        """The op reads the constant so that its positions along the axis are these channels."""
        known = self.places.setdefault(tensor, {}).setdefault(axis, channels)
        if known is not channels:
            self.unite(known, channels)
        self._cut_by.add((tensor, axis, op))
        if not self.subgraph.tensors[tensor].is_constant:
            source = self._dequantized(tensor)
            assert source is not None  # is_fixed says so
            self.follow(source.index, source.inputs[0], axis, channels)

    def stored(self, tensor: int) -> int:
        """The constant that holds the values of a fixed tensor."""
        if self.subgraph.tensors[tensor].is_constant:
            return tensor
        source = self._dequantized(tensor)
        assert source is not None
        return self.stored(source.inputs[0])

    def pin_what_others_read(self) -> None:
        """Constants that some op reads whole stay whole, and so do inputs, outputs and states."""
        main = self.subgraph
        for t, axes in self.places.items():
            tensor = main.tensors[t]
            if t in main.outputs or t in main.inputs or tensor.is_variable:
                what = "an output of the model" if t in main.outputs else "kept between invocations"
                for channels in axes.values():
                    self.pin(channels, f"they are {what}")
            if not self.is_fixed(t):
                continue
            for reader in main.consumers_of.get(t, ()):
                for axis, channels in axes.items():
                    if (t, axis, reader) not in self._cut_by:
                        label = main.ops[reader].label
                        self.pin(channels, f"{label} {reader} reads {tensor.name} otherwise")

    def _dequantized(self, tensor: int) -> Op | None:
        """The DEQUANTIZE that makes this tensor from a constant."""
        maker = self.subgraph.producer_of.get(tensor)
        if maker is None or self.subgraph.ops[maker].kind != "DEQUANTIZE":
            return None
        op = self.subgraph.ops[maker]
        return op if op.inputs and self.subgraph.tensors[op.inputs[0]].is_constant else None
