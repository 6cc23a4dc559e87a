"""What must ops that cut or pick say once the picture has other extents? Rules as in resize_rules.py."""

from __future__ import annotations

from .resize_change import Change, Rule, Said


def _strided_slice(c: Change) -> Said:
    """Ends at the old extent move to the new one; other fixed ends are refused."""
    end, old, new = c.r.integers(2), c.r.shape(), c.new()
    if end is None or c.r.attribute("ellipsis_mask", 0) or c.r.attribute("new_axis_mask", 0):
        raise c.refused("cuts in a way that cannot follow another extent")
    open_ends = c.r.attribute("end_mask", 0) | c.r.attribute("shrink_axis_mask", 0)
    for axis in range(len(end)):
        if old[axis] != new[axis] and not open_ends >> axis & 1 and end[axis] >= 0:
            if end[axis] < old[axis]:
                raise c.refused(f"cuts at {end[axis]} of {old[axis]} along axis {axis}, which changes")
            end[axis] = new[axis]
    return Said(integers={2: end})


def _slice(c: Change) -> Said:
    begin, extent, old, new = c.r.integers(1), c.r.integers(2), c.r.shape(), c.new()
    if begin is None or extent is None:
        raise c.refused("has bounds known only when running")
    for axis in range(len(extent)):
        if old[axis] != new[axis] and extent[axis] != -1:
            if begin[axis] + extent[axis] != old[axis]:
                raise c.refused(f"cuts {extent[axis]} of {old[axis]} along axis {axis}, which changes")
            extent[axis] = new[axis] - begin[axis]
    return Said(integers={2: extent})


def _gather(c: Change) -> Said:
    axis = c.r.axis(c.r.attribute("axis", 0), len(c.r.shape()))
    if c.r.op.kind == "GATHER" and c.changes(axis):
        raise c.refused("picks fixed positions of an axis that changes")
    return Said()


def _split_v(c: Change) -> Said:
    axis = c.r.axis((c.r.integers(2) or [0])[0], len(c.r.shape()))
    if c.changes(axis) and -1 not in (c.r.integers(1) or ()):
        raise c.refused("splits an axis that changes at fixed places")
    return Said()


def _space_to_batch(c: Change) -> Said:
    """Behind the picture as much more as makes whole blocks."""
    blocks, pads = c.r.integers(1), c.r.integers(2)
    if blocks is None or pads is None:
        raise c.refused("has blocks known only when running")
    for d, block in enumerate(blocks):
        pads[2 * d + 1] += -(c.new()[1 + d] + pads[2 * d] + pads[2 * d + 1]) % block
    return Said(integers={2: pads})


def _batch_to_space(c: Change) -> Said:
    """Cropped to the extent that those of the same size have now."""
    blocks, crops = c.r.integers(1), c.r.integers(2)
    if blocks is None or crops is None:
        raise c.refused("has blocks known only when running")
    for d, block in enumerate(blocks):
        known = c.extents.of(1 + d, c.r.subgraph.tensors[c.r.op.outputs[0]].shape[1 + d])
        if known is not None:
            crops[2 * d + 1] = c.new()[1 + d] * block - crops[2 * d] - known
    if min(crops) < 0:
        raise c.refused("cannot be cropped to the extent that it needs")
    return Said(integers={2: crops})


CUTS: dict[str, Rule] = {
    "STRIDED_SLICE": _strided_slice, "SLICE": _slice, "GATHER": _gather, "SPLIT_V": _split_v,
    "SPACE_TO_BATCH_ND": _space_to_batch, "BATCH_TO_SPACE_ND": _batch_to_space,
}  # fmt: skip
