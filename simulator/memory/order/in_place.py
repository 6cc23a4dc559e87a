"""What would the peak be if elementwise ops wrote over an input that nobody needs any more?

peak_in_place = max over ops of live + own - bytes of the output, wherever an input of the same number of
bytes ends at the op. No runtime is asked: the figure is kept apart from what its planner does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ....graphs.ir import OPTIONAL, ModelGraph, Op
from .best import Order, OrderLimits, best_order
from .problem import OrderProblem

# element i of the output is made of element i of the input alone, or the bytes only get another shape
_ELEMENTWISE = frozenset({
    "ADD", "SUB", "MUL", "DIV", "MAXIMUM", "MINIMUM", "SQUARED_DIFFERENCE", "POW", "FLOOR_DIV", "FLOOR_MOD",
    "RELU", "RELU6", "RELU_N1_TO_1", "RELU_0_TO_1", "LEAKY_RELU", "PRELU", "ELU", "GELU", "HARD_SWISH",
    "LOGISTIC", "TANH", "ABS", "NEG", "SQRT", "RSQRT", "SQUARE", "EXP", "LOG", "SIN", "COS", "FLOOR", "CEIL",
    "ROUND", "SIGN", "LOGICAL_AND", "LOGICAL_OR", "LOGICAL_NOT", "QUANTIZE", "DEQUANTIZE", "CAST",
    "RESHAPE", "SQUEEZE", "EXPAND_DIMS", "ZEROS_LIKE",
})  # fmt: skip
TFLM_SHARES_NOTHING = (
    "TFLM cannot execute this: its planner gives inputs and outputs of an op bytes of their "
    "own; a runtime or generated code that shares them can"
)


@dataclass(frozen=True, slots=True)
class InPlace:
    """The figures with sharing.

    Args:
        given_peak_bytes: in the given order.
        best: the order with the smallest peak under sharing.
        ops: the ops that write over an input in that order, ascending.
        runtimes: who can execute it.
    """

    given_peak_bytes: int
    best: Order
    ops: tuple[int, ...]
    runtimes: str = TFLM_SHARES_NOTHING


def in_place_study(
    graph: ModelGraph, problem: OrderProblem, limits: OrderLimits | None = None, *, hint: Sequence[int] = ()
) -> InPlace:
    """The best order when elementwise ops may share (searched from the start only, without CP-SAT)."""
    sharing = with_sharing(graph, problem)
    best = best_order(sharing, limits, hints=[hint] if hint else [])
    return InPlace(best.peak_before_bytes, best, _sharing_ops(sharing, best.order))


def with_sharing(graph: ModelGraph, problem: OrderProblem) -> OrderProblem:
    """The problem with every pair (output, input) whose bytes may be the same."""
    position = {t.tensor: n for n, t in enumerate(problem.tensors)}
    shares = tuple(
        tuple(
            (position[op.outputs[0]], position[t])
            for t in _sources(graph, op) if t in position and not problem.tensors[position[t]].to_end
        ) if len(op.outputs) == 1 and op.outputs[0] in position else ()
        for op in graph.ops
    )  # fmt: skip
    return replace(problem, shares=shares)


def _sources(graph: ModelGraph, op: Op) -> list[int]:
    """Inputs that the output may overwrite: the same number of elements of the same width, not a state."""
    if op.kind not in _ELEMENTWISE:
        return []
    output = graph.tensors[op.outputs[0]]
    inputs = [graph.tensors[t] for t in dict.fromkeys(op.inputs) if t not in (OPTIONAL, op.outputs[0])]
    return [
        t.index for t in inputs
        if not t.is_constant and not t.is_variable and t.dtype.bits == output.dtype.bits
        and t.element_count == output.element_count > 0
    ]  # fmt: skip


def _sharing_ops(problem: OrderProblem, order: Sequence[int]) -> tuple[int, ...]:
    place = {op: n for n, op in enumerate(order)}
    last = {n: max((place[op] for op in t.ops), default=-1) for n, t in enumerate(problem.tensors)}
    return tuple(
        op for op, pairs in enumerate(problem.shares) if any(last[source] == place[op] for _, source in pairs)
    )
