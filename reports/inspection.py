"""What is in a model file, without any device: identity, ops, tensors, quantization."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ..graphs.ir import OPTIONAL, ModelGraph, Op, Subgraph, Tensor
from ..simulator.workload import op_macs
from . import format as shown
from .data import dump
from .format import clean

INSPECTION_SCHEMA_ID = "preflash/inspection/1"


def inspect(graph: ModelGraph, *, ops: bool = False, tensors: bool = False) -> dict[str, Any]:
    """The facts of a model as plain data; op and tensor lists where asked for."""
    work = [op_macs(subgraph, op) for subgraph in graph.subgraphs for op in subgraph.ops]
    document: dict[str, Any] = {
        "schema": INSPECTION_SCHEMA_ID,
        "model": _identity(graph),
        "macs": None if None in work else sum(w or 0 for w in work),
        "ops_without_macs": work.count(None),
        "weight_bytes": sum(t.stored_bytes for s in graph.subgraphs for t in s.tensors),
        "inputs": [_tensor(graph.main.tensors[t]) for t in graph.inputs],
        "outputs": [_tensor(graph.main.tensors[t]) for t in graph.outputs],
        "kinds": _kinds(graph),
        "custom_ops": sorted(
            {clean(op.label) for s in graph.subgraphs for op in s.ops if op.kind == "CUSTOM"}
        ),
        "quantization": _quantization(graph),
        "metadata": [{"name": clean(name), "size_bytes": len(data)} for name, data in graph.metadata],
        "signatures": [_signature(s) for s in graph.signatures],
    }
    if ops:
        document["ops"] = [_op(n, s, op) for n, s in enumerate(graph.subgraphs) for op in s.ops]
    if tensors:
        document["tensors"] = [
            {"subgraph": n} | _tensor(t) for n, s in enumerate(graph.subgraphs) for t in s.tensors
        ]
    return document


def render_inspection_json(document: dict[str, Any]) -> str:
    return dump(document)


def _identity(graph: ModelGraph) -> dict[str, Any]:
    return {
        "name": clean(graph.name), "format": "tflite", "sha256": graph.sha256, "file_bytes": graph.file_bytes,
        "version": graph.version, "description": clean(graph.description),
        "subgraph_count": len(graph.subgraphs), "op_count": sum(len(s.ops) for s in graph.subgraphs),
        "tensor_count": sum(len(s.tensors) for s in graph.subgraphs),
    }  # fmt: skip


def _kinds(graph: ModelGraph) -> list[dict[str, Any]]:
    """A row per op kind: count, versions, MACs, weights; most MACs first."""
    rows: dict[str, dict[str, Any]] = {}
    for subgraph in graph.subgraphs:
        for op in subgraph.ops:
            row = rows.setdefault(op.label, {"count": 0, "versions": set(), "macs": 0, "weight_bytes": 0})
            work = op_macs(subgraph, op)
            row["count"] += 1
            row["versions"].add(op.version)
            row["macs"] = None if work is None or row["macs"] is None else row["macs"] + work
            row["weight_bytes"] += _weight_bytes(subgraph, op)
    ordered = sorted(rows.items(), key=lambda item: -(item[1]["macs"] or 0))
    return [{"kind": clean(kind), **row, "versions": sorted(row["versions"])} for kind, row in ordered]


def _weight_bytes(subgraph: Subgraph, op: Op) -> int:
    return sum(t.stored_bytes for t in _tensors(subgraph, op.inputs))


def _tensors(subgraph: Subgraph, indices: tuple[int, ...]) -> list[Tensor]:
    return [subgraph.tensors[t] for t in indices if t != OPTIONAL]


def _op(number: int, subgraph: Subgraph, op: Op) -> dict[str, Any]:
    read, written = _tensors(subgraph, op.inputs), _tensors(subgraph, op.outputs)
    return {
        "subgraph": number, "index": op.index, "kind": clean(op.label), "version": op.version,
        "inputs": [t.index for t in read], "outputs": [t.index for t in written],
        "input_shape": list(read[0].shape) if read else None,
        "output_shape": list(written[0].shape) if written else None,
        "dtype": written[0].dtype.value if written else None,
        "macs": op_macs(subgraph, op), "weight_bytes": _weight_bytes(subgraph, op),
    }  # fmt: skip


def _tensor(tensor: Tensor) -> dict[str, Any]:
    q = tensor.quantization
    per_tensor = q is not None and len(q.scales) == 1 and len(q.zero_points) >= 1
    scale = shown_scale(float(q.scales[0])) if q is not None and per_tensor else None
    return {
        "index": tensor.index, "name": clean(tensor.name), "dtype": tensor.dtype.value,
        "shape": list(tensor.shape), "shape_signature": list(tensor.shape_signature),
        "stored_bytes": tensor.stored_bytes, "is_constant": tensor.is_constant,
        "is_variable": tensor.is_variable, "is_sparse": tensor.sparsity is not None,
        "scale": scale, "zero_point": int(q.zero_points[0]) if q is not None and per_tensor else None,
        "channels_quantized": len(q.scales) if q is not None and q.is_per_channel else 0,
    }  # fmt: skip


def shown_scale(scale: float) -> float | None:
    """The scale as a finite number, else nothing."""
    return scale if scale == scale and abs(scale) != float("inf") else None


def _quantization(graph: ModelGraph) -> dict[str, Any]:
    """How many tensors are of which type and quantized how."""
    tensors = [t for s in graph.subgraphs for t in s.tensors]
    quantized = [t.quantization for t in tensors if t.quantization is not None and len(t.quantization.scales)]
    per_channel = sum(q.is_per_channel for q in quantized)
    return {
        "activations": dict(Counter(t.dtype.value for t in tensors if not t.is_constant)),
        "constants": dict(Counter(t.dtype.value for t in tensors if t.is_constant)),
        "per_tensor": len(quantized) - per_channel,
        "per_channel": per_channel,
        "not_quantized": len(tensors) - len(quantized),
    }


def _signature(signature: Any) -> dict[str, Any]:
    return {
        "key": clean(signature.key), "subgraph": signature.subgraph,
        "inputs": [clean(name) for name, _ in signature.inputs],
        "outputs": [clean(name) for name, _ in signature.outputs],
    }  # fmt: skip


def render_inspection(document: dict[str, Any]) -> str:
    """The facts as text for a terminal."""
    model, types = document["model"], document["quantization"]
    work = shown.macs(document["macs"]) + (
        f" ({n} ops unknown)" if (n := document["ops_without_macs"]) else ""
    )
    size = "built in code" if model["file_bytes"] is None else shown.exact_bytes(model["file_bytes"])
    lines = [
        f"{model['name'] or 'model'}  {size}, TFLite version {model['version']}, "
        f"{_counted(model['op_count'], 'op')}, {_counted(model['subgraph_count'], 'subgraph')}",
        f"  sha256      {model['sha256'] or 'none: not read from a file'}",
        f"  work        {work}",
        f"  weights     {shown.exact_bytes(document['weight_bytes'])}",
        f"  activations {_tally(types['activations'])}",
        f"  constants   {_tally(types['constants'])}",
        f"  quantized   {types['per_tensor']} per tensor, {types['per_channel']} per channel, "
        f"{types['not_quantized']} not",
    ]
    if model["description"]:
        lines.append(f"  description {shown.short(model['description'], 66)}")
    lines += [f"  input       {_tensor_line(t)}" for t in document["inputs"]]
    lines += [f"  output      {_tensor_line(t)}" for t in document["outputs"]]
    lines += [f"  custom op   {name}" for name in document["custom_ops"]]
    lines += [f"  metadata    {m['name']}, {m['size_bytes']:,} B" for m in document["metadata"]]
    lines += [
        f"  signature   {s['key']}({', '.join(s['inputs'])}) -> {', '.join(s['outputs'])}"
        for s in document["signatures"]
    ]
    lines += ["", *_kind_table(document["kinds"])]
    if "ops" in document:
        lines += ["", *_op_table(document["ops"])]
    if "tensors" in document:
        lines += ["", *_tensor_table(document["tensors"])]
    return "\n".join(lines) + "\n"


def _counted(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _tally(counts: dict[str, int]) -> str:
    return ", ".join(f"{n} {kind}" for kind, n in sorted(counts.items(), key=lambda i: -i[1])) or "none"


def _tensor_line(t: dict[str, Any]) -> str:
    scale = "" if t["scale"] is None else f"  scale {t['scale']:.6g}, zero point {t['zero_point']}"
    return f"{shown.short(t['name'], 32)}  {t['dtype']} {shown.shape(tuple(t['shape']))}{scale}"


def _kind_table(kinds: list[dict[str, Any]]) -> list[str]:
    lines = [f"  {'kind':<29} {'count':>5}  {'versions':<9} {'MACs':>14} {'weights B':>12}"]
    for row in kinds:
        versions = ",".join(map(str, row["versions"]))
        lines.append(
            f"  {shown.short(row['kind'], 29):<29} {row['count']:>5}  {versions:<9} "
            f"{shown.count(row['macs']):>14} {row['weight_bytes']:>12,}"
        )
    return lines


def _op_table(ops: list[dict[str, Any]]) -> list[str]:
    lines = [
        f"  {'op':>6} {'kind':<22} {'v':>2} {'input':>13} {'output':>13} {'type':<7} {'MACs':>12} "
        f"{'weights B':>9}"
    ]
    for op in ops:
        place = f"{op['subgraph']}:{op['index']}" if op["subgraph"] else str(op["index"])
        lines.append(
            f"  {place:>6} {shown.short(op['kind'], 22):<22} {op['version']:>2} "
            f"{_extent(op['input_shape']):>13} {_extent(op['output_shape']):>13} {op['dtype'] or '':<7} "
            f"{shown.count(op['macs']):>12} {op['weight_bytes']:>9,}"
        )
    return lines


def _extent(extents: list[int] | None) -> str:
    return "-" if extents is None else shown.shape(tuple(extents))


def _tensor_table(tensors: list[dict[str, Any]]) -> list[str]:
    lines = [f"  {'tensor':>7} {'type':<8} {'shape':<16} {'stored B':>10}  {'what':<10} name"]
    for t in tensors:
        place = f"{t['subgraph']}:{t['index']}" if t["subgraph"] else str(t["index"])
        what = "sparse" if t["is_sparse"] else "constant" if t["is_constant"] else "activation"
        what = "variable" if t["is_variable"] else what
        lines.append(
            f"  {place:>7} {t['dtype']:<8} {_extent(t['shape']):<16} {t['stored_bytes']:>10,}  {what:<10} "
            f"{shown.short(t['name'], 60)}"
        )
    return lines
