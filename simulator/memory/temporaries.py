"""How many bytes of tensor structs does an op's Prepare hold for a moment, between head and tail?

Every tensor that Prepare opens takes the struct (32 bytes with short enums) and, with scales and zero
points, 12 + 4 + 4*n_scales; nothing is given back before the op is prepared (specs/tflm_memory.md 7).
"""

from __future__ import annotations

from ...graphs.ir import OPTIONAL, ModelGraph, Op, Subgraph
from ...graphs.kept import kept
from .persistent import quantization_bytes
from .persistent_sizes import AbiSizes

# Which tensors Prepare opens, by input position (OUTPUT: the first output), and whether the op's own
# persistent data are allocated before the last of them. A convolution opens its tensors twice.
OUTPUT = "output"
_CONVOLUTION = (OUTPUT, 0, 1, 0, 1, 2, OUTPUT)
_TRANSPOSE_CONVOLUTION = (OUTPUT, 2, 1, 2, 1, 3, OUTPUT)
_OPENED: dict[str, tuple[int | str, ...]] = {
    "CONV_2D": _CONVOLUTION,
    "DEPTHWISE_CONV_2D": _CONVOLUTION,
    "TRANSPOSE_CONV": _TRANSPOSE_CONVOLUTION,
}
_OPENS_LAST = frozenset({*_OPENED, "TFLM_DECODE"})


def opens_after_data(op: Op) -> bool:
    """Whether the op's persistent Prepare data lie in the tail when it opens its last tensor."""
    return op.label in _OPENS_LAST


def temporary_bytes(graph: ModelGraph, sizes: AbiSizes) -> tuple[int, ...]:
    """Bytes of the structs that each op's Prepare opens, in Prepare order; kept with the graph.

    A kind outside the table opens each of its inputs and outputs once.
    """

    def add_up(one: ModelGraph) -> tuple[int, ...]:
        return tuple(
            sum(_struct_bytes(s, t, sizes) for t in _opened(op)) for s in one.subgraphs for op in s.ops
        )

    return kept(graph, f"temporaries {sizes.tensor}", add_up)


def _opened(op: Op) -> list[int]:
    positions = _OPENED.get(op.kind)
    if positions is None:
        return [t for t in (*op.inputs, *op.outputs) if t != OPTIONAL]
    return [
        t
        for p in positions
        for t in (op.outputs[:1] if isinstance(p, str) else op.inputs[p : p + 1])
        if t != OPTIONAL
    ]


def _struct_bytes(subgraph: Subgraph, tensor: int, sizes: AbiSizes) -> int:
    return sizes.tensor + sum(quantization_bytes(subgraph.tensors[tensor], sizes))
