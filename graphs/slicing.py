"""What shapes come out of ops that cut, join, reorder and pick: split, pack, slice, transpose, gather, ..."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from .reading import Reading, Shapes


def _split(r: Reading) -> Shapes | None:
    """Equal parts along the axis of input 0."""
    axes, shape, parts = r.integers(0), r.shape(1), int(r.attribute("num_splits", 0))
    if axes is None or len(axes) != 1:
        return None
    axis = r.axis(axes[0], len(shape))
    if parts < 1 or shape[axis] % parts:
        raise r.fault(f"cannot be cut into {parts} equal parts")
    return ((*shape[:axis], shape[axis] // parts, *shape[axis + 1 :]),) * parts


def _split_v(r: Reading) -> Shapes | None:
    """Parts of the extents in input 1 along the axis of input 2; one -1 takes the rest."""
    shape, extents, axes = r.shape(0), r.integers(1), r.integers(2)
    if extents is None or axes is None or len(axes) != 1:
        return None
    axis = r.axis(axes[0], len(shape))
    rest = shape[axis] - sum(e for e in extents if e != -1)
    if extents.count(-1) > 1 or rest < 0 or (rest and -1 not in extents):
        raise r.fault(f"cannot be cut into {extents}")
    sizes = [rest if e == -1 else e for e in extents]
    return tuple((*shape[:axis], e, *shape[axis + 1 :]) for e in sizes)


def _pack(r: Reading) -> Shapes:
    shapes = r.shapes()
    if len(set(shapes)) != 1:
        raise r.fault("stacks different shapes")
    at = r.axis(r.attribute("axis", 0), len(shapes[0]) + 1)
    return ((*shapes[0][:at], len(shapes), *shapes[0][at:]),)


def _unpack(r: Reading) -> Shapes:
    shape = r.shape()
    axis = r.axis(r.attribute("axis", 0), len(shape))
    count = int(r.attribute("num", shape[axis] if shape else 0))
    if not shape or count != shape[axis]:
        raise r.fault(f"cannot be taken apart into {count}")
    return ((*shape[:axis], *shape[axis + 1 :]),) * count


def _slice(r: Reading) -> Shapes | None:
    shape, begin, extent = r.shape(), r.integers(1), r.integers(2)
    if begin is None or extent is None:
        return None
    if len(begin) != len(shape) or len(extent) != len(shape):
        raise r.fault("has a begin or extent of another rank")
    taken = tuple(d - b if e == -1 else e for d, b, e in zip(shape, begin, extent, strict=True))
    if any(b < 0 or t < 0 or b + t > d for d, b, t in zip(shape, begin, taken, strict=True)):
        raise r.fault(f"takes {list(taken)} from {begin}")
    return (taken,)


def strided_ranges(r: Reading) -> list[tuple[range, bool]] | None:
    """Per input dimension the positions that STRIDED_SLICE takes, and whether the dimension is dropped.

    None where the bounds are known only when running, or an ellipsis or a new axis is asked for.
    """
    shape, begin, end, strides = r.shape(), r.integers(1), r.integers(2), r.integers(3)
    if begin is None or end is None or strides is None:
        return None
    if r.attribute("ellipsis_mask", 0) or r.attribute("new_axis_mask", 0) or r.attribute("offset", False):
        return None
    if not len(begin) == len(end) == len(strides) <= len(shape) or 0 in strides:
        raise r.fault(f"has bounds {begin}, {end}, {strides}")
    masks = {name: r.attribute(f"{name}_mask", 0) for name in ("begin", "end", "shrink_axis")}
    taken: list[tuple[range, bool]] = []
    for d, extent in enumerate(shape):
        if d >= len(begin):
            taken.append((range(extent), False))
            continue
        first = None if masks["begin"] >> d & 1 else begin[d]
        if masks["shrink_axis"] >> d & 1:
            position = r.axis(first or 0, extent)
            taken.append((range(position, position + 1), True))
            continue
        last = None if masks["end"] >> d & 1 else end[d]
        taken.append((range(extent)[slice(first, last, strides[d])], False))
    return taken


def _strided_slice(r: Reading) -> Shapes | None:
    taken = strided_ranges(r)
    return None if taken is None else (tuple(len(positions) for positions, dropped in taken if not dropped),)


def _transpose(r: Reading) -> Shapes | None:
    order, shape = r.integers(1), r.shape()
    if order is None:
        return None
    axes = [r.axis(d, len(shape)) for d in order]
    if sorted(axes) != list(range(len(shape))):
        raise r.fault(f"has the permutation {order}")
    return (tuple(shape[d] for d in axes),)


def _gather(r: Reading) -> Shapes:
    shape, indices = r.shape(0), r.shape(1)
    axis, batch = r.axis(r.attribute("axis", 0), len(shape)), r.attribute("batch_dims", 0)
    batch = batch + len(indices) if batch < 0 else batch
    if batch > axis or batch > len(indices) or shape[:batch] != indices[:batch]:
        raise r.fault(f"picks with batch_dims {batch}")
    return ((*shape[:axis], *indices[batch:], *shape[axis + 1 :]),)


def _arg(r: Reading) -> Shapes | None:
    axes, shape = r.integers(1), r.shape()
    if axes is None or len(axes) != 1:
        return None
    axis = r.axis(axes[0], len(shape))
    return ((*shape[:axis], *shape[axis + 1 :]),)


def _filled(r: Reading) -> Shapes | None:
    target = r.integers(0)
    return None if target is None else (tuple(target),)


def _broadcast_to(r: Reading) -> Shapes | None:
    target = r.integers(1)
    return None if target is None else (tuple(target),)


def _tile(r: Reading) -> Shapes | None:
    repeats, shape = r.integers(1), r.shape()
    if repeats is None:
        return None
    if len(repeats) != len(shape):
        raise r.fault(f"repeats {repeats}")
    return (tuple(d * n for d, n in zip(shape, repeats, strict=True)),)


def _space_to_depth(r: Reading) -> Shapes:
    block, shape = r.attribute("block_size", 0), r.shape()
    if len(shape) != 4 or block < 1 or shape[1] % block or shape[2] % block:
        raise r.fault(f"has blocks of {block}")
    return ((shape[0], shape[1] // block, shape[2] // block, shape[3] * block * block),)


def _depth_to_space(r: Reading) -> Shapes:
    block, shape = r.attribute("block_size", 0), r.shape()
    if len(shape) != 4 or block < 1 or shape[3] % (block * block):
        raise r.fault(f"has blocks of {block}")
    return ((shape[0], shape[1] * block, shape[2] * block, shape[3] // (block * block)),)


def _space_to_batch(r: Reading) -> Shapes | None:
    shape, blocks, pads = r.shape(), r.integers(1), r.integers(2)
    if blocks is None or pads is None:
        return None
    if len(pads) != 2 * len(blocks) or len(blocks) >= len(shape) or min(blocks, default=1) < 1:
        raise r.fault(f"has blocks {blocks} and paddings {pads}")
    padded = [shape[1 + i] + pads[2 * i] + pads[2 * i + 1] for i in range(len(blocks))]
    if any(extent % block for extent, block in zip(padded, blocks, strict=True)):
        raise r.fault(f"cannot be cut into blocks {blocks}")
    cut = tuple(extent // block for extent, block in zip(padded, blocks, strict=True))
    return ((shape[0] * prod(blocks), *cut, *shape[1 + len(blocks) :]),)


def _batch_to_space(r: Reading) -> Shapes | None:
    shape, blocks, crops = r.shape(), r.integers(1), r.integers(2)
    if blocks is None or crops is None:
        return None
    if len(crops) != 2 * len(blocks) or len(blocks) >= len(shape) or min(blocks, default=1) < 1:
        raise r.fault(f"has blocks {blocks} and crops {crops}")
    if shape[0] % prod(blocks):
        raise r.fault(f"has blocks {blocks} and crops {crops}")
    grown = tuple(shape[1 + i] * b - crops[2 * i] - crops[2 * i + 1] for i, b in enumerate(blocks))
    return ((shape[0] // prod(blocks), *grown, *shape[1 + len(blocks) :]),)


def _rank_vector(r: Reading) -> Shapes:
    return ((len(r.shape()),),)


SLICING: dict[str, Callable[[Reading], Shapes | None]] = {
    "SPLIT": _split,
    "SPLIT_V": _split_v,
    "PACK": _pack,
    "UNPACK": _unpack,
    "SLICE": _slice,
    "STRIDED_SLICE": _strided_slice,
    "TRANSPOSE": _transpose,
    "GATHER": _gather,
    "ARG_MAX": _arg,
    "ARG_MIN": _arg,
    "FILL": _filled,
    "BROADCAST_TO": _broadcast_to,
    "TILE": _tile,
    "SPACE_TO_DEPTH": _space_to_depth,
    "DEPTH_TO_SPACE": _depth_to_space,
    "SPACE_TO_BATCH_ND": _space_to_batch,
    "BATCH_TO_SPACE_ND": _batch_to_space,
    "SHAPE": _rank_vector,
}
