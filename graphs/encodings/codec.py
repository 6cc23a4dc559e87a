"""What is an encoding: a name, an exact size, an encoder and its decoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from .bits import Patterns, whole_bytes
from .values import Values


@dataclass(frozen=True, slots=True)
class Stream:
    """Encoded values.

    Args:
        data: `bits` bits, filled up to whole bytes.
        counts: what a decoder must be told beside shape, type and bits of the tensor, e.g. how many codes.
    """

    bits: int
    data: bytes
    counts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Frame:
    """What the file says of a tensor anyway: shape, bits of one value, the dimension of its tables."""

    like: Values

    @staticmethod
    def of(values: Values) -> Frame:
        """The frame alone: the same shape and bits, all zeros."""
        return Frame(Values(values.patterns * 0, values.bits, values.type_bits, values.axis))


class Codec(Protocol):
    """A way to store the values of one tensor."""

    @property
    def word(self) -> str: ...

    def size_bits(self, values: Values) -> int | None:
        """Exact bits of the stream; None where these values cannot be stored so, or gain nothing by it."""
        ...

    def encode(self, values: Values) -> Stream: ...

    def decode(self, stream: Stream, frame: Frame) -> Patterns:
        """The patterns, flat, in storage order."""
        ...


@dataclass(frozen=True, slots=True)
class Encoding:
    """What one encoding of one tensor takes.

    Args:
        word: the codec's name.
        bits: exact.
    """

    word: str
    bits: int

    @property
    def size_bytes(self) -> int:
        return whole_bytes(self.bits)
