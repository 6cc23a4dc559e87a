"""Which ops can be run at once, without a choice being lost?

From S, a chain of ops each of which makes the next one ready, that stays within the peak already accepted
and ends with no more bytes alive than S has, loses nothing: with D the set after the chain, any other way
S_i costs f(S_i or D) <= f(S_i) + f(D) - f(S_i and D) <= f(S_i), because every set between S and D is a
beginning of the chain and has at least f(D) (Liu 1987 for trees; submodularity makes it hold for graphs).
"""

from __future__ import annotations

from .ledger import Ledger, State, Work, enabled_by, run, step

_LONGEST_CHAIN = 256


def committed(ledger: Ledger, state: State, budget_bytes: int, work: Work) -> tuple[State, tuple[int, ...]]:
    """The state after all such chains, and the ops that were run; fewer where the work is used up."""
    path: list[int] = []
    pending = list(reversed(state.ready))
    while pending and work.left > 0:
        op = pending.pop()
        if state.done >> op & 1:
            continue
        chain = _chain(ledger, state, op, budget_bytes, work)
        if not chain:
            continue
        for one in chain:
            state = run(ledger, state, one, step(ledger, state.done, state.live_bytes, one)[1])
        path.extend(chain)
        pending = list(reversed(state.ready))
    return state, tuple(path)


def _chain(ledger: Ledger, state: State, op: int, budget_bytes: int, work: Work) -> list[int]:
    """The ops up to the first point where no more is alive than now; [] if the budget does not allow it."""
    done, live = state.done, state.live_bytes
    chain: list[int] = []
    while len(chain) < _LONGEST_CHAIN:
        work.left -= 1
        peak, live = step(ledger, done, live, op)
        if peak > budget_bytes:
            return []
        chain.append(op)
        done |= 1 << op
        if live <= state.live_bytes:
            return chain
        fresh = enabled_by(ledger, done, op)
        if not fresh:
            return []
        op = fresh[0] if len(fresh) == 1 else _lightest(ledger, fresh, done, live)
    return []


def _lightest(ledger: Ledger, ops: tuple[int, ...], done: int, live: int) -> int:
    return min(ops, key=lambda w: (step(ledger, done, live, w)[1], w))
