"""Which ops together make one tensor of one other tensor, whatever simple ops they are written in?"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...errors import ModelError
from ..evaluate import real_results
from ..ir import OPTIONAL, Op, Subgraph

Reals = npt.NDArray[np.float64]

_ELEMENTWISE = """ADD SUB MUL DIV MAXIMUM MINIMUM POW SQUARE ABS NEG EXP TANH LOGISTIC RELU RELU6 RELU_N1_TO_1
LEAKY_RELU ELU GELU HARD_SWISH SQRT RSQRT SQUARED_DIFFERENCE"""
ELEMENTWISE = frozenset(_ELEMENTWISE.split())
_MOST_OPS = 20


@dataclass(frozen=True, slots=True)
class Region:
    """Ops whose only activation from outside is `source` and of which only `end` is read outside.

    Args:
        ops: ascending; the last one makes `end`.
    """

    source: int
    end: int
    ops: tuple[int, ...]


def regions_ending_at(main: Subgraph, op: Op, kinds: Collection[str]) -> Iterator[Region]:
    """The regions of ops of these kinds that the op ends, the smallest first."""
    inside, edge = {op.index}, _activations(main, op)
    while len(inside) <= _MOST_OPS:
        if len(edge) == 1:
            yield Region(next(iter(edge)), op.outputs[0], tuple(sorted(inside)))
        makers = [main.producer_of.get(t, -1) for t in edge]
        open_ends = [m for m in makers if m >= 0 and _is_inner(main, main.ops[m], inside, kinds)]
        if not open_ends:
            return
        last = main.ops[max(open_ends)]  # ops that read its inputs as well have been met
        inside.add(last.index)
        edge = (edge - set(last.outputs)) | _activations(main, last)


def _is_inner(main: Subgraph, op: Op, inside: Collection[int], kinds: Collection[str]) -> bool:
    is_simple = op.kind in kinds and not op.fused and len(op.outputs) == 1
    return (
        is_simple and op.outputs[0] not in main.outputs and all(reader in inside for reader in op.consumers)
    )


def _activations(main: Subgraph, op: Op) -> set[int]:
    return {t for t in op.inputs if t != OPTIONAL and not main.tensors[t].is_constant}


def computed(main: Subgraph, region: Region, source: Reals) -> Reals | None:
    """What the region makes of these real numbers; None where it cannot be evaluated."""
    values = {region.source: source}
    try:
        with np.errstate(all="ignore"):
            for index in region.ops:
                values.update(real_results(main, main.ops[index], values))
    except (ModelError, ValueError, IndexError):
        return None
    return values[region.end]


def reads_numbers_only(main: Subgraph, region: Region) -> bool:
    """Whether each constant is a single number."""
    constants = (
        main.tensors[t] for index in region.ops for t in main.ops[index].inputs
        if t != OPTIONAL and main.tensors[t].is_constant
    )  # fmt: skip
    return all(constant.element_count == 1 for constant in constants)
