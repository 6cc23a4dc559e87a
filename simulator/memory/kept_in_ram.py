"""What do kernels keep in RAM when generated code calls them, without an interpreter?

Tensors, nodes, options and quantization are constants in flash then. Whether the kernels' own data are, the
generator decides: the three parts below are its range.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...graphs.ir import ModelGraph
from .persistent import OP_DATA, PER_CHANNEL, RESOURCES, VARIABLES, lay_tail
from .requests import tensor_requests

if TYPE_CHECKING:
    from ...devices.target import KernelBuild


@dataclass(frozen=True, slots=True)
class KeptInRam:
    """Bytes beside the planned activations and scratch.

    Args:
        state_bytes: what must outlive a run: variable tensors, resource variables.
        op_data_bytes: the kernels' structs; constant where a generator works them out beforehand.
        table_bytes: multipliers and shifts per channel, 8*Cout per op; constant in most generators.
    """

    state_bytes: int
    op_data_bytes: int
    table_bytes: int


def kept_in_ram(graph: ModelGraph, build: KernelBuild) -> KeptInRam:
    """The parts of TFLM's tail that belong to kernels."""
    variables = tensor_requests(graph).variables
    by_kind = lay_tail(graph, build, scratch_count=0, variables=variables).by_kind
    state = by_kind.get(VARIABLES, 0) + by_kind.get(RESOURCES, 0)
    return KeptInRam(state, by_kind.get(OP_DATA, 0), by_kind.get(PER_CHANNEL, 0))
