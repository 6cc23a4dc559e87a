"""What does the model need on the target, and does it fit? The figures of an estimate without its report."""

from __future__ import annotations

from typing import NamedTuple

from ..devices.target import Target
from ..graphs.ir import ModelGraph
from ..graphs.passes.fusion import FusionResult, fuse
from ..graphs.static_shapes import with_static_shapes
from .bandwidth import required_bandwidth
from .columns import KernelTable
from .duty import duty_cycle
from .encodings.stored import as_stored
from .energy import energy_j
from .estimate import BudgetCheck, Conditions, MemoryFit, Verdict, total
from .fit import memory_fits
from .latency import CycleColumns, kernel_cycles
from .metrics import Headline
from .needs import Planned, contents, planned
from .placement import Contents
from .rows import total_latency_s, total_macs
from .traffic import TrafficColumns, kernel_traffic
from .verdict import decide, limit_budgets, memory_budgets, time_budgets
from .work_graph import drops_channels, work_graph
from .workload import compile_table


class Ready(NamedTuple):
    """What clock, sizes, speeds, power and conditions do not change: kernels as the runtime runs them, plan.

    Args:
        graph: the model as it is stored on the target.
        solved: the same with its shapes worked out; `worked` is what the kernels compute of it.
        table: the kernels that cost time; `whole` has those of dropped channels too.
    """

    graph: ModelGraph
    solved: ModelGraph
    fusion: FusionResult
    held: Planned
    worked: ModelGraph
    table: KernelTable
    whole: KernelTable


class Outcome(NamedTuple):
    """The figures of one target under one set of conditions."""

    needed: Contents
    traffic: TrafficColumns
    cycles: CycleColumns
    headline: Headline
    memories: tuple[MemoryFit, ...]
    budgets: tuple[BudgetCheck, ...]
    verdict: Verdict


def made_ready(graph: ModelGraph, target: Target) -> Ready:
    """Fused, planned, compiled to tables."""
    graph = as_stored(graph, target)
    solved = with_static_shapes(graph)
    fusion = fuse(solved, target.runtime.fusion)
    held = planned(graph, fusion.graph, target)
    worked = work_graph(solved, target) if drops_channels(target) else fusion.graph
    whole = compile_table(fusion.graph, target.kernels)
    table = whole if worked is fusion.graph else compile_table(worked, target.kernels)
    return Ready(graph, solved, fusion, held, worked, table, whole)


def outcome(ready: Ready, target: Target, conditions: Conditions) -> Outcome:
    """What it comes to on this target under these conditions.

    Args:
        target: the one it was made ready for, or one that differs in clock, sizes, speeds, power or factors.
    """
    held, table = ready.held, ready.table
    traffic, cycles = kernel_traffic(table, target), kernel_cycles(table, target)
    latency_s = total_latency_s(table, cycles, target.clock_hz)
    needed = contents(ready.graph, target, held)
    memories = memory_fits(target, needed, columns=traffic, latency_s=latency_s, conditions=conditions)
    moved = total((m.traffic_bytes for m in memories if m.is_used), empty_source="no memory is used")
    inference_j = energy_j(latency_s, target)
    cycle = duty_cycle(latency_s, inference_j, target, conditions)
    headline = Headline(
        held.plan, held.no_plan, needed.arena + needed.static, needed.model + needed.code,
        latency_s, inference_j, total_macs(ready.whole), moved,
        required_bandwidth(moved, latency_s), cycle,
    )  # fmt: skip
    whole = {"ram": headline.ram_bytes, "flash": headline.flash_bytes, "energy": inference_j}
    budgets = (
        *memory_budgets(memories, tight_headroom=conditions.tight_headroom),
        *time_budgets(cycle, conditions),
        *limit_budgets(whole, conditions),
    )
    verdict = decide(budgets, held.refused)
    return Outcome(needed, traffic, cycles, headline, memories, budgets, verdict)
