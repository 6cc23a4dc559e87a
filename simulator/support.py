"""What does the runtime refuse: ops, versions and types outside its table, with the reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..devices.runtime import OpSupport, RuntimeSpec
from ..graphs.ir import OPTIONAL, ModelGraph, Op, Subgraph, Tensor
from .estimate import Finding, Severity

_HYBRID_KINDS = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"})


def refusals(graph: ModelGraph, runtime: RuntimeSpec) -> tuple[Finding, ...]:
    """One error per distinct reason, naming every op it holds for; () if the runtime runs all ops."""
    table = runtime.op_table
    reasons: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for number, subgraph in enumerate(graph.subgraphs):
        for op in subgraph.ops:
            for step in op.fused or (op,):
                for rule, text in _op_refusals(subgraph, step, runtime, table):
                    reasons.setdefault((rule, text), []).append((number, op.index))
    return tuple(
        Finding(rule, Severity.ERROR, f"{text}: {_places(places)}", tuple(o for s, o in places if s == 0))
        for (rule, text), places in reasons.items()
    )


def support_key(op: Op) -> str:
    """The name under which a runtime lists this op."""
    return f"CUSTOM:{op.custom_code}" if op.kind == "CUSTOM" else op.kind


def allocator_findings(sentences: Sequence[str]) -> tuple[Finding, ...]:
    """What the runtime's allocator refuses, as errors."""
    return tuple(Finding("PF105", Severity.ERROR, sentence) for sentence in sentences)


def _op_refusals(
    subgraph: Subgraph, op: Op, runtime: RuntimeSpec, table: dict[str, OpSupport]
) -> Iterator[tuple[str, str]]:
    support = table.get(support_key(op))
    if support is None:
        name = f"custom op {op.custom_code!r}" if op.kind == "CUSTOM" else op.kind
        yield "PF101", f"{runtime.name} has no {name} (version {op.version})"
        return
    note = f"; {support.note}" if support.note else ""
    lowest, highest = support.versions
    if not lowest <= op.version <= highest:
        yield (
            "PF102",
            f"{runtime.name} runs {op.label} version {lowest} to {highest}, "
            f"the model has version {op.version}{note}",
        )
    data = _input(subgraph, op, support.data_input)
    weight = _input(subgraph, op, support.weight_input)
    if data is None:
        return
    if data.dtype.value not in support.types:
        allowed = ", ".join(support.types)
        yield "PF103", f"{runtime.name} runs {op.label} on {allowed}, not on {data.dtype}{note}"
    elif weight is not None and op.kind in _HYBRID_KINDS and data.dtype.is_float != weight.dtype.is_float:
        if not runtime.hybrid_ops:
            yield (
                "PF104",
                f"{runtime.name} runs no hybrid {op.label} "
                f"({data.dtype} activations with {weight.dtype} weights)",
            )
    elif weight is not None and support.weight_types and weight.dtype.value not in support.weight_types:
        allowed = ", ".join(support.weight_types)
        yield "PF103", f"{runtime.name} runs {op.label} with weights of {allowed}, not {weight.dtype}{note}"


def _input(subgraph: Subgraph, op: Op, position: int) -> Tensor | None:
    if position >= len(op.inputs) or op.inputs[position] == OPTIONAL:
        return None
    return subgraph.tensors[op.inputs[position]]


def _places(places: list[tuple[int, int]]) -> str:
    """ "op 3, 4, 5 and 7 more": where a reason holds, at most six by number."""
    shown = [str(op) if subgraph == 0 else f"{op} of subgraph {subgraph}" for subgraph, op in places]
    more = f" and {len(shown) - 6} more" if len(shown) > 6 else ""
    return f"op {', '.join(shown[:6])}{more}"
