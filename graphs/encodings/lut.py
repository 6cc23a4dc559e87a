"""What do shared values take: an index each, and a table of the values per tensor or per channel?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .bits import Patterns, fields, joined, split, values_of, width_of
from .codec import Frame, Stream
from .values import Values


@dataclass(frozen=True, slots=True)
class Lut:
    """n * ceil(log2 codes) + tables * codes * bits.

    Args:
        per_channel: one table per channel of the values' axis, as long as the longest; else one table.
        most_codes: what the decoder's tables hold; 0 is any number.
        least_width: bits of an index at least.
    """

    per_channel: bool = False
    most_codes: int = 0
    least_width: int = 0

    @property
    def word(self) -> str:
        return "lut-per-channel" if self.per_channel else "lut"

    def size_bits(self, values: Values) -> int | None:
        if self.per_channel and values.axis is None:
            return None
        codes = self.code_count(values)
        if self.most_codes and codes > self.most_codes:
            return None
        return self._bits(values, codes) if self.width(codes) < values.bits else None

    def encode(self, values: Values) -> Stream:
        rows = values.channels if self.per_channel else values.patterns.reshape(1, -1)
        tables, places = table_and_places(rows)
        codes = tables.shape[1]
        whole = values.unchannelled(places) if self.per_channel else places
        held = joined(fields(whole, self.width(codes)), fields(tables, values.bits))
        return Stream(self._bits(values, codes), held, (codes,))

    def decode(self, stream: Stream, frame: Frame) -> Patterns:
        (codes,), like = stream.counts, frame.like
        tables = like.channels.shape[0] if self.per_channel else 1
        places, table, _ = split(stream.data, like.count * self.width(codes), tables * codes * like.bits)
        width = self.width(codes)
        indices = values_of(places, width) if width else np.zeros(like.count, np.uint32)
        value = values_of(table, like.bits).reshape(tables, codes)
        if not self.per_channel:
            return np.asarray(value[0][indices])
        assert like.axis is not None
        rows = np.moveaxis(indices.reshape(like.patterns.shape), like.axis, 0).reshape(tables, -1)
        return like.unchannelled(np.take_along_axis(value, rows.astype(np.int64), axis=1)).reshape(-1)

    def code_count(self, values: Values) -> int:
        """Places of a table: the distinct values, of the channel with most of them."""
        if not self.per_channel:
            return len(values.counts[0])
        return most_distinct_of(values)

    def width(self, codes: int) -> int:
        """Bits of one index."""
        return max(self.least_width, width_of(codes))

    def _bits(self, values: Values, codes: int) -> int:
        tables = values.channels.shape[0] if self.per_channel else 1
        return values.count * self.width(codes) + tables * codes * values.bits


def most_distinct_of(values: Values) -> int:
    """Distinct values of the channel with most of them."""
    rows = values.channels
    if values.bits <= 8:
        keys = rows.astype(np.int64) + (np.arange(len(rows))[:, None] << values.bits)
        histogram = np.bincount(keys.reshape(-1), minlength=len(rows) << values.bits)
        return int((histogram.reshape(len(rows), -1) > 0).sum(axis=1).max())
    ordered = np.sort(rows, axis=1)
    return int((np.diff(ordered, axis=1) != 0).sum(axis=1).max()) + 1


def table_and_places(rows: Patterns) -> tuple[Patterns, Patterns]:
    """((rows, codes) ascending tables, filled up with their last value; each value's place in its own)."""
    pairs = [np.unique(row, return_inverse=True) for row in rows]
    codes = max(len(table) for table, _ in pairs)
    tables = np.stack([np.pad(table, (0, codes - len(table)), mode="edge") for table, _ in pairs])
    return tables, np.stack([places.reshape(-1) for _, places in pairs])
