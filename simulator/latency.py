"""How long each kernel takes: instructions and fetched weight bytes, in cycles of the target's core."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..devices.spec import Holds, MemorySpec
from ..devices.target import Target
from .columns import Floats, KernelTable
from .interval import Basis, Interval, unknown, weakest
from .kernels.accelerator import rate_cycles
from .kernels.cores import CoreCosts, Spread, core_costs
from .kernels.factors import kernel_factors
from .kernels.instructions import InstructionColumns, count_instructions, firmware_of
from .neon_routes import LIBRARIES
from .stalls import Stalls, arena_stalls, fetched_weights, weight_stalls
from .traffic import TrafficColumns, kernel_traffic

_NO_WAIT_CPI = 0.85  # share of the fitted CPI that is left without wait states on code


class CycleColumns(NamedTuple):
    """Cycles per row of the table (nan is unknown), their interval, and how they are known.

    Args:
        lo: a lower bound also where `value` is nan, if one is known.
        compute_cycles, weight_stall_cycles: the two parts of `value` (an accelerator overlaps them); the
            waiting is below zero where things lie in faster memory than the costs were fitted with.
        stream_cycles: the least that moving each byte once takes at the stated bandwidths.
        bound: "compute", or the name of the memory that holds the row back; "unknown" for an unpriced row.
    """

    value: Floats
    lo: Floats
    hi: Floats
    compute_cycles: Floats
    weight_stall_cycles: Floats
    stream_cycles: Floats
    basis: list[Basis]
    source: list[str]
    reason: list[str]
    bound: list[str]

    def interval(self, row: int, *, per_s: float = 1.0) -> Interval:
        """The cycles of one row, or its seconds with `per_s` the clock."""
        if np.isnan(self.value[row]):
            least = None if np.isnan(self.lo[row]) else float(self.lo[row]) / per_s
            return unknown(self.reason[row], at_least=least, source=self.source[row])
        value, lo, hi = (float(part[row]) / per_s for part in (self.value, self.lo, self.hi))
        return Interval(value, lo, hi, self.basis[row], self.source[row])


def kernel_cycles(table: KernelTable, target: Target) -> CycleColumns:
    """cycles = instructions x CPI + weight bytes x cycles per byte, never less than the memory allows."""
    traffic = kernel_traffic(table, target)
    if target.kernels.library in LIBRARIES:
        from .kernels.xnnpack import phone_cycles

        return CycleColumns(*phone_cycles(table, target))
    if target.runtime.rate is not None:
        return _accelerator_cycles(table, target, traffic)
    costs = core_costs(target)
    if costs is None:
        return _unpriced(table, f"no cost model for {target.device.core.name}")
    costs = _at_clock(costs, target.clock_hz)
    counted = count_instructions(table, costs, firmware_of(target))
    return _core_cycles(table, target, traffic, costs=costs, counted=counted)


def op_latency(cycles: CycleColumns, row: int, target: Target) -> Interval:
    """seconds = cycles / clock."""
    return cycles.interval(row, per_s=target.clock_hz)


def _core_cycles(
    table: KernelTable, target: Target, traffic: TrafficColumns, *,
    costs: CoreCosts, counted: InstructionColumns,
) -> CycleColumns:  # fmt: skip
    factor = kernel_factors(table, target, counted)
    if factor is None:
        return _unpriced(table, f"nothing was fitted to measurements of {target.runtime.label}")
    compute = [
        count * factor * cpi
        for count, cpi in zip((counted.value, counted.lo, counted.hi), costs.cpi, strict=True)
    ]
    fetched = fetched_weights(table, target, traffic, costs)
    weights = weight_stalls(table, target, traffic, costs=costs, fetched=fetched)
    arena = arena_stalls(table, target, traffic)
    least = weights.least + arena.least
    value, low, high = (
        np.maximum(work + a + b, least)
        for work, a, b in zip(compute, weights[:3], arena[:3], strict=True)
    )
    basis = costs.basis if costs.at_clock_hz in (None, target.clock_hz) else Basis.ANALYTIC
    bases = [weakest((kernel, basis)) for kernel in counted.basis]
    homes = target.device.home_of("weights"), target.device.home_of("arena")
    cycles = CycleColumns(
        value, np.minimum(low, value), np.maximum(high, value), compute[0], weights.value + arena.value,
        least, bases, [_source(counted, row, costs) for row in range(len(table))], counted.reason,
        [_bound(*parts, homes) for parts in zip(compute[0], weights.value, arena.value, strict=True)],
    )  # fmt: skip
    return _without_unfed(_elsewhere(cycles, table, target), table, (weights, arena))


def _elsewhere(cycles: CycleColumns, table: KernelTable, target: Target) -> CycleColumns:
    """A row whose weights or activations lie elsewhere than where the costs were fitted is analytic."""
    for role, moved in _moved_bytes(table, target).items():
        text = f"; {role} in {target.device.home_of(role).name} instead of {target.own_home(role).name}"
        cycles = cycles._replace(
            basis=[
                weakest((basis, Basis.ANALYTIC)) if bytes_moved else basis
                for basis, bytes_moved in zip(cycles.basis, moved, strict=True)
            ],
            source=[s + text if m else s for s, m in zip(cycles.source, moved, strict=True)],
        )
    return cycles


def _moved_bytes(table: KernelTable, target: Target) -> dict[Holds, Floats]:
    """role -> bytes per row, for what lies elsewhere than the device file puts it."""
    moved: dict[Holds, Floats] = {"weights": table.weight_bytes, "arena": table.in_bytes + table.out_bytes}
    return {r: m for r, m in moved.items() if target.device.home_of(r).name != target.own_home(r).name}


def _without_unfed(
    cycles: CycleColumns, table: KernelTable, stalls: tuple[Stalls, Stalls]
) -> CycleColumns:
    """No figure for a row fed by a memory of unknown speed: the core's part is a lower bound."""
    sizes = table.weight_bytes, table.in_bytes + table.out_bytes
    for stream, size_bytes in zip(stalls, sizes, strict=True):
        if not stream.unknown:
            continue
        unfed = (size_bytes > 0) & ~np.isnan(cycles.value)
        cycles = cycles._replace(
            value=np.where(unfed, np.nan, cycles.value),
            hi=np.where(unfed, np.nan, cycles.hi),
            basis=[Basis.UNKNOWN if lost else b for lost, b in zip(unfed, cycles.basis, strict=True)],
            reason=[stream.unknown if lost else r for lost, r in zip(unfed, cycles.reason, strict=True)],
            bound=["unknown" if lost else b for lost, b in zip(unfed, cycles.bound, strict=True)],
        )
    return cycles


def _source(counted: InstructionColumns, row: int, costs: CoreCosts) -> str:
    """Where the figure of a row comes from, and what it takes for granted."""
    family, reason = counted.family[row], counted.reason[row]
    granted = f" ({reason})" if reason else ""
    return f"instructions of {family}{granted}, counted for {costs.counted} x CPI: {costs.source}"


def _bound(compute_cycles: float, weights: float, arena: float, homes: Sequence[MemorySpec]) -> str:
    """What takes more of the time: the core, the memory of the weights or that of the arena."""
    if np.isnan(compute_cycles):
        return "unknown"
    return "compute" if weights + arena <= compute_cycles else homes[int(arena > weights)].name


def _at_clock(costs: CoreCosts, clock_hz: float) -> CoreCosts:
    """At a lower clock than the fitted one fetching code waits less: the low end falls to one cycle or so."""
    if costs.at_clock_hz is None or clock_hz >= costs.at_clock_hz:
        return costs
    cpi = costs.cpi
    return costs._replace(cpi=Spread(cpi.value, min(cpi.lo, max(1.0, _NO_WAIT_CPI * cpi.lo)), cpi.hi))


def _accelerator_cycles(table: KernelTable, target: Target, traffic: TrafficColumns) -> CycleColumns:
    """cycles = max(work, bytes / bandwidth of each memory) in cycles of the core; at most their sum."""
    rate = target.runtime.rate
    assert rate is not None
    npu = target.device.npu
    ratio = target.clock_hz / npu.clock_hz if npu is not None and npu.clock_hz else 1.0
    work = [part * ratio for part in rate_cycles(table, rate)]
    homes = target.device.home_of("weights"), target.device.home_of("arena")
    moved = traffic.weight_read_bytes, traffic.arena_read_bytes + traffic.arena_write_bytes
    streams = [_bus_cycles(part, home, target.clock_hz) for part, home in zip(moved, homes, strict=True)]
    slowest = np.maximum(streams[0], streams[1])
    bound = [
        "unknown" if np.isnan(work[0][row]) else "compute" if work[0][row] >= slowest[row]
        else homes[int(streams[1][row] > streams[0][row])].name
        for row in range(len(table))
    ]  # fmt: skip
    value, low = (np.maximum(part, slowest) for part in work[:2])
    high = work[2] + streams[0] + streams[1]  # nothing overlaps
    lost = np.isnan(value)
    reasons = [f"the work of {op.label} is not known" for op in table.ops]
    return CycleColumns(
        value, low, high, work[0], np.zeros_like(slowest), slowest,
        [Basis.UNKNOWN if gone else Basis.ANALYTIC for gone in lost],
        [f"MACs and elements per cycle of {target.runtime.name}: {rate.source}"] * len(table), reasons, bound,
    )  # fmt: skip


def _bus_cycles(moved: Floats, memory: MemorySpec, clock_hz: float) -> Floats:
    """Cycles of the core that moving the bytes takes at the offered bandwidth; 0 if the file states none."""
    if memory.access is None:
        return np.zeros_like(moved)
    return moved / memory.access.bandwidth_at(clock_hz) * clock_hz


def _unpriced(table: KernelTable, reason: str) -> CycleColumns:
    lost, none = np.full(len(table), np.nan), np.zeros(len(table))
    return CycleColumns(lost, lost, lost, lost, none, none, [Basis.UNKNOWN] * len(table), [""] * len(table),
                        [reason] * len(table), ["unknown"] * len(table))  # fmt: skip
