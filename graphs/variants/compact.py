"""What of a model is used at all? Tensors that no op and no signature names are left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..ir import OPTIONAL, ModelGraph, Op, Signature, Subgraph, Tensor, wire

_BOUND_TO_SIZES = "OfflineMemoryAllocation"  # offsets of tensors of the old sizes, one per tensor


def without_offsets(graph: ModelGraph) -> ModelGraph:
    """The same model without a memory plan of its own, which no longer holds once tensors change."""
    metadata = tuple(entry for entry in graph.metadata if entry[0] != _BOUND_TO_SIZES)
    return replace(graph, metadata=metadata, _cache={})


def compacted(graph: ModelGraph) -> ModelGraph:
    """The same model whose main subgraph holds only tensors that are used, in their order."""
    main = graph.main
    used = {*main.inputs, *main.outputs}
    for op in main.ops:
        used.update((*op.inputs, *op.outputs, *op.intermediates))
    for signature in graph.signatures:
        if signature.subgraph == 0:
            used.update(t for _, t in (*signature.inputs, *signature.outputs))
    used.discard(OPTIONAL)
    if len(used) == len(main.tensors):
        return graph
    place = {old: new for new, old in enumerate(sorted(used))}
    place[OPTIONAL] = OPTIONAL
    changed = graph.with_main(_renumbered(main, place))
    return replace(changed, signatures=tuple(_signature(s, place) for s in graph.signatures))


def rewritten(
    graph: ModelGraph, tensors: Sequence[Tensor], ops: Sequence[Op], outputs: Sequence[int] | None = None
) -> ModelGraph:
    """The graph with these tensors and ops in its main subgraph, without what is not used any more."""
    main = graph.main
    ends = main.outputs if outputs is None else outputs
    moved = dict(zip(main.outputs, ends, strict=True))
    whole = graph.with_main(wire(tensors, ops, inputs=main.inputs, outputs=ends, name=main.name))
    signatures = tuple(
        replace(s, outputs=tuple((name, moved.get(t, t)) for name, t in s.outputs)) if s.subgraph == 0 else s
        for s in graph.signatures
    )
    return compacted(replace(whole, signatures=signatures))


def _renumbered(main: Subgraph, place: dict[int, int]) -> Subgraph:
    tensors = [replace(t, index=place[t.index]) for t in main.tensors if t.index in place]
    ops = [
        replace(
            op,
            inputs=tuple(place[t] for t in op.inputs),
            outputs=tuple(place[t] for t in op.outputs),
            intermediates=tuple(place[t] for t in op.intermediates),
        )
        for op in main.ops
    ]
    inputs, outputs = ([place[t] for t in ends] for ends in (main.inputs, main.outputs))
    return wire(tensors, ops, inputs=inputs, outputs=outputs, name=main.name)


def _signature(signature: Signature, place: dict[int, int]) -> Signature:
    if signature.subgraph:
        return signature
    return replace(
        signature,
        inputs=tuple((name, place[t]) for name, t in signature.inputs),
        outputs=tuple((name, place[t]) for name, t in signature.outputs),
    )
