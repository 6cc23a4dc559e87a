"""How do weights come to need few bits? The step `quantize-weights`: k-bit grids that anything runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from ...errors import VariantInvalid
from ..dtype import DType
from ..ir import OPTIONAL, ModelGraph, Op, Quantization, Tensor
from .bit_widths import weight_bits
from .given import Given
from .grid import Scales, grid_scales, spread, steps_of
from .known import Reals, book_axis, exact_values, known_after
from .weights import WEIGHT_PLACES, Selection, Weight, changed, chosen, with_tensors

# kind -> the inputs that hold data and bias
_DATA_AND_BIAS = {"TRANSPOSE_CONV": (2, 3)}
_INTEGERS: dict[DType, type[np.int32] | type[np.int64]] = {DType.INT32: np.int32, DType.INT64: np.int64}


@dataclass(frozen=True)
class QuantizeWeights:
    """Weights take values q s with whole q in -(2^(k-1) - 1)..2^(k-1) - 1; activations stay as they are.

    Float weights stay float. int8 weights stay int8 with a wider scale, and integer biases follow it:
    b' = round(b s_w / s_w'). Weights that already need no more bits stay. Pruned zeros stay zero; what
    shares a table goes on sharing it: one table for all channels gets one grid for all.

    Args:
        per_channel: one grid per output channel of convolutions; fully connected ops, and int8 weights
            with one scale, have one as in TFLite's kernels.
        best: the scale of least squared error out of 21 between 0.2 and 1 of the widest, not the widest.
    """

    word: ClassVar[str] = "quantize-weights"
    bits: Annotated[int, Field(ge=2, le=8)] = 4
    per_channel: bool = True
    best: bool = False
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    depthwise: bool = True
    first: bool = True

    def apply(self, graph: ModelGraph, given: Given) -> ModelGraph:
        """The model with weights of few bits."""
        meant = chosen(graph, Selection(self.only, self.skip, self.depthwise, self.first))
        done: dict[int, Tensor] = {}
        for number, weight in enumerate(meant):
            given.progress(number, len(meant), f"quantizing {weight.name}")
            tensor = graph.tensors[weight.tensor]
            if self.bits < weight_bits(tensor):
                new = _on_grid(tensor, weight, self)
                done[tensor.index] = new
                _add_biases(done, graph, tensor, new)
        given.progress(len(meant), len(meant), "quantized weights")
        return with_tensors(graph, done)


def _on_grid(tensor: Tensor, weight: Weight, step: QuantizeWeights) -> Tensor:
    axis = _axis(tensor, weight, step)
    values, form = exact_values(tensor), tensor.form
    scales = grid_scales(values, step.bits, axis=axis, best=step.best)
    shared = form is not None and form.codebook is not None
    if tensor.dtype.is_float:
        along = spread(scales, values.ndim, axis)
        new = changed(tensor, steps_of(values, along, step.bits) * along, None)
        tables = axis if axis is not None else book_axis(tensor, form)
    else:
        new = _restored(tensor, values, scales, step.bits)
        tables = book_axis(new, form)
    return replace(new, form=known_after(new, form, bits=step.bits, shared=shared, axis=tables))


def _axis(tensor: Tensor, weight: Weight, step: QuantizeWeights) -> int | None:
    """The dimension along which grids differ."""
    quantization, form = tensor.quantization, tensor.form
    if tensor.dtype.is_float:
        one_table = form is not None and form.codebook is not None and form.codebook.ndim == 1
        is_one = one_table or weight.kind == "FULLY_CONNECTED" or not step.per_channel
        return None if is_one else weight.output_axis
    if tensor.dtype not in (DType.INT8, DType.INT4) or quantization is None or quantization.zero_points.any():
        raise VariantInvalid(
            f"{tensor.dtype} weights have no symmetric grid of fewer bits", where=tensor.name,
            fix="start from the float model, or from one with int8 weights around 0",
        )  # fmt: skip
    if not quantization.is_per_channel:
        return None
    return quantization.axis if step.per_channel else None


def _restored(tensor: Tensor, values: Reals, scales: Scales, bits: int) -> Tensor:
    """The integer tensor on wider steps; a channel of zeros keeps its scale."""
    old = tensor.quantization
    assert old is not None
    wider = np.broadcast_to(scales, old.scales.shape)
    wider = np.where(wider > 0, wider, old.scales).astype(np.float32)
    quantization = Quantization(wider, old.zero_points, old.axis)
    axis = old.axis if old.is_per_channel else None
    along = spread(wider, values.ndim, axis)
    on_grid = replace(tensor, quantization=quantization)
    return changed(on_grid, steps_of(values, along, bits) * along, None)


# Biases.


def _add_biases(done: dict[int, Tensor], graph: ModelGraph, old: Tensor, new: Tensor) -> None:
    """Integer biases of all ops that read the weights, in steps of s_in s_w'."""
    if old.dtype.is_float:
        return
    for op in _readers(graph.ops, old.index):
        data, place = _DATA_AND_BIAS.get(op.kind, (0, 2))
        bias = op.inputs[place] if place < len(op.inputs) else OPTIONAL
        if bias == OPTIONAL or graph.tensors[bias].dtype not in _INTEGERS:
            continue  # float activations: the bias is float too
        made = _bias(graph, op, graph.tensors[op.inputs[data]], (graph.tensors[bias], old, new))
        if bias in done and bytes(done[bias].data or b"") != bytes(made.data or b""):
            raise VariantInvalid("a bias serves ops whose weights change differently",
                                 where=graph.tensors[bias].name)  # fmt: skip
        done[bias] = made


def _bias(graph: ModelGraph, op: Op, data: Tensor, tensors: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    bias, old, new = tensors
    readers = {other.index for other in graph.ops if bias.index in other.inputs}
    strangers = readers - {other.index for other in _readers(graph.ops, old.index)}
    if bias.data is None or data.quantization is None or strangers:
        raise VariantInvalid("its integer bias cannot follow the weights' scale", where=f"op {op.index}",
                             fix="skip these weights")  # fmt: skip
    assert old.quantization is not None and new.quantization is not None
    before, after = (t.quantization.scales.astype(np.float64) for t in (old, new) if t.quantization)
    kind = _INTEGERS[bias.dtype]
    values = np.frombuffer(bias.data, kind).astype(np.float64)
    stored, limits = np.rint(values * (before / after)), np.iinfo(kind)
    if stored.size and (stored.min() < limits.min or stored.max() > limits.max):
        raise VariantInvalid("its bias does not fit the new scale", where=f"op {op.index}",
                             fix="skip these weights")  # fmt: skip
    scales = (np.float64(data.quantization.scales[0]) * after).astype(np.float32)
    quantization = Quantization(scales, np.zeros(len(scales), np.int64))
    return replace(bias, data=stored.astype(kind).tobytes(), quantization=quantization)


def _readers(ops: Iterable[Op], tensor: int) -> list[Op]:
    """The ops that read a tensor as their weights."""
    return [
        op for op in ops
        if (place := WEIGHT_PLACES.get(op.kind, (-1, 0))[0]) >= 0
        and place < len(op.inputs) and op.inputs[place] == tensor
    ]  # fmt: skip
