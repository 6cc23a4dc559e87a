"""Where does every activation lie, and what does the arena need? One entry per planner."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from ...errors import PlanInvalid
from ...graphs.ir import ModelGraph, Op, Subgraph
from ...graphs.kept import kept
from ...graphs.static_shapes import with_static_shapes
from ..encodings.stored import as_stored
from ..estimate import MemoryPlan, PlannedBuffer
from ..kernel_choice import choose_kernel
from ..operands import dims_of
from .departures import inferred_of
from .kept_in_ram import kept_in_ram
from .lifetimes import UNSET, Lifetimes, lifetimes
from .min_arena import arena_stages, smallest_arena_bytes
from .persistent import Tail, lay_tail
from .planners import greedy_by_size, tflm_greedy
from .planners.problem import Request, extent, live_bytes
from .refusal import refusals
from .requests import ALIGNMENT_BYTES, tensor_requests
from .rounding import up
from .scratch import scratch_requests
from .touched import touched_requests

if TYPE_CHECKING:
    from ...devices.target import KernelBuild, Target


class Place(NamedTuple):
    """Whose request it is: a tensor's (op -1) or an op's n-th scratch (tensor -1)."""

    subgraph: int
    tensor: int
    op: int = -1
    number: int = 0


def plan_memory(graph: ModelGraph, target: Target) -> MemoryPlan:
    """The plan of the runtime's planner.

    Raises:
        PlanInvalid: the planner refuses the graph, or nobody knows this planner.
    """
    graph, memory = as_stored(graph, target), target.runtime.memory
    if memory.planner == "tflm-greedy" and memory.persistent == "tflm":
        return plan_tflm(graph, target.kernels)
    if memory.planner == "tflm-greedy" and memory.persistent == "ahead-of-time":
        return plan_ahead_of_time(graph, target.kernels)
    if memory.planner == "greedy-by-size" and memory.persistent == "none":
        return plan_by_size(graph, memory.alignment_bytes)
    if memory.planner == "litert" and memory.persistent == "none":
        from .litert import with_copies

        return with_copies(plan_by_size(graph, memory.alignment_bytes), graph, target)
    if memory.planner == "x-cube-ai" and memory.persistent == "x-cube-ai":
        from .x_cube_ai.plan import plan_x_cube_ai

        return plan_x_cube_ai(graph, target.runtime)
    raise PlanInvalid(
        f"no planner {memory.planner!r} with persistent data {memory.persistent!r} is known",
        faults=(f"the runtime file says planner {memory.planner!r}",),
        where=target.runtime.name,
    )


def plan_tflm(graph: ModelGraph, build: KernelBuild) -> MemoryPlan:
    """TFLM's plan with the kernels of this build: used = head + tail (specs/tflm_memory.md).

    Kept with the graph: a verdict and its measures ask for the same plan many times.
    """
    return kept(graph, f"plan_tflm {build}", lambda one: _plan_tflm(one, build))


def _plan_tflm(graph: ModelGraph, build: KernelBuild) -> MemoryPlan:
    faults = refusals(graph)
    if faults:
        raise PlanInvalid("TFLM does not allocate this model", faults=faults, where=graph.name)
    alive, wanted = lifetimes(graph), tensor_requests(graph)
    scratch = _scratch(graph, build, alive)
    requests = [*wanted.requests, *(request for _, request in scratch)]
    places = [*(Place(*p) for p in wanted.places), *(p for p, _ in scratch)]
    offsets = tflm_greedy.place(requests)
    head = extent(requests, offsets)
    tail = lay_tail(graph, build, scratch_count=len(scratch), variables=wanted.variables)
    counts = Counter((p.subgraph, p.op) for p, _ in scratch)
    stages = arena_stages(
        graph, build, tail=tail, head_bytes=head, planned_count=len(requests),
        scratch_of_op=[counts[number, op.index] for number, s in enumerate(graph.subgraphs) for op in s.ops],
    )  # fmt: skip
    over = _over_time(alive, requests)
    return MemoryPlan(
        planner="tflm-greedy",
        buffers=_buffers(graph, places, requests, offsets),
        head_bytes=head, tail_bytes=tail.depth_bytes, used_bytes=head + tail.depth_bytes,
        min_bytes=smallest_arena_bytes(stages), stages=stages,
        tail_items=tuple(tail.by_kind.items()),
        warnings=(*_tail_warnings(tail, build), *_defect_warnings(graph, build)),
        alignment_bytes=ALIGNMENT_BYTES, inferred=inferred_of(build),
        clock_of_op=over.clock_of_op, live_bytes=over.live_bytes, lower_bound_bytes=over.lower_bound_bytes,
    )  # fmt: skip


def plan_ahead_of_time(graph: ModelGraph, build: KernelBuild) -> MemoryPlan:
    """TFLM's head with generated calls instead of an interpreter; beside it what the kernels keep in RAM."""
    plan = plan_tflm(graph, build)
    kept_bytes = kept_in_ram(graph, build)
    tail = kept_bytes.state_bytes + kept_bytes.op_data_bytes
    used = plan.head_bytes + tail
    return replace(
        plan, planner="tflm-ahead-of-time", tail_bytes=tail, used_bytes=used, min_bytes=up(used, 16),
        stages=(),
        tail_items=(("state", kept_bytes.state_bytes), ("op data", kept_bytes.op_data_bytes)),
        tail_range_bytes=(kept_bytes.state_bytes, tail + kept_bytes.table_bytes),
    )  # fmt: skip


def plan_by_size(graph: ModelGraph, alignment_bytes: int) -> MemoryPlan:
    """Tensors that an op touches, the largest first; nothing lies beside the head."""
    alive = lifetimes(graph)
    owners, requests = touched_requests(graph, alignment_bytes)
    places = [Place(*owner) for owner in owners]
    offsets = greedy_by_size.place(requests)
    head = extent(requests, offsets)
    over = _over_time(alive, requests)
    return MemoryPlan(
        planner="greedy-by-size", buffers=_buffers(graph, places, requests, offsets),
        head_bytes=head, tail_bytes=0, used_bytes=head, min_bytes=head, tail_items=(),
        alignment_bytes=alignment_bytes,
        clock_of_op=over.clock_of_op, live_bytes=over.live_bytes, lower_bound_bytes=over.lower_bound_bytes,
    )  # fmt: skip


def _scratch(graph: ModelGraph, build: KernelBuild, alive: Lifetimes) -> list[tuple[Place, Request]]:
    """The scratch of every op of every subgraph, in the order that Prepare asks for it.

    TFLM learns the size when it walks the op: in a subgraph that nothing calls it stays 0.
    """
    found = []
    for number, subgraph in enumerate(with_static_shapes(graph).subgraphs):
        first, last = alive.op_first[number], alive.op_last[number]
        for op in subgraph.ops:
            for n, size_bytes in enumerate(scratch_requests(subgraph, op, build)):
                walked_bytes = up(size_bytes, ALIGNMENT_BYTES) if first[op.index] != UNSET else 0
                request = Request(walked_bytes, first[op.index], last[op.index])
                found.append((Place(number, -1, op.index, n), request))
    return found


def _buffers(
    graph: ModelGraph, places: Sequence[Place], requests: Sequence[Request], offsets: Sequence[int]
) -> tuple[PlannedBuffer, ...]:
    return tuple(
        PlannedBuffer(
            _name(graph, p), "tensor" if p.op < 0 else "scratch", p.subgraph, p.tensor, p.op,
            r.size_bytes, r.first, r.last, offset,
        )
        for p, r, offset in zip(places, requests, offsets, strict=True)
    )  # fmt: skip


def _name(graph: ModelGraph, place: Place) -> str:
    subgraph = graph.subgraphs[place.subgraph]
    if place.op < 0:
        return subgraph.tensors[place.tensor].name or f"tensor {place.tensor}"
    return f"{subgraph.ops[place.op].label} {place.op} scratch {place.number}"


class _OverTime(NamedTuple):
    clock_of_op: tuple[int, ...]
    live_bytes: tuple[int, ...]
    lower_bound_bytes: int


def _over_time(alive: Lifetimes, requests: Sequence[Request]) -> _OverTime:
    """What is alive while each op of the main subgraph runs, the subgraphs it calls included."""
    live = live_bytes(requests, alive.end)
    spans = zip(alive.op_first[0], alive.op_last[0], strict=True)
    peaks = tuple(max(live[first + 1 : last + 2]) for first, last in spans)
    return _OverTime(tuple(alive.op_first[0]), peaks, max(live, default=0))


def _tail_warnings(tail: Tail, build: KernelBuild) -> tuple[str, ...]:
    found = []
    if tail.unknown_ops:
        names = ", ".join(tail.unknown_ops)
        found.append(f"the persistent data of {names} is not known; the arena's tail is a lower bound")
    if build.abi == "host64":
        found.append("op data of a 64-bit build are not recorded; the arena's tail is a lower bound")
    return tuple(found)


def _defect_warnings(graph: ModelGraph, build: KernelBuild) -> tuple[str, ...]:
    """CMSIS-NN on MVE asks for scratch with an uninitialised stride (8.2 item 1)."""
    if build.flavour != "mve":
        return ()
    hit = [
        f"{op.label} {op.index}"
        for s in graph.subgraphs for op in s.ops
        if op.kind == "DEPTHWISE_CONV_2D" and _has_garbage_stride(s, op, build)
    ]  # fmt: skip
    if not hit:
        return ()
    return (
        f"{', '.join(hit)}: CMSIS-NN for Helium works out this scratch with an uninitialised stride "
        "(one input channel, input height 1), so a real run may ask for another amount",
    )


def _has_garbage_stride(subgraph: Subgraph, op: Op, build: KernelBuild) -> bool:
    dims = dims_of(subgraph, op)
    return dims is not None and dims.in_h == 1 and choose_kernel(subgraph, op, build).route == "dw_as_conv"
