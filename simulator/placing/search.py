"""Which placement of weights and arena is the fastest that fits? Every one is priced: no search can miss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...devices.homes import Homes, homes_of
from ...devices.target import Target
from ...graphs.ir import ModelGraph
from ...graphs.passes.fusion import fuse
from ...graphs.static_shapes import with_static_shapes
from ..columns import KernelTable
from ..contents import contents_of
from ..estimate import BudgetCheck, Conditions, Interval, Word
from ..fit import memory_fits
from ..latency import kernel_cycles
from ..placement import Contents
from ..rows import total_latency_s
from ..simulate import simulate
from ..startup import copy_s
from ..traffic import kernel_traffic
from ..verdict import memory_budgets
from ..workload import compile_table
from .difference import difference_s
from .options import placements, static_homes
from .report import outcome, restriction_of
from .study import Candidate, PlacementStudy, Standing

_STANDING = {
    Word.FITS: Standing.FITS, Word.TIGHT: Standing.FITS, Word.RISKY: Standing.MAY_FIT,
    Word.UNKNOWN: Standing.UNKNOWN, Word.NO: Standing.DOES_NOT_FIT,
}  # fmt: skip


def best_placement(graph: ModelGraph, target: Target, conditions: Conditions | None = None) -> PlacementStudy:
    """Every placement with its fit and time; the best is the fastest that fits, then the one with less RAM.

    A candidate's figures are those that `simulate(graph, target.placed(candidate.homes))` gives.
    """
    given, own = conditions or Conditions(), target.unplaced
    judge = Judge(graph, own, given)
    candidates = [judge.candidate(homes) for homes in placements(own)]
    naive = candidates[0]
    ranked = sorted(candidates, key=lambda c: _rank(c, own))
    chosen = ranked[0] if ranked[0].standing is not Standing.DOES_NOT_FIT else None
    split = _best_split(judge, own, chosen) if own.runtime.memory.arenas == "two" else None
    return PlacementStudy(
        tuple(ranked), chosen, naive, split, difference_s(naive, chosen or naive), restriction_of(own),
        outcome(graph, own, naive=naive, chosen=chosen, ranked=ranked),
    )  # fmt: skip


class Judge:
    """Fits and prices placements of one model; the time of a pair of homes is worked out once."""

    def __init__(self, graph: ModelGraph, target: Target, conditions: Conditions) -> None:
        self._target, self._conditions = target, conditions
        self.contents: Contents = contents_of(simulate(graph, target, conditions))
        fused = fuse(with_static_shapes(graph), target.runtime.fusion).graph
        self.table: KernelTable = compile_table(fused, target.kernels)
        self._latency: dict[tuple[str, str], Interval] = {}

    def candidate(self, homes: Homes) -> Candidate:
        """The placement with static data in the first home that leaves everything fitting, else its own."""
        tried = []
        for static in static_homes(self._target):
            tried.append(self._fitted(replace(homes, static=static)))
            if tried[-1].standing is Standing.FITS:
                return tried[-1]
        return min(tried, key=lambda candidate: candidate.standing)

    def naive(self) -> Candidate:
        """Everything where the device file puts it."""
        return self._fitted(homes_of(self._target.device))

    def latency_s(self, target: Target) -> Interval:
        """The sum over the kernels, as `simulate` gives it."""
        key = target.homes.weights, target.homes.arena
        if key not in self._latency:
            cycles = kernel_cycles(self.table, target)
            self._latency[key] = total_latency_s(self.table, cycles, target.clock_hz)
        return self._latency[key]

    def _fitted(self, homes: Homes) -> Candidate:
        placed = self._target.placed(homes)
        latency_s = self.latency_s(placed)
        memories = memory_fits(
            placed, self.contents, columns=kernel_traffic(self.table, placed), latency_s=latency_s,
            conditions=self._conditions,
        )  # fmt: skip
        budgets = memory_budgets(memories, tight_headroom=self._conditions.tight_headroom)
        standing = max((_STANDING[b.word] for b in budgets), default=Standing.FITS)
        reason = "; ".join(_why(b) for b in budgets if _STANDING[b.word] is standing) if standing else ""
        return Candidate(placed.homes, memories, latency_s, copy_s(placed, self.contents), standing, reason)


def _why(budget: BudgetCheck) -> str:
    need = budget.need
    if budget.word is Word.UNKNOWN:
        return f"what {budget.name} needs is unknown: {need.reason}"
    amount = need.lo if budget.word is Word.NO else need.hi
    word = "at least" if budget.word is Word.NO else "up to"
    return f"{budget.name} needs {word} {amount or 0:,.0f} B of {budget.budget:,.0f} B"


def _rank(candidate: Candidate, target: Target) -> tuple[float, ...]:
    """Surely fitting first, then time, then RAM, then how little differs from the device's own homes."""
    own, homes, latency_s = homes_of(target.device), candidate.homes, candidate.latency_s
    moved = [homes.weights != own.weights, homes.arena != own.arena, homes.static != own.static,
             bool(homes.persistent), homes.weights_image not in ("", own.weights)]  # fmt: skip
    unknown = float("inf")
    return (
        candidate.standing,
        unknown if latency_s.value is None else latency_s.value,
        candidate.ram_bytes,
        sum(moved),
        unknown if candidate.copy_s.value is None else candidate.copy_s.value,
    )


def _best_split(judge: Judge, target: Target, chosen: Candidate | None) -> Candidate | None:
    """The best with two arenas, if it fits more surely or is faster than the best with one."""
    split = [judge.candidate(h) for h in placements(target, with_two_arenas=True) if h.persistent]
    best = min(split, key=lambda c: _rank(c, target), default=None)
    if best is None or best.standing is Standing.DOES_NOT_FIT:
        return None
    return best if chosen is None or _is_better(best, chosen) else None


def _is_better(one: Candidate, other: Candidate) -> bool:
    if one.standing is not other.standing:
        return one.standing < other.standing
    faster: Sequence[float | None] = (one.latency_s.value, other.latency_s.value)
    return faster[0] is not None and faster[1] is not None and faster[0] < faster[1]
