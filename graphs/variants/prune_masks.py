"""Which weights stay when the smallest ones of a tensor go, one by one or in a pattern?

A tensor is seen as a matrix: rows are output channels, columns the remaining dimensions in the tensor's
memory order (height, width, input channel of a convolution; height, width of a depthwise one).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import RecipeInvalid, VariantInvalid

Magnitudes = npt.NDArray[Any]  # never negative, shape of the tensor
Mask = npt.NDArray[np.bool_]  # True stays

_LARGEST = 4096
_FORMS = (
    ("weight", re.compile(r"weight")),
    ("block", re.compile(r"(\d{1,4})x(\d{1,4})")),
    ("n:m", re.compile(r"(\d{1,4}):(\d{1,4})")),
    ("stride", re.compile(r"stride[- ](\d{1,4})")),
)


@dataclass(frozen=True, slots=True)
class Granularity:
    """What goes together.

    Args:
        kind: "weight" (each for itself), "block" (first rows x second columns), "n:m" (first of second
            consecutive input channels stay) or "stride" (each first-th tap of a kernel stays).
    """

    kind: str
    first: int = 1
    second: int = 1

    @property
    def pattern(self) -> str:
        """What WeightForm calls it; "" is no pattern."""
        names = {"weight": "", "block": f"{self.first}x{self.second}", "n:m": f"{self.first}:{self.second}"}
        return names.get(self.kind, f"stride {self.first}")

    @property
    def fixed_sparsity(self) -> float | None:
        """The sparsity that the pattern itself sets where lengths divide; None where it is free."""
        if self.kind == "n:m":
            return 1 - self.first / self.second
        return 1 - 1 / self.first if self.kind == "stride" else None


def granularity_of(text: str) -> Granularity:
    """What a recipe's word means: weight, RxC, N:M or stride-K.

    Raises:
        RecipeInvalid: it means nothing.

    >>> granularity_of("2:4")
    Granularity(kind='n:m', first=2, second=4)
    """
    for kind, form in _FORMS:
        match = form.fullmatch(text)
        if match is None:
            continue
        first, second = (*map(int, match.groups()), 1, 1)[:2]
        if not (1 <= first <= _LARGEST and 1 <= second <= _LARGEST):
            break
        if (kind == "n:m" and first >= second) or (kind == "stride" and first < 2):
            break
        return Granularity("weight" if (kind, first, second) == ("block", 1, 1) else kind, first, second)
    fault = f"granularity: {text[:40]!r} is none of weight, RxC (e.g. 1x4), N:M (e.g. 2:4), stride-K"
    raise RecipeInvalid("recipe with faults", faults=[fault])


def kept_mask(
    magnitudes: Magnitudes, granularity: Granularity, *, sparsity: float = 0.0, output_axis: int = 0
) -> Mask:
    """The weights that stay; of equal ones the first in the matrix goes.

    weight: round(sparsity x weights) go, the smallest first.
    block: blocks go in order of their mean square, as many as bring their weights nearest to round(sparsity x
    weights). Blocks at the edges are as small as what is left there.
    n:m: of every M consecutive input channels (taps, where there is one input channel) the N largest stay; of
    what is left at the end of the axis as well: all, where they are N or fewer.
    stride: taps offset + j x stride of a kernel stay, the same for all kernels of an output channel (Anwar
    et al., arXiv 1512.08571): the offset whose taps hold the largest sum of magnitudes. A sole tap stays.

    Args:
        sparsity: wanted fraction of zeros where the pattern leaves it free, of all weights: zeros count.
        output_axis: the dimension of output channels.
    """
    cube = _cube(magnitudes, output_axis)
    kept = _RULES[granularity.kind](cube, granularity, sparsity)
    shape = magnitudes.shape
    moved = (shape[output_axis], *shape[:output_axis], *shape[output_axis + 1 :])
    return np.ascontiguousarray(np.moveaxis(kept.reshape(moved), 0, output_axis))


def matrix_units(
    magnitudes: Magnitudes, granularity: Granularity, output_axis: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Per weight or block the sum of its squares, and how many weights it has: one number if all alike."""
    energies, sizes = _units(_cube(magnitudes, output_axis), granularity)
    counts = sizes.reshape(-1)
    return energies.reshape(-1), counts[:1] if counts.min() == counts.max() else counts


def smallest(values: npt.NDArray[Any], count: int) -> Mask:
    """The `count` smallest of a vector; of equal ones the first.

    >>> smallest(np.array([3, 1, 2, 1, 1]), 2).tolist()
    [False, True, False, True, False]
    """
    if count <= 0 or count >= values.size:
        return np.full(values.size, count > 0)
    limit = np.partition(values, count - 1)[count - 1]
    found: Mask = values < limit
    found[np.flatnonzero(values == limit)[: count - np.count_nonzero(found)]] = True
    return found


def _cube(magnitudes: Magnitudes, output_axis: int) -> Magnitudes:
    """(output channel, tap, input channel); a depthwise kernel has one input channel."""
    if not 0 <= output_axis < magnitudes.ndim or not magnitudes.size:
        raise VariantInvalid(f"weights of shape {magnitudes.shape} have no output channels")
    rows = np.moveaxis(magnitudes, output_axis, 0)
    depth = rows.shape[-1] if output_axis == 0 and rows.ndim > 1 else 1
    return rows.reshape(rows.shape[0], -1, depth)


def _units(
    cube: Magnitudes, granularity: Granularity
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Sums of squares and weights per block, both (block rows, block columns)."""
    squares = np.square(cube.reshape(cube.shape[0], -1), dtype=np.float64)
    steps = (granularity.first, granularity.second) if granularity.kind == "block" else (1, 1)
    extents = []
    for axis, (extent, step) in enumerate(zip(squares.shape, steps, strict=True)):
        starts = np.arange(0, extent, step)
        squares = np.add.reduceat(squares, starts, axis=axis) if step > 1 else squares
        extents.append(np.diff(np.append(starts, extent)))
    return squares, np.outer(*extents).astype(np.int64)


def _weights(cube: Magnitudes, _: Granularity, sparsity: float) -> Mask:
    return ~smallest(cube.reshape(-1), round(sparsity * cube.size))


def _blocks(cube: Magnitudes, granularity: Granularity, sparsity: float) -> Mask:
    matrix_shape = (cube.shape[0], cube[0].size)
    energies, sizes = _units(cube, granularity)
    gone = _fewest((energies / sizes).reshape(-1), sizes.reshape(-1), round(sparsity * cube.size))
    wide = np.repeat(gone.reshape(sizes.shape), granularity.first, axis=0)[: matrix_shape[0]]
    return ~np.repeat(wide, granularity.second, axis=1)[:, : matrix_shape[1]]


def _fewest(values: npt.NDArray[Any], sizes: npt.NDArray[np.int64], wanted: int) -> Mask:
    """The smallest values whose sizes add up nearest to `wanted`."""
    if sizes.min() == sizes.max():
        return smallest(values, round(wanted / int(sizes[0])))
    order = np.argsort(values, kind="stable")
    reached = np.concatenate([[0], np.cumsum(sizes[order])])
    found = np.zeros(values.size, bool)
    found[order[: int(np.argmin(np.abs(reached - wanted)))]] = True
    return found


def _n_of_m(cube: Magnitudes, granularity: Granularity, _: float) -> Mask:
    kept, group = granularity.first, granularity.second
    rows = cube.reshape(-1, cube.shape[2] if cube.shape[2] > 1 else cube.shape[1])
    length = rows.shape[1]
    full = np.pad(rows, ((0, 0), (0, -length % group)), constant_values=-1)  # what is not there goes first
    order = np.argsort(full.reshape(-1, group), axis=1, kind="stable")
    mask = np.ones(order.shape, bool)
    np.put_along_axis(mask, order[:, : group - kept], False, axis=1)
    return mask.reshape(full.shape)[:, :length]


def _strided(cube: Magnitudes, granularity: Granularity, _: float) -> Mask:
    stride, taps = granularity.first, cube.shape[1]
    per_tap = cube.sum(axis=2, dtype=np.float64)
    offsets = np.arange(min(stride, taps))
    held = np.stack([per_tap[:, offset::stride].sum(axis=1) for offset in offsets], axis=1)
    best = np.argmax(held, axis=1)
    kept = np.arange(taps) % stride == best[:, None]
    return np.broadcast_to(kept[:, :, None], cube.shape)


_RULES: dict[str, Callable[[Magnitudes, Granularity, float], Mask]] = {
    "weight": _weights, "block": _blocks, "n:m": _n_of_m, "stride": _strided,
}  # fmt: skip
