"""Which kernels does the target run of a model: channels without weights dropped where it does, fused."""

from __future__ import annotations

from ..devices.target import Target
from ..graphs.ir import ModelGraph
from ..graphs.passes.fusion import fuse
from ..graphs.passes.live_channels import without_dead_channels


def drops_channels(target: Target) -> bool:
    release = target.runtime.release
    return release is not None and release.drops_zero_channels


def work_graph(solved: ModelGraph, target: Target) -> ModelGraph:
    """The graph whose work is counted; `solved` has static shapes."""
    live = without_dead_channels(solved) if drops_channels(target) else solved
    return fuse(live, target.runtime.fusion).graph
