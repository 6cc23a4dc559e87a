"""Is this memory plan right? Slow and obvious checks that share no code with the planners."""

from __future__ import annotations

from collections.abc import Iterator

from ...errors import PlanInvalid
from ...graphs.ir import DType, ModelGraph, Tensor
from ..estimate import MemoryPlan, PlannedBuffer
from .judge_overlap import copied_at, may_share, occupied_bytes

# TFLM keeps an int4 activation in one byte per element
_UNPACKED_BITS = {DType.INT4: 8, DType.BOOL: 8}
# plans whose head is TFLM's: with its interpreter, and with generated calls
_LAID_BY_TFLM = frozenset({"tflm-greedy", "tflm-ahead-of-time"})
# the kernels of these work out their output's shape, whatever the file says
_RESHAPING = frozenset({
    "RESHAPE", "BATCH_MATMUL", "GATHER", "GATHER_ND", "DEPTH_TO_SPACE", "SPACE_TO_DEPTH", "L2_POOL_2D",
    "EMBEDDING_LOOKUP",
})  # fmt: skip


def judge(plan: MemoryPlan, graph: ModelGraph) -> None:
    """Refuse a plan whose buffers overlap in space and time, or that misses or misstates something.

    Raises:
        PlanInvalid: with all faults.
    """
    faults = [
        *_buffers_alone(plan, graph), *_overlaps(plan, graph), *_tensors(plan, graph), *_uses(plan, graph),
        *_sums(plan, graph),
    ]  # fmt: skip
    if faults:
        raise PlanInvalid("the memory plan is wrong", faults=faults, where=graph.name or "graph")


def _pinned(graph: ModelGraph) -> set[tuple[int, int]]:
    """(subgraph, tensor) of all that the model's own offline plan places; nobody may question those."""
    every = [(number, tensor.index) for number, s in enumerate(graph.subgraphs) for tensor in s.tensors]
    words = b"".join(data[12:] for name, data in graph.metadata if name == "OfflineMemoryAllocation")
    offsets = [
        int.from_bytes(words[i : i + 4], "little", signed=True) for i in range(0, len(words) // 4 * 4, 4)
    ]
    return {one for one, offset in zip(every, offsets, strict=False) if offset != -1}


def _where(b: PlannedBuffer) -> str:
    return f"{b.name!r} [{b.offset_bytes}, {b.offset_bytes + b.size_bytes}) alive {b.first}..{b.last}"


def _buffers_alone(plan: MemoryPlan, graph: ModelGraph) -> Iterator[str]:
    """Each buffer by itself: inside the head, aligned, with a lifetime, of something that exists."""
    pinned = _pinned(graph)
    for b in plan.buffers:
        if b.offset_bytes < 0 or b.offset_bytes + b.size_bytes > plan.head_bytes:
            yield f"{_where(b)} is not inside the head of {plan.head_bytes} bytes"
        if b.offset_bytes % plan.alignment_bytes and not pinned:
            yield f"{_where(b)} is not aligned to {plan.alignment_bytes}"
        if b.first > b.last or b.size_bytes < 0:
            yield f"{_where(b)} has no lifetime or a negative size"
        if not 0 <= b.subgraph < len(graph.subgraphs):
            yield f"{_where(b)} belongs to subgraph {b.subgraph}, which does not exist"
        elif b.kind == "scratch" and not 0 <= b.op < len(graph.subgraphs[b.subgraph].ops):
            yield f"{_where(b)} belongs to op {b.op}, which does not exist"


def _overlaps(plan: MemoryPlan, graph: ModelGraph) -> Iterator[str]:
    """No two buffers share a byte at the same instant, unless both are pinned or one replaces the other."""
    pinned = _pinned(graph)
    buffers = [b for b in plan.buffers if b.first >= 0 or b.last >= 0]  # (-1, -1): nobody touches it
    for i, a in enumerate(buffers):
        for b in buffers[i + 1 :]:
            if (a.subgraph, a.tensor) in pinned and (b.subgraph, b.tensor) in pinned:
                continue
            together = max(a.first, b.first) <= min(a.last, b.last)
            start = max(a.offset_bytes, b.offset_bytes)
            end = min(a.offset_bytes + a.size_bytes, b.offset_bytes + b.size_bytes)
            if together and start < end and not may_share(plan, graph, a, b):
                yield f"{_where(a)} and {_where(b)} overlap"


def _tensors(plan: MemoryPlan, graph: ModelGraph) -> Iterator[str]:
    """Every activation is planned once, with its own number of bytes; nothing else is."""
    planned: dict[tuple[int, int], list[PlannedBuffer]] = {}
    for b in plan.buffers:
        if b.kind == "tensor":
            planned.setdefault((b.subgraph, b.tensor), []).append(b)
    for number, subgraph in enumerate(graph.subgraphs):
        touched = {t for op in subgraph.ops for t in (*op.inputs, *op.outputs)}
        computed = {t for op in subgraph.ops if op.kind in _RESHAPING for t in op.outputs}
        handles = {t for op in subgraph.ops if op.kind == "VAR_HANDLE" for t in op.outputs}
        for tensor in subgraph.tensors:
            found = planned.pop((number, tensor.index), [])
            name = f"subgraph {number} tensor {tensor.index} ({tensor.name})"
            wanted = _is_wanted(tensor, plan, is_touched=tensor.index in touched)
            if tensor.index in handles and plan.planner in _LAID_BY_TFLM:
                wanted = False  # it points at its op's own data
            if wanted is not None and len(found) != (1 if wanted else 0):
                yield f"{name} is planned {len(found)} times, not {1 if wanted else 0}"
            size = None if tensor.index in computed else _rounded_bytes(tensor, plan)
            yield from (
                f"{name} needs {size} bytes, planned are {b.size_bytes}"
                for b in found if size is not None and b.size_bytes != size
            )  # fmt: skip
    yield from (f"tensor {t} of subgraph {s} is planned but does not exist" for s, t in planned)


def _is_wanted(tensor: Tensor, plan: MemoryPlan, *, is_touched: bool) -> bool | None:
    """Whether the planner must place it; None where the shape or an offline plan decides."""
    if tensor.data is not None:
        return False
    if -1 in tensor.shape:
        return None
    if tensor.element_count == 0:
        return None if plan.planner in _LAID_BY_TFLM else False
    if plan.planner in _LAID_BY_TFLM:
        return None if tensor.is_variable else True
    return is_touched


def _rounded_bytes(tensor: Tensor, plan: MemoryPlan) -> int | None:
    """Bytes up to the next multiple of the alignment; None if the shape is not static."""
    bits = tensor.dtype.bits
    if bits is None or -1 in tensor.shape or tensor.element_count == 0:
        return None
    if plan.planner in _LAID_BY_TFLM:
        bits = _UNPACKED_BITS.get(tensor.dtype, bits)
    size = (tensor.element_count * bits + 7) // 8
    while size % plan.alignment_bytes:
        size += plan.alignment_bytes - size % plan.alignment_bytes
    return size


def _uses(plan: MemoryPlan, graph: ModelGraph) -> Iterator[str]:
    """While an op of the main subgraph runs, what it reads, writes and scratches is alive."""
    if len(plan.clock_of_op) != len(graph.main.ops) or len(plan.live_bytes) != len(graph.main.ops):
        yield "the plan does not give an instant and a live sum for every op of the main subgraph"
        return
    main = [b for b in plan.buffers if b.subgraph == 0]
    for op, clock in zip(graph.main.ops, plan.clock_of_op, strict=True):
        for b in main:
            its_own = b.tensor in (*op.inputs, *op.outputs) if b.kind == "tensor" else b.op == op.index
            needed = copied_at(plan, graph, op) if its_own and b.tensor in op.inputs[:1] else clock
            if its_own and not b.first <= needed <= b.last:
                yield f"{_where(b)} is dead while {op.label} {op.index} needs it at {clock}"
        alive = occupied_bytes(plan, clock)
        if alive > plan.live_bytes[op.index]:
            yield f"{op.label} {op.index}: {alive} bytes are alive, the plan says {plan.live_bytes[op.index]}"


def _sums(plan: MemoryPlan, graph: ModelGraph) -> Iterator[str]:
    """head covers all and is not larger; used = head + tail <= min; the bound is one."""
    top = max((b.offset_bytes + b.size_bytes for b in plan.buffers), default=0)
    if top != plan.head_bytes:
        yield f"the head is {plan.head_bytes} bytes, the highest buffer ends at {top}"
    if plan.used_bytes != plan.head_bytes + plan.tail_bytes:
        yield f"used is {plan.used_bytes}, head + tail is {plan.head_bytes + plan.tail_bytes}"
    if plan.min_bytes < plan.used_bytes:
        yield f"the smallest arena {plan.min_bytes} is below what is used, {plan.used_bytes}"
    tail = sum(size for _, size in plan.tail_items)
    if tail != plan.tail_bytes:
        yield f"the tail is {plan.tail_bytes} bytes, its items sum to {tail}"
    instants = {b.first for b in plan.buffers}
    peak = max((occupied_bytes(plan, i) for i in instants), default=0)
    if peak != plan.lower_bound_bytes:
        yield f"the largest live sum of {graph.name or 'graph'} is {peak}, not {plan.lower_bound_bytes}"
    if peak > plan.head_bytes and not _pinned(graph):
        yield f"the head of {plan.head_bytes} bytes is smaller than the {peak} bytes alive at once"
