"""Where does the next buffer go? Into the lowest gap between those that are placed and alive with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .problem import ONLINE, Request


def meetings(requests: Sequence[Request]) -> list[list[int]]:
    """For each request, the others that share an instant with it; ascending.

    >>> meetings([Request(8, 0, 1), Request(8, 1, 2), Request(8, 2, 3)])
    [[1], [0, 2], [1]]
    """
    met: list[list[int]] = [[] for _ in requests]
    alive: list[int] = []
    for i in sorted(range(len(requests)), key=lambda i: requests[i].first):
        alive = [j for j in alive if requests[j].last >= requests[i].first]
        for j in alive:
            met[i].append(j)
            met[j].append(i)
        alive.append(i)
    return [sorted(found) for found in met]


def place_in_order(
    requests: Sequence[Request], order: Iterable[int], met: Sequence[Sequence[int]] | None = None
) -> list[int]:
    """The offset of every request: offline ones at their own, then `order`, each to the lowest gap that fits.

    Args:
        requests: what is to be placed.
        order: indices of requests; offline ones in it are passed over.
        met: what `meetings` says of the requests, if it is known already.

    >>> place_in_order([Request(32, 0, 1), Request(16, 1, 2), Request(32, 2, 3)], [1, 0, 2])
    [16, 0, 16]
    """
    met = meetings(requests) if met is None else met
    offsets = [r.offline_offset for r in requests]  # ONLINE: not placed yet
    sizes = [r.size_bytes for r in requests]
    for i in order:
        if requests[i].offline_offset != ONLINE:
            continue
        size, spot = sizes[i], 0
        for start, end in sorted([(offsets[j], offsets[j] + sizes[j]) for j in met[i] if offsets[j] >= 0]):
            if start - spot >= size:
                break
            if end > spot:
                spot = end
        offsets[i] = spot
    return offsets
