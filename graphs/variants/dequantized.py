"""Which float model does a quantized one stand for? Weights through their scales, without conversions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import VariantInvalid
from ..dtype import DType
from ..evaluate import BIASED, bias_scales, constant_array, dequantize
from ..grids import version_of
from ..ir import OPTIONAL, ModelGraph, Op, Tensor, WeightForm
from ..ops import Activation
from ..quantities import INTEGER_RANGE
from .compact import rewritten
from .quantized_kinds import QUANTIZED_KINDS

_CONVERSIONS = ("QUANTIZE", "DEQUANTIZE")
# Kinds whose integers are cut to the output's range after they are computed.
_CUT = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD", "SUB", "MUL", "DIV"})
_QUANTIZED = (DType.INT4, DType.INT8, DType.UINT8, DType.INT16)


def dequantized(graph: ModelGraph) -> ModelGraph:
    """The float32 model whose weights, biases and constants are those of a quantized or hybrid one.

    An output that integers cut at zero (its zero point is the lowest integer) gets the RELU that does the
    same; what lies above its range is not cut any more. A model without quantized tensors stays as it is.

    Raises:
        VariantInvalid: an op computes with the integers themselves, so it means nothing in float.
    """
    real = real_model(graph)
    return real if real is graph else without_grids(real)


def real_model(graph: ModelGraph) -> ModelGraph:
    """`dequantized`, but constants still name the grid on which their values lie."""
    main = graph.main
    if not any(_is_quantized(t) or t.dtype is DType.FLOAT16 for t in main.tensors):
        return graph
    alias = _aliases(graph)
    tensors = [_real(t) for t in main.tensors]
    ops: list[Op] = []
    for op in main.ops:
        if op.kind in _CONVERSIONS and _converts(graph, op):
            _settle(op, tensors)
        else:
            ops.append(_real_op(graph, op, alias, tensors))
    outputs = [alias.get(t, t) for t in main.outputs]
    if not ops or any(t in main.inputs or tensors[t].is_constant for t in outputs):
        raise VariantInvalid("nothing is left of the model without its conversions", where=graph.name)
    for old, new in zip(main.outputs, outputs, strict=True):
        tensors[new] = replace(tensors[new], name=main.tensors[old].name)
    return rewritten(graph, tensors, ops, outputs)


def without_grids(graph: ModelGraph) -> ModelGraph:
    """The float constants of a model without the grids on which their values lie."""
    tensors = [
        replace(t, quantization=None) if t.dtype.is_float and t.quantization is not None else t
        for t in graph.tensors
    ]
    return rewritten(graph, tensors, graph.ops)


def _is_quantized(tensor: Tensor) -> bool:
    q = tensor.quantization
    return tensor.dtype in _QUANTIZED and q is not None and len(q.scales) > 0


def _converts(graph: ModelGraph, op: Op) -> bool:
    """Whether both sides stand for real numbers."""
    ends = [graph.tensors[t] for t in (*op.inputs, *op.outputs)]
    return all(_is_quantized(t) or t.dtype.is_float for t in ends)


def _aliases(graph: ModelGraph) -> dict[int, int]:
    """The output of a conversion -> the activation that it holds in another type."""
    alias: dict[int, int] = {}
    for op in graph.ops:
        if op.kind in _CONVERSIONS and _converts(graph, op) and not graph.tensors[op.inputs[0]].is_constant:
            alias[op.outputs[0]] = alias.get(op.inputs[0], op.inputs[0])
    return alias


def _settle(op: Op, tensors: list[Tensor]) -> None:
    """The output of a conversion of a constant becomes that constant."""
    source = tensors[op.inputs[0]]
    if source.is_constant:
        target = tensors[op.outputs[0]]
        tensors[target.index] = replace(source, index=target.index, name=target.name)


def _real(tensor: Tensor) -> Tensor:
    """The tensor in float32; biases, which are int32, come with their op."""
    is_half = tensor.dtype is DType.FLOAT16 and tensor.is_constant
    if not _is_quantized(tensor) and not is_half:
        return tensor
    if not tensor.is_constant:
        return replace(tensor, dtype=DType.FLOAT32, quantization=None)
    form = tensor.form
    if tensor.dtype is DType.INT4 and (form is None or form.bits is None):
        form = replace(form or WeightForm(), bits=4)
    values = dequantize(tensor, constant_array(tensor))
    return replace(tensor, dtype=DType.FLOAT32, data=_bytes(values), form=form)


def _real_op(graph: ModelGraph, op: Op, alias: dict[int, int], tensors: list[Tensor]) -> Op:
    ends = [graph.tensors[t] for t in (*op.inputs, *op.outputs) if t != OPTIONAL]
    inputs = [alias.get(t, t) for t in op.inputs]
    if not any(_is_quantized(t) for t in ends):
        return replace(op, inputs=tuple(inputs))
    if op.kind not in QUANTIZED_KINDS:
        raise VariantInvalid(
            f"{op.label} computes with integers and cannot be made float", where=f"op {op.index}",
            fix="start from the float model",
        )  # fmt: skip
    if op.kind in BIASED:
        _real_bias(graph, op, inputs, tensors)
    version = version_of(op.kind, DType.FLOAT32)
    return replace(op, inputs=tuple(inputs), version=version, attributes=_attributes(graph, op))


def _real_bias(graph: ModelGraph, op: Op, inputs: list[int], tensors: list[Tensor]) -> None:
    """An integer bias becomes a float tensor of its own: shared ones may have several scales."""
    place = BIASED[op.kind][2]
    if place >= len(inputs) or inputs[place] == OPTIONAL:
        return
    bias, scales = graph.tensors[op.inputs[place]], bias_scales(graph.main, op)
    if bias.dtype.is_float or not bias.is_constant or scales is None:
        return
    values = constant_array(bias).astype(np.float64) * scales
    made = replace(bias, index=len(tensors), dtype=DType.FLOAT32, data=_bytes(values), quantization=None)
    tensors.append(made)
    inputs[place] = made.index


def _attributes(graph: ModelGraph, op: Op) -> Any:
    """The op's attributes for float, with the RELU that its integers imply."""
    changes: dict[str, Any] = {}
    attributes: Any = op.attributes
    if op.kind in _CUT and getattr(attributes, "fused_activation_function", None) is Activation.NONE:
        output = graph.tensors[op.outputs[0]]
        q = output.quantization
        is_cut = q is not None and _is_quantized(output) and q.zero_points.tolist() == [
            INTEGER_RANGE[output.dtype][0]
        ]  # fmt: skip
        if is_cut:
            changes["fused_activation_function"] = Activation.RELU
    if getattr(attributes, "asymmetric_quantize_inputs", False):
        changes["asymmetric_quantize_inputs"] = False
    return replace(attributes, **changes) if changes else attributes


def _bytes(values: npt.NDArray[Any]) -> bytes:
    return np.ascontiguousarray(values.astype(np.float32)).tobytes()
