"""What is a model: frozen tensors and ops, wired into subgraphs.

Shapes are NHWC. A tensor index is unique within its subgraph; -1 is an omitted optional input.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import networkx
    import numpy as np
    import numpy.typing as npt

    from .ops import OpAttributes

OPTIONAL = -1


class DType(str, Enum):
    """The element type of a tensor; the value is the name users see."""

    BOOL = "bool"
    INT2 = "int2"
    INT4 = "int4"
    INT8 = "int8"
    INT16 = "int16"
    INT32 = "int32"
    INT64 = "int64"
    UINT4 = "uint4"
    UINT8 = "uint8"
    UINT16 = "uint16"
    UINT32 = "uint32"
    UINT64 = "uint64"
    FLOAT16 = "float16"
    BFLOAT16 = "bfloat16"
    FLOAT32 = "float32"
    FLOAT64 = "float64"
    COMPLEX64 = "complex64"
    COMPLEX128 = "complex128"
    STRING = "string"
    RESOURCE = "resource"
    VARIANT = "variant"

    @property
    def bits(self) -> int | None:
        """Bits of one element; None for string and variant, which have no fixed width."""
        return _BITS.get(self)

    @property
    def is_float(self) -> bool:
        return self in _FLOATS

    def __str__(self) -> str:
        return self.value


_BITS = {
    DType.BOOL: 8, DType.INT2: 2, DType.INT4: 4, DType.INT8: 8, DType.INT16: 16, DType.INT32: 32,
    DType.INT64: 64, DType.UINT4: 4, DType.UINT8: 8, DType.UINT16: 16, DType.UINT32: 32,
    DType.UINT64: 64, DType.FLOAT16: 16, DType.BFLOAT16: 16, DType.FLOAT32: 32, DType.FLOAT64: 64,
    DType.COMPLEX64: 64, DType.COMPLEX128: 128, DType.RESOURCE: 32,
}  # fmt: skip
_FLOATS = frozenset({DType.FLOAT16, DType.BFLOAT16, DType.FLOAT32, DType.FLOAT64})


@dataclass(frozen=True, slots=True, eq=False)
class Quantization:
    """x = scale * (q - zero_point), per tensor (one scale) or per channel along `axis`.

    Args:
        scales: float32, shape (1,) or (channels,).
        zero_points: int64, the same shape.
        axis: the quantized dimension; 0 when per tensor.
        minimum, maximum: the float range the converter recorded, if any.
    """

    scales: npt.NDArray[np.float32]
    zero_points: npt.NDArray[np.int64]
    axis: int = 0
    minimum: npt.NDArray[np.float32] | None = None
    maximum: npt.NDArray[np.float32] | None = None

    @property
    def is_per_channel(self) -> bool:
        return len(self.scales) > 1


@dataclass(frozen=True, slots=True)
class SparseDimension:
    """One dimension of a sparse tensor: dense with a length, or compressed (CSR) with two arrays."""

    is_dense: bool
    dense_length: int = 0
    segments: tuple[int, ...] = ()
    indices: tuple[int, ...] = ()
    segments_bits: int = 32
    indices_bits: int = 32


@dataclass(frozen=True, slots=True)
class Sparsity:
    """How the stored values of a sparse constant map to its dense shape (TFLite's format)."""

    traversal_order: tuple[int, ...]
    block_map: tuple[int, ...]
    dimensions: tuple[SparseDimension, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """One tensor.

    Args:
        index: its place in the subgraph.
        shape: the static shape; () is a scalar (or unknown rank if not `has_rank`).
        data: the stored bytes of a constant, little endian; None for an activation.
        shape_signature: as stored, with -1 for dynamic dimensions; () if the file has none.
        is_variable: keeps its value between invocations.
    """

    index: int
    name: str
    dtype: DType
    shape: tuple[int, ...]
    data: memoryview | bytes | None = None
    quantization: Quantization | None = None
    sparsity: Sparsity | None = None
    is_variable: bool = False
    shape_signature: tuple[int, ...] = ()
    has_rank: bool = True

    @property
    def is_constant(self) -> bool:
        return self.data is not None

    @property
    def element_count(self) -> int:
        return prod(self.shape)

    @property
    def stored_bytes(self) -> int:
        """Bytes that the constant takes in the file; 0 for an activation."""
        return 0 if self.data is None else len(self.data)

    @property
    def dense_bytes(self) -> int:
        """Bytes of the dense tensor, elements packed (two int4 in a byte); 0 without a fixed width."""
        bits = self.dtype.bits
        return 0 if bits is None else (self.element_count * bits + 7) // 8


@dataclass(frozen=True, slots=True, eq=False)
class Op:
    """One operator.

    Args:
        index: its place in the subgraph (execution order).
        kind: TFLite's builtin name, e.g. "CONV_2D"; "CUSTOM" for a custom op, named by `custom_code`.
        inputs: tensor indices, -1 where an optional input is omitted.
        producers: per input, the index of the op that makes it; -1 for graph inputs and constants.
        consumers: indices of all ops that read an output, ascending, without repeats.
        fused: the ops of the original graph that this kernel runs, in order, itself first; () if not fused.
    """

    index: int
    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    attributes: OpAttributes | None = None
    version: int = 1
    custom_code: str = ""
    custom_options: bytes = b""
    intermediates: tuple[int, ...] = ()
    mutating_inputs: tuple[bool, ...] = ()
    producers: tuple[int, ...] = ()
    consumers: tuple[int, ...] = ()
    fused: tuple[Op, ...] = ()

    @property
    def label(self) -> str:
        """The name users see: the custom op's own name, or the kind."""
        return self.custom_code if self.kind == "CUSTOM" and self.custom_code else self.kind


@dataclass(frozen=True, eq=False)
class Subgraph:
    """Tensors and ops in execution order. Build one with `wire`, which sets producers and consumers."""

    tensors: tuple[Tensor, ...]
    ops: tuple[Op, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    name: str = ""

    @cached_property
    def producer_of(self) -> dict[int, int]:
        """tensor index -> index of the op that makes it."""
        return {t: op.index for op in self.ops for t in op.outputs}

    @cached_property
    def consumers_of(self) -> dict[int, tuple[int, ...]]:
        """tensor index -> indices of the ops that read it, ascending."""
        readers: dict[int, dict[int, None]] = {}
        for op in self.ops:
            for t in op.inputs:
                if t != OPTIONAL:
                    readers.setdefault(t, {})[op.index] = None
        return {t: tuple(ops) for t, ops in readers.items()}

    @cached_property
    def nx(self) -> networkx.DiGraph[int]:
        """The wiring as a networkx DiGraph.

        Nodes are op indices with `op=Op`; an edge u -> v carries `tensors=(indices,)` that flow along it.
        """
        import networkx

        wiring: networkx.DiGraph[int] = networkx.DiGraph()
        wiring.add_nodes_from((op.index, {"op": op}) for op in self.ops)
        for op in self.ops:
            for tensor, producer in zip(op.inputs, op.producers, strict=True):
                if producer >= 0:
                    flowing: dict[str, Any] = wiring.get_edge_data(producer, op.index, default={})
                    carried = (*flowing.get("tensors", ()), tensor)
                    wiring.add_edge(producer, op.index, tensors=carried)
        return wiring


def wire(
    tensors: Sequence[Tensor],
    ops: Iterable[Op],
    *,
    inputs: Sequence[int],
    outputs: Sequence[int],
    name: str = "",
) -> Subgraph:
    """A subgraph whose ops are numbered in the given order and know their producers and consumers.

    Tensors keep their indices; ops may come from another subgraph and are renumbered.
    """
    ordered = list(ops)
    producer_of: dict[int, int] = {}
    readers: dict[int, dict[int, None]] = {}
    for index, op in enumerate(ordered):
        for t in op.inputs:
            if t != OPTIONAL:
                readers.setdefault(t, {})[index] = None
        for t in op.outputs:
            producer_of.setdefault(t, index)
    wired = []
    for index, op in enumerate(ordered):
        producers = tuple(-1 if t == OPTIONAL else producer_of.get(t, -1) for t in op.inputs)
        consumers = tuple(sorted({r for t in op.outputs for r in readers.get(t, ())}))
        wired.append(replace(op, index=index, producers=producers, consumers=consumers))
    return Subgraph(tuple(tensors), tuple(wired), tuple(inputs), tuple(outputs), name)


@dataclass(frozen=True, slots=True)
class Signature:
    """A named entry point: (name, tensor index) pairs of one subgraph."""

    key: str
    subgraph: int
    inputs: tuple[tuple[str, int], ...]
    outputs: tuple[tuple[str, int], ...]


@dataclass(frozen=True, eq=False)
class ModelGraph:
    """A whole model. Subgraph 0 is the entry; others are bodies of IF, WHILE, CALL_ONCE.

    Args:
        name: file name without its ending, or the zoo's name.
        metadata: (name, bytes) pairs, as stored.
        file_bytes: length of the .tflite this was read from; None for a graph built or changed in code.
        sha256: of that file, hex; "" likewise.
    """

    subgraphs: tuple[Subgraph, ...]
    name: str = ""
    version: int = 3
    description: str = ""
    metadata: tuple[tuple[str, bytes], ...] = ()
    signatures: tuple[Signature, ...] = ()
    file_bytes: int | None = None
    sha256: str = ""
    _cache: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def main(self) -> Subgraph:
        return self.subgraphs[0]

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        return self.main.tensors

    @property
    def ops(self) -> tuple[Op, ...]:
        return self.main.ops

    @property
    def inputs(self) -> tuple[int, ...]:
        return self.main.inputs

    @property
    def outputs(self) -> tuple[int, ...]:
        return self.main.outputs

    @property
    def nx(self) -> networkx.DiGraph[int]:
        """The wiring of the main subgraph, built on first use."""
        return self.main.nx

    def with_main(self, main: Subgraph) -> ModelGraph:
        """The same model with another main subgraph; it no longer is the file it came from."""
        changed = (main, *self.subgraphs[1:])
        return replace(self, subgraphs=changed, file_bytes=None, sha256="", _cache={})
