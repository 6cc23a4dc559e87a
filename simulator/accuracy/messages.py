"""How do two processes hand each other words and arrays? One JSON heading, then the arrays' bytes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import IO, Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_LENGTH_BYTES = 8
_LARGEST_HEADING = 1 << 24
_LARGEST_ARRAY = 1 << 36
_KINDS = "biufc"


@dataclass(frozen=True, slots=True)
class Message:
    """Words and arrays; `words` is what JSON can hold."""

    words: dict[str, Any]
    arrays: tuple[Array, ...] = ()


def write_message(stream: IO[bytes], words: dict[str, Any], arrays: Sequence[Array] = ()) -> None:
    """Sends a message."""
    whole = [np.ascontiguousarray(array).reshape(array.shape) for array in arrays]
    heading = json.dumps({"words": words, "arrays": [[a.dtype.str, list(a.shape)] for a in whole]}).encode()
    stream.write(len(heading).to_bytes(_LENGTH_BYTES, "little"))
    stream.write(heading)
    for array in whole:
        if array.nbytes:
            stream.write(array.reshape(-1).view(np.uint8).data)
    stream.flush()


def read_message(stream: IO[bytes]) -> Message | None:
    """The next message; None where the other side has ended or says what is no message."""
    length = int.from_bytes(_exactly(stream, _LENGTH_BYTES), "little")
    if not 0 < length <= _LARGEST_HEADING:
        return None
    try:
        heading = json.loads(_exactly(stream, length))
        described = [(np.dtype(kind), tuple(int(e) for e in shape)) for kind, shape in heading["arrays"]]
        words = dict(heading["words"])
    except (ValueError, TypeError, KeyError):
        return None
    arrays = []
    for dtype, shape in described:
        size_bytes = prod(shape) * dtype.itemsize
        if dtype.kind not in _KINDS or min(shape, default=0) < 0 or size_bytes > _LARGEST_ARRAY:
            return None
        data = _exactly(stream, size_bytes)
        if len(data) != size_bytes:
            return None
        arrays.append(np.frombuffer(data, dtype).reshape(shape))
    return Message(words, tuple(arrays))


def as_bytes(array: Array) -> bytes:
    return array.tobytes()


def as_array(data: bytes) -> Array:
    return np.frombuffer(data, np.uint8)


def _exactly(stream: IO[bytes], count: int) -> bytes:
    """So many bytes, or fewer where the stream ends."""
    parts = []
    while count:
        part = stream.read(min(count, 1 << 24))
        if not part:
            break
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
