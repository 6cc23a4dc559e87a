"""Is this graph sound: the judge of whatever reads, builds or rewrites one; it shares no code with passes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..errors import GraphInvalid, ShapeInvalid
from .ir import OPTIONAL, DType, ModelGraph, Op, Subgraph, Tensor
from .shapes import infer_shapes

_CALLS = (
    "then_subgraph_index", "else_subgraph_index", "cond_subgraph_index", "body_subgraph_index",
    "init_subgraph_index",
)  # fmt: skip


def check(graph: ModelGraph) -> None:
    """Raises GraphInvalid with all faults; returns where there are none."""
    faults = list(faults_of(graph))
    if faults:
        raise GraphInvalid(
            f"the graph has {len(faults)} fault{'s' * (len(faults) > 1)}",
            faults=faults, where=graph.name or "model",
            fix="export the model again, or report the pass that made it",
        )  # fmt: skip


def faults_of(graph: ModelGraph) -> Iterator[str]:
    """Every fault as one sentence."""
    if not graph.subgraphs:
        yield "there is no subgraph"
    for number, subgraph in enumerate(graph.subgraphs):
        place = f"subgraph {number}: " if len(graph.subgraphs) > 1 else ""
        yield from (place + fault for fault in _subgraph_faults(graph, subgraph))


def _subgraph_faults(graph: ModelGraph, subgraph: Subgraph) -> Iterator[str]:
    broken = list(_index_faults(graph, subgraph))
    yield from broken
    for tensor in subgraph.tensors:
        yield from _tensor_faults(tensor)
    if broken:
        return  # the rest follows indices
    yield from _order_faults(subgraph)
    yield from _wiring_faults(subgraph)
    for op in subgraph.ops:
        yield from _shape_faults(subgraph, op)
        yield from _fused_faults(subgraph, op)


def _index_faults(graph: ModelGraph, subgraph: Subgraph) -> Iterator[str]:
    """Every tensor, op and subgraph index lies in its list; only inputs may be omitted."""
    count = len(subgraph.tensors)
    for place, tensor in enumerate(subgraph.tensors):
        if tensor.index != place:
            yield f"tensor {place} says it is tensor {tensor.index}"
    for what, indices in (("graph input", subgraph.inputs), ("graph output", subgraph.outputs)):
        yield from (f"{what} {t} of {count} tensors" for t in indices if not 0 <= t < count)
    if len(set(subgraph.inputs)) != len(subgraph.inputs):
        yield "a tensor is a graph input twice"
    for place, op in enumerate(subgraph.ops):
        if op.index != place:
            yield f"op {place} says it is op {op.index}"
        for part in (op, *op.fused):
            name = f"op {place} {part.label}"
            yield from (
                f"{name} reads tensor {t} of {count}" for t in part.inputs if not OPTIONAL <= t < count
            )
            yield from (f"{name} makes tensor {t} of {count}" for t in part.outputs if not 0 <= t < count)
            yield from (
                f"{name} calls subgraph {called} of {len(graph.subgraphs)}"
                for called in _called(part)
                if not 0 <= called < len(graph.subgraphs)
            )


def _called(op: Op) -> Iterator[int]:
    return (getattr(op.attributes, name) for name in _CALLS if hasattr(op.attributes, name))


def _tensor_faults(t: Tensor) -> Iterator[str]:
    name = f"tensor {t.index} {t.name!r}"
    if min(t.shape, default=0) < -1:
        yield f"{name} has the shape {t.shape}"
    elif (
        t.data is not None
        and t.sparsity is None
        and t.dtype.bits is not None
        and len(t.data) != t.dense_bytes
    ):
        yield f"{name} stores {len(t.data)} bytes for {t.dense_bytes}"
    q = t.quantization
    if q is None or not len(q.scales):
        return
    if len(q.zero_points) not in (1, len(q.scales)) and len(q.zero_points):
        yield f"{name} has {len(q.scales)} scales and {len(q.zero_points)} zero points"
    axis = 0 if len(t.shape) == 1 else q.axis  # biases often record their filter's axis
    if len(q.scales) > 1 and not (0 <= axis < len(t.shape) and t.shape[axis] == len(q.scales)):
        yield f"{name} has {len(q.scales)} scales along axis {q.axis} of {t.shape}"
    if not all(0 <= float(s) < float("inf") for s in q.scales):
        yield f"{name} has a scale that is negative or no number"


def _order_faults(subgraph: Subgraph) -> Iterator[str]:
    """Each activation is made once, by one op, before it is read."""
    made = set(subgraph.inputs)
    makers: dict[int, int] = {}
    for op in subgraph.ops:
        for t in op.outputs:
            makers.setdefault(t, op.index)
    for op in subgraph.ops:
        for t in op.inputs:
            if t == OPTIONAL or t in made or _always_there(subgraph.tensors[t]):
                continue
            if op.kind == "CUSTOM" and t not in makers:
                continue  # a custom op's workspace, as Ethos-U's scratch
            late = f"made later by op {makers[t]}" if t in makers else "made by no op"
            yield f"op {op.index} {op.label} reads tensor {t}, {late}"
        for t in op.outputs:
            if subgraph.tensors[t].is_constant:
                yield f"op {op.index} {op.label} makes tensor {t}, a constant"
            if t in made:
                yield f"op {op.index} {op.label} makes tensor {t}, which exists already"
            made.add(t)
    for t in subgraph.outputs:
        if t not in made and not _always_there(subgraph.tensors[t]):
            yield f"graph output {t} is made by no op"


def _always_there(tensor: Tensor) -> bool:
    """Constants and variables; TFLite marks an empty placeholder by a dimension of 0."""
    return tensor.is_constant or tensor.is_variable or 0 in tensor.shape


def _wiring_faults(subgraph: Subgraph) -> Iterator[str]:
    """The producers and consumers that ops carry are those of the tensors they name."""
    makers = {t: op.index for op in reversed(subgraph.ops) for t in op.outputs}
    readers: dict[int, set[int]] = {}
    for op in subgraph.ops:
        for t in op.inputs:
            readers.setdefault(t, set()).add(op.index)
    for op in subgraph.ops:
        producers = tuple(-1 if t == OPTIONAL else makers.get(t, -1) for t in op.inputs)
        consumers = tuple(sorted(set().union(*(readers.get(t, set()) for t in op.outputs))))
        if op.producers != producers:
            yield f"op {op.index} {op.label} names producers {op.producers}, they are {producers}"
        if op.consumers != consumers:
            yield f"op {op.index} {op.label} names consumers {op.consumers}, they are {consumers}"


def _shape_faults(subgraph: Subgraph, op: Op) -> Iterator[str]:
    for part in op.fused or (op,):
        tensors = [subgraph.tensors[t] for t in part.outputs]
        if _is_dynamic(subgraph.tensors[t] for t in (*part.inputs, *part.outputs) if t != OPTIONAL):
            continue
        try:
            ruled = infer_shapes(subgraph, part)
        except ShapeInvalid as error:
            yield str(error.what) + f" (op {op.index})"
            continue
        recorded = tuple(t.shape for t in tensors)
        if ruled is not None and not _agree(recorded, ruled):
            yield f"op {op.index} {part.label} records the shape {recorded}, its inputs give {ruled}"


def _agree(recorded: tuple[tuple[int, ...], ...], ruled: tuple[tuple[int, ...], ...]) -> bool:
    """Whether they are equal, a recorded scalar standing for any single element (converters write both)."""
    return len(recorded) == len(ruled) and all(
        a == b or {a, b} == {(), (1,)} for a, b in zip(recorded, ruled, strict=True)
    )


def _is_dynamic(tensors: Iterable[Tensor]) -> bool:
    """Whether a shape is known only when running."""
    return any(
        not t.has_rank or -1 in t.shape or -1 in t.shape_signature or t.dtype is DType.RESOURCE
        for t in tensors
    )


def _fused_faults(subgraph: Subgraph, op: Op) -> Iterator[str]:
    """What passes between a kernel's parts is read only there; its own wiring covers the rest."""
    if not op.fused:
        return
    name, inside = f"op {op.index} {op.label}", set[int]()
    for part in op.fused:
        yield from (
            f"{name} runs {part.label}, which reads tensor {t} that the kernel neither makes nor reads"
            for t in part.inputs
            if t != OPTIONAL
            and t not in inside
            and t not in op.inputs
            and not subgraph.tensors[t].is_constant
        )
        inside.update(part.outputs)
    yield from (f"{name} does not make its output {t}" for t in op.outputs if t not in inside)
    for t in inside - set(op.outputs):
        if t in subgraph.outputs or any(t in other.inputs for other in subgraph.ops):
            yield f"{name} keeps tensor {t} inside, but it is read elsewhere"
