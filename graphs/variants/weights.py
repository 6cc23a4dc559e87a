"""Which constants are the weights of a model, what do they stand for, and how are changed ones put back?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import VariantInvalid
from ..dtype import DType
from ..evaluate import constant_array, dequantize
from ..ir import ModelGraph, Tensor, WeightForm, wire
from ..quantities import INTEGER_RANGE, NUMPY_OF_DTYPE

Reals = npt.NDArray[np.float32]

# kind -> the input that holds the weights, and its output-channel axis (OHWI, 1HWC, OI).
WEIGHT_PLACES: dict[str, tuple[int, int]] = {
    "CONV_2D": (1, 0), "DEPTHWISE_CONV_2D": (1, 3), "FULLY_CONNECTED": (1, 0), "TRANSPOSE_CONV": (1, 0),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Weight:
    """One weight tensor of the main subgraph.

    Args:
        op: index of the first op that reads it.
        tensor: index of the tensor.
        kind: of that op.
        name: of the tensor, as users name it in recipes.
        output_axis: the dimension of its output channels.
        count: its elements.
        is_first: no other op with weights lies before it.
    """

    op: int
    tensor: int
    kind: str
    name: str
    output_axis: int
    count: int
    is_first: bool


@dataclass(frozen=True, slots=True)
class Selection:
    """Which weights a step changes.

    Args:
        only: names of tensors or op indices; () is all that the rest allows.
        skip: names of tensors or op indices that stay.
        depthwise, first: whether depthwise kernels and the first weights are meant where `only` is empty.
    """

    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    depthwise: bool = False
    first: bool = False


def weights(graph: ModelGraph) -> tuple[Weight, ...]:
    """All weights, in the order in which ops read them; a tensor that several ops share comes once."""
    found: dict[int, Weight] = {}
    for op in graph.ops:
        place, axis = WEIGHT_PLACES.get(op.kind, (-1, 0))
        if not 0 <= place < len(op.inputs) or op.inputs[place] < 0:
            continue
        tensor = graph.tensors[op.inputs[place]]
        if tensor.is_constant and tensor.index not in found and tensor.element_count:
            found[tensor.index] = Weight(
                op.index, tensor.index, op.kind, tensor.name, axis, tensor.element_count, not found
            )
    return tuple(found.values())


def chosen(graph: ModelGraph, selection: Selection) -> tuple[Weight, ...]:
    """The weights that a selection means.

    Raises:
        VariantInvalid: a name is of no weight of this model.
    """
    every = weights(graph)
    known = {word for one in every for word in (one.name, str(one.op))}
    strange = [word for word in (*selection.only, *selection.skip) if word not in known]
    if strange:
        names = ", ".join(one.name for one in every[:8])
        raise VariantInvalid(
            f"no weights are called {strange[0][:80]!r}", where=graph.name, fix=f"weights: {names}"
        )
    if selection.only:
        kept = [one for one in every if {one.name, str(one.op)} & set(selection.only)]
    else:
        kept = [
            one for one in every
            if (selection.depthwise or one.kind != "DEPTHWISE_CONV_2D")
            and (selection.first or not one.is_first)
        ]  # fmt: skip
    return tuple(one for one in kept if not {one.name, str(one.op)} & set(selection.skip))


def real_values(tensor: Tensor) -> Reals:
    """What the stored values of a constant stand for, shape of the tensor.

    Raises:
        UnsupportedOp: it is stored sparse, or of a type that is no number.
    """
    values: Reals = dequantize(tensor, constant_array(tensor)).astype(np.float32)
    return values


def stored_values(tensor: Tensor, reals: npt.NDArray[Any]) -> bytes:
    """The bytes that a constant of this type and scale holds for these values; zero stays exactly zero.

    q = clip(round(x / scale) + zero point); weights whose range was symmetric stay in -127..127.
    """
    if tensor.dtype.is_float:
        return np.ascontiguousarray(reals.astype(NUMPY_OF_DTYPE[tensor.dtype])).tobytes()
    scales, zeros = _along(tensor)
    low, high = INTEGER_RANGE[tensor.dtype]
    if tensor.dtype in (DType.INT8, DType.INT4) and not zeros.any():
        low = -high
    grid = np.clip(np.rint(reals.astype(np.float64) / scales) + zeros, low, high)
    if tensor.dtype is DType.INT4:
        return packed_int4(grid.astype(np.int8))
    return np.ascontiguousarray(grid.astype(NUMPY_OF_DTYPE[tensor.dtype])).tobytes()


def packed_int4(values: npt.NDArray[np.int8]) -> bytes:
    """Two values per byte, the first in the low half.

    >>> packed_int4(np.array([1, -1, 7], np.int8)).hex()
    'f107'
    """
    flat = values.reshape(-1).view(np.uint8) & 0x0F
    if flat.size % 2:
        flat = np.append(flat, np.uint8(0))
    return (flat[0::2] | (flat[1::2] << 4)).astype(np.uint8).tobytes()


def changed(tensor: Tensor, reals: npt.NDArray[Any], form: WeightForm | None) -> Tensor:
    """The constant with other values on its own grid, and what is known of them."""
    return replace(tensor, data=stored_values(tensor, reals), form=form)


def with_tensors(graph: ModelGraph, tensors: Mapping[int, Tensor] | Iterable[Tensor]) -> ModelGraph:
    """The graph with these tensors in place of those of the same index; the very same if there are none."""
    new = tensors if isinstance(tensors, Mapping) else {tensor.index: tensor for tensor in tensors}
    if not new:
        return graph
    main = graph.main
    whole = wire(
        [new.get(t.index, t) for t in main.tensors], main.ops, inputs=main.inputs, outputs=main.outputs,
        name=main.name,
    )  # fmt: skip
    return graph.with_main(whole)


def _along(tensor: Tensor) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Scales and zero points, shaped to broadcast over the tensor."""
    q = tensor.quantization
    if q is None or not len(q.scales):
        raise VariantInvalid(f"{tensor.dtype} values without a scale stand for nothing", where=tensor.name)
    shape = [1] * max(1, len(tensor.shape))
    if len(q.scales) > 1:
        shape[q.axis] = len(q.scales)
    scales = q.scales.astype(np.float64).reshape(shape)
    zeros = q.zero_points.astype(np.float64)
    return scales, zeros.reshape(shape) if len(zeros) == len(q.scales) else zeros[:1].reshape(
        [1] * len(shape)
    )
