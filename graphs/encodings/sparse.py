"""What do the nonzero values take with their places: per row, by the gap between them, or N of every M?"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
import numpy.typing as npt

from .bits import Patterns, fields, joined, split, values_of, width_of
from .codec import Frame, Stream
from .values import Values

Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class CompressedRows:
    """nonzero * (bits + ceil(log2 columns)) + (rows + 1) * ceil(log2(n + 1)): CSR, a row per first index."""

    @property
    def word(self) -> str:
        return "csr"

    def size_bits(self, values: Values) -> int:
        rows, columns = _matrix(values)
        held = values.nonzero_count * (values.bits + width_of(columns))
        return held + (rows + 1) * width_of(values.count + 1)

    def encode(self, values: Values) -> Stream:
        rows, columns = _matrix(values)
        places = values.nonzero_places
        begins = np.searchsorted(places, np.arange(rows + 1) * columns)
        return Stream(
            self.size_bits(values),
            joined(
                fields(begins, width_of(values.count + 1)),
                fields(places % columns, width_of(columns)),
                fields(values.flat[places], values.bits),
            ),
        )

    def decode(self, stream: Stream, frame: Frame) -> Patterns:
        rows, columns = _matrix(frame.like)
        width = width_of(frame.like.count + 1)
        begins = values_of(split(stream.data, (rows + 1) * width)[0], width).astype(np.int64)
        held = int(begins[-1])
        _, places, rest = split(stream.data, (rows + 1) * width, held * width_of(columns))
        column = values_of(places, width_of(columns)) if columns > 1 else np.zeros(held, np.uint32)
        row = np.repeat(np.arange(rows), np.diff(begins))
        flat = np.zeros(frame.like.count, np.uint32)
        flat[row * columns + column] = values_of(rest, frame.like.bits)[:held]
        return flat


@dataclass(frozen=True, slots=True)
class RelativeIndex:
    """entries * (value bits + index bits) [+ codes * bits]; arXiv 1510.00149.

    An entry is a value and the gap since the last, 1..2^index_bits; where a gap is longer, a zero fills it.

    Args:
        shared: values are indices of a codebook that is stored beside them.
    """

    index_bits: int
    shared: bool = False

    @property
    def word(self) -> str:
        return f"relative-{self.index_bits}{'-lut' if self.shared else ''}"

    def size_bits(self, values: Values) -> int | None:
        if not values.nonzero_count:
            return 0
        codes, width = self._codes(values)
        if self.shared and width >= values.bits:
            return None
        fillers = int(((_gaps(values) - 1) >> self.index_bits).sum())
        return (values.nonzero_count + fillers) * (width + self.index_bits) + codes * values.bits

    def encode(self, values: Values) -> Stream:
        if not values.nonzero_count:
            return Stream(0, b"", (0, 0))
        codes, width = self._codes(values)
        places, span = values.nonzero_places, 1 << self.index_bits
        gaps = _gaps(values)
        fillers = (gaps - 1) >> self.index_bits
        ends = np.cumsum(fillers + 1) - 1  # where each value's own entry stands
        steps = np.full(int(ends[-1]) + 1, span - 1)
        held = np.zeros(len(steps), np.uint32)
        steps[ends] = gaps - fillers * span - 1
        table = self._table(values)
        kept = values.flat[places]
        held[ends] = np.searchsorted(table, kept) if self.shared else kept
        if self.shared:  # a filler holds the code of zero
            held[np.setdiff1d(np.arange(len(steps)), ends)] = np.searchsorted(table, 0)
        entries = np.concatenate(
            [fields(held, width).reshape(len(steps), width),
             fields(steps, self.index_bits).reshape(len(steps), self.index_bits)], axis=1,
        )  # fmt: skip
        bits = len(steps) * (width + self.index_bits) + codes * values.bits
        tables = [fields(table, values.bits)] if self.shared else []
        return Stream(bits, joined(*tables, entries.reshape(-1)), (codes, len(steps)))

    def decode(self, stream: Stream, frame: Frame) -> Patterns:
        codes, count = stream.counts
        flat = np.zeros(frame.like.count, np.uint32)
        if not count:
            return flat
        width = width_of(codes) if self.shared else frame.like.bits
        tables, rest = split(stream.data, codes * frame.like.bits)
        entries = rest[: count * (width + self.index_bits)].reshape(count, -1)
        places = (
            np.cumsum(values_of(entries[:, width:].reshape(-1), self.index_bits).astype(np.int64) + 1) - 1
        )
        held = values_of(entries[:, :width].reshape(-1), width) if width else np.zeros(count, np.uint32)
        flat[places] = values_of(tables, frame.like.bits)[held] if self.shared else held
        return flat

    def _table(self, values: Values) -> Patterns:
        """The codebook: zero, for fillers, and all values there are."""
        used = values.counts[0]
        return used if len(used) and used[0] == 0 else np.concatenate([[0], used]).astype(used.dtype)

    def _codes(self, values: Values) -> tuple[int, int]:
        """(codes of the codebook, bits of an entry's value)."""
        codes = len(self._table(values)) if self.shared else 0
        return codes, width_of(codes) if self.shared else values.bits


@dataclass(frozen=True, slots=True)
class NOfM:
    """Groups of M along the last dimension hold N values: N * bits + N * ceil(log2 M) each."""

    n: int
    m: int

    @property
    def word(self) -> str:
        return f"{self.n}:{self.m}"

    def size_bits(self, values: Values) -> int | None:
        if len(values.patterns.shape) < 2 or self._groups(values).astype(bool).sum(axis=1).max() > self.n:
            return None
        return self._group_count(values) * self.n * (values.bits + width_of(self.m))

    def encode(self, values: Values) -> Stream:
        groups = self._groups(values)
        order = np.argsort(groups == 0, axis=1, kind="stable")[:, : self.n]
        order = np.sort(order, axis=1)
        held = np.take_along_axis(groups, order, axis=1)
        bits = self._group_count(values) * self.n * (values.bits + width_of(self.m))
        return Stream(bits, joined(fields(held, values.bits), fields(order, width_of(self.m))))

    def decode(self, stream: Stream, frame: Frame) -> Patterns:
        count, columns = self._group_count(frame.like) * self.n, frame.like.patterns.shape[-1]
        held, places, _ = split(stream.data, count * frame.like.bits, count * width_of(self.m))
        groups = np.zeros((count // self.n, self.m), np.uint32)
        order = values_of(places, width_of(self.m)).reshape(-1, self.n)
        np.put_along_axis(
            groups, order.astype(np.int64), values_of(held, frame.like.bits).reshape(-1, self.n), 1
        )
        padded = -(-columns // self.m) * self.m
        return groups.reshape(-1, padded)[:, :columns].reshape(-1)

    def _groups(self, values: Values) -> Patterns:
        columns = values.patterns.shape[-1]
        rows = values.patterns.reshape(-1, columns)
        spare = -columns % self.m
        return (np.pad(rows, ((0, 0), (0, spare))) if spare else rows).reshape(-1, self.m)

    def _group_count(self, values: Values) -> int:
        *rows, columns = values.patterns.shape
        return prod(rows) * -(-columns // self.m)


def _matrix(values: Values) -> tuple[int, int]:
    """(rows, columns): the first dimension against the rest."""
    shape = values.patterns.shape or (1,)
    return shape[0], max(1, values.count // max(1, shape[0]))


def _gaps(values: Values) -> Places:
    """How far each nonzero value is from the one before; the first from just before the tensor."""
    gaps: Places = np.diff(values.nonzero_places, prepend=-1)
    return gaps
