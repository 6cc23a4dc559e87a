"""What is known of an op's weights beyond their bytes: values that are not zero, bits, shared values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..graphs.ir import OPTIONAL, Op, Subgraph, Tensor
from ..graphs.zeros import nonzero_count, zero_pattern


class FilterFacts(NamedTuple):
    """Of all filters of an op together.

    Args:
        nonzero_elements: values that do not stand for zero.
        bits: that the widest value needs; 0 without filters.
        stored_bits: of its type.
        codes: values that weights share; 0 where they share none.
        is_pruned: whether the file says that zeros were made.
        pattern: the arrangement of the zeros that all of them keep; "" is anyhow.
    """

    nonzero_elements: int = 0
    bits: int = 0
    stored_bits: int = 0
    codes: int = 0
    is_pruned: bool = False
    pattern: str = ""

    @property
    def is_narrow(self) -> bool:
        """Whether values need fewer bits than their type has."""
        return self.bits < self.stored_bits


def filter_facts(filters: Sequence[Tensor]) -> FilterFacts:
    """The facts of these constants."""
    if not filters:
        return FilterFacts()
    forms = [tensor.form for tensor in filters]
    widths = [tensor.dtype.bits or 0 for tensor in filters]
    stated = (None if form is None else form.bits for form in forms)
    patterns = {zero_pattern(tensor) for tensor in filters}
    return FilterFacts(
        sum(nonzero_count(tensor) for tensor in filters),
        max(bits or width for bits, width in zip(stated, widths, strict=True)),
        max(widths),
        max(0 if form is None else form.code_count for form in forms),
        any(form is not None and form.mask is not None for form in forms),
        patterns.pop() if len(patterns) == 1 else "",
    )


def densified(subgraph: Subgraph, op: Op) -> list[Tensor]:
    """The sparsely stored constant behind a DENSIFY that feeds the op's weights; [] if there is none."""
    if len(op.inputs) < 2 or op.inputs[1] == OPTIONAL:
        return []
    maker = subgraph.producer_of.get(op.inputs[1])
    if maker is None or subgraph.ops[maker].kind != "DENSIFY":
        return []
    stored = subgraph.tensors[subgraph.ops[maker].inputs[0]]
    return [stored] if stored.is_constant else []
