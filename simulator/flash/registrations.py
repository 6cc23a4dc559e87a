"""How does TFLM register an op: its Add method, and the narrower registrations that its kernels offer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ...graphs.dtype import DType
from ...graphs.ir import ModelGraph, Op, Subgraph
from ...graphs.kept import kept
from .add_methods import ADD_METHODS, CUSTOM_METHODS, LINKED_CUSTOM

_OUTPUT = -1  # a position among the operands: input 0, 1, ... or the first output
_Types = tuple[tuple[int, DType], ...]
_I4, _I8, _I16 = DType.INT4, DType.INT8, DType.INT16
_WEIGHTED: dict[str, _Types] = {
    "INT8": ((0, _I8), (1, _I8)), "INT4": ((0, _I8), (1, _I4)), "INT16": ((0, _I16), (1, _I8)),
}  # fmt: skip
_BOTH: dict[str, _Types] = {"INT8": ((0, _I8), (1, _I8)), "INT16": ((0, _I16), (1, _I16))}
_DATA: dict[str, _Types] = {"INT8": ((0, _I8),), "INT16": ((0, _I16),)}
_DATA_INT8: dict[str, _Types] = {"INT8": ((0, _I8),)}

# op -> suffix of Register_<OP>_<SUFFIX> -> operand types it is for. Those of CMSIS-NN builds that were linked
# (tflm_code_size.csv, op_type_restricted); elsewhere the narrower name is an alias of the full one.
NARROWER: dict[str, dict[str, _Types]] = {
    "CONV_2D": _WEIGHTED, "DEPTHWISE_CONV_2D": _WEIGHTED, "FULLY_CONNECTED": _WEIGHTED,
    "TRANSPOSE_CONV": {"INT8": ((2, _I8), (1, _I8))},
    "SOFTMAX": {
        "INT8": ((0, _I8), (_OUTPUT, _I8)), "INT8_INT16": ((0, _I8), (_OUTPUT, _I16)),
        "INT16": ((0, _I16), (_OUTPUT, _I16)),
    },
    "SVDF": {"INT8": ((0, _I8), (1, _I8))},
    "AVERAGE_POOL_2D": _DATA, "MAX_POOL_2D": _DATA,
    "ADD": _BOTH, "MUL": {"INT8": _BOTH["INT8"]}, "BATCH_MATMUL": _BOTH,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": {"INT8": ((0, _I8), (2, _I8)), "INT16": ((0, _I16), (2, _I8))},
    "MAXIMUM": {"INT8": _BOTH["INT8"]}, "MINIMUM": {"INT8": _BOTH["INT8"]},
    "PAD": _DATA_INT8, "TRANSPOSE": _DATA_INT8,
}  # fmt: skip


class Registration(NamedTuple):
    """One op that a resolver registers.

    Args:
        op: TFLite's builtin name, or the name of a custom op in the model.
        method: the resolver's Add method; "" for a custom op that TFLM brings no kernel for.
        narrower: e.g. "INT8" where every op of this kind is of the types that registration is for, else "".
    """

    op: str
    method: str
    narrower: str = ""
    is_custom: bool = False

    def linked_name(self, *, is_narrow: bool) -> str:
        """The name under which the code sizes list it."""
        if not self.is_custom:
            return f"{self.op}_{self.narrower}" if is_narrow and self.narrower else self.op
        return LINKED_CUSTOM.get(self.op, self.op if self.op in CUSTOM_METHODS else f"custom op {self.op}")


def registrations(graph: ModelGraph) -> tuple[Registration, ...]:
    """What a resolver must register for the ops of all subgraphs, each once, builtin ops first, by name."""
    return kept(graph, "registrations", _registrations)


def _registrations(graph: ModelGraph) -> tuple[Registration, ...]:
    found: dict[tuple[bool, str], list[tuple[Subgraph, Op]]] = {}
    for subgraph, op in _ops(graph):
        found.setdefault((op.kind == "CUSTOM", op.label), []).append((subgraph, op))
    return tuple(
        Registration(name, CUSTOM_METHODS.get(name, ""), is_custom=True) if is_custom
        else Registration(name, ADD_METHODS.get(name, ""), _narrower(name, uses))
        for (is_custom, name), uses in sorted(found.items())
    )  # fmt: skip


def op_names(graph: ModelGraph, *, is_narrow: bool = False) -> frozenset[str]:
    """The ops a resolver must register, as code sizes list them; a fused kernel counts as all its ops.

    Args:
        is_narrow: with the registration of the model's own integer type where there is one.
    """
    return frozenset(r.linked_name(is_narrow=is_narrow) for r in registrations(graph))


def _ops(graph: ModelGraph) -> Iterator[tuple[Subgraph, Op]]:
    for subgraph in graph.subgraphs:
        for op in subgraph.ops:
            for part in op.fused or (op,):
                yield subgraph, part


def _narrower(kind: str, uses: list[tuple[Subgraph, Op]]) -> str:
    """The suffix of the registration that all these ops can use; "" if none."""
    for suffix, types in NARROWER.get(kind, {}).items():
        if all(_has_types(subgraph, op, types) for subgraph, op in uses):
            return suffix
    return ""


def _has_types(subgraph: Subgraph, op: Op, types: _Types) -> bool:
    for position, dtype in types:
        operands = op.outputs[:1] if position == _OUTPUT else op.inputs[position : position + 1]
        if not operands or operands[0] < 0 or subgraph.tensors[operands[0]].dtype is not dtype:
            return False
    return True
