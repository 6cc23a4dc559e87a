"""How do samples enter a model: as the integers or real numbers that its inputs take?"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import DataInvalid
from ...graphs.evaluate import quantize
from ...graphs.ir import ModelGraph, Tensor
from ...graphs.quantities import INTEGER_RANGE, NUMPY_OF_DTYPE
from .samples import Grid, Samples, grid_of

Array = npt.NDArray[Any]

_NEEDS_GRID = (
    "give --input-scale SCALE,ZERO or the model the data were made for; or scale and zero_point in the .npz"
)
_ELEMENTS_AT_ONCE = 1 << 22  # the grid is worked out in float64


def fed(samples: Samples, graph: ModelGraph) -> tuple[Array, ...]:
    """Per model input the samples in its own type: (samples, *shape).

    Real numbers become q = round(x / scale) + zero point of the model's input; integers made for another
    grid go through the real numbers they stand for.

    Raises:
        DataInvalid: they do not go with this model.
    """
    if len(samples.inputs) != len(graph.inputs):
        raise DataInvalid(
            f"{len(samples.inputs)} inputs were loaded, the model takes {len(graph.inputs)}",
            where=samples.name, fix="load the samples for a model with the same inputs",
        )  # fmt: skip
    return tuple(
        entered(array, grid, graph.tensors[index], where=samples.name)
        for array, grid, index in zip(samples.inputs, samples.grids, graph.inputs, strict=True)
    )


def entered(array: Array, grid: Grid | None, tensor: Tensor, *, where: str = "") -> Array:
    """One input's samples in the tensor's type; the first axis counts samples."""
    kind = NUMPY_OF_DTYPE.get(tensor.dtype)
    if kind is None or array[:1].size != tensor.element_count:
        raise DataInvalid(
            f"samples of shape {array.shape[1:]} for an input {tensor.dtype} {tensor.shape}", where=where,
            fix="load the samples for a model with the same inputs",
        )  # fmt: skip
    shaped, own = array.reshape(len(array), *tensor.shape), grid_of(tensor)
    if shaped.dtype == np.dtype(kind) and (
        shaped.dtype.kind == "f" or grid is None or own is None or grid.is_close(own)
    ):
        return np.ascontiguousarray(shaped)
    if shaped.dtype.kind == "f" or grid is not None:
        return _stored(shaped, grid, tensor, where)
    if own is not None or tensor.dtype.is_float:
        what = f"{shaped.dtype} data for an input of type {tensor.dtype}: what they stand for is not known"
        raise DataInvalid(what, where=where, fix=_NEEDS_GRID)
    return _as_whole(shaped, tensor, where)


def _stored(array: Array, grid: Grid | None, tensor: Tensor, where: str) -> Array:
    """Real numbers, or integers on a grid, as the tensor stores them; a part at a time."""
    kind = NUMPY_OF_DTYPE[tensor.dtype]
    if not tensor.dtype.is_float and grid_of(tensor) is None:
        return _as_whole(array, tensor, where)
    result: Array = np.empty(array.shape, kind)
    step = max(1, _ELEMENTS_AT_ONCE // max(1, tensor.element_count))
    for start in range(0, len(array), step):
        part = array[start : start + step].astype(np.float64)
        if grid is not None and array.dtype.kind != "f":
            part = (part - grid.zero_point) * grid.scale
        result[start : start + step] = part if tensor.dtype.is_float else quantize(tensor, part)
    return result


def _as_whole(array: Array, tensor: Tensor, where: str) -> Array:
    """Numbers without a scale, such as token ids, in another integer type."""
    low, high = INTEGER_RANGE.get(tensor.dtype, (0, 1))
    if array.size and (array.min() < low or array.max() > high or (array != np.trunc(array)).any()):
        raise DataInvalid(
            f"values that an input of type {tensor.dtype} cannot hold", where=where, fix="check the inputs"
        )
    return np.ascontiguousarray(array.astype(NUMPY_OF_DTYPE[tensor.dtype]))
