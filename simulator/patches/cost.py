"""What does a set of kernels cost when each runs so many times? Work, traffic and time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...devices.target import Target
from ...graphs.ir import ModelGraph
from ..columns import Floats
from ..estimate import Traffic
from ..interval import Interval
from ..latency import kernel_cycles
from ..rows import total_latency_s
from ..traffic import kernel_traffic
from ..workload import compile_table


@dataclass(frozen=True, slots=True)
class Cost:
    """One inference.

    Args:
        macs: multiply-accumulates, taps on padding included; None where nobody can count an op's.
        kernel_calls: ops that run, copies of tiles left aside.
        copied_bytes: bytes of tiles that are copied.
        traffic: per memory, copies included.
    """

    macs: int | None
    kernel_calls: int
    copied_bytes: int
    traffic: tuple[Traffic, ...]
    latency_s: Interval


def cost_once(graph: ModelGraph, target: Target) -> Cost:
    """Every op once."""
    return cost_of(graph, target, np.ones(len(graph.ops)), np.zeros(len(graph.ops), dtype=bool))


def cost_of(graph: ModelGraph, target: Target, counts: Floats, is_copy: Floats) -> Cost:
    """sum over ops of count x the op's own figure."""
    table = compile_table(graph, target.kernels)
    once = kernel_traffic(table, target)
    traffic = once._replace(**{
        name: getattr(once, name) * counts
        for name in once._fields if name not in ("weights_memory", "arena_memory")
    })  # fmt: skip
    cycles = kernel_cycles(table, target)
    cycles = cycles._replace(value=cycles.value * counts, lo=cycles.lo * counts, hi=cycles.hi * counts)
    macs = float((table.macs * counts).sum())
    return Cost(
        macs=None if np.isnan(macs) else int(macs),
        kernel_calls=int(counts[~is_copy].sum()),
        copied_bytes=int((table.out_bytes * counts)[is_copy].sum()),
        traffic=traffic.by_memory(),
        latency_s=total_latency_s(table, cycles, target.clock_hz),
    )
