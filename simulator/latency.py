"""How long each kernel takes: instructions and fetched weight bytes, in cycles of the target's core."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..devices.spec import MemorySpec
from ..devices.target import Target
from .columns import Floats, KernelTable
from .interval import Basis, Interval, unknown, weakest
from .kernels.accelerator import rate_cycles
from .kernels.cores import CoreCosts, Spread, core_costs
from .kernels.instructions import InstructionColumns, count_instructions, firmware_of
from .traffic import TrafficColumns, kernel_traffic

_NO_WAIT_CPI = 0.85  # share of the fitted CPI that is left without wait states on code
_EXTERNAL = frozenset({"external-flash", "psram", "dram"})
_ONE = Spread(1.0, 0.85, 1.2)  # cycles per cycle of a published kernel, on another chip of the same core


class CycleColumns(NamedTuple):
    """Cycles per row of the table (nan is unknown), their interval, and how they are known.

    Args:
        lo: a lower bound also where `value` is nan, if one is known.
        compute_cycles, weight_stall_cycles: the two parts of `value` (an accelerator overlaps them).
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
    if target.runtime.rate is not None:
        return _accelerator_cycles(table, target, traffic)
    costs = core_costs(target)
    if costs is None:
        return _unpriced(table, f"no cost model for {target.device.core.name}")
    costs = _at_clock(costs, target.clock_hz)
    counted = count_instructions(table, costs, firmware_of(target))
    return _without_unfed(_core_cycles(table, target, traffic, costs=costs, counted=counted), table, target)


def op_latency(cycles: CycleColumns, row: int, target: Target) -> Interval:
    """seconds = cycles / clock."""
    return cycles.interval(row, per_s=target.clock_hz)


def _core_cycles(
    table: KernelTable, target: Target, traffic: TrafficColumns, *,
    costs: CoreCosts, counted: InstructionColumns,
) -> CycleColumns:  # fmt: skip
    is_cycles = np.array(counted.is_cycles, dtype=bool)
    compute = [
        np.where(is_cycles, count * simd, count * cpi)
        for count, simd, cpi in zip((counted.value, counted.lo, counted.hi), _ONE, costs.cpi, strict=True)
    ]
    streamed = table.weight_bytes if costs.is_fetched_once else traffic.weight_read_bytes
    fetched = np.where(is_cycles, 0.0, streamed)
    homes = target.device.home_of("weights"), target.device.home_of("arena")
    external = _external_cycles(table, target, traffic, costs.is_fetched_once)
    per_byte = _cycles_per_byte(costs, homes[0], target.clock_hz)
    waits = [np.maximum(fetched * cost, external[0]) for cost in per_byte]
    stall = [waits[0] + external[1], waits[1] + external[1], np.maximum(waits[2] + external[1], external[2])]
    value, low, high = (work + wait for work, wait in zip(compute, stall, strict=True))
    basis = costs.basis if costs.at_clock_hz in (None, target.clock_hz) else Basis.ANALYTIC
    return CycleColumns(
        value, np.minimum(low, value), np.maximum(high, value), compute[0], stall[0],
        external[0] + external[1],
        [weakest((kernel, basis)) for kernel in counted.basis],
        [_source(counted, row, costs) for row in range(len(table))], counted.reason,
        [_bound(work, parts, homes) for work, *parts in zip(compute[0], waits[0], external[1], strict=True)],
    )  # fmt: skip


def _without_unfed(cycles: CycleColumns, table: KernelTable, target: Target) -> CycleColumns:
    """No figure for a row fed by an external memory of unknown speed: the core's part is a lower bound."""
    homes = target.device.home_of("weights"), target.device.home_of("arena")
    sizes = table.weight_bytes, table.in_bytes + table.out_bytes
    for memory, size_bytes in zip(homes, sizes, strict=True):
        if memory.kind not in _EXTERNAL or memory.access is not None:
            continue
        unfed = (size_bytes > 0) & ~np.isnan(cycles.value)
        why = f"the device file states no access speed for {memory.name}, from which the kernel is fed"
        cycles = cycles._replace(
            value=np.where(unfed, np.nan, cycles.value),
            hi=np.where(unfed, np.nan, cycles.hi),
            basis=[Basis.UNKNOWN if lost else b for lost, b in zip(unfed, cycles.basis, strict=True)],
            reason=[why if lost else r for lost, r in zip(unfed, cycles.reason, strict=True)],
            bound=["unknown" if lost else b for lost, b in zip(unfed, cycles.bound, strict=True)],
        )
    return cycles


def _external_cycles(
    table: KernelTable, target: Target, traffic: TrafficColumns, is_fetched_once: bool
) -> tuple[Floats, Floats, Floats]:
    """Cycles that external memories take: weights once, activations once, and both at every access.

    Only a memory that states its bandwidth counts: one on the core's bus is in the cycles per instruction.
    Behind a cache that keeps the weights of a kernel, each is fetched at most twice.
    """
    weights, arena = target.device.home_of("weights"), target.device.home_of("arena")
    moved = traffic.arena_read_bytes + traffic.arena_write_bytes
    fetched = 2 * table.weight_bytes if is_fetched_once else traffic.weight_read_bytes
    each = _stated(fetched, weights, target) + _stated(moved, arena, target)
    return (
        _stated(table.weight_bytes, weights, target),
        _stated(table.in_bytes + table.out_bytes, arena, target),
        each,
    )


def _stated(moved: Floats, memory: MemorySpec, target: Target) -> Floats:
    access = memory.access
    if access is None or access.bandwidth_bytes_per_s is None:
        return np.zeros_like(moved)
    return moved / access.bandwidth_bytes_per_s * target.clock_hz


def _source(counted: InstructionColumns, row: int, costs: CoreCosts) -> str:
    """Where the figure of a row comes from, and what it takes for granted."""
    family, reason = counted.family[row], counted.reason[row]
    granted = f" ({reason})" if reason else ""
    if counted.is_cycles[row]:
        return f"published cycles of {family}{granted}"
    return f"instructions of {family}{granted}, counted for {costs.counted} x CPI: {costs.source}"


def _bound(compute_cycles: float, waits: Sequence[float], homes: Sequence[MemorySpec]) -> str:
    """What takes more of the time: the core, the memory of the weights or that of the arena."""
    if np.isnan(compute_cycles):
        return "unknown"
    weights, arena = waits
    return "compute" if weights + arena <= compute_cycles else homes[int(arena > weights)].name


def _at_clock(costs: CoreCosts, clock_hz: float) -> CoreCosts:
    """At a lower clock than the fitted one fetching code waits less: the low end falls to one cycle or so."""
    if costs.at_clock_hz is None or clock_hz >= costs.at_clock_hz:
        return costs
    cpi = costs.cpi
    return costs._replace(cpi=Spread(cpi.value, min(cpi.lo, max(1.0, _NO_WAIT_CPI * cpi.lo)), cpi.hi))


def _cycles_per_byte(costs: CoreCosts, weights: MemorySpec, clock_hz: float) -> Spread:
    """Stall cycles per weight byte; none from RAM, in proportion to the wait states from flash.

    The figure holds at the clock it was fitted at (the part's own highest where the row names none);
    with known wait states, stall(clock) = stall x wait_states(clock) / wait_states(fitted clock).
    """
    if not weights.is_nonvolatile:
        return Spread(0.0, 0.0, 0.0)
    access = weights.access
    if access is None or not access.wait_states:
        return costs.cycles_per_byte
    fitted = costs.at_clock_hz or access.wait_states[-1].up_to_hz
    states = access.wait_states_at(fitted)
    ratio = access.wait_states_at(clock_hz) / states if states else 1.0
    return Spread(*(cost * ratio for cost in costs.cycles_per_byte))


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
