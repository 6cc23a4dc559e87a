"""What does LZ4 make of bytes? A greedy encoder and a decoder of its block format.

Format: github.com/lz4/lz4, doc/lz4_Block_format.md. A sequence is a token (lengths of literals and match,
4 bits each), the literals, and an offset of two bytes; a length of 15 goes on in further bytes.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...errors import ModelFileInvalid

_SHORTEST_MATCH = 4
_FARTHEST = 65535
_LAST_LITERALS = 5  # the end of a block is literals
_LAST_MATCH = 12  # no match begins in the last 12 bytes
_CHUNK = 1 << 12
_LOOKED_AHEAD = 20  # bytes up to which all matches are measured at once

Places = npt.NDArray[np.int64]


class _Sequences(NamedTuple):
    """Each from one match to the next: where its literals begin and how many, how far back, how long."""

    begins: Places
    literals: Places
    offsets: Places
    lengths: Places


def lz4_block(data: bytes) -> bytes:
    """The block: the nearest earlier match of four bytes and more is taken wherever there is one."""
    found = _sequences(data)
    done = int(found.begins[-1] + found.literals[-1] + found.lengths[-1]) if len(found.begins) else 0
    rest = data[done:]
    end = bytes([min(len(rest), 15) << 4]) + _longer(len(rest)) + rest
    return _written(np.frombuffer(data, np.uint8), found) + end


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


def _sequences(data: bytes) -> _Sequences:
    """From the first match on, each time the next one that begins behind the last."""
    places, sources = _matches(data)
    last = len(data) - _LAST_LITERALS
    lengths = _first_lengths(np.frombuffer(data, np.uint8), places, sources, last)
    following = np.searchsorted(places, places + lengths).tolist()
    begins, earlier, known = places.tolist(), sources.tolist(), lengths.tolist()
    taken: list[int] = []
    number = 0
    while number < len(begins):
        taken.append(number)
        if known[number] < _LOOKED_AHEAD:
            number = following[number]
            continue
        begin, done = begins[number], known[number]
        done += _common(data, earlier[number] + done, begin + done, last - begin - done)
        lengths[number] = done
        number = bisect_left(begins, begin + done, number + 1)
    chosen = np.array(taken, np.int64)
    starts, spans = places[chosen], lengths[chosen]
    literals_from = np.concatenate([[0], (starts + spans)[:-1]]).astype(np.int64)[: len(starts)]
    return _Sequences(literals_from, starts - literals_from, starts - sources[chosen], spans)


def _matches(data: bytes) -> tuple[Places, Places]:
    """Places where four bytes have been seen within reach, and the last such place before each."""
    count = len(data) - _LAST_MATCH + 1
    if count <= 1:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    bytes_of = np.frombuffer(data, np.uint8).astype(np.uint32)
    words = np.zeros(count, np.uint32)
    for k in range(_SHORTEST_MATCH):
        words |= bytes_of[k : k + count] << np.uint32(8 * k)
    order = np.argsort(words, kind="stable")
    same = np.flatnonzero(words[order[1:]] == words[order[:-1]])
    earlier = np.full(count, -1, np.int64)
    earlier[order[same + 1]] = order[same]
    places = np.flatnonzero((earlier >= 0) & (np.arange(count) - earlier <= _FARTHEST))
    return places, earlier[places]


def _first_lengths(data: npt.NDArray[np.uint8], places: Places, sources: Places, last: int) -> Places:
    """How long each match is, up to _LOOKED_AHEAD bytes."""
    lengths = np.full(len(places), _SHORTEST_MATCH, np.int64)
    growing = np.arange(len(places))
    for done in range(_SHORTEST_MATCH, _LOOKED_AHEAD):
        growing = growing[places[growing] + done < last]
        growing = growing[data[places[growing] + done] == data[sources[growing] + done]]
        lengths[growing] = done + 1
    return lengths


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


def _written(data: npt.NDArray[np.uint8], found: _Sequences) -> bytes:
    """Token, further length of the literals, literals, offset, further length of the match; all at once."""
    matched = found.lengths - _SHORTEST_MATCH
    more = [np.maximum(0, (part - 15) // 255 + 1) for part in (found.literals, matched)]
    sizes = 3 + more[0] + found.literals + more[1]
    at = np.cumsum(sizes) - sizes
    block = np.full(int(sizes.sum()), 0xFF, np.uint8)
    block[at] = np.minimum(found.literals, 15) << 4 | np.minimum(matched, 15)
    literals_at, total = at + 1 + more[0], int(found.literals.sum())
    within = np.arange(total) - np.repeat(np.cumsum(found.literals) - found.literals, found.literals)
    block[np.repeat(literals_at, found.literals) + within] = data[
        np.repeat(found.begins, found.literals) + within
    ]
    offsets_at = literals_at + found.literals
    block[offsets_at], block[offsets_at + 1] = found.offsets & 0xFF, found.offsets >> 8
    for part, further, begin in ((found.literals, more[0], at + 1), (matched, more[1], offsets_at + 2)):
        long = further > 0  # all bytes but the last of a further length are 255
        block[(begin + further - 1)[long]] = (part[long] - 15) % 255
    return block.tobytes()


def _longer(length: int) -> bytes:
    """What of a length does not fit into the token: 255 and 255 and ... and the rest."""
    return b"\xff" * ((length - 15) // 255) + bytes([(length - 15) % 255]) if length >= 15 else b""


def _read_length(block: bytes, place: int, length: int) -> tuple[int, int]:
    if length < 15:
        return length, place
    while True:
        more = block[place]
        length, place = length + more, place + 1
        if more != 255:
            return length, place
