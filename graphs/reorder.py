"""In which other orders may the ops run, and what is the model with its ops in one of them?

An op follows whatever makes its inputs. Beyond that, three things keep their order: ops with effects that
no tensor shows, all that touches a tensor which is written more than once (a state, an output that is also
an input), and the order of writes and reads of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ..errors import OrderInvalid
from .ir import OPTIONAL, ModelGraph, Op, Subgraph, wire

# What the op does is not all in its tensors: resources, control flow, random state, unknown code.
_EFFECTS = frozenset({
    "VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "CALL_ONCE", "CALL", "IF", "WHILE", "CUSTOM",
    "HASHTABLE", "HASHTABLE_FIND", "HASHTABLE_IMPORT", "HASHTABLE_SIZE", "HASHTABLE_LOOKUP",
    "RANDOM_UNIFORM", "RANDOM_STANDARD_NORMAL", "MULTINOMIAL", "DELEGATE", "PLACEHOLDER_FOR_GREATER_OP_CODES",
    "STABLEHLO_WHILE", "STABLEHLO_CASE", "STABLEHLO_CUSTOM_CALL", "STABLEHLO_RNG_BIT_GENERATOR",
})  # fmt: skip
# metadata that number the ops or assume their order, and what they say
_BOUND_TO_ORDER = {
    "OfflineMemoryAllocation": "places tensors for the lifetimes of the given order",
    "model_control_dependencies": "names ops by their place in the given order",
}


def must_precede(graph: ModelGraph) -> tuple[tuple[int, ...], ...]:
    """Per op of the main subgraph, the ops that must run before it, ascending; direct ones only.

    >>> from .build import GraphBuilder
    >>> b = GraphBuilder()
    >>> x = b.input((1, 4))
    >>> must_precede(b.finish([b.add(b.unary("RELU", x), b.unary("TANH", x))]))
    ((), (), (0, 1))
    """
    before: list[set[int]] = [set() for _ in graph.ops]
    for earlier, later in _edges(graph.main):
        if earlier != later:
            before[later].add(earlier)
    return tuple(tuple(sorted(ops)) for ops in before)


def _edges(subgraph: Subgraph) -> Iterator[tuple[int, int]]:
    """(earlier, later) pairs, each from the given order."""
    last_effect = -1
    last_write: dict[int, int] = {}
    reads_since: dict[int, list[int]] = {}
    for op in subgraph.ops:
        if has_effects(op):
            if last_effect >= 0:
                yield last_effect, op.index
            last_effect = op.index
        written = _written(subgraph, op)
        for t in op.inputs:
            if t == OPTIONAL or t in written:
                continue
            if t in last_write:
                yield last_write[t], op.index
            reads_since.setdefault(t, []).append(op.index)
        for t in written:
            if t in last_write:
                yield last_write[t], op.index
            yield from ((reader, op.index) for reader in reads_since.pop(t, ()))
            last_write[t] = op.index


def has_effects(op: Op) -> bool:
    """Whether the op does something that its tensors do not show; such ops keep their relative order."""
    return op.kind in _EFFECTS


def _written(subgraph: Subgraph, op: Op) -> set[int]:
    """Tensors that the op writes: its outputs, its states, and inputs that it declares to change."""
    states = {t for t in op.inputs if t != OPTIONAL and subgraph.tensors[t].is_variable}
    declared = {
        t for t, changes in zip(op.inputs, op.mutating_inputs, strict=False) if changes and t != OPTIONAL
    }
    return {t for t in op.outputs if t != OPTIONAL} | states | declared


def reordered(graph: ModelGraph, order: Sequence[int]) -> ModelGraph:
    """The same model with the ops of its main subgraph in this order; the same object for the given order.

    Tensors keep their indices, ops are renumbered. Metadata are kept; those that only hold for the given
    order make the model refused, because dropping an offline memory plan can cost more than an order gains.

    Args:
        order: indices of the ops as they are numbered now, in the order in which they shall run.

    Raises:
        OrderInvalid: with all faults: not every op once, an op before one it depends on, bound metadata.
    """
    if list(order) == list(range(len(graph.ops))):
        return graph
    faults = (*order_faults(graph, order), *bound_to_order(graph))
    if faults:
        fix = "keep the order, or remove the metadata with without_order_metadata first"
        raise OrderInvalid("the ops cannot run in this order", faults=faults, where=graph.name, fix=fix)
    main = graph.main
    ops = [main.ops[i] for i in order]
    return graph.with_main(wire(main.tensors, ops, inputs=main.inputs, outputs=main.outputs, name=main.name))


def order_faults(graph: ModelGraph, order: Sequence[int]) -> tuple[str, ...]:
    """Why the ops of the main subgraph cannot run in this order; () if they can."""
    if sorted(order) != list(range(len(graph.ops))):
        return (f"the order does not name each of the {len(graph.ops)} ops once",)
    place = {op: n for n, op in enumerate(order)}
    return tuple(
        f"{graph.ops[op].label} {op} cannot run before {graph.ops[earlier].label} {earlier}"
        for op, ops in enumerate(must_precede(graph)) for earlier in ops if place[earlier] > place[op]
    )  # fmt: skip


def bound_to_order(graph: ModelGraph) -> tuple[str, ...]:
    """Metadata of the model that only hold for the given order; () if it may be changed."""
    return tuple(
        f"the metadata {name} {_BOUND_TO_ORDER[name]}"
        for name, _ in graph.metadata if name in _BOUND_TO_ORDER
    )  # fmt: skip


def without_order_metadata(graph: ModelGraph) -> ModelGraph:
    """The model without the metadata that only hold for the given order; the runtime then plans anew."""
    kept = tuple((name, data) for name, data in graph.metadata if name not in _BOUND_TO_ORDER)
    if len(kept) == len(graph.metadata):
        return graph
    return replace(graph, metadata=kept, file_bytes=None, sha256="", _cache={})
