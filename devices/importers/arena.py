"""Which array of a firmware is its tensor arena: by the user's name for it, else by its own."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import nlargest
from typing import NamedTuple

from ...errors import FirmwareFileInvalid
from .symbols import arena_rank, is_called, plain_name
from .use import NamedObject

_POINTER_BYTES = 8
_SMALLEST_BYTES = 256
_MOST_NAMED = 3


class Variable(NamedTuple):
    """Something with a name in RAM."""

    name: str
    address: int
    size_bytes: int


def recognise_arena(
    variables: Sequence[Variable], asked: str | None
) -> tuple[NamedObject | None, tuple[str, ...]]:
    """The arena, and what was not taken for it or why there is none.

    Raises:
        FirmwareFileInvalid: no array in RAM has the asked name.
    """
    if asked is not None:
        return _asked_arena(variables, asked), ()
    named = (v for v in variables if "arena" in v.name.lower())
    ranked = [(rank, v) for v in named if (rank := arena_rank(v.name))]
    arrays = [(rank, v) for rank, v in ranked if v.size_bytes >= _SMALLEST_BYTES]
    if not arrays:
        pointers = [v for rank, v in ranked if rank == 2 and 0 < v.size_bytes <= _POINTER_BYTES]
        text = "{} is a pointer: its arena is allocated while the firmware runs"
        return None, tuple(text.format(plain_name(v.name)) for v in pointers[:1])
    _, best = max(arrays, key=lambda pair: (pair[0], pair[1].size_bytes))
    text = "{} ({:,} B) stays with the firmware; --arena-symbol names another arena"
    others = [v for _, v in arrays if v.address != best.address][:_MOST_NAMED]
    return _as_object(best, "its name"), tuple(text.format(plain_name(v.name), v.size_bytes) for v in others)


def _asked_arena(variables: Sequence[Variable], asked: str) -> NamedObject:
    """The largest array that the user's name means."""
    called = [v for v in variables if v.size_bytes > _POINTER_BYTES and is_called(v.name, asked)]
    if called:
        return _as_object(max(called, key=lambda v: v.size_bytes), "--arena-symbol")
    largest = nlargest(_MOST_NAMED, variables, key=lambda v: v.size_bytes)
    known = ", ".join(f"{plain_name(v.name)[:80]} ({v.size_bytes:,} B)" for v in largest)
    fix = (
        f"the largest arrays there are {known}" if known else "it names no array there; give one with symbols"
    )
    raise FirmwareFileInvalid(f"no array in RAM is called {asked[:80]!r}", fix=fix)


def _as_object(variable: Variable, evidence: str) -> NamedObject:
    return NamedObject("arena", plain_name(variable.name), variable.address, variable.size_bytes, evidence)
