"""Which specs are the same? A number per value, so that large ones are hashed once and not per question."""

from __future__ import annotations

from collections.abc import Hashable

_MOST = 100_000
_number_of: dict[Hashable, int] = {}
_known: dict[int, tuple[Hashable, int]] = {}  # by identity; the object is held, so its id stays its own


def same(value: Hashable) -> int:
    """A number that equal values share.

    >>> same(("a", 1)) == same(("a", 1)), same("a") == same("b")
    (True, False)
    """
    held = _known.get(id(value))
    if held is not None and held[0] is value:
        return held[1]
    if len(_known) >= _MOST:
        _known.clear()
    number = _number_of.setdefault(value, len(_number_of))
    _known[id(value)] = value, number
    return number
