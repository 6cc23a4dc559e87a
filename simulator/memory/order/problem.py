"""What is alive while each op runs, whatever the order? The question that the order solvers answer."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ....graphs.ir import ModelGraph
from ....graphs.reorder import must_precede
from ...estimate import MemoryPlan, PlannedBuffer


@dataclass(frozen=True, slots=True)
class LiveTensor:
    """A buffer that lives from the first to the last of the ops that touch it.

    Args:
        size_bytes: rounded up as the runtime's planner rounds.
        ops: the ops that touch it, ascending.
        from_start, to_end: alive before the first op, or after the last.
        tensor: its index in the main subgraph; -1 where there is no graph.
    """

    size_bytes: int
    ops: tuple[int, ...]
    from_start: bool = False
    to_end: bool = False
    tensor: int = -1


@dataclass(frozen=True, slots=True)
class OrderProblem:
    """Ops to be put in order so that the largest live sum is smallest.

    While op v runs, alive are: the tensors it touches, those touched before it and again after it, and its
    own bytes (scratch, the inside of the subgraphs it runs).

    Args:
        before: per op, the ops that must run before it.
        own_bytes: per op.
        floor_bytes: alive at once at some instant before the first op; no order changes it.
        shares: per op, (its output, an input of the same bytes) as positions in `tensors`: the output may
            take the input's place if no other op still needs the input. () where nothing is shared.
        is_exact: whether the live sums of plans are reproduced in every order: not where ops share a
            subgraph that they call.
    """

    before: tuple[tuple[int, ...], ...]
    tensors: tuple[LiveTensor, ...]
    own_bytes: tuple[int, ...]
    floor_bytes: int = 0
    shares: tuple[tuple[tuple[int, int], ...], ...] = ()
    is_exact: bool = True


def order_problem(graph: ModelGraph, plan: MemoryPlan) -> OrderProblem:
    """The problem of the main subgraph, with the buffers that the runtime's planner places."""
    writers: dict[int, list[int]] = {}
    for op in graph.ops:
        for t in op.outputs:
            writers.setdefault(t, []).append(op.index)
    tensors = tuple(
        live for b in plan.buffers if b.kind == "tensor" and b.subgraph == 0
        for live in [_live_tensor(graph, b, writers.get(b.tensor, []))] if live.ops or live.to_end
    )  # fmt: skip
    made = OrderProblem(must_precede(graph), tensors, _own_bytes(graph, plan), _floor_bytes(plan))
    given = peak_bytes(made, range(len(graph.ops)))
    is_exact = given == plan.lower_bound_bytes and not _outlives_its_op(plan)
    return made if is_exact else replace(made, is_exact=False)


def _outlives_its_op(plan: MemoryPlan) -> bool:
    """Whether something inside a called subgraph is alive across ops, because several of them call it."""
    starts = plan.clock_of_op
    return any(
        bisect_right(starts, b.first) != bisect_right(starts, b.last) for b in plan.buffers if b.subgraph != 0
    )


def _live_tensor(graph: ModelGraph, buffer: PlannedBuffer, writers: Sequence[int]) -> LiveTensor:
    main, tensor = graph.main, buffer.tensor
    readers = main.consumers_of.get(tensor, ())
    is_variable = main.tensors[tensor].is_variable
    from_start = not writers or tensor in main.inputs or is_variable
    first = 0 if from_start else writers[0]
    ops = tuple(sorted({op for op in (*writers, *readers) if op >= first}))
    to_end = tensor in main.outputs or is_variable
    return LiveTensor(buffer.size_bytes, ops, from_start, to_end, tensor)


def _own_bytes(graph: ModelGraph, plan: MemoryPlan) -> tuple[int, ...]:
    """Per op: the most that is alive of its scratch and of the subgraphs it runs, at one of its instants."""
    inner = [b for b in plan.buffers if b.kind == "scratch" or b.subgraph != 0]
    starts = plan.clock_of_op
    own: list[int] = []
    inner.sort(key=lambda b: b.first)
    alive = [b for b in inner if b.first < (starts[0] if starts else 0)]
    at = len(alive)
    for n in range(len(graph.ops)):
        end = starts[n + 1] if n + 1 < len(starts) else None
        alive = [b for b in alive if b.last >= starts[n]]
        while at < len(inner) and (end is None or inner[at].first < end):
            alive.append(inner[at])
            at += 1
        instants = {max(b.first, starts[n]) for b in alive}
        sums = (sum(b.size_bytes for b in alive if b.first <= i <= b.last) for i in instants)
        own.append(max(sums, default=0))
    return tuple(own)


def _floor_bytes(plan: MemoryPlan) -> int:
    """Alive at instant -1 (what nothing touches) or at instant 0 (the graph's inputs)."""
    return max(sum(b.size_bytes for b in plan.buffers if b.first <= i <= b.last) for i in (-1, 0))


def peak_bytes(problem: OrderProblem, order: Sequence[int]) -> int:
    """max(floor, over ops: alive + own bytes) when the ops run in this order: slow and obvious on purpose.

    >>> x, y = LiveTensor(16, (0,), from_start=True), LiveTensor(32, (0,), to_end=True)
    >>> peak_bytes(OrderProblem(((),), (x, y), (64,)), (0,))
    112
    """
    return max(live_sums(problem, order), default=0) if order else problem.floor_bytes


def live_sums(problem: OrderProblem, order: Sequence[int]) -> list[int]:
    """Bytes alive while each op runs, in order; the floor comes first."""
    place = {op: n for n, op in enumerate(order)}
    steps = [0] * (len(order) + 1)
    lasts = []
    for tensor in problem.tensors:
        places = [place[op] for op in tensor.ops]
        first = 0 if tensor.from_start else min(places)
        last = len(order) - 1 if tensor.to_end else max(places)
        lasts.append(last)
        steps[first] += tensor.size_bytes
        steps[last + 1] -= tensor.size_bytes
    alive, now = [problem.floor_bytes], 0
    for n, op in enumerate(order):
        now += steps[n]
        shared = 0
        for output, source in problem.shares[op] if problem.shares else ():
            if lasts[source] == n:
                shared = max(shared, problem.tensors[output].size_bytes)
        alive.append(now + problem.own_bytes[op] - shared)
    return alive


def own_need_bytes(problem: OrderProblem) -> int:
    """A bound for every order: max over ops of all it touches, its own bytes and what never dies."""
    through = sum(t.size_bytes for t in problem.tensors if t.from_start and t.to_end)
    needs = [own + through for own in problem.own_bytes]
    for tensor in problem.tensors:
        if not (tensor.from_start and tensor.to_end):
            for op in tensor.ops:
                needs[op] += tensor.size_bytes
    for op, pairs in enumerate(problem.shares):
        needs[op] -= max((problem.tensors[output].size_bytes for output, _ in pairs), default=0)
    return max([problem.floor_bytes, *needs])
