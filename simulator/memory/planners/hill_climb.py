"""Where does each buffer go? Greedy, then what reaches highest swaps turns with what it stands on."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from time import monotonic

from .bound import lower_bound
from .lowest_fit import meetings, place_in_order
from .problem import ONLINE, Request, extent

_ITERATIONS = 500


def place(requests: Sequence[Request]) -> list[int]:
    """The best offsets of 500 rounds from seed 0."""
    return climb(requests, seed=0, iterations=_ITERATIONS)


def climb(
    requests: Sequence[Request], *, seed: int, iterations: int, deadline_s: float = float("inf")
) -> list[int]:
    """The best offsets found by swapping turns.

    Turns start by decreasing size x instants alive. A round picks one buffer that ends at the extent, and one
    at random of those that had their turn earlier and meet it or meet one of its neighbours; both swap turns
    and all are placed anew, each in the lowest gap. A plan that is not larger is kept, another is undone.
    The climb ends at the lower bound, after the iterations or at the deadline (of time.monotonic).
    """
    met, bound, random = meetings(requests), lower_bound(requests), Random(seed)
    order = [i for i, r in enumerate(requests) if r.offline_offset == ONLINE]
    order.sort(key=lambda i: -requests[i].size_bytes * (requests[i].last - requests[i].first + 1))
    best = place_in_order(requests, order, met)
    reached = extent(requests, best)
    turn = {i: n for n, i in enumerate(order)}
    for _ in range(iterations):
        if reached <= bound or monotonic() > deadline_s:
            break
        pair = _swap(requests, best, met, turn, random)
        if pair is None:
            break
        a, b = pair
        trial = list(order)
        trial[turn[a]], trial[turn[b]] = b, a
        offsets = place_in_order(requests, trial, met)
        now = extent(requests, offsets)
        if now <= reached:
            best, reached, order = offsets, now, trial
            turn[a], turn[b] = turn[b], turn[a]
    return best


def _swap(
    requests: Sequence[Request], offsets: Sequence[int], met: Sequence[Sequence[int]],
    turn: dict[int, int], random: Random,
) -> tuple[int, int] | None:  # fmt: skip
    """A buffer at the top and one that had its turn earlier; None if only fixed buffers reach the top."""
    top = extent(requests, offsets)
    highest = [i for i in turn if offsets[i] + requests[i].size_bytes == top]
    if not highest:
        return None
    high = random.choice(highest)
    near = {j for i in met[high] for j in (i, *met[i])}
    earlier = sorted(j for j in near if j in turn and turn[j] < turn[high])
    return (high, random.choice(earlier)) if earlier else None
