"""The plan of X-CUBE-AI's activations at one release, and what ST's reports say such a plan takes."""

from __future__ import annotations

from collections.abc import Sequence

from ....devices.runtime import RuntimeSpec
from ....errors import PlanInvalid
from ....graphs.ir import ModelGraph
from ....graphs.kept import kept
from ...arena import Taken
from ...estimate import MemoryPlan, PlannedBuffer
from ...releases import release_figure
from ..planners.problem import extent
from .buffers import Owner, Wanted, clock_of, wanted_buffers
from .place import place

_MATRIX = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"})


def plan_x_cube_ai(graph: ModelGraph, runtime: RuntimeSpec) -> MemoryPlan:
    """The main subgraph's fused kernels; inputs and outputs lie in the activations. Kept with the graph.

    Raises:
        PlanInvalid: more than one subgraph, or a tensor without a fixed number of bytes.
    """
    key = f"plan_x_cube_ai {runtime.name} {runtime.release!r} {runtime.memory_version} {runtime.memory!r}"
    return kept(graph, key, lambda one: _plan(one, runtime))


def _plan(graph: ModelGraph, runtime: RuntimeSpec) -> MemoryPlan:
    release, alignment_bytes = runtime.release, runtime.memory.alignment_bytes
    if release is None or len(graph.subgraphs) != 1:
        fault = "control flow" if release is not None else f"{runtime.name} lists no release"
        raise PlanInvalid("X-CUBE-AI cannot plan this", faults=(fault,), where=graph.name)
    wanted = wanted_buffers(graph, release, alignment_bytes=alignment_bytes, overlap=True)
    offsets = place(wanted.spans, wanted.overlaps, alignment_bytes)
    limit = release.overlap_limit_bytes
    if limit is not None and extent(wanted.spans, offsets) > limit:
        wanted = wanted_buffers(graph, release, alignment_bytes=alignment_bytes, overlap=False)
        offsets = place(wanted.spans, wanted.overlaps, alignment_bytes)
    return _as_plan(graph, wanted, offsets, runtime=runtime)


def _as_plan(graph: ModelGraph, wanted: Wanted, offsets: list[int], *, runtime: RuntimeSpec) -> MemoryPlan:
    buffers = tuple(
        PlannedBuffer(
            _name(graph, owner), "tensor" if owner.kind == "tensor" else "scratch", 0, owner.tensor, owner.op,
            span.size_bytes, span.first, span.last, offset,
        )
        for owner, span, offset in zip(wanted.owners, wanted.spans, offsets, strict=True)
    )  # fmt: skip
    head_bytes = extent(wanted.spans, offsets)
    clocks = tuple(clock_of(op) for op in graph.main.ops)
    at = _occupied_bytes(buffers, 2 * len(clocks) + 1)
    live = tuple(max(at[clock - 1], at[clock]) for clock in clocks)
    return MemoryPlan(
        planner="x-cube-ai", buffers=buffers,
        head_bytes=head_bytes, tail_bytes=0, used_bytes=head_bytes, min_bytes=head_bytes, tail_items=(),
        alignment_bytes=runtime.memory.alignment_bytes, clock_of_op=clocks, live_bytes=live,
        lower_bound_bytes=max(live, default=0), taken=_taken(graph, runtime.memory_version, head_bytes),
    )  # fmt: skip


def _taken(graph: ModelGraph, version: str, head_bytes: int) -> Taken:
    """What ST's figures say; the plan alone where there are none for this release.

    All of them are of 8-bit networks; for others the same terms are not fitted.
    """
    figure = release_figure(version, "activations", {"fixed": 1.0, "planned_bytes": head_bytes})
    if figure.value is None or figure.lo is None or figure.hi is None:
        return Taken(head_bytes, head_bytes, head_bytes, figure.reason, is_fitted=False)
    main = graph.main
    read = [op.inputs[0] for op in main.ops if op.kind in _MATRIX and op.inputs]
    is_8_bit = all(main.tensors[t].dtype.bits == 8 for t in read)
    source = figure.source if is_8_bit else f"{figure.source}; of 8-bit networks, which this one is not"
    return Taken(figure.lo, figure.value, figure.hi, source, is_fitted=is_8_bit)


def _occupied_bytes(buffers: Sequence[PlannedBuffer], instants: int) -> list[int]:
    """Bytes that some buffer covers, instant by instant; what lies over something counts once."""
    waiting = sorted(buffers, key=lambda b: -b.first)
    alive: list[PlannedBuffer] = []
    covered = []
    for instant in range(instants):
        alive = [b for b in alive if b.last >= instant]
        while waiting and waiting[-1].first <= instant:
            alive.append(waiting.pop())
        bytes_now, reached = 0, 0
        for start, size in sorted((b.offset_bytes, b.size_bytes) for b in alive):
            bytes_now += max(0, start + size - max(start, reached))
            reached = max(reached, start + size)
        covered.append(bytes_now)
    return covered


def _name(graph: ModelGraph, owner: Owner) -> str:
    if owner.kind == "tensor":
        return graph.main.tensors[owner.tensor].name or f"tensor {owner.tensor}"
    what = "padded input" if owner.kind == "padded" else "scratch"
    return f"{graph.main.ops[owner.op].label} {owner.op} {what}"
