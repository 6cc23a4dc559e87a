"""What does every weight tensor of a model take, in every encoding, and what does the target store?"""

from __future__ import annotations

from dataclasses import dataclass

from ...devices.target import Target
from ...graphs.encodings.values import values_of_tensor
from ...graphs.ir import ModelGraph
from ...graphs.kept import kept
from ...graphs.variants.weights import Weight, weights
from ..interval import Interval
from .decoders import stored_word
from .sizes import Sizes, cheapest_word, tensor_sizes


@dataclass(frozen=True, slots=True)
class TensorEncodings:
    """One weight tensor.

    Args:
        bits: of one value, the form's where it states fewer than the type has.
        sparsity: fraction of zeros.
        codes: distinct values, over all channels.
        entropy_bits: of one value.
        sizes: bytes in every legal encoding, by its word; exact but for the Ethos-U stream.
        chosen: the encoding that the target stores; raw without a target.
        smallest: the encoding with the fewest bytes, whoever decodes it.
    """

    op: int
    kind: str
    name: str
    raw_bytes: int
    bits: int
    sparsity: float
    codes: int
    entropy_bits: float
    sizes: Sizes
    chosen: str
    smallest: str

    @property
    def chosen_bytes(self) -> Interval:
        return dict(self.sizes)[self.chosen]

    @property
    def smallest_bytes(self) -> Interval:
        return dict(self.sizes)[self.smallest]


def encoding_rows(graph: ModelGraph, target: Target | None = None) -> tuple[TensorEncodings, ...]:
    """A row per weight tensor, in the order in which ops read them: of the model as given, not as stored."""
    every = kept(graph, "tensor sizes", _all_sizes)
    return tuple(
        _row(graph, weight, sizes, target) for weight, sizes in zip(weights(graph), every, strict=True)
    )


def _all_sizes(graph: ModelGraph) -> tuple[Sizes, ...]:
    return tuple(tensor_sizes(graph.tensors[one.tensor], one.kind) for one in weights(graph))


def _row(graph: ModelGraph, weight: Weight, sizes: Sizes, target: Target | None) -> TensorEncodings:
    tensor = graph.tensors[weight.tensor]
    values = values_of_tensor(tensor)
    known = (0, 0.0, 0, 0.0)
    if values is not None:
        known = values.bits, values.sparsity, len(values.counts[0]), values.entropy_bits
    return TensorEncodings(
        weight.op, weight.kind, weight.name, tensor.stored_bytes, *known, sizes,
        stored_word(tensor, weight.kind, target), cheapest_word(sizes),
    )  # fmt: skip
