"""What the ops mean that only move values: reshape, pad, join, cut, reorder, pick, resize."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import UnsupportedOp
from .reading import Reading
from .slicing import strided_ranges

Array = npt.NDArray[Any]
Inputs = Sequence[Array | None]
Meaning = Callable[[Reading, Inputs], list[Array]]


def _given(inputs: Inputs) -> list[Array]:
    return [x for x in inputs if x is not None]


def _whole(x: Array) -> list[int]:
    return [int(v) for v in x.reshape(-1)]


def _reshape(r: Reading, inputs: Inputs) -> list[Array]:
    """Also SQUEEZE and EXPAND_DIMS: the recorded output shape."""
    return [_given(inputs)[0].reshape(r.subgraph.tensors[r.op.outputs[0]].shape)]


def _pad(_: Reading, inputs: Inputs) -> list[Array]:
    x, amounts, *rest = _given(inputs)
    pairs = np.asarray(_whole(amounts)).reshape(-1, 2)
    fill = float(rest[0].reshape(-1)[0]) if rest else 0.0
    return [np.pad(x, [(int(a), int(b)) for a, b in pairs], constant_values=fill)]


def _concatenation(r: Reading, inputs: Inputs) -> list[Array]:
    return [np.concatenate(_given(inputs), axis=int(r.attribute("axis", 0)))]


def _pack(r: Reading, inputs: Inputs) -> list[Array]:
    return [np.stack(_given(inputs), axis=int(r.attribute("axis", 0)))]


def _unpack(r: Reading, inputs: Inputs) -> list[Array]:
    return list(np.moveaxis(_given(inputs)[0], int(r.attribute("axis", 0)), 0))


def _split(r: Reading, inputs: Inputs) -> list[Array]:
    axis, x = _given(inputs)
    return np.split(x, len(r.op.outputs), axis=_whole(axis)[0])


def _split_v(r: Reading, inputs: Inputs) -> list[Array]:
    x, _, axis = _given(inputs)
    along = _whole(axis)[0]
    extents = [r.subgraph.tensors[t].shape[along] for t in r.op.outputs]
    return np.split(x, np.cumsum(extents)[:-1], axis=along)


def _transpose(_: Reading, inputs: Inputs) -> list[Array]:
    x, order = _given(inputs)
    return [np.transpose(x, _whole(order))]


def _slice(r: Reading, inputs: Inputs) -> list[Array]:
    x, begin, _ = _given(inputs)
    extents = r.subgraph.tensors[r.op.outputs[0]].shape
    return [x[tuple(slice(b, b + e) for b, e in zip(_whole(begin), extents, strict=True))]]


def _strided_slice(r: Reading, inputs: Inputs) -> list[Array]:
    taken = strided_ranges(r)
    if taken is None:
        raise UnsupportedOp("STRIDED_SLICE with bounds known only when running", where=f"op {r.op.index}")
    picked = _given(inputs)[0][np.ix_(*(list(positions) for positions, _ in taken))]
    return [picked.reshape(r.subgraph.tensors[r.op.outputs[0]].shape)]


def _gather(r: Reading, inputs: Inputs) -> list[Array]:
    if r.attribute("batch_dims", 0):
        raise UnsupportedOp("GATHER with batch_dims cannot be evaluated", where=f"op {r.op.index}")
    x, indices = _given(inputs)
    return [np.take(x, indices.astype(np.int64), axis=int(r.attribute("axis", 0)))]


def _resize_nearest(r: Reading, inputs: Inputs) -> list[Array]:
    """source = floor(target * in / out), centred or cornered where the attributes say so."""
    x, size = _given(inputs)
    picks = []
    for extent, target in zip(x.shape[1:3], _whole(size), strict=True):
        corners = bool(r.attribute("align_corners", False)) and target > 1
        centre = 0.5 if r.attribute("half_pixel_centers", False) else 0.0
        ratio = (extent - 1) / (target - 1) if corners else extent / target
        place = (np.arange(target) + centre) * ratio
        source = np.floor(place + 0.5) if corners else np.floor(place)
        picks.append(np.clip(source, 0, extent - 1).astype(np.int64))
    return [x[:, picks[0]][:, :, picks[1]]]


def _resize_bilinear(r: Reading, inputs: Inputs) -> list[Array]:
    """Each target between its two nearest sources, by distance; first rows, then columns."""
    x, size = _given(inputs)
    for axis, target in zip((1, 2), _whole(size), strict=True):
        extent = x.shape[axis]
        corners = bool(r.attribute("align_corners", False)) and target > 1
        ratio = (extent - 1) / (target - 1) if corners else extent / target
        place = np.arange(target) * ratio
        if r.attribute("half_pixel_centers", False):
            place = (np.arange(target) + 0.5) * ratio - 0.5
        lower = np.clip(np.floor(place), 0, extent - 1).astype(np.int64)
        upper = np.clip(np.floor(place) + 1, 0, extent - 1).astype(np.int64)
        share = (place - np.floor(place)).reshape([-1 if d == axis else 1 for d in range(x.ndim)])
        x = np.take(x, lower, axis) * (1 - share) + np.take(x, upper, axis) * share
    return [x]


def _mirror_pad(r: Reading, inputs: Inputs) -> list[Array]:
    x, amounts = _given(inputs)
    pairs = np.asarray(_whole(amounts)).reshape(-1, 2)
    mode = "symmetric" if int(r.attribute("mode", 0)) == 1 else "reflect"
    return [np.pad(x, [(int(a), int(b)) for a, b in pairs], mode=mode)]  # type: ignore[call-overload]


def _space_to_depth(r: Reading, inputs: Inputs) -> list[Array]:
    (x,), block = _given(inputs), int(r.attribute("block_size", 1))
    n, h, w, c = x.shape
    cut = x.reshape(n, h // block, block, w // block, block, c).transpose(0, 1, 3, 2, 4, 5)
    return [cut.reshape(n, h // block, w // block, block * block * c)]


def _depth_to_space(r: Reading, inputs: Inputs) -> list[Array]:
    (x,), block = _given(inputs), int(r.attribute("block_size", 1))
    n, h, w, c = x.shape
    depth = c // (block * block)
    laid = x.reshape(n, h, w, block, block, depth).transpose(0, 1, 3, 2, 4, 5)
    return [laid.reshape(n, h * block, w * block, depth)]


def _space_to_batch(_: Reading, inputs: Inputs) -> list[Array]:
    """Pad, then every block position becomes a batch of its own."""
    x, blocks, pads = _given(inputs)
    by, rank = _whole(blocks), len(_whole(blocks))
    pairs = [(int(a), int(b)) for a, b in np.asarray(_whole(pads)).reshape(-1, 2)]
    padded = np.pad(x, [(0, 0), *pairs, *[(0, 0)] * (x.ndim - 1 - rank)])
    cut = [padded.shape[0]]
    for extent, block in zip(padded.shape[1:], by, strict=False):
        cut += [extent // block, block]
    parts = padded.reshape(*cut, *padded.shape[1 + rank :])
    order = [2 * d + 2 for d in range(rank)] + [0] + [2 * d + 1 for d in range(rank)]
    moved = parts.transpose(*order, *range(1 + 2 * rank, parts.ndim))
    return [moved.reshape(-1, *moved.shape[rank + 1 :])]


def _batch_to_space(_: Reading, inputs: Inputs) -> list[Array]:
    x, blocks, crops = _given(inputs)
    by, rank = _whole(blocks), len(_whole(blocks))
    parts = x.reshape(*by, -1, *x.shape[1:])
    order = [rank]
    for d in range(rank):
        order += [rank + 1 + d, d]
    laid = parts.transpose(*order, *range(1 + 2 * rank, parts.ndim))
    whole = laid.reshape(laid.shape[0], *(x.shape[1 + d] * by[d] for d in range(rank)), *x.shape[1 + rank :])
    for d, (before, after) in enumerate(np.asarray(_whole(crops)).reshape(-1, 2)):
        whole = np.take(whole, np.arange(before, whole.shape[1 + d] - after), axis=1 + d)
    return [whole]


def _broadcast_to(_: Reading, inputs: Inputs) -> list[Array]:
    x, shape = _given(inputs)
    return [np.broadcast_to(x, _whole(shape))]


def _shape(_: Reading, inputs: Inputs) -> list[Array]:
    return [np.array(_given(inputs)[0].shape)]


def _tile(_: Reading, inputs: Inputs) -> list[Array]:
    x, repeats = _given(inputs)
    return [np.tile(x, _whole(repeats))]


MOVEMENT: dict[str, Meaning] = {
    "RESHAPE": _reshape,
    "SQUEEZE": _reshape,
    "EXPAND_DIMS": _reshape,
    "PAD": _pad,
    "PADV2": _pad,
    "CONCATENATION": _concatenation,
    "PACK": _pack,
    "UNPACK": _unpack,
    "SPLIT": _split,
    "SPLIT_V": _split_v,
    "TRANSPOSE": _transpose,
    "SLICE": _slice,
    "STRIDED_SLICE": _strided_slice,
    "GATHER": _gather,
    "RESIZE_NEAREST_NEIGHBOR": _resize_nearest,
    "RESIZE_BILINEAR": _resize_bilinear,
    "MIRROR_PAD": _mirror_pad,
    "SPACE_TO_DEPTH": _space_to_depth,
    "DEPTH_TO_SPACE": _depth_to_space,
    "SPACE_TO_BATCH_ND": _space_to_batch,
    "BATCH_TO_SPACE_ND": _batch_to_space,
    "BROADCAST_TO": _broadcast_to,
    "TILE": _tile,
    "SHAPE": _shape,
}
