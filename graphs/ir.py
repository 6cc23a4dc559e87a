"""What is a model: frozen tensors and ops, wired into subgraphs.

Shapes are NHWC. A tensor index is unique within its subgraph; -1 is an omitted optional input.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any

from .dtype import DType as DType
from .sparsity import SparseDimension as SparseDimension
from .sparsity import Sparsity as Sparsity
from .weight_form import WeightForm as WeightForm

if TYPE_CHECKING:
    import networkx
    import numpy as np
    import numpy.typing as npt

    from .ops import OpAttributes

OPTIONAL = -1


@dataclass(frozen=True, slots=True)
class BlockwiseQuantization:
    """One scale per `block_size` elements of the quantized dimension; scales are tensors of the subgraph."""

    scales: int
    zero_points: int
    block_size: int


@dataclass(frozen=True, slots=True, eq=False)
class Quantization:
    """x = scale * (q - zero_point), per tensor (one scale) or per channel along `axis`.

    Args:
        scales: float32, shape (1,) or (channels,).
        zero_points: int64, the same shape.
        axis: the quantized dimension; 0 when per tensor.
        minimum, maximum: the float range the converter recorded, if any.
        details: blocks along the axis, or the bytes of a custom scheme.
        has_zero_points: whether the file states them; runtimes differ in what they make of a tensor without.
    """

    scales: npt.NDArray[np.float32]
    zero_points: npt.NDArray[np.int64]
    axis: int = 0
    minimum: npt.NDArray[np.float32] | None = None
    maximum: npt.NDArray[np.float32] | None = None
    details: BlockwiseQuantization | bytes | None = None
    has_zero_points: bool = True

    @property
    def is_per_channel(self) -> bool:
        return len(self.scales) > 1


@dataclass(frozen=True, slots=True)
class VariantType:
    """Shape and type of the tensors that a variant (a tensor list) contains."""

    shape: tuple[int, ...]
    dtype: DType
    has_rank: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """One tensor.

    Args:
        index: its place in the subgraph.
        shape: as stored; () is a scalar (or unknown rank if not `has_rank`). -1 is an extent that the
            runtime works out before it runs, e.g. of a RESHAPE.
        data: the stored bytes of a constant, little endian; None for an activation.
        shape_signature: as stored, with -1 for dynamic dimensions; () if the file has none.
        is_variable: keeps its value between invocations.
        recorded: what the file says about quantization without giving a scale; `quantization` is None then.
        variants: what a tensor of dtype variant contains.
        form: what pruning, clustering or a bit-width made of a constant; None is nothing.
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
    recorded: Quantization | None = None
    variants: tuple[VariantType, ...] = ()
    form: WeightForm | None = None

    @property
    def is_constant(self) -> bool:
        return self.data is not None

    @property
    def element_count(self) -> int:
        """Elements of the dense tensor; 0 while an extent is unknown (-1)."""
        return 0 if -1 in self.shape else prod(self.shape)

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
        only_legacy_code: the file names the op by the deprecated byte alone, which some readers overlook.
        fused: the ops of the original graph that this kernel runs, in order, itself first; () if not fused.
        pads: (top, bottom, left, right) padding of a windowed op that runs on a tile of its input, in place
            of what its attributes say; None is what they say. No file holds it.
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
    only_legacy_code: bool = False
    producers: tuple[int, ...] = ()
    consumers: tuple[int, ...] = ()
    fused: tuple[Op, ...] = ()
    pads: tuple[int, int, int, int] | None = None

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
