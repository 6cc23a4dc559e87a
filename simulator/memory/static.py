"""How much RAM does the runtime keep for itself, beside the arena?"""

from __future__ import annotations

from ...devices.target import Target
from ...graphs.ir import ModelGraph
from ..interval import Interval, exact, times, unknown
from ..releases import op_terms, release_figure


def static_ram(graph: ModelGraph, target: Target) -> Interval:
    """.data and .bss of the runtime: what its file states, or what its release takes for these ops."""
    return times(_static_ram(graph, target), target.what_if.static_ram)


def _static_ram(graph: ModelGraph, target: Target) -> Interval:
    memory, runtime = target.runtime.memory, target.runtime
    if memory.persistent == "x-cube-ai":
        return release_figure(runtime.memory_version, "runtime_ram", op_terms(graph))
    if memory.static_ram_bytes is None:
        return unknown(f"static RAM of {runtime.name} is not known: {memory.source}")
    return exact(memory.static_ram_bytes, memory.source)
