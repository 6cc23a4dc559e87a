"""Which samples does the user's file hold for this model: inputs, what they stand for, labels?"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import DataInvalid
from ...graphs.ir import ModelGraph, Tensor
from ...graphs.quantities import INTEGER_RANGE, NUMPY_OF_DTYPE
from .npz import read_npz

Array = npt.NDArray[Any]

INPUT_NAMES = ("x", "inputs", "input", "in0", "x0", "features", "images", "samples")
LABEL_NAMES = ("y", "labels", "label", "targets", "target")
GROUP_NAMES = ("group", "groups")
_FIX = "write it with numpy.savez(path, x=inputs, y=labels)"


@dataclass(frozen=True, slots=True)
class Grid:
    """What integers stand for: x = scale * (q - zero_point)."""

    scale: float
    zero_point: int = 0

    def is_close(self, other: Grid) -> bool:
        """Whether both are the same grid but for float32's rounding."""
        return self.zero_point == other.zero_point and abs(self.scale - other.scale) <= 1e-6 * self.scale


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Samples and, where known, their labels.

    Args:
        inputs: per model input an array whose first axis counts samples.
        grids: per input what its integers stand for; None: they are real numbers, or nobody knows.
        labels: class ids, or what the first output should be; the first axis counts samples.
        groups: which samples are scored together (windows of one recording), an id per sample.
        name: of the file.
    """

    inputs: tuple[Array, ...]
    grids: tuple[Grid | None, ...] = ()
    labels: Array | None = None
    groups: Array | None = None
    name: str = ""

    def __post_init__(self) -> None:
        if not self.grids:
            object.__setattr__(self, "grids", (None,) * len(self.inputs))

    def __len__(self) -> int:
        return len(self.inputs[0])

    def first(self, count: int, *, skip: int = 0) -> Samples:
        """`count` samples after the first `skip`."""
        return self.taken(np.arange(len(self))[skip : skip + count])

    def taken(self, places: npt.NDArray[np.intp]) -> Samples:
        """The samples at these places."""
        return replace(
            self, inputs=tuple(a[places] for a in self.inputs),
            labels=None if self.labels is None else self.labels[places],
            groups=None if self.groups is None else self.groups[places],
        )  # fmt: skip

    @property
    def reals(self) -> tuple[Array, ...]:
        """The inputs as real numbers (float32); integers that nobody knows the meaning of as they are."""
        return tuple(
            a.astype(np.float32) if a.dtype.kind == "f" else a if grid is None
            else ((a.astype(np.float32) - grid.zero_point) * np.float32(grid.scale))
            for a, grid in zip(self.inputs, self.grids, strict=True)
        )  # fmt: skip


def load_samples(path: str | os.PathLike[str], graph: ModelGraph, *, grid: Grid | None = None) -> Samples:
    """The samples of an .npz for this model.

    One input is called x, inputs, in0 or as the model's input; several in0, in1, ... or as the model calls
    them. Labels are y or labels; `scale` and `zero_point` (or `in0_scale`, ...) say what integers stand for.

    Args:
        grid: what integers stand for where neither the file nor the model says so.

    Raises:
        DataInvalid: the file cannot be read, or does not go with the model.
    """
    arrays, where = read_npz(path), str(path)
    tensors = [graph.tensors[t] for t in graph.inputs]
    names = _input_names(arrays, tensors, where)
    inputs = tuple(_arranged(arrays[n], t, f"{where}: {n}") for n, t in zip(names, tensors, strict=True))
    grids = tuple(
        _stated_grid(arrays, name, where) or grid or _model_grid(tensor, array)
        for name, tensor, array in zip(names, tensors, inputs, strict=True)
    )
    labels = next((arrays[n] for n in LABEL_NAMES if n in arrays and n not in names), None)
    groups = next((arrays[n] for n in GROUP_NAMES if n in arrays and n not in names), None)
    samples = Samples(
        inputs, tuple(g if a.dtype.kind in "iu" else None for g, a in zip(grids, inputs, strict=True)),
        labels, groups, Path(path).name,
    )  # fmt: skip
    return _checked(samples, where)


def grid_of(tensor: Tensor) -> Grid | None:
    """What the tensor's integers stand for; None where the model does not say."""
    q = tensor.quantization
    if q is None or not len(q.scales) or tensor.dtype not in INTEGER_RANGE:
        return None
    return Grid(float(q.scales[0]), int(q.zero_points[0]) if len(q.zero_points) else 0)


def _input_names(arrays: Mapping[str, Array], tensors: Sequence[Tensor], where: str) -> tuple[str, ...]:
    """Which array is which input."""
    by_name = tuple(t.name for t in tensors)
    choices = [
        by_name,
        tuple(f"in{i}" for i in range(len(tensors))),
        tuple(f"x{i}" for i in range(len(tensors))),
    ]
    if len(tensors) == 1:
        choices += [(name,) for name in INPUT_NAMES]
    for names in choices:
        if all(name in arrays for name in names) and len(set(names)) == len(names):
            return names
    told = ", ".join(sorted(arrays))[:120] or "none"
    wanted = "x" if len(tensors) == 1 else ", ".join(choices[1])
    raise DataInvalid(
        f"no array for the model's input (numeric arrays: {told})", where=where, fix=f"name it {wanted}"
    )


def _arranged(array: Array, tensor: Tensor, where: str) -> Array:
    """The array as (samples, *shape of the model's input): equal but for extents of 1, or flat."""
    wanted = tuple(tensor.shape)
    if array.ndim == 0 or -1 in wanted:
        raise DataInvalid(
            f"shape {array.shape} does not go with the model's input {wanted}", where=where, fix=_FIX
        )
    given = array.shape[1:]
    is_flat = len(given) == 1 and given[0] == tensor.element_count
    if not is_flat and _squeezed(given) != _squeezed(wanted):
        like = "×".join(str(extent) for extent in ("samples", *_without_batch(wanted)))
        raise DataInvalid(
            f"shape {array.shape} does not go with the model's input {wanted}", where=where,
            fix=f"give {like}",
        )  # fmt: skip
    return array.reshape(len(array), *wanted)


def _squeezed(shape: Sequence[int]) -> tuple[int, ...]:
    return tuple(extent for extent in shape if extent != 1)


def _without_batch(shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape[1:] if shape[:1] == (1,) else shape


def _stated_grid(arrays: Mapping[str, Array], name: str, where: str) -> Grid | None:
    """Scale and zero point that stand in the file."""
    for scale_name, zero_name in (
        (f"{name}_scale", f"{name}_zero_point"), ("scale", "zero_point"), ("input_scale", "input_zero_point"),
    ):  # fmt: skip
        if scale_name not in arrays:
            continue
        scale, zero = arrays[scale_name], arrays.get(zero_name, np.zeros((), np.int64))
        if scale.size != 1 or zero.size != 1:
            raise DataInvalid(
                "one scale and one zero point per input", where=f"{where}: {scale_name}", fix=_FIX
            )
        if not isfinite(scale.item()) or scale.item() <= 0 or not isfinite(zero.item()):
            raise DataInvalid("a scale above 0", where=f"{where}: {scale_name}", fix=_FIX)
        return Grid(float(scale.item()), int(zero.item()))
    return None


def _model_grid(tensor: Tensor, array: Array) -> Grid | None:
    """The model's own, where the array holds the model's own integers."""
    kind = NUMPY_OF_DTYPE.get(tensor.dtype)
    return grid_of(tensor) if kind is not None and array.dtype == np.dtype(kind) else None


def _checked(samples: Samples, where: str) -> Samples:
    count = len(samples)
    if count == 0:
        raise DataInvalid("no samples", where=where, fix=_FIX)
    for what, array in (("labels", samples.labels), ("groups", samples.groups)):
        if array is not None and (array.ndim == 0 or len(array) != count):
            raise DataInvalid(
                f"{count} samples, but {what} of shape {array.shape}", where=where, fix="one entry per sample"
            )
    for array in samples.inputs:
        if len(array) != count:
            raise DataInvalid(f"{count} samples of one input, {len(array)} of another", where=where, fix=_FIX)
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise DataInvalid("inputs that are no numbers (NaN or infinite)", where=where, fix="remove them")
    return samples
