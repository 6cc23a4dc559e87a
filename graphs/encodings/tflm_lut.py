"""What does TFLM's own weight compression make of a model? Indices, value tables, and ops that decode them.

Behaviour: tflite-micro's compression tools and its DECODE kernel (0.dev20261023). Each compressed constant
becomes a vector of packed indices and an ancillary vector (16 bytes, then the tables); a TFLM_DECODE op
before every op that reads it writes the whole tensor into the arena. There are as many tables as scales.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..evaluate import constant_array
from ..ir import DType, ModelGraph, Op, Tensor, wire
from ..kept import kept
from ..variants.weights import weights
from .bits import fields, joined, whole_bytes
from .lut import Lut, table_and_places
from .values import Values

DECODE = "TFLM_DECODE"
MOST_CODES = 128  # an index has 1 to 7 bits
HEADER_BYTES = 16
_ONE_TABLE = 15  # in place of an axis
_UNSIGNED = {DType.INT8: np.uint8, DType.INT16: np.uint16, DType.INT32: np.uint32, DType.FLOAT32: np.uint32}


@dataclass(frozen=True, slots=True)
class Compressed:
    """One constant as TFLM's tool stores it.

    Args:
        width: bits of an index.
        tables: one, or one per channel.
        codes: places of a table.
    """

    tensor: int
    width: int
    tables: int
    codes: int
    indices: bytes
    ancillary: bytes

    @property
    def size_bytes(self) -> int:
        return len(self.indices) + len(self.ancillary)


def lut_model(graph: ModelGraph) -> ModelGraph:
    """The model with every weight tensor compressed that gets smaller; the very same if none does."""
    return kept(graph, "tflm_lut_model", _lut_model)


def compressed_weights(graph: ModelGraph) -> tuple[Compressed, ...]:
    """Which weights get smaller, and how they are stored."""
    return kept(graph, "tflm_lut_weights", _compressed_weights)


def tflm_lut_bytes(tensor: Tensor) -> int | None:
    """Bytes of indices, header and tables of this constant; None where TFLM cannot compress it."""
    values = _whole_values(tensor)
    lut = None if values is None else _lut_of(tensor)
    if values is None or lut is None:
        return None
    codes = lut.code_count(values)
    if codes > MOST_CODES:
        return None
    tables = len(values.channels) if lut.per_channel else 1
    held = whole_bytes(values.count * lut.width(codes))
    return held + HEADER_BYTES + tables * codes * (values.type_bits // 8)


def _lut_of(tensor: Tensor) -> Lut | None:
    """The kernel takes one table per scale, along the first or the last dimension."""
    quantization = tensor.quantization
    if quantization is None or not quantization.is_per_channel:
        return Lut(least_width=1) if quantization is None or quantization.axis == 0 else None
    ends = (0, len(tensor.shape) - 1)
    return Lut(per_channel=True, least_width=1) if quantization.axis in ends else None


def _whole_values(tensor: Tensor) -> Values | None:
    """The values as the tables hold them: as stored, whatever the form says."""
    if tensor.dtype not in _UNSIGNED or tensor.sparsity is not None or not tensor.element_count:
        return None
    if not tensor.is_constant or tensor.stored_bytes != tensor.dense_bytes:
        return None
    bits, quantization = tensor.dtype.bits or 0, tensor.quantization
    is_channelled = quantization is not None and quantization.is_per_channel
    axis = quantization.axis if quantization is not None and is_channelled else None
    return Values(constant_array(tensor).view(_UNSIGNED[tensor.dtype]), bits, bits, axis)


def _compressed_weights(graph: ModelGraph) -> tuple[Compressed, ...]:
    candidates = []
    for one in weights(graph):
        tensor = graph.tensors[one.tensor]
        size_bytes = tflm_lut_bytes(tensor)
        if size_bytes is not None and size_bytes < tensor.stored_bytes:
            candidates.append(tensor)
    return tuple(_compressed(tensor) for tensor in candidates if not _is_shared(graph, tensor, candidates))


def _is_shared(graph: ModelGraph, tensor: Tensor, candidates: list[Tensor]) -> bool:
    """Whether another tensor keeps this buffer in the file: compressing the one then saves nothing."""
    compressed = {one.index for one in candidates}
    return any(
        other.stored_bytes == tensor.stored_bytes and other.data == tensor.data
        for number, subgraph in enumerate(graph.subgraphs) for other in subgraph.tensors
        if other.is_constant and (number or other.index not in compressed)
    )  # fmt: skip


def _compressed(tensor: Tensor) -> Compressed:
    """Header: type 0, version 1, 0, 0, LUT version 1, axis << 4 | width, places of a table, zeros."""
    values, lut = _whole_values(tensor), _lut_of(tensor)
    assert values is not None and lut is not None
    rows = values.channels if lut.per_channel else values.patterns.reshape(1, -1)
    tables, places = table_and_places(rows)
    codes = tables.shape[1]
    width = lut.width(codes)
    indices = values.unchannelled(places) if lut.per_channel else places
    axis = values.axis if lut.per_channel and values.axis is not None else _ONE_TABLE
    header = bytes([0, 1, 0, 0, 1, axis << 4 | width, codes]).ljust(HEADER_BYTES, b"\0")
    return Compressed(
        tensor.index, width, len(tables), codes, joined(fields(indices, width)), header + tables.tobytes()
    )


def _lut_model(graph: ModelGraph) -> ModelGraph:
    compressed = {one.tensor: one for one in compressed_weights(graph)}
    if not compressed:
        return graph
    tensors = [_indices(t, compressed[t.index]) if t.index in compressed else t for t in graph.tensors]
    ancillaries: dict[bytes, int] = {}
    ops: list[Op] = []
    for op in graph.ops:
        wanted = [t for t in dict.fromkeys(op.inputs) if t in compressed]
        if not wanted:
            ops.append(op)
            continue
        decoded = {t: _add(tensors, _decoded(graph.tensors[t])) for t in wanted}
        for t in wanted:
            held = compressed[t].ancillary
            if held not in ancillaries:
                ancillaries[held] = _add(tensors, _ancillary(graph.tensors[t], held))
        ops += [
            _decode_op(decoded, {t: ancillaries[compressed[t].ancillary] for t in wanted}),
            _reading(op, decoded),
        ]
    main = graph.main
    return graph.with_main(wire(tensors, ops, inputs=main.inputs, outputs=main.outputs, name=main.name))


def _decode_op(decoded: Mapping[int, int], ancillary: Mapping[int, int]) -> Op:
    """One op decodes all that its reader needs: inputs are pairs of indices and ancillary vector."""
    inputs = tuple(t for one in decoded for t in (one, ancillary[one]))
    return Op(0, "CUSTOM", inputs, tuple(decoded.values()), custom_code=DECODE)


def _reading(op: Op, decoded: Mapping[int, int]) -> Op:
    return replace(op, inputs=tuple(decoded.get(t, t) for t in op.inputs))


def _add(tensors: list[Tensor], tensor: Tensor) -> int:
    tensors.append(replace(tensor, index=len(tensors)))
    return len(tensors) - 1


def _indices(tensor: Tensor, one: Compressed) -> Tensor:
    return Tensor(tensor.index, tensor.name, DType.UINT8, (len(one.indices),), one.indices)


def _decoded(tensor: Tensor) -> Tensor:
    return replace(tensor, name=f"{tensor.name}_decoded", data=None, form=None)


def _ancillary(tensor: Tensor, held: bytes) -> Tensor:
    return Tensor(0, f"{tensor.name}_ancillary", DType.UINT8, (len(held),), held)
