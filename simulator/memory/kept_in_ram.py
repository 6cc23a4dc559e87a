"""What do kernels keep in RAM when generated code calls them, without an interpreter?

Tensors, nodes, options and quantization are constants in flash then. Whether the kernels' own data are, the
generator decides: the three parts below are its range.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...graphs.ir import ModelGraph, Op
from .departures import init_struct
from .persistent import OP_DATA, PER_CHANNEL, RESOURCES, VARIABLES, lay_tail
from .prepare_data import init_state
from .requests import tensor_requests
from .rounding import up

if TYPE_CHECKING:
    from ...devices.target import KernelBuild


# ops whose own data change from run to run
_LASTING = frozenset({"CIRCULAR_BUFFER", "CALL_ONCE", "SignalFilterBankSpectralSubtraction"})


@dataclass(frozen=True, slots=True)
class KeptInRam:
    """Bytes beside the planned activations and scratch.

    Args:
        state_bytes: what must outlive a run: variable tensors, resource variables, counters of ops.
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
    lasting = sum(_lasting_bytes(op, build) for s in graph.subgraphs for op in s.ops)
    state = by_kind.get(VARIABLES, 0) + by_kind.get(RESOURCES, 0) + lasting
    return KeptInRam(state, max(0, by_kind.get(OP_DATA, 0) - lasting), by_kind.get(PER_CHANNEL, 0))


def _lasting_bytes(op: Op, build: KernelBuild) -> int:
    """Init data that the op changes from run to run."""
    label = op.custom_code if op.kind == "CUSTOM" else op.kind
    if label not in _LASTING:
        return 0
    return up(init_struct(label, build) or 0, 16) + sum(up(size, 16) for size in init_state(op, 0))
