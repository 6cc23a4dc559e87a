"""From when to when must each tensor and each op's scratch live? TFLM's clock, control flow included.

Rules: specs/tflm_memory.md section 3. Lifetimes are inclusive; a tensor nobody touches keeps (-1, -1).
"""

from __future__ import annotations

from dataclasses import dataclass

from ...graphs.ir import ModelGraph, Op
from ...graphs.kept import kept
from ...graphs.ops import CallOnceAttributes, IfAttributes, WhileAttributes

UNSET = -1
MAX_NESTING = 200
MAX_WALKED_OPS = 1_000_000


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """Per subgraph, by tensor index and by op index: first and last instant."""

    tensor_first: tuple[list[int], ...]
    tensor_last: tuple[list[int], ...]
    op_first: tuple[list[int], ...]
    op_last: tuple[list[int], ...]
    end: int  # the last instant


def called_subgraphs(op: Op) -> tuple[int, ...]:
    """The subgraphs that the op runs, in order; () for an op without control flow.

    TFLM overlooks control flow in files that name the op by the deprecated byte alone.
    """
    if op.only_legacy_code:
        return ()
    match op.attributes:
        case IfAttributes() as a:
            return a.then_subgraph_index, a.else_subgraph_index
        case WhileAttributes() as a:
            return a.cond_subgraph_index, a.body_subgraph_index
        case CallOnceAttributes() as a:
            return (a.init_subgraph_index,)
        case _:
            return ()


def nesting_faults(graph: ModelGraph) -> tuple[str, ...]:
    """Why control flow cannot be walked: a subgraph that is missing or calls itself, or too much of it."""
    calls = [[(op, c) for op in s.ops for c in called_subgraphs(op)] for s in graph.subgraphs]
    missing = [
        f"{op.label} {op.index} calls subgraph {c}, which does not exist"
        for called in calls for op, c in called if not 0 <= c < len(calls)
    ]  # fmt: skip
    if missing:
        return tuple(missing)
    order = _callees_first(calls)
    if order is None:
        return ("a subgraph calls itself through IF, WHILE or CALL_ONCE",)
    depth, walked = [0] * len(calls), [0] * len(calls)
    for s in order:
        depth[s] = 1 + max((depth[c] for _, c in calls[s]), default=0)
        walked[s] = len(graph.subgraphs[s].ops) + sum(1 + walked[c] for _, c in calls[s])
    if depth[0] > MAX_NESTING or walked[0] > MAX_WALKED_OPS:
        return (f"control flow is nested {depth[0]} deep and runs {walked[0]} ops, too much to plan",)
    return ()


def _callees_first(calls: list[list[tuple[Op, int]]]) -> list[int] | None:
    """Subgraphs reachable from the main one, each after those it calls; None if they form a cycle."""
    order: list[int] = []
    state = {0: "open"}
    stack = [(0, iter(calls[0]))]
    while stack:
        subgraph, pending = stack[-1]
        for _, callee in pending:
            if state.get(callee) == "open":
                return None
            if callee not in state:
                state[callee] = "open"
                stack.append((callee, iter(calls[callee])))
                break
        else:
            state[subgraph] = "done"
            order.append(subgraph)
            stack.pop()
    return order


def lifetimes(graph: ModelGraph) -> Lifetimes:
    """The main subgraph walked on one clock, entering what IF, WHILE and CALL_ONCE call; kept."""
    return kept(graph, "lifetimes", _walk_all)


def _walk_all(graph: ModelGraph) -> Lifetimes:
    def unset(counts: list[int]) -> tuple[list[int], ...]:
        return tuple([UNSET] * count for count in counts)

    tensors, ops = [len(s.tensors) for s in graph.subgraphs], [len(s.ops) for s in graph.subgraphs]
    result = Lifetimes(unset(tensors), unset(tensors), unset(ops), unset(ops), 0)
    end = _walk(graph, 0, 0, result)
    return Lifetimes(result.tensor_first, result.tensor_last, result.op_first, result.op_last, end)


def _walk(graph: ModelGraph, number: int, now: int, into: Lifetimes) -> int:
    """Run one subgraph from instant `now`; gives the instant after it."""
    subgraph = graph.subgraphs[number]
    first, last = into.tensor_first[number], into.tensor_last[number]
    op_first, op_last = into.op_first[number], into.op_last[number]
    for t in subgraph.inputs:
        if first[t] == UNSET:
            first[t] = now
        last[t] = now
    for op in subgraph.ops:
        now += 1
        for t in op.outputs:
            if first[t] == UNSET:
                first[t] = now
        if op_first[op.index] == UNSET:
            op_first[op.index] = now
        for called in called_subgraphs(op):
            now = _walk(graph, called, now + 1, into)
        for t in op.inputs:
            if t >= 0:
                last[t] = now
        for t in op.outputs:
            last[t] = now
        op_last[op.index] = now
    for t in subgraph.outputs:
        if first[t] == UNSET:
            first[t] = now
        last[t] = now
    return now
