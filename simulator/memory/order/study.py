"""What does another order of the ops gain with the runtime's own planner? A promise for the written file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ....errors import OrderInvalid
from ....graphs.ir import ModelGraph
from ....graphs.passes.fusion import fuse
from ....graphs.reorder import bound_to_order, reordered
from ....graphs.static_shapes import with_static_shapes
from ...estimate import MemoryPlan
from ..plan import plan_memory
from .best import Order, OrderLimits, best_order
from .in_place import InPlace, in_place_study
from .problem import OrderProblem, order_problem, peak_bytes

if TYPE_CHECKING:
    from ....devices.target import Target

Planned = Callable[[ModelGraph], MemoryPlan]
_PLANNING_STEPS = 40_000_000  # buffers squared x plans: what the planner may take in all


@dataclass(frozen=True, slots=True)
class OrderStudy:
    """The order that the runtime's planner makes most of, and what it is measured against.

    Args:
        order: indices of the ops in their new order; the given order where nothing is gained.
        arena_before_bytes, arena_after_bytes: the smallest arena that works, by the runtime's planner.
        peak_before_bytes, peak_after_bytes: the largest live sum in the given and in this order.
        live: the order with the smallest live sum, whether or not the planner reaches it.
        plans: orders that the planner was tried with.
        in_place: the figures if elementwise ops shared bytes; None if not asked for.
    """

    order: tuple[int, ...]
    arena_before_bytes: int
    arena_after_bytes: int
    peak_before_bytes: int
    peak_after_bytes: int
    live: Order
    plans: int
    in_place: InPlace | None = field(default=None)

    @property
    def gained_bytes(self) -> int:
        return self.arena_before_bytes - self.arena_after_bytes

    @property
    def verdict(self) -> str:
        """One sentence: what is gained, or why nothing is."""
        if self.gained_bytes:
            return (
                f"another order needs {self.gained_bytes} bytes less arena "
                f"({self.arena_after_bytes} instead of {self.arena_before_bytes})"
            )
        if self.live.proof and self.live.peak_bytes == self.peak_before_bytes:
            return f"no order has a smaller peak than the given one ({self.live.proof})"
        if self.live.peak_bytes < self.peak_before_bytes:
            return "another order has a smaller live sum, but the runtime's planner makes nothing of it"
        return f"no better order was found; the peak is at most {self.live.gap:.1%} above the lower bound"


def reorder_for(
    graph: ModelGraph, target: Target, *, in_place: bool = False, limits: OrderLimits | None = None
) -> OrderStudy:
    """The order of the main subgraph's ops that needs the smallest arena on this target.

    `reordered(graph, study.order)` is the model; its arena by `plan_memory` is what is promised here.

    Raises:
        OrderInvalid: the model carries metadata that only hold for the given order, or the runtime plans
            other kernels than the model's ops.
        PlanInvalid: the runtime's planner refuses the model.
    """
    return study_order(graph, lambda one: planned(one, target), in_place=in_place, limits=limits)


def planned(graph: ModelGraph, target: Target) -> MemoryPlan:
    """The runtime's plan of the model: TFLM runs it as read, others its fused kernels."""
    if target.runtime.memory.persistent == "tflm":
        return plan_memory(graph, target)
    return plan_memory(fuse(with_static_shapes(graph), target.runtime.fusion).graph, target)


def study_order(
    graph: ModelGraph, plan: Planned, *, in_place: bool = False, limits: OrderLimits | None = None
) -> OrderStudy:
    """The same with any planner."""
    bound = bound_to_order(graph)
    if bound:
        fix = "keep the order, or remove the metadata with without_order_metadata first"
        what = "the order of this model cannot be changed"
        raise OrderInvalid(what, faults=bound, where=graph.name, fix=fix)
    limits = limits or OrderLimits()
    given = plan(graph)
    if given.taken is not None or len(given.clock_of_op) != len(graph.ops):
        raise _not_its_ops(graph, given)
    problem = order_problem(graph, given)
    live = best_order(problem, limits)
    tried = _Trial(graph, plan, given, left=_affordable(given, limits))
    for order in _candidates(live, problem):
        tried.take(order)
    _polish(tried, problem, live)
    shared = in_place_study(graph, problem, limits, hint=live.order) if in_place else None
    return OrderStudy(
        tried.order, given.min_bytes, tried.arena_bytes, given.lower_bound_bytes,
        peak_bytes(problem, tried.order), live, tried.plans, shared,
    )  # fmt: skip


def _not_its_ops(graph: ModelGraph, plan: MemoryPlan) -> OrderInvalid:
    """The live sums of an order are those of the model's ops, each output beside its inputs."""
    why = (
        f"the plan is of {len(plan.clock_of_op)} fused kernels, the model has {len(graph.ops)} ops"
        if plan.taken is None else f"{plan.planner} lays outputs over inputs"
        if plan.planner != "litert" else "nobody measured what litert takes beside its plan"
    )
    fix = "look for an order with a runtime that runs the ops as they are, such as tflm-reference"
    return OrderInvalid("no order is compared for this runtime", faults=(why,), where=graph.name, fix=fix)


def _affordable(plan: MemoryPlan, limits: OrderLimits) -> int:
    return max(2, min(limits.plans, _PLANNING_STEPS // (len(plan.buffers) ** 2 + 1)))


@dataclass(slots=True)
class _Trial:
    """The best order so far under the planner's figure; the given one wins ties."""

    graph: ModelGraph
    plan: Planned
    given: MemoryPlan
    left: int
    order: tuple[int, ...] = ()
    arena_bytes: int = 0
    head_bytes: int = 0
    plans: int = 0
    seen: set[tuple[int, ...]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.order = tuple(range(len(self.graph.ops)))
        self.arena_bytes, self.head_bytes = self.given.min_bytes, self.given.head_bytes
        self.seen.add(self.order)

    def take(self, order: tuple[int, ...]) -> bool:
        """Plan the model in this order; whether it is better than the best so far."""
        if order in self.seen or self.left <= 0:
            return False
        self.seen.add(order)
        self.left -= 1
        self.plans += 1
        found = self.plan(reordered(self.graph, order))
        if (found.min_bytes, found.head_bytes) >= (self.arena_bytes, self.head_bytes):
            return False
        self.order, self.arena_bytes, self.head_bytes = order, found.min_bytes, found.head_bytes
        return True


def _candidates(live: Order, problem: OrderProblem) -> list[tuple[int, ...]]:
    """The orders worth planning, the smallest live sum first."""
    return sorted(dict.fromkeys((live.order, *live.others)), key=lambda order: peak_bytes(problem, order))


def _polish(tried: _Trial, problem: OrderProblem, live: Order) -> None:
    """Move one op at a time while the planner leaves gaps above the smallest live sum, as plans are left."""
    improved = True
    while improved and tried.left > 0 and tried.head_bytes > live.lower_bound_bytes:
        improved = False
        for order in _neighbours(tried.order, problem.before):
            if tried.left <= 0:
                return
            if peak_bytes(problem, order) <= tried.head_bytes and tried.take(order):
                improved = True
                break


def _neighbours(order: tuple[int, ...], before: Sequence[Sequence[int]]) -> Iterator[tuple[int, ...]]:
    """Orders with one op moved as far forward or back as it may go."""
    place = {op: n for n, op in enumerate(order)}
    first_follower: dict[int, int] = {}
    for op, ops in enumerate(before):
        for earlier in ops:
            first_follower[earlier] = min(first_follower.get(earlier, len(order)), place[op])
    for op in order:
        at = place[op]
        earliest = max((place[b] for b in before[op]), default=-1) + 1
        latest = first_follower.get(op, len(order)) - 1
        rest = (*order[:at], *order[at + 1 :])
        for to in {earliest, latest} - {at}:
            yield (*rest[:to], op, *rest[to:])
