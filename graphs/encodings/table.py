"""Which encodings are there, what does a tensor take in each, and which is the cheapest?"""

from __future__ import annotations

from collections.abc import Collection

from ..ir import Tensor
from .codec import Codec, Encoding
from .huffman import Huffman
from .lut import Lut
from .plain import Bitmask, Packed, Raw
from .sparse import CompressedRows, NOfM, RelativeIndex
from .values import Values, values_of_tensor

CODECS: tuple[Codec, ...] = (
    Raw(), Packed(), Bitmask(), CompressedRows(),
    RelativeIndex(4), RelativeIndex(5), RelativeIndex(8),
    RelativeIndex(4, shared=True), RelativeIndex(5, shared=True), RelativeIndex(8, shared=True),
    Lut(), Lut(per_channel=True), Huffman(), NOfM(2, 4), NOfM(1, 4),
)  # fmt: skip
CODEC_OF = {codec.word: codec for codec in CODECS}


def encodings_of_values(values: Values, allowed: Collection[str] | None = None) -> tuple[Encoding, ...]:
    """Every legal encoding with its exact bits; raw is always there."""
    found = []
    for codec in CODECS:
        if allowed is not None and codec.word not in allowed and codec.word != "raw":
            continue
        bits = codec.size_bits(values)
        if bits is not None:
            found.append(Encoding(codec.word, bits))
    return tuple(found)


def encodings_of(tensor: Tensor, allowed: Collection[str] | None = None) -> tuple[Encoding, ...]:
    """Every legal encoding of a constant with its exact bits; what is no array of numbers is only raw.

    Args:
        allowed: words of encodings that somebody can decode; None is all.
    """
    values = values_of_tensor(tensor)
    if values is None:
        return (Encoding("raw", 8 * tensor.stored_bytes),)
    return encodings_of_values(values, allowed)


def cheapest(tensor: Tensor, allowed: Collection[str] | None = None) -> Encoding:
    """The legal encoding with the fewest bits; of equal ones the first in the table, so raw before others."""
    return min(encodings_of(tensor, allowed), key=lambda one: one.bits)
