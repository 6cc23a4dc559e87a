"""How many bytes go over the air: the file itself, in gzip, in LZ4? Counted by compressing it."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from .lz4 import lz4_block

_GZIP_WINDOW = 31  # zlib's word for a gzip stream with the largest window
_LEVEL = 6  # what gzip does unless told otherwise
_LZ4_FRAME_BYTES = 7 + 4 + 4  # header without content size or checksum, the block's length, the end mark


@dataclass(frozen=True, slots=True)
class Download:
    """Bytes of one file in each form."""

    raw_bytes: int
    gzip_bytes: int
    lz4_bytes: int


def gzipped(data: bytes, level: int = _LEVEL) -> bytes:
    """The gzip stream, without a name or a date."""
    packer = zlib.compressobj(level, zlib.DEFLATED, _GZIP_WINDOW)
    return packer.compress(data) + packer.flush()


def gzip_ratio(data: bytes) -> float:
    """Compressed / raw."""
    return len(gzipped(data)) / len(data)


def download(data: bytes) -> Download:
    """The three sizes; LZ4 is one frame of one block."""
    return Download(len(data), len(gzipped(data)), _LZ4_FRAME_BYTES + len(lz4_block(data)))
