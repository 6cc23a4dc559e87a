"""Which 1x1 convolutions does XNNPACK run as sparse products, and why not the others?

A sparse path is a part of the network whose activations lie channel by channel (CHW): from a 3x3 convolution
of stride 2 on 3 channels to a mean over the picture, or to a DEPTH_TO_SPACE. On it every activation is
float32, and nobody outside reads one. The runtime takes it only if more than 2/3 of the weights of its 1x1
convolutions are zero (google/XNNPACK src/subgraph.c, xnn_subgraph_rewrite_for_nchw;
tensorflow/lite/delegates/xnnpack/README.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from ..graphs.geometry import Padding
from ..graphs.ir import OPTIONAL, DType, Op, Subgraph
from ..graphs.ops import ReducerAttributes
from ..graphs.reading import Reading
from .filters import densified, filter_facts
from .operands import dims_of, operand

_LEAST_ZEROS = 2 / 3
_UNARY = frozenset({
    "ABS", "CEIL", "ELU", "FLOOR", "HARD_SWISH", "LEAKY_RELU", "LOGISTIC", "NEG", "RELU", "RELU6",
    "RELU_N1_TO_1", "ROUND", "SQUARE",
})  # fmt: skip
_IMAGE_CHANNELS = 3
_SPATIAL = (1, 2)  # of NHWC


class SparsePath(NamedTuple):
    """op index -> "" for a 1x1 convolution that runs sparse, else why it runs dense."""

    why_dense: dict[int, str]

    @property
    def sparse(self) -> frozenset[int]:
        return frozenset(op for op, why in self.why_dense.items() if not why)


class _Place(NamedTuple):
    """Where an op may stand on a path, and why it may stand nowhere."""

    starts: bool = False
    inside: bool = False
    ends: bool = False
    why: str = ""


def sparse_path(subgraph: Subgraph) -> SparsePath:
    """Every 1x1 convolution of the subgraph; worked out once and kept with it."""
    held: SparsePath | None = subgraph.__dict__.get("_sparse_path")
    if held is None:
        # a frozen Subgraph keeps derived data in its __dict__, as its cached properties do
        held = subgraph.__dict__["_sparse_path"] = _worked_out(subgraph)
    return held


def _worked_out(subgraph: Subgraph) -> SparsePath:
    places = [_place(subgraph, op) for op in subgraph.ops]
    leaders = _leaders(subgraph, places)
    faults: dict[int, str] = {}
    for op in subgraph.ops:
        why = next(_breaks(subgraph, op, places, leaders), "")
        if why:
            faults.setdefault(leaders[op.index], why)
    why_dense: dict[int, str] = {}
    products = [op for op in subgraph.ops if _is_pointwise(subgraph, op)]
    counts: dict[int, tuple[int, int]] = {}
    for op in products:
        zeros, values = counts.get(leaders[op.index], (0, 0))
        own, nonzero = _counted(subgraph, op)
        counts[leaders[op.index]] = zeros + own - nonzero, values + own
    for op in products:
        leader = leaders[op.index]
        why_dense[op.index] = places[op.index].why or faults.get(leader, "") or _unprofitable(*counts[leader])
    return SparsePath(why_dense)


def _leaders(subgraph: Subgraph, places: list[_Place]) -> list[int]:
    """Per op the first op of its path: ops that hand channel-by-channel activations on to each other."""
    leaders = list(range(len(places)))

    def root(op: int) -> int:
        while leaders[op] != op:
            op = leaders[op]
        return op

    for op in subgraph.ops:
        if not (places[op.index].inside or places[op.index].ends):
            continue
        for maker in _makers(subgraph, op):
            if maker >= 0 and _hands_on(places[maker]):
                first, last = sorted((root(maker), root(op.index)))
                leaders[last] = first
    return [root(op) for op in leaders]


def _breaks(subgraph: Subgraph, op: Op, places: list[_Place], leaders: list[int]) -> Iterator[str]:
    """What about this op keeps its path from being one."""
    place = places[op.index]
    if place.inside or place.ends:
        for maker in _makers(subgraph, op):
            if maker < 0:
                yield f"the input of op {op.index} {op.label} is the network's"
            elif not _hands_on(places[maker]):
                why = places[maker].why or "it is the end of a path"
                yield f"op {maker} {subgraph.ops[maker].label} before it: {why}"
    if not _hands_on(place):
        return
    if set(op.outputs) & set(subgraph.outputs):
        yield f"the result of op {op.index} {op.label} is the network's"
    for reader in op.consumers:
        if leaders[reader] != leaders[op.index] and not place.ends:
            why = places[reader].why or "it starts a path of its own"
            yield f"op {reader} {subgraph.ops[reader].label} reads from it: {why}"


def _hands_on(place: _Place) -> bool:
    return place.starts or place.inside


def _makers(subgraph: Subgraph, op: Op) -> Iterator[int]:
    """Per activation that the op reads, the op that makes it; -1 for a graph input."""
    for t in op.inputs:
        if t != OPTIONAL and not subgraph.tensors[t].is_constant:
            maker = subgraph.producer_of.get(t, -1)
            if maker < 0 or subgraph.ops[maker].kind != "DENSIFY":
                yield maker


def _counted(subgraph: Subgraph, op: Op) -> tuple[int, int]:
    """Weights of a 1x1 convolution, and those that are not zero."""
    weight = operand(subgraph, op, 1)
    assert weight is not None
    stored = [weight] if weight.is_constant else densified(subgraph, op)
    return weight.element_count, filter_facts(stored).nonzero_elements


def _unprofitable(zeros: int, values: int) -> str:
    if zeros > _LEAST_ZEROS * values:
        return ""
    share = zeros / values if values else 0.0
    return (
        f"{share:.0%} of the weights of its 1x1 convolutions are zero: up to 2/3 the runtime runs them dense"
    )


def _is_pointwise(subgraph: Subgraph, op: Op) -> bool:
    dims = dims_of(subgraph, op) if op.kind == "CONV_2D" else None
    return dims is not None and dims.k_h == dims.k_w == 1


def _place(subgraph: Subgraph, op: Op) -> _Place:
    rule = _RULES.get(op.kind)
    if rule is None:
        return _Place(why="no kernel works channel by channel")
    activations = (t for t in (*op.inputs[:1], *op.outputs) if t != OPTIONAL)
    strange = next((subgraph.tensors[t].dtype for t in activations
                    if subgraph.tensors[t].dtype is not DType.FLOAT32), None)  # fmt: skip
    if strange is not None:
        return _Place(why=f"sparse kernels are for float32, not {strange}")
    return rule(subgraph, op)


def _conv(subgraph: Subgraph, op: Op) -> _Place:
    dims = dims_of(subgraph, op)
    if dims is None:
        return _Place(why="its extents are not static")
    weight = operand(subgraph, op, 1)
    if weight is not None and not weight.is_constant and not densified(subgraph, op):
        return _Place(why="its weights are no constants")
    if weight is not None and weight.dtype is not DType.FLOAT32:
        return _Place(why=f"sparse kernels are for float32 weights, not {weight.dtype}")
    if dims.has_dilation or dims.filter_c != dims.in_c:
        return _Place(why="dilation and groups have no sparse kernel")
    pads, strides = _pads(subgraph, op), (dims.rows.stride, dims.cols.stride)
    if dims.k_h == dims.k_w == 1:
        inside = pads == (0, 0, 0, 0) and strides == (1, 1)
        return _Place(
            inside=inside, why="" if inside else "a 1x1 convolution must have stride 1 and no padding"
        )
    starts = (
        dims.k_h == dims.k_w == 3 and strides == (2, 2) and pads == (1, 1, 1, 1)
        and dims.in_c == _IMAGE_CHANNELS
    )  # fmt: skip
    why = "a larger convolution only starts a path: 3x3, stride 2, padding 1 on each side, 3 channels"
    return _Place(starts=starts, why="" if starts else why)


def _depthwise(subgraph: Subgraph, op: Op) -> _Place:
    dims = dims_of(subgraph, op)
    if dims is None:
        return _Place(why="its extents are not static")
    half, strides = dims.k_h // 2, {dims.rows.stride, dims.cols.stride}
    fits = (
        dims.k_h == dims.k_w and dims.k_h in (3, 5) and strides in ({1}, {2}) and not dims.has_dilation
        and dims.depth_multiplier == 1 and _pads(subgraph, op) == (half, half, half, half)
    )  # fmt: skip
    why = "a depthwise convolution must be 3x3 or 5x5 of stride 1 or 2 and pad 1 or 2 on each side"
    return _Place(inside=fits, why="" if fits else why)


def _pads(subgraph: Subgraph, op: Op) -> tuple[int, int, int, int]:
    """(top, bottom, left, right); the runtime does not resolve SAME where a window moves by more than one."""
    dims = dims_of(subgraph, op)
    assert dims is not None
    stated = op.fused[:1] and op.fused[0].kind == "PAD"
    is_same = getattr(op.attributes, "padding", Padding.VALID) is Padding.SAME
    if is_same and not stated and max(dims.rows.stride, dims.cols.stride) > 1 and dims.k_h > 1:
        return -1, -1, -1, -1
    before, behind = dims.rows.pad_before, dims.rows.pad_total - dims.rows.pad_before
    return before, behind, dims.cols.pad_before, dims.cols.pad_total - dims.cols.pad_before


def _mean(subgraph: Subgraph, op: Op) -> _Place:
    axes = Reading(subgraph, op).integers(1) if len(op.inputs) > 1 else None
    data = operand(subgraph, op, 0)
    rank = 0 if data is None else len(data.shape)
    spatial = axes is not None and rank == 4 and tuple(sorted(a % rank for a in axes)) == _SPATIAL
    if not spatial:
        return _Place(why="a mean must be over height and width")
    keeps = isinstance(op.attributes, ReducerAttributes) and op.attributes.keep_dims
    return _Place(inside=keeps, ends=True)


def _of_two(subgraph: Subgraph, op: Op) -> _Place:
    """ADD and MUL of two tensors of rank 4, or with a constant vector."""
    operands = [subgraph.tensors[t] for t in op.inputs if t != OPTIONAL]
    fits = len(operands) == 2 and all(len(tensor.shape) == 4 for tensor in operands)
    plain = all(sum(e != 1 for e in t.shape) <= 1 for t in operands if t.is_constant)
    why = "both operands must have rank 4, a constant one be a vector"
    return _Place(inside=fits and plain, why="" if fits and plain else why)


def _of_rank_4(subgraph: Subgraph, op: Op) -> _Place:
    data = operand(subgraph, op, 0)
    fits = data is not None and len(data.shape) == 4
    return _Place(inside=fits, why="" if fits else "its input must have rank 4")


_RULES: dict[str, Callable[[Subgraph, Op], _Place]] = {
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _depthwise,
    "MEAN": _mean,
    "ADD": _of_two,
    "MUL": _of_two,
    "RESIZE_BILINEAR": _of_rank_4,
    "DEPTH_TO_SPACE": lambda subgraph, op: _of_rank_4(subgraph, op)._replace(inside=False, ends=True),
    **dict.fromkeys(_UNARY, _of_rank_4),
}
