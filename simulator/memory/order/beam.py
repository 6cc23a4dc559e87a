"""Which order is good, found fast? A beam over the sets of ops, the few best of each number of ops kept."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Any

from .commit import committed
from .ledger import Ledger, State, Work, run, step

_WIDEST_CHOICE = 256


@dataclass(frozen=True, slots=True)
class _Way:
    """A state, the peak on the way to it, and the way: (way before, ops since)."""

    peak_bytes: int
    state: State
    path: Any


def beam_orders(ledger: Ledger, *, width: int, at_most_bytes: int, work: Work) -> tuple[tuple[int, ...], ...]:
    """Up to `width` orders, the smallest peak first; those above `at_most_bytes` are left out.

    Ways are compared by (peak so far, bytes alive). When the work is used up the best way is finished in
    the given order.
    """
    start, path = committed(ledger, ledger.start, own_peak(ledger), work)
    waiting: dict[int, dict[int, _Way]] = {
        start.done.bit_count(): {start.done: _Way(own_peak(ledger), start, (None, path))}
    }
    finished: list[_Way] = []
    total = len(ledger.needs)
    while waiting:
        count = min(waiting)
        layer = waiting.pop(count).values()
        ways = sorted(layer, key=lambda w: (w.peak_bytes, w.state.live_bytes, w.state.done))
        if count == total:
            finished.extend(ways[:width])
            continue
        if work.left <= 0:
            return (_finish(ledger, ways[0]), *map(_order, finished))
        for way in ways[:width]:
            for child in _children(ledger, way, at_most_bytes, work):
                peers = waiting.setdefault(child.state.done.bit_count(), {})
                known = peers.get(child.state.done)
                if known is None or child.peak_bytes < known.peak_bytes:
                    peers[child.state.done] = child
    finished.sort(key=lambda w: w.peak_bytes)
    return tuple(_order(way.path) for way in finished)


def own_peak(ledger: Ledger) -> int:
    """The peak that every order has: the floor, and what is alive before the first op."""
    return max(ledger.problem.floor_bytes, ledger.start.live_bytes)


def _children(ledger: Ledger, way: _Way, at_most_bytes: int, work: Work) -> list[_Way]:
    found = []
    for op in way.state.ready[:_WIDEST_CHOICE]:
        work.left -= 1
        peak, after = step(ledger, way.state.done, way.state.live_bytes, op)
        cost = max(way.peak_bytes, peak)
        if cost <= at_most_bytes:
            state, path = committed(ledger, run(ledger, way.state, op, after), cost, work)
            found.append(_Way(cost, state, (way.path, (op, *path))))
    return found


def _finish(ledger: Ledger, way: _Way) -> tuple[int, ...]:
    """The way, then whatever may run, the lowest index first."""
    order, done = list(_order(way.path)), way.state.done
    open_needs = [(needs & ~done).bit_count() for needs in ledger.needs]
    ready = list(way.state.ready)
    heapify(ready)
    while ready:
        op = heappop(ready)
        order.append(op)
        for w in ledger.followers[op]:
            open_needs[w] -= 1
            if not open_needs[w]:
                heappush(ready, w)
    return tuple(order)


def _order(path: Any) -> tuple[int, ...]:
    parts = []
    while path is not None:
        path, ops = path
        parts.append(ops)
    return tuple(op for ops in reversed(parts) for op in ops)
