"""What is alive after a set of ops has run? Sets of ops as bit masks, with the bytes that each step moves.

f(S), the bytes alive between two ops when the set S has run, does not depend on the order within S, and it
is submodular: f(A or B) + f(A and B) <= f(A) + f(B). All that the solvers leave out rests on this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from .problem import OrderProblem

Masked = tuple[tuple[int, int], ...]  # (mask of other ops, bytes)


@dataclass(slots=True)
class Work:
    """Steps and sets of ops that may still be tried: bounds time and memory, the same on every machine."""

    left: int
    states: int = 0


class State(NamedTuple):
    """The ops that have run, bytes alive after them, and the ops that may run next, ascending."""

    done: int
    live_bytes: int
    ready: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Ledger:
    """The problem, arranged for one step at a time.

    Args:
        needs: per op, the mask of the ops before it.
        followers: per op, the ops that wait for it.
        opened_bytes, closed_bytes: per op, what it always begins or ends.
        opens, closes: per op, (others, bytes): begun if none of the others has run, ended if all have.
        shares: per op, (mask of the ops that must have run, bytes) of an input whose place it can take.
    """

    problem: OrderProblem
    needs: tuple[int, ...]
    followers: tuple[tuple[int, ...], ...]
    start: State
    opened_bytes: tuple[int, ...]
    closed_bytes: tuple[int, ...]
    opens: tuple[Masked, ...]
    closes: tuple[Masked, ...]
    shares: tuple[Masked, ...]

    @property
    def full(self) -> int:
        return (1 << len(self.needs)) - 1


def ledger_of(problem: OrderProblem) -> Ledger:
    count = len(problem.before)
    followers: list[list[int]] = [[] for _ in range(count)]
    for op, ops in enumerate(problem.before):
        for earlier in ops:
            followers[earlier].append(op)
    opened, closed = [0] * count, [0] * count
    opens: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    closes: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    for t in problem.tensors:
        if not t.from_start:
            _charge(t.ops, t.size_bytes, opened, opens, following=followers)
        if not t.to_end:
            _charge(t.ops, t.size_bytes, closed, closes, following=problem.before)
    live = sum(t.size_bytes for t in problem.tensors if t.from_start)
    ready = tuple(op for op in range(count) if not problem.before[op])
    return Ledger(
        problem, tuple(_mask(ops) for ops in problem.before), tuple(tuple(ops) for ops in followers),
        State(0, live, ready), tuple(opened), tuple(closed),
        tuple(tuple(pairs) for pairs in opens), tuple(tuple(pairs) for pairs in closes), _shares(problem),
    )  # fmt: skip


def _charge(
    ops: Sequence[int], size_bytes: int, fixed: list[int], masked: list[list[tuple[int, int]]], *,
    following: Sequence[Sequence[int]],
) -> None:  # fmt: skip
    """Charge a tensor's begin to the op that all others follow, or to whichever runs first; ends likewise."""
    for op in (ops[0], ops[-1]):
        if all(other == op or other in following[op] for other in ops):
            fixed[op] += size_bytes
            return
    whole = _mask(ops)
    for op in ops:
        masked[op].append((whole & ~(1 << op), size_bytes))


def _mask(ops: Sequence[int]) -> int:
    mask = 0
    for op in ops:
        mask |= 1 << op
    return mask


def _shares(problem: OrderProblem) -> tuple[Masked, ...]:
    if not problem.shares:
        return ((),) * len(problem.before)
    return tuple(
        tuple(
            (_mask(problem.tensors[source].ops) & ~(1 << op), problem.tensors[output].size_bytes)
            for output, source in pairs
        )
        for op, pairs in enumerate(problem.shares)
    )


def backwards(problem: OrderProblem) -> OrderProblem:
    """The same problem read from the end: an order of it, reversed, has the same peak in the given one."""
    followers: list[list[int]] = [[] for _ in problem.before]
    for op, ops in enumerate(problem.before):
        for earlier in ops:
            followers[earlier].append(op)
    tensors = tuple(replace(t, from_start=t.to_end, to_end=t.from_start) for t in problem.tensors)
    return replace(problem, before=tuple(map(tuple, followers)), tensors=tensors)


def step(ledger: Ledger, done: int, live_bytes: int, op: int) -> tuple[int, int]:
    """(bytes alive while the op runs, bytes alive after it)."""
    up = live_bytes + ledger.opened_bytes[op]
    for others, size_bytes in ledger.opens[op]:
        if not done & others:
            up += size_bytes
    after = up - ledger.closed_bytes[op]
    for others, size_bytes in ledger.closes[op]:
        if not others & ~done:
            after -= size_bytes
    peak = up + ledger.problem.own_bytes[op]
    if ledger.shares[op]:
        peak -= max((b for others, b in ledger.shares[op] if not others & ~done), default=0)
    return peak, after


def enabled_by(ledger: Ledger, done: int, op: int) -> tuple[int, ...]:
    """The ops that may run because `op`, the last of `done`, has."""
    return tuple(w for w in ledger.followers[op] if not ledger.needs[w] & ~done)


def run(ledger: Ledger, state: State, op: int, after_bytes: int) -> State:
    """The state after one ready op."""
    done = state.done | 1 << op
    ready = [other for other in state.ready if other != op]
    fresh = enabled_by(ledger, done, op)
    if fresh:
        ready = sorted((*ready, *fresh))
    return State(done, after_bytes, tuple(ready))
