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


@dataclass(slots=True)
class _Sets:
    """The sets of ops reached so far: by which peak, from where, and which are still to be visited."""

    ledger: Ledger
    glue: tuple[int, ...]
    origin: dict[int, Origin] = field(default_factory=dict)
    reached: dict[int, int] = field(default_factory=dict)
    heap: list[tuple[int, int, int, State]] = field(default_factory=list)

    def add(self, before: int, ran: tuple[int, ...], state: State, cost: int) -> None:
        if cost < self.reached.get(state.done, cost + 1):
            self.reached[state.done] = cost
            self.origin[state.done] = (before, ran)
            heappush(self.heap, (cost, -state.done.bit_count(), len(self.origin), state))

    def expand(self, state: State, key: int, *, wanted: int, upper: int, work: Work) -> None:
        """Add what one more of the wanted ops, and what loses nothing after it, leads to."""
        for op in state.ready:
            if not wanted >> op & 1:
                continue
            work.left -= 1
            ran, cost = [op], key
            after = state
            while True:
                peak, live = step(self.ledger, after.done, after.live_bytes, ran[-1])
                after, cost = run(self.ledger, after, ran[-1], live), max(cost, peak)
                w = self.glue[ran[-1]]
                if w < 0 or not wanted >> w & 1 or self.ledger.needs[w] & ~after.done:
                    break
                ran.append(w)
            if cost < upper:
                after, path = committed(self.ledger, after, cost, work)
                self.add(state.done, (*ran, *path), after, cost)


def search(near: Ledger, far: Ledger | None, *, lower: int, upper: int, work: Work) -> Found:
    """An order with a peak below `upper`, or the proof that there is none, as far as the work goes.

    Args:
        near, far: the problem from its start and from its end; far is None where bytes may be shared,
            which only the near side accounts for.
        lower: a bound already proved.
    """
    end, accepted, visited = _Far(far, work), lower, 0
    wanted = end.grow(accepted) & near.full
    sets = _begin(near, accepted, work)
    while sets.heap:
        key, _, _, state = heappop(sets.heap)
        if key > sets.reached[state.done]:
            continue
        if key > accepted:
            accepted = key
            fewer = end.grow(key) & near.full
            if fewer != wanted:  # the sets reached so far were chosen for the larger R
                wanted, sets = fewer, _begin(near, accepted, work)
                continue
        if not wanted & ~state.done:
            return Found(_order(sets.origin, state.done, wanted, end.path), accepted, visited)
        if visited >= work.states or work.left <= 0:
            return Found((), accepted, visited)
        visited += 1
        sets.expand(state, key, wanted=wanted, upper=upper, work=work)
    return Found((), upper, visited)


def _begin(near: Ledger, accepted: int, work: Work) -> _Sets:
    sets = _Sets(near, glued(near))
    state, path = committed(near, near.start, accepted, work)
    sets.add(0, path, state, accepted)
    return sets


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


def _order(origin: dict[int, Origin], done: int, wanted: int, far_path: list[int]) -> tuple[int, ...]:
    parts = []
    while done in origin:
        before, path = origin.pop(done)
        parts.append(path)
        done = before
    near = [op for path in reversed(parts) for op in path if wanted >> op & 1]
    return (*near, *reversed(far_path))
