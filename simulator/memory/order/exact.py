"""Which order has the smallest peak? Dynamic programming over the sets of ops that can have run first.

The sets are visited in the order of the peak it takes to reach them, so the first way to the whole set is
an optimum, and whenever the search stops early the peak it had reached is a lower bound. Chains that lose
nothing are run at once from both ends (commit.py): the ways only lead to the set R from which the rest of
the ops can be run backwards for free.

An op that only adds bytes and that one op alone waits for is worth nothing by itself: delayed until just
before that op it costs no more, so the two are one move (`glued`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import heappop, heappush

from .commit import committed
from .ledger import Ledger, State, Work, run, step

Origin = tuple[int, tuple[int, ...]]  # the set before, and the ops run since


@dataclass(frozen=True, slots=True)
class Found:
    """What a search knows at its end: an order below the limit or (), and the bound that it proved."""

    order: tuple[int, ...]
    lower_bound_bytes: int
    states: int


@dataclass(slots=True)
class _Far:
    """The far end: ops that run last in any case, grown as the accepted peak grows. None: not used."""

    ledger: Ledger | None
    work: Work
    state: State | None = None
    path: list[int] = field(default_factory=list)

    def grow(self, budget_bytes: int) -> int:
        """The mask of the ops that the near side still has to order."""
        if self.ledger is None:
            return -1
        state, path = committed(self.ledger, self.state or self.ledger.start, budget_bytes, self.work)
        self.state = state
        self.path.extend(path)
        return ~state.done


def search(near: Ledger, far: Ledger | None, *, lower: int, upper: int, states: int, work: Work) -> Found:
    """An order with a peak below `upper`, or the proof that there is none, within so many states.

    Args:
        near, far: the problem from its start and from its end; far is None where bytes may be shared,
            which only the near side accounts for.
        lower: a bound already proved.
    """
    end, glue = _Far(far, work), glued(near)
    begin, path = committed(near, near.start, lower, work)
    origin: dict[int, Origin] = {begin.done: (0, path)}
    reached = {begin.done: lower}
    heap: list[tuple[int, int, int, State]] = [(lower, 0, 0, begin)]
    accepted, wanted, visited = lower, end.grow(lower) & near.full, 0
    while heap:
        key, _, _, state = heappop(heap)
        if key > reached[state.done]:
            continue
        if key > accepted:
            accepted, wanted = key, end.grow(key) & near.full
        if not wanted & ~state.done:
            return Found(_order(origin, state.done, wanted, end.path), accepted, visited)
        if visited >= states or work.left <= 0:
            return Found((), accepted, visited)
        visited += 1
        for op in state.ready:
            if not wanted >> op & 1:
                continue
            work.left -= 1
            peak, after = step(near, state.done, state.live_bytes, op)
            cost = max(key, peak)
            if cost >= upper:
                continue
            state_after, moved, cost = _with_glued(near, glue, run(near, state, op, after), op, cost)
            if cost >= upper:
                continue
            child, path = committed(near, state_after, cost, work)
            if cost < reached.get(child.done, upper):
                reached[child.done] = cost
                origin[child.done] = (state.done, (*moved, *path))
                heappush(heap, (cost, -child.done.bit_count(), len(origin), child))
    return Found((), upper, visited)


def glued(ledger: Ledger) -> tuple[int, ...]:
    """Per op v, the op w that must come right after it once w can run; -1 for none.

    v touches nothing whose begin or end depends on others, adds at least what it ends, only w waits for it,
    and own(v) + ended(v) <= begun(w) + own(w): then v right before w needs no more than w does.
    """
    own = ledger.problem.own_bytes
    if ledger.problem.shares:
        return (-1,) * len(own)
    found = []
    for v, followers in enumerate(ledger.followers):
        opened, closed = ledger.opened_bytes[v], ledger.closed_bytes[v]
        is_loose = ledger.opens[v] or ledger.closes[v] or opened < closed or len(followers) != 1
        w = -1 if is_loose else followers[0]
        found.append(w if w >= 0 and own[v] + closed <= ledger.opened_bytes[w] + own[w] else -1)
    return tuple(found)


def _with_glued(
    ledger: Ledger, glue: tuple[int, ...], state: State, op: int, cost: int
) -> tuple[State, tuple[int, ...], int]:
    """The state after the ops that are glued to the one that has just run, those ops, and the peak."""
    moved = [op]
    while (w := glue[moved[-1]]) >= 0 and not ledger.needs[w] & ~state.done:
        peak, after = step(ledger, state.done, state.live_bytes, w)
        state, cost = run(ledger, state, w, after), max(cost, peak)
        moved.append(w)
    return state, tuple(moved), cost


def _order(origin: dict[int, Origin], done: int, wanted: int, far_path: list[int]) -> tuple[int, ...]:
    parts = []
    while done in origin:
        before, path = origin.pop(done)
        parts.append(path)
        done = before
    near = [op for path in reversed(parts) for op in path if wanted >> op & 1]
    return (*near, *reversed(far_path))
