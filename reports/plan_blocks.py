"""What does a study of the memory plan say: the plan, planners, order, patches; as blocks of a report."""

from __future__ import annotations

from ..simulator.arena import MemoryPlan, Rung
from ..simulator.memory.order.study import OrderStudy
from ..simulator.patches.plan import PatchPlan, PatchStudy
from ..simulator.placing.pools import Pool, PoolStudy
from ..simulator.placing.study import Candidate, PlacementStudy
from ..simulator.study import OfflineStudy, PlanStudy
from . import format as shown
from .blocks import Block
from .plan_sections import compared

LADDER = "Ladder of budgets"
MOST_BUFFERS = 60
_MOST_ON_FRONT = 12
_MOST_PLACEMENTS = 8
_PIECES = ("tensor", "scratch", "weights")


def study_blocks(study: PlanStudy) -> tuple[Block, ...]:
    """The blocks in reading order; what was not asked for is not there."""
    found = [arena_block(study), planner_block(study)]
    if study.estimate.ladder:
        found.append(ladder_block(study.estimate.ladder))
    if study.order is not None:
        found.append(order_block(study.order, study.estimate.target.runtime))
    if study.offline is not None:
        found.append(offline_block(study.offline, study.estimate.target.runtime))
    if study.patches is not None:
        found.append(patch_block(study.patches))
    if study.placement is not None:
        found.append(placement_block(study.placement))
    if study.pools is not None:
        found.append(pool_block(study.pools))
    return tuple(found)


def ladder_block(rungs: tuple[Rung, ...]) -> Block:
    """Every measure once: the smallest standard budget that it reaches, what it costs, who executes it."""
    smallest = {option: rung.budget_bytes for rung in rungs for option in rung.options}
    rows = tuple(
        (option.label, option.arena_bytes, shown.memory(budget), option.cost, option.executed_by)
        for option, budget in smallest.items()
    )
    return Block(LADDER, columns=("how", "arena bytes", "fits in", "cost", "executed by"), rows=rows)


def arena_block(study: PlanStudy) -> Block:
    """What to declare, what a firmware prints, and what the two are made of."""
    plan, ops = study.plan, study.estimate.ops
    peak = plan.peak_op
    at = f", the most while op {peak} {ops[peak].kind} runs" if 0 <= peak < len(ops) else ""
    over_inputs = plan.taken is not None and plan.planner != "litert"
    claim = "in this plan, outputs over inputs" if over_inputs else "no plan of these buffers is lower"
    bound = ("alive at once", plan.lower_bound_bytes, f"{claim}{at}")
    parts = ", ".join(f"{kind} {size:,}" for kind, size in plan.tail_items)
    notes = (f"the tail holds {parts}.", *plan.warnings) if parts else plan.warnings
    rows = (*(_replayed_rows(plan) if plan.stages else _modelled_rows(study)), bound)
    return Block("Arena", columns=("what", "bytes", "meaning"), rows=rows, notes=notes)


def _replayed_rows(plan: MemoryPlan) -> tuple[tuple[str, int, str], ...]:
    return (
        ("smallest that works", plan.min_bytes, "declare this much, aligned to 16"),
        ("used", plan.used_bytes, "head + tail: what arena_used_bytes() prints"),
        ("head", plan.head_bytes, "activations and scratch, planned"),
        ("tail", plan.tail_bytes, "kept for good"),
    )


def _modelled_rows(study: PlanStudy) -> tuple[tuple[str, int, str], ...]:
    """A runtime whose plan is a model of ours: the figure with its interval, and the plan it stands on."""
    need, plan = study.estimate.metric("arena_min_bytes"), study.plan
    spread = "" if need.lo == need.hi else f", {shown.interval(need.lo, need.hi, 'B')}"
    rows = (
        ("needed", int(need.value or 0), f"{need.basis.value}{spread}"),
        ("planned", plan.head_bytes, "activations and scratch, as modelled"),
    )
    return (*rows, ("beside", plan.tail_bytes, "kept for good")) if plan.tail_bytes else rows


def buffer_block(study: PlanStudy) -> Block:
    """Every buffer of the runtime's plan by address: bytes, ops during which it lives."""
    plan = study.plan
    op_at = {clock: op for op, clock in enumerate(plan.clock_of_op)}
    ordered = sorted(plan.buffers, key=lambda b: (b.offset_bytes, b.first))
    rows = tuple(
        (b.offset_bytes, b.size_bytes, _span(b.first, b.last, op_at), b.kind,
         shown.short(shown.clean(b.name), 40))
        for b in ordered[:MOST_BUFFERS]
    )  # fmt: skip
    left = len(ordered) - len(rows)
    notes = (f"{left} more buffers in -f json and -f html",) if left else ()
    return Block("Plan", columns=("address", "bytes", "ops", "kind", "buffer"), rows=rows, notes=notes)


def _span(first: int, last: int, op_at: dict[int, int]) -> str:
    alive = [op_at[clock] for clock in range(first, last + 1) if clock in op_at]
    if not alive:
        return "before op 0" if first <= 0 else "within an op"
    return f"{alive[0]}-{alive[-1]}" if len(alive) > 1 else f"{alive[0]}"


def planner_block(study: PlanStudy) -> Block:
    """What each planner makes of the same buffers."""
    own, *others = study.layouts
    if study.plan.taken is not None:
        text = "outputs lie over inputs on purpose; planners that keep buffers apart do not compare."
        return Block("Planners", (f"{study.estimate.target.runtime}: {text}",))
    best = study.estimate.optimum
    bound = max(layout.lower_bound_bytes for layout in study.layouts)
    rows = [
        (layout.planner, layout.extent_bytes, shown.percent(layout.extent_bytes / (bound or 1) - 1),
         "what the runtime does" if layout is own else layout.proof or layout.note)
        for layout in (own, *others)
    ]  # fmt: skip
    rows.append(("lower bound", bound, "", ""))
    sentence = () if best is None else (compared(own.extent_bytes, best, owner=_owner(study)) + ".",)
    return Block("Planners", sentence, ("planner", "head_bytes", "above bound", ""), tuple(rows))


def _owner(study: PlanStudy) -> str:
    return f"{study.estimate.target.runtime}'s plan"


def order_block(order: OrderStudy, runtime: str) -> Block:
    """Another order of the ops: what it gives under the runtime's own planner, and in live bytes."""
    proof = order.live.proof or f"at most {order.live.gap:.1%} above the lower bound"
    rows = [
        (f"arena of {runtime}", order.arena_before_bytes, order.arena_after_bytes, "smallest that works"),
        ("largest live sum", order.peak_before_bytes, order.peak_after_bytes, "in the order chosen"),
        ("smallest live sum of any order", order.peak_before_bytes, order.live.peak_bytes, proof),
    ]
    notes = []
    if order.in_place is not None:
        shared = order.in_place
        rows.append(("elementwise ops in place", shared.given_peak_bytes, shared.best.peak_bytes,
                     f"live sum, {len(shared.ops)} ops write over an input"))  # fmt: skip
        notes.append(shared.runtimes)
    return Block("Operator order", (f"{order.verdict}.",), ("what", "given", "reordered", "known as"),
                 tuple(rows), tuple(notes))  # fmt: skip


def offline_block(offline: OfflineStudy, runtime: str) -> Block:
    """The best layout written into the model: what TFLM then needs."""
    before, after = offline.arena_before_bytes, offline.arena_after_bytes
    outcome = (
        f"{runtime} needs {shown.exact_bytes(before - after)} less when it follows the offsets in the model."
        if after < before else f"{runtime}'s own plan is as small: no offsets were written."
    )
    rows = (
        ("smallest arena, as it is", before),
        ("smallest arena with the offline plan", after),
        ("head with the offline plan", offline.head_after_bytes),
        ("alive at once", offline.lower_bound_bytes),
    )
    note = "tensors follow the offsets; scratch is placed around them by TFLM itself."
    return Block("Offline plan", (outcome,), ("what", "bytes"), rows, (note,))


def patch_block(patches: PatchStudy | PatchPlan) -> Block:
    """RAM against work for the first ops run patch by patch."""
    plans = (patches,) if isinstance(patches, PatchPlan) else _thinned(patches.front, patches.chosen)
    first = () if isinstance(patches, PatchPlan) else (f"{patches.sentence}.",)
    chosen = patches if isinstance(patches, PatchPlan) else patches.chosen
    rows = [_patch_row(plan, is_chosen=plan is chosen) for plan in plans]
    rows.insert(0, ("none", None, patches.unpatched_bytes, None, "", "", ""))
    how = (chosen.how, *chosen.notes) if chosen is not None else ()
    columns = ("patches", "to op", "ram_bytes", "kernel calls", "MACs", "time", "")
    return Block("Patch by patch", first, columns, tuple(rows), how)


def _thinned(front: tuple[PatchPlan, ...], chosen: PatchPlan | None) -> list[PatchPlan]:
    """At most a dozen of the front, evenly taken, the chosen one among them."""
    step = max(1, -(-len(front) // _MOST_ON_FRONT))
    return [plan for i, plan in enumerate(front) if i % step == 0 or plan is chosen]


def _patch_row(plan: PatchPlan, *, is_chosen: bool) -> tuple[str | int | None, ...]:
    return (
        str(plan.grid), plan.cut, plan.ram_bytes, plan.patched.kernel_calls, _signed(plan.mac_overhead),
        _signed(plan.time_overhead), "chosen" if is_chosen else "",
    )  # fmt: skip


def _signed(fraction: float | None) -> str:
    return shown.UNKNOWN if fraction is None else f"{100 * fraction:+.1f} %"


def placement_block(found: PlacementStudy) -> Block:
    """The placements that fit, fastest first, the device's own beside them; then why others do not."""
    feasible = [c for c in found.candidates if c.is_feasible and c is not found.naive]
    shown_first = [found.naive, *feasible[:_MOST_PLACEMENTS]]
    if found.two_arenas is not None:
        shown_first.append(found.two_arenas)
    short = [c for c in found.infeasible if c is not found.naive][:_MOST_PLACEMENTS]
    rows = tuple(_placement_row(c, found) for c in (*shown_first, *short))
    hidden = len(found.candidates) - len(rows) + (found.two_arenas is not None)
    more = (f"{hidden} more placements were priced.",) if hidden > 0 else ()
    columns = ("placement", "time", "p10-p90", "RAM bytes", "copy at start", "")
    return Block("Placement", (f"{found.sentence}.",), columns, rows, (*more, found.restriction))


def _placement_row(candidate: Candidate, found: PlacementStudy) -> tuple[str | int | None, ...]:
    time, copy = candidate.latency_s, candidate.copy_s
    words = candidate.homes.beside(found.naive.homes) or "the device's own"
    spread = "" if time.value is None or time.lo == time.hi else shown.interval(time.lo, time.hi, "s")
    at_start = "" if not candidate.homes.weights_copied else shown.seconds(copy.value)
    remark = "chosen" if candidate is found.chosen else "" if candidate.is_feasible else candidate.reason
    return words, shown.seconds(time.value), spread, int(candidate.ram_bytes), at_start, remark


def pool_block(found: PoolStudy) -> Block:
    """What lies in each memory where every buffer and every op's weights may lie alone."""
    if not found.pools:
        return Block("Pools", ("no assignment to the memories fits.",))
    rows = tuple(_pool_row(pool) for pool in found.pools)
    saved = shown.seconds(found.saved_s.value)
    spread = shown.interval(found.saved_s.lo, found.saved_s.hi, "s")
    proof = found.proof or "not proved"
    left = f"; another might save {shown.seconds(found.gap_s)} more" if found.gap_s else ""
    sentence = f"saves {saved} ({spread}) per inference against the device's own homes ({proof}{left})."
    columns = ("memory", "activations", "scratch", "weights of ops", "bytes", "capacity")
    return Block("Pools", (sentence,), columns, rows)


def _pool_row(pool: Pool) -> tuple[str | int, ...]:
    counts = (sum(piece.kind == kind for piece in pool.pieces) for kind in _PIECES)
    return (pool.memory, *counts, pool.extent_bytes, pool.capacity_bytes)
