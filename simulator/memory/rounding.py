"""How is a number of bytes rounded up?"""

from __future__ import annotations


def up(size_bytes: int, alignment_bytes: int) -> int:
    """The smallest multiple of the alignment that is not smaller.

    >>> up(17, 16)
    32
    """
    return -(-size_bytes // alignment_bytes) * alignment_bytes
