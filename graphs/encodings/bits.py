"""How do fields of any width become bytes and come back? Most significant bit first, no gaps."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Bits = npt.NDArray[np.uint8]  # one element per bit, 0 or 1
Patterns = npt.NDArray[Any]  # unsigned integers

_WORDS = {1: ">u1", 2: ">u2", 4: ">u4"}


def width_of(count: int) -> int:
    """Bits that tell `count` things apart: ceil(log2 count); 0 for one.

    >>> width_of(1), width_of(4), width_of(5)
    (0, 2, 3)
    """
    return max(0, count - 1).bit_length()


def whole_bytes(bits: int) -> int:
    """Bytes that hold these bits."""
    return (bits + 7) // 8


def fields(values: Patterns, width: int) -> Bits:
    """The bits of fields of one width, one after the other."""
    if not width or not values.size:
        return np.zeros(0, np.uint8)
    word = next(size for size in _WORDS if 8 * size >= width)
    planes = np.ascontiguousarray(values.reshape(-1), dtype=_WORDS[word]).view(np.uint8).reshape(-1, word)
    return np.unpackbits(planes, axis=1)[:, 8 * word - width :].reshape(-1)


def values_of(bits: Bits, width: int) -> Patterns:
    """The values of fields of one width; what is left over at the end is dropped."""
    if not width:
        return np.zeros(0, np.uint32)
    count = len(bits) // width
    word = next(size for size in _WORDS if 8 * size >= width)
    padded = np.zeros((count, 8 * word), np.uint8)
    padded[:, 8 * word - width :] = bits[: count * width].reshape(count, width)
    return np.packbits(padded, axis=1).view(_WORDS[word]).reshape(-1).astype(np.uint32)


def joined(*parts: Bits) -> bytes:
    """The parts one after the other; the last byte is filled up with zeros."""
    return np.packbits(np.concatenate(parts)).tobytes() if parts else b""


def split(stream: bytes, *widths: int) -> list[Bits]:
    """The first parts of these lengths in bits, and the rest."""
    bits = np.unpackbits(np.frombuffer(stream, np.uint8))
    parts, begin = [], 0
    for width in widths:
        parts.append(bits[begin : begin + width])
        begin += width
    return [*parts, bits[begin:]]
