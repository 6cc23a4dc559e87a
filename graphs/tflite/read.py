"""What model do these bytes hold: a .tflite becomes a ModelGraph."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ModelFileInvalid, ModelNotFound
from ..ir import (
    BlockwiseQuantization,
    ModelGraph,
    Op,
    Quantization,
    Signature,
    SparseDimension,
    Sparsity,
    Subgraph,
    Tensor,
    VariantType,
    wire,
)
from ..ops import EmptyAttributes, OpaqueAttributes, OpAttributes, attributes_class
from .decode import Record, decode
from .forms import with_forms
from .schema import operator_name
from .verify import quantized_axis, verified

_LEGACY_LIMIT = 127  # the deprecated byte holds this where the code does not fit into it
_INDEX_BITS = {"Int32Vector": 32, "Uint16Vector": 16, "Uint8Vector": 8}


def read_tflite(path: str | os.PathLike[str]) -> ModelGraph:
    """The model in a file.

    Raises:
        ModelNotFound: there is no such file.
        ModelFileInvalid: the file cannot be read, or is not a model that can be read safely.
    """
    file = Path(path)
    try:
        if file.is_char_device():  # /dev/zero never ends
            fix = "give the .tflite file itself"
            raise ModelFileInvalid("this is a device, not a model file", where=str(path), fix=fix)
        data = file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise ModelNotFound("there is no such model file", where=str(path), fix="check the path") from None
    except IsADirectoryError:
        fix = "give the .tflite file itself"
        raise ModelFileInvalid("this is a directory, not a model file", where=str(path), fix=fix) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        fix = "check the path and its permissions"
        raise ModelFileInvalid(f"the file cannot be read: {reason}", where=str(path), fix=fix) from None
    try:
        return parse_tflite(data, name=file.stem)
    except ModelFileInvalid as error:
        error.where = f"{path}: {error.where}" if error.where else str(path)
        raise


def parse_tflite(data: bytes, *, name: str = "", is_own: bool = False) -> ModelGraph:
    """The model in the bytes of a .tflite; constants stay views of these bytes.

    Args:
        is_own: whether this process has just written them, so that they need no judge.
    """
    model = decode(data) if is_own else verified(data)
    buffers = [_stored(buffer, data) for buffer in model["buffers"]]
    codes = [_operator_code(code) for code in model["operator_codes"]]
    return with_forms(ModelGraph(
        subgraphs=tuple(_subgraph(s, buffers, codes, data) for s in model["subgraphs"]),
        name=name,
        version=model["version"],
        description=model["description"],
        metadata=tuple((m["name"], bytes(buffers[m["buffer"]] or b"")) for m in model["metadata"]),
        signatures=tuple(_signature(s) for s in model["signature_defs"]),
        file_bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
    ))  # fmt: skip


def _stored(buffer: Record, data: bytes) -> memoryview | None:
    """The bytes of a buffer, which may lie behind the flatbuffer; None where there are none."""
    if buffer["offset"] > 1:
        outside = memoryview(data)[buffer["offset"] : buffer["offset"] + buffer["size"]]
        return outside.toreadonly() if buffer["size"] else None
    inside: memoryview = buffer["data"]
    return inside if len(inside) else None


def _operator_code(record: Record) -> tuple[str, str, int, bool]:
    """(kind, custom name, version, named by the deprecated byte alone).

    code = max(deprecated_builtin_code, builtin_code), as TFLite does.
    """
    legacy, code = record["deprecated_builtin_code"], record["builtin_code"]
    kind = operator_name(max(legacy, code))
    return kind, record["custom_code"], record["version"], code == 0 and 0 < legacy < _LEGACY_LIMIT


def _subgraph(
    record: Record, buffers: list[memoryview | None], codes: list[tuple[str, str, int, bool]], data: bytes
) -> Subgraph:
    tensors = [_tensor(i, t, buffers[t["buffer"]]) for i, t in enumerate(record["tensors"])]
    ops = [_op(op, codes[op["opcode_index"]], data) for op in record["operators"]]
    return wire(
        tensors, ops, inputs=record["inputs"], outputs=record["outputs"], name=record["name"]
    )


def _tensor(index: int, record: Record, stored: memoryview | None) -> Tensor:
    stated = record["quantization"]
    quantization = None if stated is None else _quantization(stated, len(record["shape"]))
    has_scale = quantization is not None and len(quantization.scales) > 0
    return Tensor(
        index=index,
        name=record["name"],
        dtype=record["type"],
        shape=record["shape"],
        data=stored,
        quantization=quantization if has_scale else None,
        sparsity=None if record["sparsity"] is None else _sparsity(record["sparsity"]),
        is_variable=record["is_variable"],
        shape_signature=record["shape_signature"],
        has_rank=record["has_rank"] or bool(record["shape"]),
        recorded=None if has_scale else quantization,
        variants=tuple(VariantType(v["shape"], v["type"], v["has_rank"]) for v in record["variant_tensors"]),
    )


def _quantization(record: Record, rank: int) -> Quantization | None:
    """The quantization of a tensor; None where the table says nothing."""
    scales = np.frombuffer(record["scale"], "<f4")
    minimum, maximum = np.frombuffer(record["min"], "<f4"), np.frombuffer(record["max"], "<f4")
    details = _details(record["details"])
    if not len(scales) and not len(minimum) and not len(maximum) and details is None:
        return None
    zero_points = np.frombuffer(record["zero_point"], "<i8")
    stated = len(zero_points) > 0
    if len(zero_points) != len(scales):
        # one zero point, or none, stands for all channels
        only = zero_points[0] if len(zero_points) else np.int64(0)
        zero_points = np.broadcast_to(only, len(scales))
    return Quantization(
        scales=scales,
        zero_points=zero_points,
        axis=quantized_axis(record["quantized_dimension"], rank) if len(scales) > 1 else 0,
        minimum=minimum if len(minimum) else None,
        maximum=maximum if len(maximum) else None,
        details=details,
        has_zero_points=stated,
    )


def _details(member: tuple[str | int, Record | None] | None) -> BlockwiseQuantization | bytes | None:
    if member is None or member[1] is None:
        return None
    if member[0] == "CustomQuantization":
        custom: bytes = member[1]["custom"]
        return custom
    return BlockwiseQuantization(**member[1])


def _sparsity(record: Record) -> Sparsity:
    return Sparsity(
        traversal_order=record["traversal_order"],
        block_map=record["block_map"],
        dimensions=tuple(_sparse_dimension(d) for d in record["dim_metadata"]),
    )


def _sparse_dimension(record: Record) -> SparseDimension:
    segments, segments_bits = _index_vector(record["array_segments"])
    indices, indices_bits = _index_vector(record["array_indices"])
    return SparseDimension(
        is_dense=record["format"] == 0,
        dense_length=record["dense_size"],
        segments=segments,
        indices=indices,
        segments_bits=segments_bits,
        indices_bits=indices_bits,
    )


def _index_vector(member: tuple[str, Record] | None) -> tuple[tuple[int, ...], int]:
    return ((), 32) if member is None else (tuple(member[1]["values"]), _INDEX_BITS[member[0]])


def _op(record: Record, code: tuple[str, str, int, bool], data: bytes) -> Op:
    kind, custom_code, version, only_legacy_code = code
    start = record["large_custom_options_offset"]
    if start > 1:
        custom_options = bytes(data[start : start + record["large_custom_options_size"]])
    else:
        custom_options = record["custom_options"]
    return Op(
        index=0,
        kind=kind,
        inputs=record["inputs"],
        outputs=record["outputs"],
        attributes=_attributes(record),
        version=version,
        custom_code=custom_code,
        custom_options=custom_options,
        intermediates=record["intermediates"],
        mutating_inputs=record["mutating_variable_inputs"],
        only_legacy_code=only_legacy_code,
    )


def _attributes(record: Record) -> OpAttributes | None:
    for union in ("builtin_options", "builtin_options_2"):
        member: tuple[Any, Record | None] | None = record[union]
        if member is None:
            continue
        table, values = member
        if values is None:
            return OpaqueAttributes(union=union, code=table)
        attributes = attributes_class(table)
        if attributes is None:
            return EmptyAttributes(options=table)
        values.pop("-", None)
        return attributes(**values)
    return None


def _signature(record: Record) -> Signature:
    return Signature(
        key=record["signature_key"],
        subgraph=record["subgraph_index"],
        inputs=tuple((entry["name"], entry["tensor_index"]) for entry in record["inputs"]),
        outputs=tuple((entry["name"], entry["tensor_index"]) for entry in record["outputs"]),
    )
