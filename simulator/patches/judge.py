"""Is this plan of patches right? Slow and obvious: each tap is followed, each patch replayed byte by byte."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...devices.target import KernelBuild
from ...errors import PlanInvalid
from ...graphs.geometry import Padding
from ...graphs.ir import ModelGraph, Op, Subgraph
from ...graphs.static_shapes import with_static_shapes
from ..memory.scratch import scratch_requests
from .kernels import one_patch
from .plan import PatchPlan

Box = tuple[tuple[int, int], ...]  # [first, stop) per dimension
_WINDOWED = ("CONV_2D", "DEPTHWISE_CONV_2D", "AVERAGE_POOL_2D", "MAX_POOL_2D")


def judge_patches(
    plan: PatchPlan, graph: ModelGraph, build: KernelBuild, *, alignment_bytes: int = 16
) -> None:
    """Refuse a plan whose ranges, bytes or MACs are not what following every tap gives.

    Raises:
        PlanInvalid: with all faults.
    """
    solved = with_static_shapes(graph)
    replay = _Replay(plan, solved, build, alignment_bytes)
    faults = [*replay.ranges(), *replay.cover(), *replay.bytes(), *replay.macs()]
    if faults:
        raise PlanInvalid("the plan of patches is wrong", faults=faults[:20], where=graph.name or "graph")


class _Replay:
    def __init__(self, plan: PatchPlan, graph: ModelGraph, build: KernelBuild, alignment_bytes: int) -> None:
        self.plan, self.graph, self.build, self.alignment_bytes = plan, graph, build, alignment_bytes
        self.main = graph.main
        self.ops = self.main.ops[: plan.cut + 1]
        self.cut = self.ops[-1].outputs[0]
        self.boxes = [self._boxes(n) for n in range(len(plan.patches))]

    def _boxes(self, number: int) -> tuple[dict[int, Box], dict[tuple[int, int], Box]]:
        """tensor -> the box that the patch needs of it, and what each op reads, from the cut's tile back."""
        tile = self.plan.patches[number].tile_of[self.cut]
        n, _, _, c = self.main.tensors[self.cut].shape
        needed: dict[int, Box] = {self.cut: ((0, n), tuple(tile.rows), tuple(tile.cols), (0, c))}  # type: ignore[dict-item]
        reads = {}
        for op in reversed(self.ops):
            for position, t in _activations(self.main, op):
                box = _read(self.main, op, t, needed[op.outputs[0]])
                reads[op.index, position] = box
                old = needed.get(t, box)
                needed[t] = tuple((min(a, x), max(b, y)) for (a, b), (x, y) in zip(old, box, strict=True))
        return needed, reads

    def ranges(self) -> Iterator[str]:
        """Each tile is the box that its patch needs, not a row or column more or less."""
        axes = self.plan.tiling.stage.axes
        for patch, (needed, _) in zip(self.plan.patches, self.boxes, strict=True):
            for tile in patch.tiles:
                row, col = axes[tile.tensor]
                wanted = needed[tile.tensor][row], needed[tile.tensor][col]
                if wanted != (tuple(tile.rows), tuple(tile.cols)):
                    yield f"patch {patch.row},{patch.col} needs {wanted} of tensor {tile.tensor}, not {tile}"

    def cover(self) -> Iterator[str]:
        """The tiles of the cut cover it, each place once."""
        times = np.zeros(self.main.tensors[self.cut].shape, dtype=np.int64)
        for needed, _ in self.boxes:
            times[_slices(needed[self.cut])] += 1
        if not (times == 1).all():
            yield "the tiles of the cut tensor do not cover it once"

    def bytes(self) -> Iterator[str]:
        """The live sums are those of the replay, and the layout is not below them."""
        stage = self._whole_bytes() + max(self._patch_bytes(n) for n in range(len(self.boxes)))
        rest = max((self._op_bytes(op) for op in self.main.ops[self.plan.cut + 1 :]), default=0)
        ram = self.plan.ram
        if stage != ram.stage_bytes:
            yield f"{stage} bytes are alive while patches run, the plan says {ram.stage_bytes}"
        if rest != ram.rest_bytes and (rest or len(self.ops) < len(self.main.ops)):
            yield f"{rest} bytes are alive after the patches, the plan says {ram.rest_bytes}"
        if ram.live_bytes != max(ram.stage_bytes, ram.rest_bytes) or ram.peak_bytes < ram.live_bytes:
            yield f"a layout of {ram.peak_bytes} cannot hold {ram.stage_bytes} and {ram.rest_bytes} bytes"

    def _whole_bytes(self) -> int:
        """The cut, pictures that are not streamed, and inputs that later ops read."""
        read_in_stage = {t for op in self.ops for _, t in _activations(self.main, op)}
        held = {self.cut}
        for t in self.main.inputs:
            if t not in read_in_stage or not self.plan.is_streamed:
                held.add(t)
        return sum(self._bytes(self.main.tensors[t].shape, t) for t in held)

    def _patch_bytes(self, number: int) -> int:
        """The most that is alive while one patch runs, op by op."""
        needed, reads = self.boxes[number]
        alive: dict[object, int] = {}
        for t in self.main.inputs:
            if t in needed and (self.plan.is_streamed or not self._lies_in_whole(t, needed[t])):
                alive[t] = self._box_bytes(needed[t], t)
        most = sum(alive.values())
        scratch = self._scratch(number)
        for op in self.ops:
            for position, t in _activations(self.main, op):
                if not _is_contiguous(needed[t], reads[op.index, position]):
                    alive["copy", position] = self._box_bytes(reads[op.index, position], t)
            out = op.outputs[0]
            if out != self.cut or not self._lies_in_whole(out, needed[out]):
                alive[out] = self._box_bytes(needed[out], out)
            most = max(most, sum(alive.values()) + scratch[op.index])
            later = {t for o in self.ops[op.index + 1 :] for _, t in _activations(self.main, o)}
            alive = {key: size for key, size in alive.items() if key in later}
        return most

    def _op_bytes(self, op: Op) -> int:
        """What is alive while an op after the stage runs: made before or by it, read by it or later."""
        made = {*self.main.inputs, *(t for o in self.main.ops[: op.index + 1] for t in o.outputs)}
        ahead = self.main.ops[op.index :]
        wanted = {t for o in ahead for t in o.inputs} | {*self.main.outputs, *op.outputs}
        scratch = sum(self._up(size) for size in scratch_requests(self.main, op, self.build))
        return scratch + sum(self._bytes(self.main.tensors[t].shape, t) for t in made & wanted)

    def _scratch(self, number: int) -> dict[int, int]:
        """op index -> bytes of scratch at the shapes of this patch."""
        patch = self.plan.patches[number]
        tiles = one_patch(self.graph, self.plan.tiling, patch.row, patch.col).main
        kernels = [op for op in tiles.ops if op.kind != "SLICE"]
        return {
            op.index: sum(self._up(size) for size in scratch_requests(tiles, kernel, self.build))
            for op, kernel in zip(self.ops, kernels, strict=True)
        }

    def macs(self) -> Iterator[str]:
        """Every output place of every tile costs a whole window."""
        expected = self.plan.unpatched.macs
        if self.plan.patched.macs is None or expected is None:
            return
        for op in self.ops:
            if op.kind in ("CONV_2D", "DEPTHWISE_CONV_2D"):
                filters = self.main.tensors[op.inputs[1]].shape
                taps = filters[1] * filters[2] * (filters[3] if op.kind == "CONV_2D" else 1)
                made = sum(_count(needed[op.outputs[0]]) for needed, _ in self.boxes)
                expected += taps * (made - self.main.tensors[op.outputs[0]].element_count)
        if expected != self.plan.patched.macs:
            yield f"the patches take {expected} MACs, the plan says {self.plan.patched.macs}"

    def _lies_in_whole(self, tensor: int, box: Box) -> bool:
        return _is_contiguous(tuple((0, extent) for extent in self.main.tensors[tensor].shape), box)

    def _box_bytes(self, box: Box, tensor: int) -> int:
        return self._bytes(tuple(stop - first for first, stop in box), tensor)

    def _bytes(self, shape: tuple[int, ...], tensor: int) -> int:
        bits = self.main.tensors[tensor].dtype.bits or 0
        count = 1
        for extent in shape:
            count *= extent
        return self._up(count * max(8, bits) // 8)

    def _up(self, size_bytes: int) -> int:
        while size_bytes % self.alignment_bytes:
            size_bytes += 1
        return size_bytes


def _activations(main: Subgraph, op: Op) -> list[tuple[int, int]]:
    return [(n, t) for n, t in enumerate(op.inputs) if t >= 0 and main.tensors[t].data is None]


def _count(box: Box) -> int:
    return int(np.prod([stop - first for first, stop in box]))


def _slices(box: Box) -> tuple[slice, ...]:
    return tuple(slice(first, stop) for first, stop in box)


def _is_contiguous(held: Box, box: Box) -> bool:
    """Asked of a real array of the tile's shape."""
    array = np.zeros([stop - first for first, stop in held], dtype=np.int8)
    inside = [(a - h, b - h) for (h, _), (a, b) in zip(held, box, strict=True)]
    return bool(array[_slices(tuple(inside))].flags.c_contiguous)


def _read(main: Subgraph, op: Op, tensor: int, out: Box) -> Box:
    """The box of one input that the output box needs, tap by tap."""
    shape = main.tensors[tensor].shape
    if op.kind in _WINDOWED:
        rows, cols = (_taps(main, op, axis, shape[axis], out[axis]) for axis in (1, 2))
        return out[0], rows, cols, (0, shape[3])
    if op.kind in ("PAD", "PADV2"):
        before = _integers(main, op)[::2]
        return tuple((max(0, a - p), min(d, b - p)) for (a, b), p, d in zip(out, before, shape, strict=True))
    if op.kind == "TRANSPOSE":
        order = _integers(main, op)
        return tuple(out[order.index(axis)] for axis in range(4))
    if op.kind == "CONCATENATION":
        joined = op.attributes.axis % 4  # type: ignore[union-attr]
        return tuple((0, shape[axis]) if axis == joined else out[axis] for axis in range(4))
    return tuple((0, 1) if d == 1 else o for d, o in zip(shape, out, strict=True))


def _taps(main: Subgraph, op: Op, axis: int, extent: int, out: tuple[int, int]) -> tuple[int, int]:
    a: Any = op.attributes
    along = "h" if axis == 1 else "w"
    kernel = (
        main.tensors[op.inputs[1]].shape[axis] if op.kind.endswith("CONV_2D")
        else (a.filter_height, a.filter_width)[axis - 1]
    )  # fmt: skip
    stride, dilation = getattr(a, f"stride_{along}"), getattr(a, f"dilation_{along}_factor", 1)
    padding = 0
    if a.padding is Padding.SAME:
        places = -(-extent // stride)
        padding = max(0, (places - 1) * stride + (kernel - 1) * dilation + 1 - extent) // 2
    seen = [
        place for y in range(*out) for tap in range(kernel)
        if 0 <= (place := y * stride + tap * dilation - padding) < extent
    ]  # fmt: skip
    return min(seen), max(seen) + 1


def _integers(main: Subgraph, op: Op) -> list[int]:
    tensor = main.tensors[op.inputs[1]]
    kind = np.int64 if (tensor.dtype.bits or 32) == 64 else np.int32
    return [int(v) for v in np.frombuffer(tensor.data or b"", dtype=kind)]
