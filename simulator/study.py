"""study(graph, target) -> PlanStudy: what else could be done about the memory, and what it would give."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from ..devices.target import Target
from ..errors import PatchesInvalid, PlanInvalid
from ..graphs.ir import ModelGraph
from ..graphs.reorder import reordered
from .arena import Layout, MemoryPlan, Option
from .encodings.stored import as_stored
from .estimate import Conditions, Estimate
from .memory.ladder import Measure, ladder, standard_measures
from .memory.offline_plan import Layouter, with_best_offsets
from .memory.optimum import better, own_layout, requests_of
from .memory.order.study import OrderStudy, reorder_for
from .memory.plan import plan_tflm
from .memory.planners.best import GREEDY, best_layout, layout
from .memory.planners.bound import lower_bound
from .memory.planners.problem import Request
from .memory.planners.searched import Searches
from .memory.planners.table import PLANNERS
from .patches.plan import PatchPlan, PatchStudy
from .patches.study import auto_patches, study_patches
from .placing.pools import PoolStudy, best_pools
from .placing.search import best_placement
from .placing.study import PlacementStudy
from .simulate import simulate

_LADDER_SEARCH_S = 2.0
_GRID = re.compile(r"([1-9][0-9]?)x([1-9][0-9]?)")


@dataclass(frozen=True, slots=True)
class Asked:
    """What to look into.

    Args:
        solver: "optimal", "best" (no proof), or the name of a planner.
        search_s: how long the search for the best layout may take.
        reorder, in_place: another order of the ops; outputs that take the bytes of an input that ends there.
        patches: "auto", or rows x columns such as "2x2"; "" is not asked.
        input_streamed: the application delivers the input tile by tile.
        budget_bytes: what patches must keep; None is what is free where the arena lies.
        place: every placement of weights and arena in the memories of the device.
        offline_plan: the best layout, written into the model as offsets that TFLM follows.
    """

    solver: str = "optimal"
    search_s: float = 10.0
    reorder: bool = False
    in_place: bool = False
    patches: str = ""
    input_streamed: bool = False
    budget_bytes: int | None = None
    place: bool = False
    offline_plan: bool = False


@dataclass(frozen=True, slots=True)
class OfflineStudy:
    """The arena before and after the offline plan, and how far the planned head is from its bound."""

    arena_before_bytes: int
    arena_after_bytes: int
    head_after_bytes: int
    lower_bound_bytes: int


@dataclass(frozen=True, eq=False)
class PlanStudy:
    """The runtime's plan beside what could be had.

    Args:
        estimate: the verdict; its `optimum` is the best layout found here.
        layouts: every planner's answer for the same buffers, the runtime's own first.
        order, patches, placement, offline: None where not asked.
        pools: every buffer and the weights of every op placed alone, where the runtime can; else None.
        model: the model with the order and the offline plan that were asked for; the given one without.
    """

    estimate: Estimate
    layouts: tuple[Layout, ...]
    model: ModelGraph
    order: OrderStudy | None = None
    patches: PatchStudy | PatchPlan | None = None
    placement: PlacementStudy | None = None
    offline: OfflineStudy | None = None
    pools: PoolStudy | None = None

    @property
    def plan(self) -> MemoryPlan:
        assert self.estimate.plan is not None
        return self.estimate.plan


def study(
    graph: ModelGraph, target: Target, conditions: Conditions | None = None, *, asked: Asked | None = None
) -> PlanStudy:
    """The runtime's plan, every planner's, and what was asked for.

    Raises:
        PlanInvalid: the runtime has no plan for this model, or no planner has this name.
        OrderInvalid, PatchesInvalid: what was asked for cannot be done with this model.
    """
    wanted, graph = asked or Asked(), as_stored(graph, target)
    estimate = simulate(graph, target, conditions)
    if estimate.plan is None:
        raise PlanInvalid("there is no plan to study", faults=(_why_none(estimate),), where=graph.name)
    searches = Searches()
    layouts = _layouts(estimate.plan, wanted, searches)
    order = reorder_for(graph, target, in_place=wanted.in_place) if wanted.reorder else None
    model = graph if order is None else _reordered(graph, order)
    model, offline = _with_offsets(model, target, wanted, searches) if wanted.offline_plan else (model, None)
    patches = _patches(graph, target, wanted, estimate) if wanted.patches else None
    if estimate.plan.taken is None:
        rungs = ladder(graph, target, measures=_measures(wanted, searches, order=order, patches=patches))
        estimate = replace(estimate, optimum=better(*layouts), ladder=rungs)
    return PlanStudy(
        estimate, layouts, model, order=order, patches=patches, offline=offline,
        placement=best_placement(graph, target, conditions) if wanted.place else None,
        pools=_pools(graph, target, conditions, wanted) if wanted.place else None,
    )  # fmt: skip


def _reordered(graph: ModelGraph, order: OrderStudy) -> ModelGraph:
    return reordered(graph, order.order) if order.gained_bytes else graph


def _with_offsets(
    graph: ModelGraph, target: Target, asked: Asked, searches: Searches
) -> tuple[ModelGraph, OfflineStudy]:
    """The model with its best layout as an offline plan; unchanged where TFLM's own plan is as small.

    Raises:
        PlanInvalid: the runtime follows no offsets.
    """
    if target.runtime.memory.persistent != "tflm":
        why = f"{target.runtime.name} follows no offsets of a model"
        raise PlanInvalid("an offline plan is TFLM's", faults=(why,), where=graph.name)
    before = plan_tflm(graph, target.kernels)
    placed = with_best_offsets(graph, target.kernels, _layouter(searches, asked.search_s))
    after = plan_tflm(placed, target.kernels)
    return placed, OfflineStudy(
        before.min_bytes, after.min_bytes, after.head_bytes, after.lower_bound_bytes
    )


def _layouter(searches: Searches, search_s: float) -> Layouter:
    return lambda requests: searches.layout(requests, seconds=search_s).offsets


def _measures(
    asked: Asked, searches: Searches, *, order: OrderStudy | None, patches: PatchStudy | PatchPlan | None
) -> list[Measure]:
    """The standard measures with the best layout that is found in time, another order, and patches."""
    measures = list(standard_measures(_layouter(searches, min(asked.search_s, _LADDER_SEARCH_S))))
    if order is not None and order.gained_bytes:
        measures.append(partial(_moved, order=order))
    if isinstance(patches, PatchStudy):
        whole_input = None if asked.input_streamed else patches
        measures.append(partial(_patched, study=whole_input))
    return measures


def _moved(_graph: ModelGraph, target: Target, *, order: OrderStudy) -> Option:
    return Option("another op order", order.arena_after_bytes, "same time", target.runtime.name)


def _patched(graph: ModelGraph, target: Target, *, study: PatchStudy | None) -> Option | None:
    """The least RAM that patches reach with the input in RAM as a whole, as `study` says if it is known."""
    front = (study or auto_patches(graph, target, 0)).front
    if not front:
        return None
    by = ", ".join(front[0].run_by) or "no shipped runtime: by hand"
    return Option(front[0].label, front[0].ram_bytes, front[0].price, by)


def _why_none(estimate: Estimate) -> str:
    return estimate.metric("arena_min_bytes").reason or estimate.verdict.sentence


def _layouts(plan: MemoryPlan, asked: Asked, searches: Searches) -> tuple[Layout, ...]:
    """The runtime's own layout, then that of every planner asked for."""
    requests, own = requests_of(plan), own_layout(plan)
    if plan.taken is not None:  # outputs lie over inputs on purpose: no other planner answers that question
        return (own,)
    if asked.solver in GREEDY or asked.solver == "hill-climb":
        return own, *_laid_out((asked.solver,), requests)
    if asked.solver not in ("optimal", "best", "exact"):
        known = ", ".join(("optimal", "best", *PLANNERS))
        raise PlanInvalid(f"there is no planner {asked.solver!r}", faults=(f"known: {known}",))
    every = _laid_out([name for name in (*GREEDY, "hill-climb") if name != own.planner], requests)
    if asked.solver == "best":
        return _with(own, every, best_layout(requests, seconds=asked.search_s))
    hint = min((own, *every), key=lambda layout: layout.extent_bytes)
    return _with(own, every, searches.layout(requests, seconds=asked.search_s, hint=hint))


def _with(own: Layout, every: tuple[Layout, ...], found: Layout) -> tuple[Layout, ...]:
    """A search that ends with a planner's own answer takes that one's place."""
    if found.planner == own.planner:
        return (own, *every)
    return (own, *(layout for layout in every if layout.planner != found.planner), found)


def _laid_out(names: Sequence[str], requests: Sequence[Request]) -> tuple[Layout, ...]:
    bound = lower_bound(requests)
    return tuple(layout(name, requests, PLANNERS[name](requests), bound=bound) for name in names)


def _pools(
    graph: ModelGraph, target: Target, conditions: Conditions | None, asked: Asked
) -> PoolStudy | None:
    if target.runtime.memory.arenas != "several":
        return None
    return best_pools(graph, target, conditions, time_limit_s=asked.search_s)


def _patches(
    graph: ModelGraph, target: Target, asked: Asked, estimate: Estimate
) -> PatchStudy | PatchPlan:
    if asked.patches == "auto":
        room = _arena_room(target, estimate) if asked.budget_bytes is None else asked.budget_bytes
        return auto_patches(graph, target, room, input_streamed=asked.input_streamed)
    grid = _GRID.fullmatch(asked.patches)
    if grid is None:
        fix = 'write it like "auto" or "2x2"'
        raise PatchesInvalid(f"{asked.patches[:40]!r} is no grid of patches", where="--patches", fix=fix)
    rows, columns = int(grid[1]), int(grid[2])
    if rows * columns == 1:
        raise PatchesInvalid("1x1 is the whole, not patches", where="--patches", fix="give at least 2x1")
    return study_patches(graph, target, patches=(rows, columns), input_streamed=asked.input_streamed)


def _arena_room(target: Target, estimate: Estimate) -> int:
    """Bytes that the arena may take where it lies: the budget less what else lies there."""
    home = target.device.home_of("arena").name
    memory = next(m for m in estimate.memories if m.name == home)
    beside = sum(u.used.hi or u.used.value or 0 for u in memory.used if not u.kind.startswith("arena"))
    return max(0, memory.budget_bytes - int(beside))


def write_model(study: PlanStudy, path: Path) -> None:
    """Write the model with the order and the offline plan that were asked for.

    Raises:
        OSError: it cannot be written.
    """
    from ..graphs.tflite.write import write_tflite

    path.write_bytes(write_tflite(study.model))
