"""What bytes hold this model: a ModelGraph becomes a .tflite."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from ...errors import ModelFileInvalid, UnsupportedOp
from ..ir import ModelGraph, Op, Quantization, Signature, SparseDimension, Sparsity, Subgraph, Tensor
from ..ops import EmptyAttributes, OpaqueAttributes, OpAttributes
from .encode import encode, union_code
from .forms import NAME, forms_entry
from .schema import operator_code

_LEGACY_LIMIT = 127  # the deprecated byte holds this where the code does not fit into it
_MAX_FILE_BYTES = (1 << 31) - (1 << 20)  # offsets of the format reach 2 GiB
_INDEX_VECTORS = {32: "Int32Vector", 16: "Uint16Vector", 8: "Uint8Vector"}
_OPTIONS_UNIONS = (("builtin_options", "BuiltinOptions"), ("builtin_options_2", "BuiltinOptions2"))

Record = dict[str, Any]
Code = tuple[str, str, int, bool]


def write_tflite(graph: ModelGraph, path: str | os.PathLike[str] | None = None) -> bytes:
    """The .tflite bytes of a model, the same for the same graph; written to `path` too if given.

    Raises:
        UnsupportedOp: an op that the format cannot hold: fused by a pass, or read with options that
            are newer than the schema.
    """
    buffers = _Buffers()
    codes: dict[Code, int] = {}
    subgraphs = [_subgraph(s, number, buffers, codes) for number, s in enumerate(graph.subgraphs)]
    forms = forms_entry(graph)
    entries = [*graph.metadata, *([] if forms is None else [(NAME, forms)])]
    metadata = [{"name": name, "buffer": buffers.place(stored)} for name, stored in entries]
    if buffers.total_bytes > _MAX_FILE_BYTES:
        fix = "use a smaller model"
        raise ModelFileInvalid("the constants take more than the 2 GiB of a .tflite", fix=fix)
    record = {
        "version": graph.version,
        "operator_codes": [_operator_code(code) for code in codes],
        "subgraphs": subgraphs,
        "description": graph.description,
        "buffers": [{"data": stored} if stored else {} for stored in buffers],
        "metadata": metadata or None,
        "signature_defs": [_signature(s) for s in graph.signatures] or None,
    }
    data = encode(record, expected_bytes=buffers.total_bytes + 65536)
    if path is not None:
        Path(path).write_bytes(data)
    return data


class _Buffers:
    """The buffers of the file: the first is empty and stands for "not a constant"; equal ones are shared."""

    def __init__(self) -> None:
        self._indices: dict[bytes, int] = {b"": 0}
        self.total_bytes = 0

    def place(self, stored: memoryview | bytes | None) -> int:
        data = bytes(stored or b"")
        if data not in self._indices:
            self.total_bytes += len(data) + 64
        return self._indices.setdefault(data, len(self._indices))

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._indices)


def _operator_code(code: Code) -> Record:
    kind, custom_code, version, only_legacy_code = code
    number = operator_code(kind) or 0
    return {
        "deprecated_builtin_code": min(number, _LEGACY_LIMIT),
        "custom_code": custom_code,
        "version": version,
        "builtin_code": 0 if only_legacy_code else number,
    }


def _subgraph(subgraph: Subgraph, number: int, buffers: _Buffers, codes: dict[Code, int]) -> Record:
    return {
        "tensors": [_tensor(t, buffers) for t in subgraph.tensors],
        "inputs": subgraph.inputs,
        "outputs": subgraph.outputs,
        "operators": [_op(op, f"subgraph {number}, op {op.index}", codes) for op in subgraph.ops],
        "name": subgraph.name,
    }


def _tensor(tensor: Tensor, buffers: _Buffers) -> Record:
    quantization = tensor.quantization or tensor.recorded
    return {
        "shape": tensor.shape,
        "type": tensor.dtype,
        "buffer": buffers.place(tensor.data),
        "name": tensor.name,
        "quantization": None if quantization is None else _quantization(quantization),
        "is_variable": tensor.is_variable,
        "sparsity": None if tensor.sparsity is None else _sparsity(tensor.sparsity),
        "shape_signature": tensor.shape_signature or None,
        "has_rank": tensor.has_rank,
        "variant_tensors": [
            {"shape": v.shape, "type": v.dtype, "has_rank": v.has_rank} for v in tensor.variants
        ]
        or None,
    }


def _zero_points(quantization: Quantization) -> bytes | None:
    stated = quantization.has_zero_points and len(quantization.zero_points)
    return quantization.zero_points.astype("<i8").tobytes() if stated else None


def _quantization(quantization: Quantization) -> Record:
    record: Record = {
        "scale": quantization.scales.astype("<f4").tobytes() or None,
        "zero_point": _zero_points(quantization),
        "quantized_dimension": quantization.axis,
    }
    for name, recorded in (("min", quantization.minimum), ("max", quantization.maximum)):
        record[name] = None if recorded is None else recorded.astype("<f4").tobytes()
    details = quantization.details
    if details is None:
        return record
    if isinstance(details, bytes):
        member: tuple[str, Record] = ("CustomQuantization", {"custom": details})
    else:
        member = ("BlockwiseQuantization", {f.name: getattr(details, f.name) for f in fields(details)})
    return {**record, "details": member, "details_type": union_code("QuantizationDetails", member[0])}


def _sparsity(sparsity: Sparsity) -> Record:
    return {
        "traversal_order": sparsity.traversal_order,
        "block_map": sparsity.block_map,
        "dim_metadata": [_sparse_dimension(d) for d in sparsity.dimensions],
    }


def _sparse_dimension(dimension: SparseDimension) -> Record:
    record: Record = {"format": 0 if dimension.is_dense else 1, "dense_size": dimension.dense_length}
    if dimension.is_dense:
        return record
    parts = (
        ("array_segments", dimension.segments, dimension.segments_bits),
        ("array_indices", dimension.indices, dimension.indices_bits),
    )
    for name, values, bits in parts:
        table = _INDEX_VECTORS[bits]
        record[name] = (table, {"values": values})
        record[f"{name}_type"] = union_code("SparseIndexVector", table)
    return record


def _op(op: Op, where: str, codes: dict[Code, int]) -> Record:
    if len(op.fused) > 1:
        raise UnsupportedOp(
            f"{op.label} was fused from {len(op.fused)} ops; a .tflite cannot hold it",
            where=where, fix="write the graph as it was before fusion",
        )  # fmt: skip
    if op.pads is not None:
        raise UnsupportedOp(
            f"{op.label} runs on a tile with padding of its own; a .tflite cannot hold it",
            where=where, fix="write the graph as it was before it was cut into patches",
        )  # fmt: skip
    if operator_code(op.kind) is None:
        fix = "use a kind of the TFLite schema, or CUSTOM"
        raise UnsupportedOp(f"the format has no op kind {op.kind}", where=where, fix=fix)
    code = (op.kind, op.custom_code, op.version, op.only_legacy_code)
    return {
        "opcode_index": codes.setdefault(code, len(codes)),
        "inputs": op.inputs,
        "outputs": op.outputs,
        "custom_options": op.custom_options or None,
        "mutating_variable_inputs": op.mutating_inputs or None,
        "intermediates": op.intermediates or None,
        **_options(op.attributes, op, where),
    }


def _options(attributes: OpAttributes | None, op: Op, where: str) -> Record:
    if attributes is None:
        return {}
    if isinstance(attributes, EmptyAttributes):
        table, record = attributes.options, {}
    else:
        table, record = attributes.schema, {f.name: getattr(attributes, f.name) for f in fields(attributes)}
    for name, union in _OPTIONS_UNIONS:
        code = union_code(union, table)
        if code:
            return {f"{name}_type": code, name: (table, record)}
    if isinstance(attributes, OpaqueAttributes):
        table = f"options {attributes.code} of {attributes.union}"
    raise UnsupportedOp(
        f"{op.label} has {table or 'options'} that this schema does not know",
        where=where, fix="remove the op, or write the model with the converter that made it",
    )  # fmt: skip


def _signature(signature: Signature) -> Record:
    return {
        "inputs": [{"name": name, "tensor_index": index} for name, index in signature.inputs],
        "outputs": [{"name": name, "tensor_index": index} for name, index in signature.outputs],
        "signature_key": signature.key,
        "subgraph_index": signature.subgraph,
    }
