"""What do values take in a canonical Huffman code, its table counted?"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .bits import Bits, Patterns, fields, joined, split, values_of
from .codec import Frame, Stream
from .values import Values

_MOST_SYMBOLS = 1 << 16  # more tables than data
_LENGTH_BITS = 6  # of the longest code's length: counts below 2^40 give codes of at most 57 bits
Lengths = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Huffman:
    """sum of count * length + the table.

    Table: the longest length L (6 bits), per length 1..L the number of codes (bits + 1 each, at most 17),
    then every value that occurs (bits each) in the code's order.
    """

    @property
    def word(self) -> str:
        return "huffman"

    def size_bits(self, values: Values) -> int | None:
        used, counts = values.counts
        if len(used) > _MOST_SYMBOLS:
            return None
        lengths = code_lengths(counts)
        return int((counts * lengths).sum()) + self._table_bits(values, int(lengths.max()), len(used))

    def encode(self, values: Values) -> Stream:
        used, counts = values.counts
        lengths = code_lengths(counts)
        order = np.lexsort((used, lengths))
        used, lengths = used[order], lengths[order]
        longest = int(lengths[-1])
        per_length = np.bincount(lengths, minlength=longest + 1)[1:]
        table = (
            fields(np.array([longest]), _LENGTH_BITS), fields(per_length, _count_bits(values)),
            fields(used, values.bits),
        )  # fmt: skip
        place = np.argsort(used)[np.searchsorted(np.sort(used), values.flat)]
        coded = _written(canonical_codes(lengths)[place], lengths[place])
        bits = len(coded) + self._table_bits(values, longest, len(used))
        return Stream(bits, joined(*table, coded))

    def decode(self, stream: Stream, frame: Frame) -> Patterns:
        like = frame.like
        longest = int(values_of(split(stream.data, _LENGTH_BITS)[0], _LENGTH_BITS)[0])
        counted = longest * _count_bits(like)
        per_length = values_of(split(stream.data, _LENGTH_BITS, counted)[1], _count_bits(like)).astype(
            np.int64
        )
        total = int(per_length.sum())
        _, _, symbols, coded = split(stream.data, _LENGTH_BITS, counted, total * like.bits)
        lengths = np.repeat(np.arange(1, longest + 1), per_length)
        used = values_of(symbols, like.bits)
        return used[_read(coded, lengths, like.count)]

    def _table_bits(self, values: Values, longest: int, symbols: int) -> int:
        return _LENGTH_BITS + longest * _count_bits(values) + symbols * values.bits


def _count_bits(values: Values) -> int:
    return min(values.bits, 16) + 1


def code_lengths(counts: Lengths) -> Lengths:
    """The length of each symbol's code, by joining the two rarest again and again; 1 for a single symbol.

    >>> code_lengths(np.array([1, 1, 2, 4])).tolist()
    [3, 3, 2, 1]
    """
    if len(counts) == 1:
        return np.ones(1, np.int64)
    heap = [(int(count), symbol) for symbol, count in enumerate(counts)]
    heapq.heapify(heap)
    parents = np.zeros(2 * len(counts) - 1, np.int64)
    for joint in range(len(counts), 2 * len(counts) - 1):
        first, second = heapq.heappop(heap), heapq.heappop(heap)
        parents[first[1]] = parents[second[1]] = joint
        heapq.heappush(heap, (first[0] + second[0], joint))
    depths = np.zeros(len(parents), np.int64)
    for one in range(len(parents) - 2, -1, -1):
        depths[one] = depths[parents[one]] + 1
    return depths[: len(counts)]


def canonical_codes(lengths: Lengths) -> npt.NDArray[np.uint64]:
    """The codes of ascending lengths: the last plus one, shifted to the next length."""
    codes, code = np.zeros(len(lengths), np.uint64), 0
    for place, length in enumerate(lengths.tolist()):
        if place:
            code = (code + 1) << (length - int(lengths[place - 1]))
        codes[place] = code
    return codes


def _written(codes: npt.NDArray[np.uint64], lengths: Lengths) -> Bits:
    """Codes one after the other."""
    ends = np.cumsum(lengths)
    bits = np.zeros(int(ends[-1]), np.uint8)
    for back in range(int(lengths.max())):  # the last bit of every code, then the one before it, ...
        there = lengths > back
        bits[ends[there] - 1 - back] = (codes[there] >> np.uint64(back)).astype(np.uint8) & 1
    return bits


def _read(coded: Bits, lengths: Lengths, count: int) -> npt.NDArray[np.int64]:
    """Which symbol each code is: what would start at every bit, then from the first code to the next."""
    longest = int(lengths[-1])
    window = np.zeros(len(coded), np.uint64)
    padded = np.concatenate([coded, np.zeros(longest, np.uint8)])
    for ahead in range(longest):
        window = (window << np.uint64(1)) | padded[ahead : ahead + len(coded)]
    firsts = canonical_codes(lengths) << (longest - lengths).astype(np.uint64)
    symbol = np.searchsorted(firsts, window, side="right") - 1
    steps, place, starts = lengths[symbol].tolist(), 0, np.zeros(count, np.int64)
    for number in range(count):
        starts[number] = place
        place += steps[place]
    return symbol[starts]
