"""What do values take as they are, in the bits they need, and with a bitmask of the zeros?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .bits import Patterns, fields, joined, split, values_of
from .codec import Frame, Stream
from .values import Values


@dataclass(frozen=True, slots=True)
class Raw:
    """n values of the type's bits: what a plain .tflite holds."""

    @property
    def word(self) -> str:
        return "raw"

    def size_bits(self, values: Values) -> int:
        return values.raw_bits

    def encode(self, values: Values) -> Stream:
        return Stream(values.raw_bits, joined(fields(values.flat, values.type_bits)))

    def decode(self, stream: Stream, frame: Frame) -> Patterns:
        return values_of(split(stream.data, stream.bits)[0], frame.like.type_bits)


@dataclass(frozen=True, slots=True)
class Packed:
    """n * bits: sub-byte values one after the other; where they need fewer bits than their type has."""

    @property
    def word(self) -> str:
        return "packed"

    def size_bits(self, values: Values) -> int | None:
        return values.count * values.bits if values.bits < values.type_bits else None

    def encode(self, values: Values) -> Stream:
        return Stream(values.count * values.bits, joined(fields(values.flat, values.bits)))

    def decode(self, stream: Stream, frame: Frame) -> Patterns:
        return values_of(split(stream.data, stream.bits)[0], frame.like.bits)


@dataclass(frozen=True, slots=True)
class Bitmask:
    """n + nonzero * bits: one bit per value says whether it is there, then those that are."""

    @property
    def word(self) -> str:
        return "bitmask"

    def size_bits(self, values: Values) -> int:
        return values.count + values.nonzero_count * values.bits

    def encode(self, values: Values) -> Stream:
        there = (values.flat != 0).astype(np.uint8)
        return Stream(
            self.size_bits(values), joined(there, fields(values.flat[values.nonzero_places], values.bits))
        )

    def decode(self, stream: Stream, frame: Frame) -> Patterns:
        there, rest = split(stream.data, frame.like.count)
        flat = np.zeros(frame.like.count, np.uint32)
        places = np.flatnonzero(there)
        flat[places] = values_of(rest, frame.like.bits)[: len(places)]
        return flat
