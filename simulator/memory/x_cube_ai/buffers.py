"""What lies in X-CUBE-AI's activations: tensors, padded copies and scratch, and which may lie over which."""

from __future__ import annotations

from dataclasses import dataclass, field

from ....devices.release import Release
from ....graphs.dims import OpDims
from ....graphs.ir import OPTIONAL, ModelGraph, Op, Subgraph
from ...operands import dims_of
from ..planners.problem import Request
from ..rounding import up
from ..touched import packed_bytes
from .padding import padded_bytes, padded_shape
from .scratch import scratch_bytes

_STREAMED = frozenset({"DEPTHWISE_CONV_2D", "CONV_2D", "AVERAGE_POOL_2D", "MAX_POOL_2D"})
ELEMENTWISE = frozenset({
    "ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM", "RELU", "RELU6", "LOGISTIC", "TANH", "HARD_SWISH",
    "LEAKY_RELU", "SOFTMAX", "RESHAPE", "SQUEEZE", "EXPAND_DIMS", "QUANTIZE", "ABS", "NEG", "SQUARE", "SQRT",
    "RSQRT",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose buffer it is: kind is tensor, padded or scratch; -1 where tensor or op does not apply."""

    kind: str
    tensor: int
    op: int


@dataclass(slots=True)
class Wanted:
    """Buffers, their owners, and (output, input) -> bytes by which the output must begin earlier."""

    spans: list[Request] = field(default_factory=list)
    owners: list[Owner] = field(default_factory=list)
    overlaps: dict[tuple[int, int], int] = field(default_factory=dict)

    def add(self, span: Request, owner: Owner) -> int:
        self.spans.append(span)
        self.owners.append(owner)
        return len(self.spans) - 1


def clock_of(op: Op) -> int:
    """The instant a kernel runs; the one before is that of its padded copy."""
    return 2 * op.index + 1


def wanted_buffers(graph: ModelGraph, release: Release, *, alignment_bytes: int, overlap: bool) -> Wanted:
    """All buffers of the main subgraph's kernels.

    Args:
        overlap: whether kernels may write over their inputs; padded copies and elementwise ops always may.

    Raises:
        PlanInvalid: a tensor has no fixed number of bytes.
    """
    main = graph.main
    copies = {op.index: copy for op in main.ops if (copy := padded_bytes(main, op))}
    first, last = _lifetimes(main, copies)
    wanted, of_tensor = Wanted(), dict[int, int]()
    for t, begin in first.items():
        tensor = main.tensors[t]
        size_bytes = up(packed_bytes(tensor, tensor.shape, model=graph.name), alignment_bytes)
        if size_bytes:
            of_tensor[t] = wanted.add(Request(size_bytes, begin, last[t]), Owner("tensor", t, -1))
    for op in main.ops:
        source = of_tensor.get(op.inputs[0]) if op.inputs else None
        if op.index in copies and source is not None:
            source = _add_copy(op, wanted, source=source, copy_bytes=up(copies[op.index], alignment_bytes))
        if scratch := scratch_bytes(main, op):
            now = clock_of(op)
            wanted.add(Request(up(scratch, alignment_bytes), now, now), Owner("scratch", -1, op.index))
        target = of_tensor.get(op.outputs[0]) if op.outputs else None
        if target is None or source is None:
            continue
        if op.kind in ELEMENTWISE:
            _overlap_elementwise(op, wanted, of_tensor=of_tensor, target=target)
        elif overlap and _streams(main, op, wanted, release=release, pair=(target, source)):
            _overlap_streamed(main, op, wanted, pair=(target, source), alignment_bytes=alignment_bytes)
    return wanted


def _lifetimes(main: Subgraph, copies: dict[int, int]) -> tuple[dict[int, int], dict[int, int]]:
    """First and last instant of each tensor without stored data that an op touches; variables always live."""
    first, last = dict[int, int](), dict[int, int]()
    end = 2 * len(main.ops)
    for op in main.ops:
        now = clock_of(op)
        for position, t in enumerate(op.inputs):
            if t != OPTIONAL and main.tensors[t].data is None:
                read = now - 1 if position == 0 and op.index in copies else now
                first.setdefault(t, 0)
                read = end if main.tensors[t].is_variable else read
                last[t] = max(last.get(t, 0), read)
        for t in op.outputs:
            first.setdefault(t, now)
            last[t] = max(last.get(t, 0), now)
    last.update((t, end) for t in main.outputs if t in first)
    return first, last


def _add_copy(op: Op, wanted: Wanted, *, source: int, copy_bytes: int) -> int:
    """The padded copy of the input; it may grow downwards over an input that nobody reads again."""
    now = clock_of(op)
    copy = wanted.add(Request(copy_bytes, now - 1, now), Owner("padded", -1, op.index))
    if wanted.spans[source].last == now - 1:
        wanted.overlaps[copy, source] = copy_bytes - wanted.spans[source].size_bytes
    return copy


def _overlap_elementwise(op: Op, wanted: Wanted, *, of_tensor: dict[int, int], target: int) -> None:
    """The result may take the place of an operand of the same number of bytes that nobody reads again."""
    for t in op.inputs:
        operand = of_tensor.get(t)
        if operand is None or wanted.spans[operand].last != clock_of(op):
            continue
        if wanted.spans[operand].size_bytes == wanted.spans[target].size_bytes:
            wanted.overlaps[target, operand] = 0


def _overlap_streamed(
    main: Subgraph, op: Op, wanted: Wanted, *, pair: tuple[int, int], alignment_bytes: int
) -> None:
    """begins earlier by: max(0, output - input bytes) + one row of the output (seen in network.c files).

    Never less than row by row requires: with row r it has written r + 1 rows, and reads from row r x stride.
    """
    dims = dims_of(main, op)
    assert dims is not None  # _streams looked
    grows = wanted.spans[pair[0]].size_bytes - wanted.spans[pair[1]].size_bytes
    out_row, in_row = _row_bytes(main, op, dims)
    in_step = out_row * dims.out_h - in_row * dims.rows.stride * (dims.out_h - 1)
    wanted.overlaps[pair] = up(max(max(0, grows) + out_row, in_step), alignment_bytes)


def _row_bytes(main: Subgraph, op: Op, dims: OpDims) -> tuple[int, int]:
    """One row of the output, one of the input or its padded copy: width x channels x bytes."""
    copy = padded_shape(main, op)
    in_w = dims.in_w if copy is None else copy[2]
    item_bytes = max(1, (dims.input_dtype.bits or 8) // 8)
    return dims.out_w * dims.out_c * item_bytes, in_w * dims.in_c * item_bytes


def _streams(
    main: Subgraph, op: Op, wanted: Wanted, *, release: Release, pair: tuple[int, int]
) -> bool:
    """Whether this release lets the kernel write over its input, which dies with it."""
    dims = dims_of(main, op)
    if dims is None or op.kind not in _STREAMED or wanted.spans[pair[1]].last != clock_of(op):
        return False
    has_copy = wanted.owners[pair[1]].kind == "padded"
    if any("POOL" in part.kind for part in op.fused) or (dims.has_padding and not has_copy):
        return False
    if op.kind != "CONV_2D":
        return True
    if dims.k_h == dims.k_w == 1:
        grows = wanted.spans[pair[0]].size_bytes / wanted.spans[pair[1]].size_bytes
        return grows <= release.overlap_expansion
    which = release.overlap_convolutions
    return which == "all" or (which == "first" and not has_copy)
