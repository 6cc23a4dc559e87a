"""How little RAM do patches need, and what do they cost? One plan, or the best of all cuts and grids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...devices.target import Target
from ...errors import PatchesInvalid
from ...graphs.ir import ModelGraph
from ...graphs.static_shapes import with_static_shapes
from .cost import Cost, cost_of, cost_once
from .kernels import patch_classes, tiled_kernels
from .plan import PatchPlan, PatchStudy, cheapest_within
from .runners import how_to_run, runners
from .schedule import Unpatched, plan_unpatched, schedule, scratch_note
from .screen import Candidate, candidates, front
from .stage import Cuts, Stage, find_cuts, stage_at
from .tiling import Grid, tile

FINEST = 8  # patches along one axis
_MOST_RETRIES = 40  # layouts beyond those of the front


@dataclass(frozen=True, eq=False)
class _Given:
    """One model on one target, and what it needs and costs as it is."""

    graph: ModelGraph
    target: Target
    is_streamed: bool
    unpatched: Unpatched
    cost: Cost

    @property
    def beside_bytes(self) -> int:
        return self.unpatched.plan.tail_bytes


def study_patches(
    graph: ModelGraph, target: Target, *, cut: int | None = None, patches: tuple[int, int] = (2, 2),
    input_streamed: bool = False,
) -> PatchPlan:  # fmt: skip
    """RAM, work, traffic and time with the ops up to `cut` run in `patches` (rows, columns).

    Args:
        cut: the stage's last op; None is where this grid needs the least RAM.
        input_streamed: the application delivers tiles of the input, which never lies in RAM whole.

    Raises:
        PatchesInvalid: no such cut or grid.
        PlanInvalid: the runtime's planner refuses the model.
    """
    given, grid = _given(graph, target, input_streamed), Grid(*patches)
    if cut is not None:
        return _plan(given, stage_at(given.graph, cut), grid)
    found = find_cuts(given.graph)
    fitting = [c for c in _candidates(given, found, max(1, *grid)) if c.grid == grid]
    if not fitting:
        why = _why_none(found) if not found.stages else "no tensor after a legal cut is that large"
        raise PatchesInvalid(f"no {grid} patches: {why}", where=graph.name, fix="use fewer patches")
    best = min(fitting, key=lambda c: (c.live_bytes, c.macs))
    return _plan(given, best.stage, grid)


def auto_patches(
    graph: ModelGraph, target: Target, budget_bytes: int, *, input_streamed: bool = False,
    finest: int = FINEST,
) -> PatchStudy:  # fmt: skip
    """The cheapest patches that keep the budget, out of all legal cuts and grids up to finest x finest.

    Cheapest is by predicted time, or by MACs where the time is unknown. The budget is for activations,
    scratch and what the runtime keeps beside them (TFLM's arena).

    Raises:
        PlanInvalid: the runtime's planner refuses the model.
    """
    given = _given(graph, target, input_streamed)
    found = find_cuts(given.graph)
    looked_at = _candidates(given, found, finest)
    unpatched_bytes = given.unpatched.plan.min_bytes
    every = [_plan(given, c.stage, c.grid) for c in front(looked_at)]
    every += _cheaper(given, looked_at, every, budget_bytes)
    plans = _front(every, unpatched_bytes)
    chosen, fits = _choose(plans, unpatched_bytes, budget_bytes)
    return PatchStudy(
        budget_bytes=budget_bytes, unpatched_bytes=unpatched_bytes, front=plans, chosen=chosen, fits=fits,
        sentence=_sentence(plans, found, unpatched_bytes, budget_bytes),
        ended=found.ended, looked_at=len(looked_at),
    )  # fmt: skip


def fits_with(study: PatchStudy, budget_bytes: int) -> str:
    """How the model keeps this budget, e.g. "2x2 patches up to op 5 (+9 % MACs)"; "" if it does not.

    No patches at all is "no patches".
    """
    if study.unpatched_bytes <= budget_bytes:
        return "no patches"
    plan = cheapest_within(study.front, budget_bytes)
    return "" if plan is None else _shown(plan)


def _given(graph: ModelGraph, target: Target, is_streamed: bool) -> _Given:
    solved = with_static_shapes(graph)
    return _Given(solved, target, is_streamed, plan_unpatched(solved, target), cost_once(solved, target))


def _candidates(given: _Given, found: Cuts, finest: int) -> list[Candidate]:
    return [
        candidate
        for stage in found.stages
        for candidate in candidates(stage, given.unpatched, is_streamed=given.is_streamed, finest=finest)
    ]


def _plan(given: _Given, stage: Stage, grid: Grid) -> PatchPlan:
    tiling, target = tile(stage, grid), given.target
    kernels = tiled_kernels(given.graph, tiling, is_streamed=given.is_streamed)
    ram = schedule(given.unpatched, tiling, kernels, target.kernels, is_streamed=given.is_streamed)
    is_copy = np.array(kernels.is_copy, dtype=bool)
    notes = (given.unpatched.note, scratch_note(target.kernels), _fusion_note(target))
    return PatchPlan(
        tiling, given.is_streamed, ram, given.beside_bytes, given.unpatched.plan.min_bytes,
        patched=cost_of(kernels.graph, target, kernels.counts, is_copy), unpatched=given.cost,
        run_by=runners().built_in,
        how=how_to_run(target.runtime, shapes=len(patch_classes(tiling)), grid=str(grid)),
        notes=tuple(note for note in notes if note),
    )  # fmt: skip


def _cheaper(
    given: _Given, looked_at: Sequence[Candidate], plans: Sequence[PatchPlan], budget_bytes: int
) -> list[PatchPlan]:
    """The first pair off the front that fits with fewer MACs than the front's, if there is one.

    The front goes by live sums; a layout may be larger than its sum, and another pair's layout not.
    """
    best = min((p.patched.macs or 0 for p in plans if p.ram_bytes <= budget_bytes), default=None)
    hopeful = [
        c for c in looked_at
        if c.live_bytes + given.beside_bytes <= budget_bytes and (best is None or c.macs < best)
    ]  # fmt: skip
    for candidate in sorted(hopeful, key=lambda c: (c.macs, c.live_bytes))[:_MOST_RETRIES]:
        plan = _plan(given, candidate.stage, candidate.grid)
        if plan.ram_bytes <= budget_bytes:
            return [plan]
    return []


def _fusion_note(target: Target) -> str:
    if not target.runtime.fusion:
        return ""
    return f"{target.runtime.name} fuses ops; with and without patches, ops are counted one by one here"


def _front(plans: Sequence[PatchPlan], unpatched_bytes: int) -> tuple[PatchPlan, ...]:
    """Those that no other beats in both RAM as laid out and MACs, and that need less than no patches."""
    kept: list[PatchPlan] = []
    for plan in sorted(plans, key=lambda p: (p.ram_bytes, p.patched.macs or 0)):
        if plan.ram_bytes < unpatched_bytes and (
            not kept or (plan.patched.macs or 0) < (kept[-1].patched.macs or 0)
        ):
            kept.append(plan)
    return tuple(kept)


def _choose(
    plans: tuple[PatchPlan, ...], unpatched_bytes: int, budget_bytes: int
) -> tuple[PatchPlan | None, bool]:
    if unpatched_bytes <= budget_bytes:
        return None, True
    fitting = cheapest_within(plans, budget_bytes)
    if fitting is not None:
        return fitting, True
    return (plans[0] if plans else None), False


def _sentence(plans: tuple[PatchPlan, ...], found: Cuts, unpatched_bytes: int, budget_bytes: int) -> str:
    needs = f"needs {unpatched_bytes:,} B without patches"
    if unpatched_bytes <= budget_bytes:
        return f"fits without patches: {needs[6:]} of {budget_bytes:,} B"
    if not plans:
        why = _why_none(found) if not found.stages else "no patches need less"
        return f"{needs}; patches do not help: {why}"
    chosen = cheapest_within(plans, budget_bytes)
    if chosen is None:
        least = f"the least is {plans[0].ram_bytes:,} B with {_shown(plans[0])}"
        return f"{needs}; patches do not reach {budget_bytes:,} B: {least}"
    return f"{needs}; fits in {budget_bytes:,} B with {_shown(chosen)}"


def _why_none(found: Cuts) -> str:
    """Why no op ends a stage."""
    if found.ended and not found.refused:
        return found.ended
    if not found.refused:
        return "the model has no ops"
    refused = f"after op {found.refused[0][0]} {found.refused[0][1]}"
    return f"{refused}; {found.ended}" if found.ended else refused


def _shown(plan: PatchPlan) -> str:
    return f"{plan.label} ({plan.price})"
