"""Which order has the smallest live sum, how sure is that, and what else comes close?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .beam import beam_orders, own_peak
from .bound import cut_bound_bytes
from .exact import Found, search
from .ledger import Ledger, Work, backwards, ledger_of
from .problem import OrderProblem, live_sums, own_need_bytes, peak_bytes
from .solver import solver_order

_MASK_BYTES = 64_000_000  # that the sets of ops of one search may take
_CUT_STEPS = 400_000  # ops that get a cut x the size of its network


@dataclass(frozen=True, slots=True)
class OrderLimits:
    """How much may be tried; all figures count steps, so the answer is the same on every machine.

    Args:
        states: sets of ops that each exact search visits at most.
        steps: steps that each search and each beam tries at most.
        width: ways that a beam keeps.
        solver_effort: deterministic time of CP-SAT, about seconds; 0 leaves it out.
        solver_ops: larger problems are not given to CP-SAT.
        plans: orders that are tried with the runtime's planner.
    """

    states: int = 20_000
    steps: int = 400_000
    width: int = 24
    solver_effort: float = 5.0
    solver_ops: int = 120
    plans: int = 150


@dataclass(frozen=True, slots=True)
class Order:
    """An order, the peak of live bytes with it and with the given order, and what is known of the best one.

    Args:
        order: indices of the ops, in the order in which they shall run.
        lower_bound_bytes: no order has a smaller peak.
        proof: why peak_bytes is the optimum; "" if nobody knows.
        method: what found the order.
        states: sets of ops (or branches of CP-SAT) that were visited.
        others: further orders of about that peak, for a planner that does not reach the live sum.
    """

    order: tuple[int, ...]
    peak_before_bytes: int
    peak_bytes: int
    lower_bound_bytes: int
    proof: str
    method: str
    states: int
    others: tuple[tuple[int, ...], ...] = field(default=(), repr=False)

    @property
    def gap(self) -> float:
        """peak / lower bound - 1; 0 for a proven optimum."""
        return self.peak_bytes / self.lower_bound_bytes - 1 if self.lower_bound_bytes else 0.0


@dataclass(slots=True)
class _Known:
    """The best order so far and what is proved; a step that gains something is remembered by its name."""

    problem: OrderProblem
    order: tuple[int, ...]
    peak_bytes: int
    lower_bytes: int
    method: str
    proof: str = ""
    states: int = 0
    others: list[tuple[int, ...]] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return self.lower_bytes < self.peak_bytes

    def learn(self, order: Sequence[int], method: str) -> None:
        if not order:
            return
        peak = peak_bytes(self.problem, order)
        self.others.append(tuple(order))
        if peak < self.peak_bytes:
            self.order, self.peak_bytes, self.method = tuple(order), peak, method

    def prove(self, lower_bytes: int, proof: str) -> None:
        if lower_bytes > self.lower_bytes:
            self.lower_bytes = lower_bytes
            self.proof = proof


def best_order(
    problem: OrderProblem, limits: OrderLimits | None = None, *, hints: Sequence[Sequence[int]] = ()
) -> Order:
    """The order with the smallest peak of live bytes that is found within the limits; never a worse one.

    Args:
        hints: orders that may be good, e.g. of the same problem without sharing.
    """
    given, limits = tuple(range(len(problem.before))), limits or OrderLimits()
    before = peak_bytes(problem, given)
    known = _Known(
        problem, given, before, own_need_bytes(problem), "the given order", "equals what a single op needs"
    )
    for hint in hints:
        known.learn(hint, "the order without sharing")
    if known.is_open and given:
        near = ledger_of(problem)
        far = None if problem.shares else ledger_of(backwards(problem))
        known.prove(max(own_peak(one) for one in (near, far or near)), "equals what is alive at one end")
        _beams(known, near, far, limits)
        if known.is_open:
            _cuts(known)
        if known.is_open:
            _searches(known, near, far, limits)
        if known.is_open and limits.solver_effort > 0 and len(given) <= limits.solver_ops:
            _solver(known, limits)
    is_proved = problem.is_exact and not known.is_open
    return Order(
        known.order, before, known.peak_bytes, min(known.lower_bytes, known.peak_bytes),
        known.proof if is_proved else "", known.method, known.states, tuple(dict.fromkeys(known.others)),
    )  # fmt: skip


def _beams(known: _Known, near: Ledger, far: Ledger | None, limits: OrderLimits) -> None:
    for ledger, way in ((near, 1), (far, -1)):
        if ledger is not None:
            for width in (1, limits.width):
                found = beam_orders(
                    ledger, width=width, at_most_bytes=known.peak_bytes, work=Work(limits.steps)
                )
                for order in found:
                    known.learn(order[::way], "beam")


def _cuts(known: _Known) -> None:
    """Cuts around the ops where most is alive in the best order so far, as many as are affordable."""
    problem = known.problem
    network = sum(map(len, problem.before)) + sum(2 + len(t.ops) for t in problem.tensors)
    alive = live_sums(problem, known.order)[1:]
    heaviest = sorted(range(len(alive)), key=lambda n: (-alive[n], n))[: max(1, _CUT_STEPS // network)]
    bound = cut_bound_bytes(problem, (known.order[n] for n in heaviest))
    known.prove(bound, "equals the least that is alive around one op, whatever ran before it")


def _searches(known: _Known, near: Ledger, far: Ledger | None, limits: OrderLimits) -> None:
    """From both ends in turns, each turn ten times longer: one of the two ends is often easy."""
    affordable = max(64, _MASK_BYTES // (len(near.needs) // 8 + 256))
    longest = min(limits.states, affordable)
    turns = [longest // 100, longest // 10, longest]
    for states in (turn for turn in turns if turn):
        for one, other, way in ((near, far, 1), (far, near, -1)):
            if not known.is_open or one is None:
                continue
            found: Found = search(
                one, other if far is not None else None, lower=known.lower_bytes, upper=known.peak_bytes,
                work=Work(limits.steps, states),
            )  # fmt: skip
            known.states += found.states
            known.learn(found.order[::way], "dynamic programming over sets of ops")
            known.prove(found.lower_bound_bytes, "dynamic programming: all with less was visited")


def _solver(known: _Known, limits: OrderLimits) -> None:
    found = solver_order(known.problem, known.order, upper=known.peak_bytes, effort=limits.solver_effort)
    if found is not None:
        known.states += found.states
        known.learn(found.order, "CP-SAT")
        known.prove(found.lower_bound_bytes, "CP-SAT: proved")
