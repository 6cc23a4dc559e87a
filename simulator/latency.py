"""How long each kernel takes: instructions and fetched weight bytes, in cycles of the target's core."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..devices.spec import Holds, MemorySpec
from ..devices.target import Target
from .columns import Floats, Grades, KernelTable
from .interval import BY_WEAKNESS, Basis, Interval, grade_of, unknown
from .kernels.accelerator import rate_cycles
from .kernels.cores import CoreCosts, Spread, core_costs
from .kernels.factors import kernel_factors
from .kernels.instructions import InstructionColumns, count_instructions, firmware_of
from .kernels.unpacking import with_unpacking
from .neon_routes import LIBRARIES
from .stalls import Stalls, arena_stalls, fetched_weights, weight_stalls
from .traffic import TrafficColumns, kernel_traffic

_NO_WAIT_CPI = 0.85  # share of the fitted CPI that is left without wait states on code
_UNKNOWN = grade_of(Basis.UNKNOWN)
_COMPUTE, _WEIGHTS, _ARENA, _NOBODY_KNOWS = range(4)  # positions in CycleColumns.bounds


class CycleColumns(NamedTuple):
    """Cycles per row of the table (nan is unknown), their interval, and how they are known.

    Args:
        lo: a lower bound also where `value` is nan, if one is known.
        compute_cycles, weight_stall_cycles: the two parts of `value` (an accelerator overlaps them); the
            waiting is below zero where things lie in faster memory than the costs were fitted with.
        stream_cycles: the least that moving each byte once takes at the stated bandwidths.
        grade: how the row is known.
        source_of, reason_of: texts of a row, written where they are asked for.
        bound_by: a position in `bounds`, per row: "compute", the name of the memory that holds it back, or
            "unknown" for an unpriced row.
    """

    value: Floats
    lo: Floats
    hi: Floats
    compute_cycles: Floats
    weight_stall_cycles: Floats
    stream_cycles: Floats
    grade: Grades
    source_of: Callable[[int], str]
    reason_of: Callable[[int], str]
    bound_by: Grades
    bounds: tuple[str, ...]

    @property
    def basis(self) -> list[Basis]:
        return [BY_WEAKNESS[grade] for grade in self.grade.tolist()]

    @property
    def source(self) -> list[str]:
        return [self.source_of(row) for row in range(len(self.grade))]

    @property
    def reason(self) -> list[str]:
        return [self.reason_of(row) for row in range(len(self.grade))]

    @property
    def bound(self) -> list[str]:
        return [self.bounds[by] for by in self.bound_by.tolist()]

    def interval(self, row: int, *, per_s: float = 1.0) -> Interval:
        """The cycles of one row, or its seconds with `per_s` the clock."""
        return self._figure(row, self.value[row] / per_s, self.lo[row] / per_s, self.hi[row] / per_s)

    def intervals(self, *, per_s: float = 1.0) -> list[Interval]:
        """The same of every row."""
        ends = ((part / per_s).tolist() for part in (self.value, self.lo, self.hi))
        return [self._figure(row, *figures) for row, figures in enumerate(zip(*ends, strict=True))]

    def _figure(self, row: int, value: float, lo: float, hi: float) -> Interval:
        source = self.source_of(row)
        if value != value:  # nan
            at_least = None if lo != lo else float(lo)
            return unknown(self.reason_of(row), at_least=at_least, source=source)
        return Interval(float(value), float(lo), float(hi), BY_WEAKNESS[self.grade[row]], source)


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
    counted = with_unpacking(count_instructions(table, costs, firmware_of(target)), table, target)
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
        np.maximum(work + a + b, least) for work, a, b in zip(compute, weights[:3], arena[:3], strict=True)
    )
    basis = costs.basis if costs.at_clock_hz in (None, target.clock_hz) else Basis.ANALYTIC
    cycles = CycleColumns(
        value, np.minimum(low, value), np.maximum(high, value), compute[0], weights.value + arena.value,
        least, np.maximum(counted.grade, np.int8(grade_of(basis))), partial(_source, counted, costs),
        counted.reason.__getitem__, _bound_by(compute[0], weights.value, arena.value), _bounds(target),
    )  # fmt: skip
    return _without_unfed(_elsewhere(cycles, table, target), table, (weights, arena))


def _elsewhere(cycles: CycleColumns, table: KernelTable, target: Target) -> CycleColumns:
    """A row whose weights or activations lie elsewhere than where the costs were fitted is analytic."""
    analytic = np.int8(grade_of(Basis.ANALYTIC))
    for role, moved in _moved_bytes(table, target).items():
        text = f"; {role} in {target.device.home_of(role).name} instead of {target.own_home(role).name}"
        cycles = cycles._replace(
            grade=np.where(moved, np.maximum(cycles.grade, analytic), cycles.grade),
            source_of=partial(_with_text, cycles.source_of, moved, text),
        )
    return cycles


def _with_text(source_of: Callable[[int], str], moved: Floats, text: str, row: int) -> str:
    return source_of(row) + text if moved[row] else source_of(row)


def _moved_bytes(table: KernelTable, target: Target) -> dict[Holds, Floats]:
    """role -> bytes per row, for what lies elsewhere than the device file puts it."""
    moved: dict[Holds, Floats] = {"weights": table.weight_bytes, "arena": table.in_bytes + table.out_bytes}
    return {r: m for r, m in moved.items() if target.device.home_of(r).name != target.own_home(r).name}


def _without_unfed(cycles: CycleColumns, table: KernelTable, stalls: tuple[Stalls, Stalls]) -> CycleColumns:
    """No figure for a row fed by a memory of unknown speed: the core's part is a lower bound."""
    sizes = table.weight_bytes, table.in_bytes + table.out_bytes
    for stream, size_bytes in zip(stalls, sizes, strict=True):
        if not stream.unknown:
            continue
        unfed = (size_bytes > 0) & ~np.isnan(cycles.value)
        cycles = cycles._replace(
            value=np.where(unfed, np.nan, cycles.value),
            hi=np.where(unfed, np.nan, cycles.hi),
            grade=np.where(unfed, np.int8(_UNKNOWN), cycles.grade),
            reason_of=partial(_unfed_reason, cycles.reason_of, unfed, stream.unknown),
            bound_by=np.where(unfed, np.int8(_NOBODY_KNOWS), cycles.bound_by),
        )
    return cycles


def _unfed_reason(reason_of: Callable[[int], str], unfed: npt.NDArray[np.bool_], why: str, row: int) -> str:
    return why if unfed[row] else reason_of(row)


def _source(counted: InstructionColumns, costs: CoreCosts, row: int) -> str:
    """Where the figure of a row comes from, and what it takes for granted."""
    family, reason = counted.family[row], counted.reason[row]
    granted = f" ({reason})" if reason else ""
    return f"instructions of {family}{granted}, counted for {costs.counted} x CPI: {costs.source}"


def _bound_by(compute_cycles: Floats, weights: Floats, arena: Floats) -> Grades:
    """What takes more of the time: the core, the memory of the weights or that of the arena."""
    memory = np.where(arena > weights, _ARENA, _WEIGHTS)
    known = np.where(weights + arena <= compute_cycles, _COMPUTE, memory)
    return np.where(np.isnan(compute_cycles), _NOBODY_KNOWS, known).astype(np.int8)


def _bounds(target: Target) -> tuple[str, ...]:
    device = target.device
    return "compute", device.home_of("weights").name, device.home_of("arena").name, "unknown"


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
    sparsity = target.device.sparsity if target.runtime.requires_npu else None
    work = [part * ratio * target.what_if.compute for part in rate_cycles(table, rate, sparsity)]
    homes = target.device.home_of("weights"), target.device.home_of("arena")
    moved = traffic.weight_read_bytes, traffic.arena_read_bytes + traffic.arena_write_bytes
    streams = [_bus_cycles(part, home, target.clock_hz) for part, home in zip(moved, homes, strict=True)]
    slowest = np.maximum(streams[0], streams[1])
    value, low = (np.maximum(part, slowest) for part in work[:2])
    high = work[2] + streams[0] + streams[1]  # nothing overlaps
    source = f"MACs and elements per cycle of {target.runtime.name}: {rate.source}"
    memory = np.where(streams[1] > streams[0], _ARENA, _WEIGHTS)
    bound_by = np.where(work[0] >= slowest, _COMPUTE, memory)
    return CycleColumns(
        value, low, high, work[0], np.zeros_like(slowest), slowest,
        np.where(np.isnan(value), _UNKNOWN, grade_of(Basis.ANALYTIC)).astype(np.int8), lambda _: source,
        lambda row: _no_rate_reason(table, row),
        np.where(np.isnan(work[0]), _NOBODY_KNOWS, bound_by).astype(np.int8), _bounds(target),
    )  # fmt: skip


def _no_rate_reason(table: KernelTable, row: int) -> str:
    if table.is_sized[row] and table.macs[row] == table.macs[row]:
        return "the file does not declare how much faster its sparsity hardware is"
    return f"the work of {table.ops[row].label} is not known"


def _bus_cycles(moved: Floats, memory: MemorySpec, clock_hz: float) -> Floats:
    """Cycles of the core that moving the bytes takes at the offered bandwidth; 0 if the file states none."""
    if memory.access is None:
        return np.zeros_like(moved)
    return moved / memory.access.bandwidth_at(clock_hz) * clock_hz


def _unpriced(table: KernelTable, reason: str) -> CycleColumns:
    lost, none = np.full(len(table), np.nan), np.zeros(len(table))
    grade, bound_by = (np.full(len(table), code, np.int8) for code in (_UNKNOWN, _NOBODY_KNOWS))
    return CycleColumns(lost, lost, lost, lost, none, none, grade, lambda _: "", lambda _: reason, bound_by,
                        ("compute", "", "", "unknown"))  # fmt: skip
