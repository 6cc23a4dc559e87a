"""How many bits do a model's weights need: per tensor, on average, and in bytes?"""

from __future__ import annotations

from dataclasses import dataclass

from ..ir import ModelGraph, Tensor
from .weights import Weight, weights


@dataclass(frozen=True, slots=True)
class BitWidth:
    """The bits that each value of one weight tensor needs."""

    weight: Weight
    bits: int


def weight_bits(tensor: Tensor) -> int:
    """Bits that one of its values needs: what is known of them, else its type's."""
    if tensor.form is not None and tensor.form.bits is not None:
        return tensor.form.bits
    return tensor.dtype.bits or 0


def bits_of(graph: ModelGraph) -> tuple[BitWidth, ...]:
    """The bit-width of every weight tensor, in the order of the ops that read them."""
    return tuple(BitWidth(one, weight_bits(graph.tensors[one.tensor])) for one in weights(graph))


def average_bits(graph: ModelGraph) -> float:
    """sum n_i b_i / sum n_i over all weight tensors; 0 where there are none."""
    widths = bits_of(graph)
    count = sum(one.weight.count for one in widths)
    return sum(one.weight.count * one.bits for one in widths) / count if count else 0.0


def packed_weight_bytes(graph: ModelGraph) -> int:
    """Bytes of all weights where every tensor is packed to its bit-width, each rounded up to whole bytes."""
    return sum((one.weight.count * one.bits + 7) // 8 for one in bits_of(graph))
