"""What is left of the requests when a search begins? Strips: small integers instead of bytes and instants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from math import gcd

from .problem import ONLINE, Request


@dataclass(frozen=True, slots=True)
class Strips:
    """Requests with a size, on instants that matter and in multiples of a unit.

    An instant matters if what is alive in it is not a part of what is alive in another one: only those can
    forbid anything. Lifetimes here are half-open.

    Args:
        unit_bytes: greatest common divisor of all sizes and fixed offsets.
        indices: of the requests, in the order of the other columns.
        firsts, ends: lifetime on the instants kept, end exclusive.
        sizes: in units.
        fixed: offsets in units of the offline requests, ONLINE for others.
        instants: how many are kept.
    """

    unit_bytes: int
    indices: tuple[int, ...]
    firsts: tuple[int, ...]
    ends: tuple[int, ...]
    sizes: tuple[int, ...]
    fixed: tuple[int, ...]
    instants: int


def strips_of(requests: Sequence[Request], indices: Sequence[int]) -> Strips:
    """The strips of those of the given requests that have a size.

    >>> strips_of([Request(32, 0, 9), Request(48, 5, 7), Request(0, 0, 9)], [0, 1, 2]).sizes
    (2, 3)
    """
    kept = tuple(i for i in indices if requests[i].size_bytes)
    alive = _instants_that_matter([(i, requests[i].first, requests[i].last) for i in kept])
    seen: dict[int, list[int]] = {i: [] for i in kept}
    for instant, members in enumerate(alive):
        for i in members:
            seen[i].append(instant)
    fixed = [requests[i].offline_offset for i in kept]
    numbers = [*(requests[i].size_bytes for i in kept), *(o for o in fixed if o != ONLINE)]
    unit = reduce(gcd, numbers, 0) or 1
    return Strips(
        unit_bytes=unit, indices=kept,
        firsts=tuple(seen[i][0] for i in kept), ends=tuple(seen[i][-1] + 1 for i in kept),
        sizes=tuple(requests[i].size_bytes // unit for i in kept),
        fixed=tuple(o if o == ONLINE else o // unit for o in fixed), instants=len(alive),
    )  # fmt: skip


def _instants_that_matter(spans: Sequence[tuple[int, int, int]]) -> list[frozenset[int]]:
    """The maximal sets of spans alive together, in the order of time.

    A set can only be maximal just before something ends after something began.
    """
    events = sorted([(first, 0, i) for i, first, _ in spans] + [(last, 1, i) for i, _, last in spans])
    alive: set[int] = set()
    found, has_grown = [], False
    for _, is_end, i in events:
        if not is_end:
            alive.add(i)
            has_grown = True
            continue
        if has_grown:
            found.append(frozenset(alive))
            has_grown = False
        alive.remove(i)
    return found


def components(requests: Sequence[Request], indices: Sequence[int]) -> list[list[int]]:
    """The indices in groups that share no instant, in the order of time.

    >>> components([Request(8, 0, 1), Request(8, 4, 5), Request(8, 1, 2)], [0, 1, 2])
    [[0, 2], [1]]
    """
    groups: list[list[int]] = []
    reached = 0
    for i in sorted(indices, key=lambda i: (requests[i].first, i)):
        if not groups or requests[i].first > reached:
            groups.append([])
            reached = requests[i].last
        groups[-1].append(i)
        reached = max(reached, requests[i].last)
    return groups
