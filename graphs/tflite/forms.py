"""How does a .tflite carry what is known of its weights? As JSON in a metadata entry of our own.

True bits, pruned zeros and shared values are properties of the stored values, so they are found again in
them; the entry says which constants have them, and a claim that the values contradict is a fault.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import ModelFileInvalid, PreflashError
from ..ir import ModelGraph, Subgraph, Tensor, WeightForm

NAME = "preflash.weight_forms"
_VERSION = 1
_LARGEST_BYTES = 1 << 22
_KEYS = frozenset({"subgraph", "tensor", "bits", "pattern", "pruned", "codes", "axis"})
_MOST_CODES = 1 << 16

Record = dict[str, Any]


def forms_entry(graph: ModelGraph) -> bytes | None:
    """The entry for this model; None where nothing is known of any constant."""
    records = [
        _record(number, tensor)
        for number, subgraph in enumerate(graph.subgraphs) for tensor in subgraph.tensors
        if tensor.form is not None and tensor.is_constant
    ]  # fmt: skip
    if not records:
        return None
    return json.dumps({"version": _VERSION, "forms": records}, separators=(",", ":")).encode()


def with_forms(graph: ModelGraph) -> ModelGraph:
    """The model with what its entry says on its tensors, and without the entry.

    Raises:
        ModelFileInvalid: the entry cannot be read, or the values contradict it.
    """
    stored = next((data for name, data in graph.metadata if name == NAME), None)
    if stored is None:
        return graph
    found: dict[int, dict[int, WeightForm]] = {}
    for record in _records(stored):
        number, index = record["subgraph"], record["tensor"]
        if number >= len(graph.subgraphs) or index >= len(graph.subgraphs[number].tensors):
            raise _fault(f"there is no tensor {index} in subgraph {number}")
        tensor = graph.subgraphs[number].tensors[index]
        found.setdefault(number, {})[index] = _form(record, tensor)
    subgraphs = tuple(_with(s, found.get(number, {})) for number, s in enumerate(graph.subgraphs))
    rest = tuple(entry for entry in graph.metadata if entry[0] != NAME)
    return replace(graph, subgraphs=subgraphs, metadata=rest, _cache={})


def _with(subgraph: Subgraph, forms: dict[int, WeightForm]) -> Subgraph:
    tensors = tuple(replace(t, form=forms[t.index]) if t.index in forms else t for t in subgraph.tensors)
    return replace(subgraph, tensors=tensors) if forms else subgraph


def _record(subgraph: int, tensor: Tensor) -> Record:
    form = tensor.form
    assert form is not None
    record: Record = {"subgraph": subgraph, "tensor": tensor.index}
    if form.bits is not None:
        record["bits"] = form.bits
    if form.mask is not None:
        record["pruned"] = True
    if form.pattern:
        record["pattern"] = form.pattern
    if form.codebook is not None:
        record["codes"] = form.code_count
        if form.codebook.ndim == 2:
            record["axis"] = form.axis
    if form.bits is not None and "axis" not in record and _has_grids(tensor, form.bits):
        record["axis"] = form.axis
    return record


def _has_grids(tensor: Tensor, bits: int) -> bool:
    """Whether it is a float constant whose channels have a grid each: one grid has 2^bits values at most."""
    from ..evaluate import constant_array

    return tensor.dtype.is_float and most_distinct(constant_array(tensor), None) > 1 << bits


def _records(stored: bytes) -> list[Record]:
    """The entry's records, with whole numbers where numbers are meant."""
    if len(stored) > _LARGEST_BYTES:
        raise _fault("it is larger than 4 MiB")
    try:
        whole = json.loads(stored)
    except (ValueError, RecursionError):
        raise _fault("it is no JSON") from None
    if (
        not isinstance(whole, dict)
        or whole.get("version") != _VERSION
        or not isinstance(whole.get("forms"), list)
    ):
        raise _fault(f"it is not of version {_VERSION}")
    for record in whole["forms"]:
        if not isinstance(record, dict) or not _KEYS.issuperset(record):
            raise _fault("a form has keys that nobody knows")
        numbers = {key: record.get(key, 0) for key in ("subgraph", "tensor", "bits", "codes", "axis")}
        if not all(type(value) is int and 0 <= value <= 1 << 31 for value in numbers.values()):
            raise _fault("a form has a number that is none")
        pattern = record.get("pattern", "")
        if not isinstance(pattern, str) or len(pattern) > 40 or type(record.get("pruned", True)) is not bool:
            raise _fault("a form has a text that is none")
        record |= {"subgraph": numbers["subgraph"], "tensor": numbers["tensor"]}
    records: list[Record] = whole["forms"]
    return records


def _form(record: Record, tensor: Tensor) -> WeightForm:
    """The form that a record states, its arrays found in the tensor's values."""
    from ..evaluate import constant_array, dequantize

    try:
        stored = constant_array(tensor)
    except PreflashError as error:
        raise _fault(f"tensor {tensor.index}: {error}") from None
    reals = dequantize(tensor, stored)
    bits, codes = record.get("bits"), record.get("codes")
    if bits is not None:
        quantization = tensor.quantization
        axis = quantization.axis if quantization is not None and quantization.is_per_channel else None
        if tensor.dtype.is_float:
            axis = _axis_of(record, tensor)
        if bits < 1 or most_distinct(stored, axis) > 1 << min(bits, 62):
            raise _fault(f"tensor {tensor.index} has values that do not fit in {bits} bits")
    codebook = assignment = None
    if codes is not None:
        if not 1 <= codes <= _MOST_CODES or record.get("axis", 0) >= max(1, tensor_rank(tensor)):
            raise _fault(f"tensor {tensor.index}: no codebook has {codes} values along that axis")
        codebook, assignment = shared_values(reals, record.get("axis"), codes)
        if codebook.shape[-1] > codes:
            raise _fault(f"tensor {tensor.index} has more than {codes} shared values")
    mask = reals != 0 if record.get("pruned") else None
    return WeightForm(bits, mask, record.get("pattern", ""), codebook, assignment, record.get("axis", 0))


def _axis_of(record: Record, tensor: Tensor) -> int | None:
    """The dimension along which a float constant has a grid per channel, if the record says so."""
    axis: int | None = record.get("axis")
    if axis is not None and axis >= max(1, tensor_rank(tensor)):
        raise _fault(f"tensor {tensor.index} has no dimension {axis}")
    return axis


def tensor_rank(tensor: Tensor) -> int:
    return len(tensor.shape)


def most_distinct(values: npt.NDArray[Any], axis: int | None) -> int:
    """Distinct values, of the channel with most of them where there is an axis."""
    if values.size == 0:
        return 0
    if axis is None:
        return len(np.unique(values))
    channels = np.moveaxis(values, axis, 0)
    ordered = np.sort(channels.reshape(len(channels), -1), axis=1)
    return int((ordered[:, 1:] != ordered[:, :-1]).sum(axis=1).max()) + 1


def shared_values(
    reals: npt.NDArray[np.float64], axis: int | None, at_least: int = 1
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.uint16]]:
    """(codebook, assignment) of values as they are: one table, or one per channel of `axis`.

    Args:
        at_least: places of a table; unused ones repeat its last value.
    """
    if axis is None:
        table, places = np.unique(reals, return_inverse=True)
        padded = np.pad(table, (0, max(0, at_least - len(table))), mode="edge")
        return padded, places.reshape(reals.shape).astype(np.uint16)
    channels = np.moveaxis(reals, axis, 0)
    pairs = [np.unique(channel, return_inverse=True) for channel in channels]
    width = max(at_least, max(len(table) for table, _ in pairs))
    codebook = np.stack([np.pad(table, (0, width - len(table)), mode="edge") for table, _ in pairs])
    assigned = np.stack([places.reshape(channels.shape[1:]) for _, places in pairs])
    return codebook, np.moveaxis(assigned, 0, axis).astype(np.uint16)


def _fault(fault: str) -> ModelFileInvalid:
    return ModelFileInvalid(
        f"the metadata {NAME} are wrong: {fault}", fix="remove the entry, or write the variant again"
    )
