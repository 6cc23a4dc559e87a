"""Below which peak can no order get? For one op at a time, the cheapest set of ops to have run before it.

bound = max over ops v of min over sets S that hold all v needs, and neither v nor what needs v, of the
bytes alive while v runs after S. The inner minimum is a minimum cut (the sets are closures of the graph).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from .problem import OrderProblem

_ENDLESS = 1 << 62
_MOST_WAYS = 2000  # of one flow; a smaller flow is a smaller bound, but a bound


def cut_bound_bytes(problem: OrderProblem, ops: Iterable[int]) -> int:
    """The bound over these ops. What may be shared is taken off whole."""
    return max((_cheapest_bytes(problem, op) for op in ops), default=0)


def _cheapest_bytes(problem: OrderProblem, op: int) -> int:
    count, tensors = len(problem.before), problem.tensors
    start, end = count, count + 1
    net = _Network(count + 2 + 2 * len(tensors))
    net.join(op, end, _ENDLESS)  # op has not run
    for earlier in problem.before[op]:
        net.join(start, earlier, _ENDLESS)
    for later, needed in enumerate(problem.before):
        for earlier in needed:
            net.join(later, earlier, _ENDLESS)
    alive = problem.own_bytes[op]
    for n, t in enumerate(tensors):
        if op in t.ops or (t.from_start and t.to_end):
            alive += t.size_bytes
            continue
        begun, pending = end + 1 + 2 * n, end + 2 + 2 * n
        net.join(begun, pending, t.size_bytes)  # cut where some op has begun it and it is still pending
        for other in t.ops:
            net.join(other, begun, _ENDLESS)
            net.join(pending, other, _ENDLESS)
        if t.from_start:
            net.join(start, begun, _ENDLESS)
        if t.to_end:
            net.join(pending, end, _ENDLESS)
    shared = problem.shares[op] if problem.shares else ()
    return alive - max((tensors[o].size_bytes for o, _ in shared), default=0) + net.flow(start, end)


class _Network:
    """Edges with capacities; `flow` is Dinic's algorithm."""

    def __init__(self, count: int) -> None:
        self._edges: list[list[int]] = [[] for _ in range(count)]  # edge numbers; e ^ 1 is the way back
        self._to: list[int] = []
        self._room: list[int] = []

    def join(self, a: int, b: int, capacity: int) -> None:
        for source, target, room in ((a, b, capacity), (b, a, 0)):
            self._edges[source].append(len(self._to))
            self._to.append(target)
            self._room.append(room)

    def flow(self, start: int, end: int) -> int:
        total = ways = 0
        while ways < _MOST_WAYS:
            depth = self._depths(start)
            if depth[end] < 0:
                break
            tried = [0] * len(self._edges)
            while ways < _MOST_WAYS and (pushed := self._push(start, end, depth, tried)):
                total += pushed
                ways += 1
        return total

    def _depths(self, start: int) -> list[int]:
        depth = [-1] * len(self._edges)
        depth[start] = 0
        waiting = deque([start])
        while waiting:
            at = waiting.popleft()
            for e in self._edges[at]:
                if self._room[e] > 0 and depth[self._to[e]] < 0:
                    depth[self._to[e]] = depth[at] + 1
                    waiting.append(self._to[e])
        return depth

    def _push(self, start: int, end: int, depth: list[int], tried: list[int]) -> int:
        """Send along one more way of the depth order; 0 if there is none."""
        way: list[int] = []
        at = start
        while at != end:
            edges = self._edges[at]
            while tried[at] < len(edges):
                e = edges[tried[at]]
                if self._room[e] > 0 and depth[self._to[e]] == depth[at] + 1:
                    break
                tried[at] += 1
            if tried[at] < len(edges):
                way.append(edges[tried[at]])
                at = self._to[way[-1]]
            elif way:
                at = self._to[way.pop() ^ 1]
                tried[at] += 1
            else:
                return 0
        room = min(self._room[e] for e in way)
        for e in way:
            self._room[e] -= room
            self._room[e ^ 1] += room
        return room
