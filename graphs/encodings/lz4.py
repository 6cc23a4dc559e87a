"""What does LZ4 make of bytes? A greedy encoder and a decoder of its block format.

Format: github.com/lz4/lz4, doc/lz4_Block_format.md. A sequence is a token (lengths of literals and match,
4 bits each), the literals, and an offset of two bytes; a length of 15 goes on in further bytes.
"""

from __future__ import annotations

from bisect import bisect_left

import numpy as np

from ...errors import ModelFileInvalid

_SHORTEST_MATCH = 4
_FARTHEST = 65535
_LAST_LITERALS = 5  # the end of a block is literals
_LAST_MATCH = 12  # no match begins in the last 12 bytes
_CHUNK = 1 << 12


def lz4_block(data: bytes) -> bytes:
    """The block: the nearest earlier match of four bytes and more is taken wherever there is one."""
    matches, earlier = _matches(data)
    block, done, last = bytearray(), 0, len(data) - _LAST_LITERALS
    number = 0
    while number < len(matches):
        begin, source = matches[number], earlier[number]
        length = _SHORTEST_MATCH + _common(
            data, source + _SHORTEST_MATCH, begin + _SHORTEST_MATCH, last - begin - _SHORTEST_MATCH
        )
        _sequence(block, data[done:begin], begin - source, length - _SHORTEST_MATCH)
        done = begin + length
        number = bisect_left(matches, done, number + 1)
    rest = data[done:]
    block.append(min(len(rest), 15) << 4)
    _length(block, len(rest))
    return bytes(block + rest)


def lz4_unblock(block: bytes, most_bytes: int = 1 << 31) -> bytes:
    """The bytes of a block.

    Raises:
        ModelFileInvalid: it is no block, or longer than `most_bytes`.
    """
    data, place = bytearray(), 0
    try:
        while True:
            token = block[place]
            literals, place = _read_length(block, place + 1, token >> 4)
            if place + literals > len(block):
                raise IndexError
            data += block[place : place + literals]
            place += literals
            if place == len(block):
                return bytes(data)
            offset = block[place] | block[place + 1] << 8
            length, place = _read_length(block, place + 2, token & 15)
            begin, length = len(data) - offset, length + _SHORTEST_MATCH
            if not offset or begin < 0 or len(data) + length > most_bytes:
                raise IndexError
            run = bytes(data[begin : begin + length])  # a match may reach into what it makes
            data += (run * (length // len(run) + 1))[:length]
    except IndexError:
        raise ModelFileInvalid("this is no LZ4 block", fix="encode the file again") from None


def _matches(data: bytes) -> tuple[list[int], list[int]]:
    """Places where four bytes have been seen within reach, and the last such place before each."""
    count = len(data) - _LAST_MATCH + 1
    if count <= 1:
        return [], []
    bytes_of = np.frombuffer(data, np.uint8).astype(np.uint32)
    words = np.zeros(count, np.uint32)
    for k in range(_SHORTEST_MATCH):
        words |= bytes_of[k : k + count] << np.uint32(8 * k)
    order = np.argsort(words, kind="stable")
    same = np.flatnonzero(words[order[1:]] == words[order[:-1]])
    places, sources = order[same + 1], order[same]
    near = places - sources <= _FARTHEST
    places, sources = places[near], sources[near]
    ascending = np.argsort(places)
    return places[ascending].tolist(), sources[ascending].tolist()


def _common(data: bytes, first: int, second: int, most: int) -> int:
    """How many bytes are equal from these places on."""
    done = 0
    while done < most:
        step = min(_CHUNK, most - done)
        one, other = data[first + done : first + done + step], data[second + done : second + done + step]
        if one != other:
            return done + next(i for i in range(step) if one[i] != other[i])
        done += step
    return max(0, most)


def _sequence(block: bytearray, literals: bytes, offset: int, length: int) -> None:
    block.append(min(len(literals), 15) << 4 | min(length, 15))
    _length(block, len(literals))
    block += literals + offset.to_bytes(2, "little")
    _length(block, length)


def _length(block: bytearray, length: int) -> None:
    """What of a length does not fit into the token: 255 and 255 and ... and the rest."""
    if length >= 15:
        block += b"\xff" * ((length - 15) // 255) + bytes([(length - 15) % 255])


def _read_length(block: bytes, place: int, length: int) -> tuple[int, int]:
    if length < 15:
        return length, place
    while True:
        more = block[place]
        length, place = length + more, place + 1
        if more != 255:
            return length, place
