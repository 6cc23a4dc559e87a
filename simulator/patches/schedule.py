"""What does the network need in RAM when its first ops run patch by patch? Requests, a layout, a bound.

All patches share one layout: each buffer is as large as the largest patch needs it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ...devices.target import KernelBuild, Target
from ...graphs.ir import ModelGraph
from ..arena import MemoryPlan, PlannedBuffer
from ..memory.optimum import requests_of
from ..memory.plan import plan_by_size, plan_memory
from ..memory.planners.problem import Request, extent, live_bytes
from ..memory.planners.tflm_greedy import place
from ..memory.rounding import up
from ..memory.scratch import scratch_requests
from .buffers import TileBuffer, tile_buffers
from .buffers import live_bytes as live_tiles
from .fields import Ints
from .kernels import TiledKernels, patch_classes
from .stage import Stage
from .tiling import Tiling

_SCRATCH_KNOWN = frozenset({"reference", "cmsis-nn", "esp-nn"})
NO_SCRATCH = "the scratch of {} kernels is not known and not counted"


@dataclass(frozen=True, eq=False)
class Unpatched:
    """The plan of the whole network as it is, which the patched one keeps after the cut.

    Args:
        note: what the plan takes for granted; "" for the runtime's own.
    """

    plan: MemoryPlan
    note: str

    def whole_buffers(self, stage: Stage, *, is_streamed: bool) -> list[PlannedBuffer]:
        """Alive throughout the stage: the cut, pictures unless streamed, inputs that wait for later ops."""
        held, inside = {stage.cut, *(() if is_streamed else stage.inputs)}, set(stage.tensors)
        clock = self.clock(stage)
        return [
            b for b in self.plan.buffers
            if b.kind == "tensor" and b.subgraph == 0
            and (b.tensor in held or (b.tensor not in inside and 0 <= b.first <= clock))
        ]  # fmt: skip

    def clock(self, stage: Stage) -> int:
        """When the op that makes the cut runs in the plan."""
        return self.plan.clock_of_op[stage.last]

    def rest_bytes(self, stage: Stage) -> int:
        """The largest live sum after the stage."""
        return max(self._live[self.clock(stage) + 2 :], default=0)

    @cached_property
    def _live(self) -> list[int]:
        """Entry n is instant n - 1."""
        requests = requests_of(self.plan)
        return live_bytes(requests, max((r.last for r in requests), default=0))


class Schedule(NamedTuple):
    """The patched network in RAM.

    Args:
        peak_bytes: of one layout for all patches and the rest.
        live_bytes: the largest sum alive at once; no layout is smaller.
        stage_bytes, rest_bytes: that sum while the patches run, and after.
    """

    peak_bytes: int
    live_bytes: int
    stage_bytes: int
    rest_bytes: int


def plan_unpatched(graph: ModelGraph, target: Target) -> Unpatched:
    """The runtime's plan, or one by size where the runtime's planner is not known.

    Raises:
        PlanInvalid: the model has no plan.
    """
    memory = target.runtime.memory
    if memory.planner != "unknown":
        return Unpatched(plan_memory(graph, target), "")
    note = f"the planner of {target.runtime.name} is not known: tensors are placed greedily by size"
    return Unpatched(plan_by_size(graph, memory.alignment_bytes), note)


def scratch_note(build: KernelBuild) -> str:
    """What is left out of scratch; "" where the kernels' requests are known."""
    return "" if build.library in _SCRATCH_KNOWN else NO_SCRATCH.format(build.library)


def schedule(
    unpatched: Unpatched, tiling: Tiling, kernels: TiledKernels, build: KernelBuild, *, is_streamed: bool
) -> Schedule:
    """Lay out tiles, scratch and the whole tensors of the stage, and the rest of the plan behind it.

    Clock: a patch takes the instants 0 to the number of its ops; later ops of the plan follow.
    """
    stage, plan = tiling.stage, unpatched.plan
    steps, clock = len(stage.ops), unpatched.clock(stage)
    tiles = tile_buffers(stage, tiling.rows, tiling.cols, is_streamed=is_streamed,
                         alignment_bytes=plan.alignment_bytes)  # fmt: skip
    tiles += _scratch(tiling, kernels, build, plan.alignment_bytes)
    whole = unpatched.whole_buffers(stage, is_streamed=is_streamed)
    requests = [
        *(Request(int(b.size_bytes.max()), b.first, b.last) for b in tiles if b.size_bytes.any()),
        *(Request(b.size_bytes, 0, steps + max(0, b.last - clock)) for b in whole),
        *(Request(b.size_bytes, steps + b.first - clock, steps + b.last - clock)
          for b in plan.buffers if b.first > clock),
    ]  # fmt: skip
    alive = int(live_tiles(tiles, steps + 1, tiling.grid).max())
    stage_bytes, rest_bytes = sum(b.size_bytes for b in whole) + alive, unpatched.rest_bytes(stage)
    peak = extent(requests, place(requests))
    return Schedule(peak, max(stage_bytes, rest_bytes), stage_bytes, rest_bytes)


def _scratch(
    tiling: Tiling, kernels: TiledKernels, build: KernelBuild, alignment_bytes: int
) -> list[TileBuffer]:
    """What each op requests; each distinct patch stands for its like, whose sizes stay 0."""
    if build.library not in _SCRATCH_KNOWN:
        return []
    main, classes = kernels.graph.main, patch_classes(tiling)
    found: dict[tuple[int, int], Ints] = {}
    ops = [op for op, is_copy in zip(main.ops, kernels.is_copy, strict=True) if not is_copy]
    for place_in_list, op in enumerate(ops[: len(classes) * len(tiling.stage.ops)]):
        number, step = divmod(place_in_list, len(tiling.stage.ops))
        for n, size_bytes in enumerate(scratch_requests(main, op, build)):
            sizes = found.setdefault((step + 1, n), np.zeros(tiling.grid, dtype=np.int64))
            sizes[classes[number].row, classes[number].col] = up(size_bytes, alignment_bytes)
    return [TileBuffer("scratch", -1, step, step, step, sizes) for (step, _), sizes in found.items()]
