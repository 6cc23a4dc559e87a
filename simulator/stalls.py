"""How long do kernels wait for the memories of weights and activations? Cycles beyond the core's own CPI.

The CPI of a core was fitted with things where the device file puts them. Elsewhere:

  stall = bytes that reach the memory x cycles per byte - the same at the file's own home
  cycles per byte = clock / bandwidth offered at that clock, beyond the fastest RAM of the device

Weights used in place in flash cost the fitted cycles per byte, and no less than an external bus takes;
weights in RAM cost what RAM costs, and where that is slower than their own flash no less than there. A
memory without an access speed has no price.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..devices.spec import MemorySpec
from ..devices.target import Target
from .columns import Floats, KernelTable
from .kernels.cores import CoreCosts, Spread
from .reuse import Missed, cache_bytes_before, missed_activations, missed_weights, ways_before
from .traffic import TrafficColumns

EXTERNAL = frozenset({"external-flash", "psram", "dram"})


class Stalls(NamedTuple):
    """Cycles that one stream adds per row, below zero where its memory is faster than its own home.

    Args:
        least: each byte once at the stated bandwidth; 0 for a memory on the core's bus.
        unknown: why there is no figure; "" if there is one.
    """

    value: Floats
    lo: Floats
    hi: Floats
    least: Floats
    unknown: str = ""


def fetched_weights(table: KernelTable, target: Target, traffic: TrafficColumns, costs: CoreCosts) -> Floats:
    """Bytes that the core's cycles per byte stand for: what the flash cache lets through, or every read."""
    if not costs.is_cached:
        return traffic.weight_read_bytes
    return _missed_in(table, target, traffic, target.own_home("weights")).value


def weight_stalls(
    table: KernelTable, target: Target, traffic: TrafficColumns, *, costs: CoreCosts, fetched: Floats
) -> Stalls:
    """Cycles that fetching weights adds.

    Args:
        fetched: bytes that the core's fitted cycles per byte stand for.
    """
    memory, own = target.device.home_of("weights"), target.own_home("weights")
    once = stated_cycles(table.weight_bytes, memory, target)
    per_byte = _fitted_cycles_per_byte(costs, memory, target.clock_hz)
    waits = [np.maximum(fetched * cost, once) for cost in per_byte]
    if memory.name == own.name:
        often = fetched if costs.is_cached else traffic.weight_read_bytes
        most = stated_cycles(often, memory, target)
        return Stalls(waits[0], waits[1], np.maximum(waits[2], most), once, _unfed(memory))
    missed = _missed_in(table, target, traffic, memory)
    if not memory.is_nonvolatile:
        home = target.own_home("arena")
        before = _missed_in(table, target, traffic, home)
        stalls = _moved(target, (memory, missed), (home, before))._replace(least=once)
        return _no_less(stalls, fetched, costs, target) if _is_slower(memory, own, target) else stalls
    streams = [stated_cycles(part, memory, target) for part in missed]
    ends = [np.maximum(wait, stream) for wait, stream in zip(waits, streams, strict=True)]
    return Stalls(ends[0], ends[1], ends[2], once, _unfed(memory))


def arena_stalls(table: KernelTable, target: Target, traffic: TrafficColumns) -> Stalls:
    """Cycles that loading and storing activations adds."""
    memory, own = target.device.home_of("arena"), target.own_home("arena")
    once = stated_cycles(traffic.arena_unique_bytes, memory, target)
    if memory.name == own.name:
        each = stated_cycles(traffic.arena_read_bytes + traffic.arena_write_bytes, memory, target)
        return Stalls(once, once, np.maximum(once, each), once, _unfed(memory))
    missed, before = (
        missed_activations(table, traffic, cache_bytes_before(target.device, place))
        for place in (memory, own)
    )
    return _moved(target, (memory, missed), (own, before))._replace(least=once)


def excess_cycles_per_byte(memory: MemorySpec, target: Target) -> float | None:
    """Cycles per byte beyond the fastest RAM of the device; None where the file states no speed.

    excess = clock / bandwidth(memory) - min(clock / bandwidth(RAM)).
    """
    if memory.access is None:
        return None
    rams = [m for m in target.device.memories if not m.is_nonvolatile and m.access is not None]
    offered = [m.access.bandwidth_at(target.clock_hz) for m in rams if m.access is not None]
    fastest = max(offered, default=float("inf"))
    return max(0.0, target.clock_hz / memory.access.bandwidth_at(target.clock_hz) - target.clock_hz / fastest)


def stated_cycles(moved: Floats, memory: MemorySpec, target: Target) -> Floats:
    """Cycles that moving the bytes takes where the file states a bandwidth.

    A memory on the core's bus is in the cycles per instruction.
    """
    access = memory.access
    if access is None or access.bandwidth_bytes_per_s is None:
        return np.zeros_like(moved)
    return moved / access.bandwidth_bytes_per_s * target.clock_hz


def _moved(target: Target, there: tuple[MemorySpec, Missed], own: tuple[MemorySpec, Missed]) -> Stalls:
    """bytes there x excess there - bytes at home x excess at home; an external home is in no CPI."""
    none = np.zeros_like(there[1].value)
    if there[0].name == own[0].name:
        return Stalls(none, none, none, none)
    beyond = excess_cycles_per_byte(there[0], target)
    home = 0.0 if own[0].kind in EXTERNAL else excess_cycles_per_byte(own[0], target)
    if beyond is None or home is None:
        slower = there[0].kind in EXTERNAL and own[0].kind not in EXTERNAL  # if not how much
        least = none if slower else none - np.inf
        return Stalls(none, least, none, none, no_speed(there[0] if beyond is None else own[0]))
    ends = [a * beyond - b * home for a, b in zip(there[1], own[1], strict=True)]
    return Stalls(ends[0], np.minimum.reduce(ends), np.maximum.reduce(ends), none)


def _missed_in(table: KernelTable, target: Target, traffic: TrafficColumns, memory: MemorySpec) -> Missed:
    cache_bytes, ways = cache_bytes_before(target.device, memory), ways_before(target.device, memory)
    return missed_weights(table, traffic, cache_bytes, ways=ways)


def _is_slower(memory: MemorySpec, own: MemorySpec, target: Target) -> bool:
    """Whether a memory offers no more bytes per second than another one does; False where nobody knows."""
    if memory.access is None or own.access is None:
        return False
    return memory.access.bandwidth_at(target.clock_hz) <= own.access.bandwidth_at(target.clock_hz)


def _no_less(stalls: Stalls, fetched: Floats, costs: CoreCosts, target: Target) -> Stalls:
    """A memory slower than the weights' own flash makes the core wait at least as long as that flash."""
    own = _fitted_cycles_per_byte(costs, target.own_home("weights"), target.clock_hz)
    ends = [np.maximum(end, fetched * cost) for end, cost in zip(stalls[:3], own, strict=True)]
    return stalls._replace(value=ends[0], lo=ends[1], hi=ends[2])


def _unfed(memory: MemorySpec) -> str:
    """Why an external memory has no price; one on the core's bus is in the cycles per instruction."""
    return no_speed(memory) if memory.kind in EXTERNAL and memory.access is None else ""


def no_speed(memory: MemorySpec) -> str:
    return f"the device file states no access speed for {memory.name}, from which the kernel is fed"


def _fitted_cycles_per_byte(costs: CoreCosts, weights: MemorySpec, clock_hz: float) -> Spread:
    """Stall cycles per weight byte; none from RAM, in proportion to the wait states from flash.

    The figure holds at the clock it was fitted at (the part's own highest where the row names none);
    with known wait states, stall(clock) = stall x wait_states(clock) / wait_states(fitted clock). Behind a
    flash cache it is a multiple of the time that the bus takes: command and address go before each line.
    """
    if not weights.is_nonvolatile:
        return Spread(0.0, 0.0, 0.0)
    access = weights.access
    if costs.is_of_bus_time and access is not None:
        return Spread(*(cost * clock_hz / access.bandwidth_at(clock_hz) for cost in costs.cycles_per_byte))
    if costs.is_of_bus_time:
        return Spread(0.0, 0.0, costs.cycles_per_byte.hi)
    if access is None or not access.wait_states:
        return costs.cycles_per_byte
    fitted = costs.stalls_at_clock_hz or access.wait_states[-1].up_to_hz
    states = access.wait_states_at(fitted)
    ratio = access.wait_states_at(clock_hz) / states if states else 1.0
    return Spread(*(cost * ratio for cost in costs.cycles_per_byte))
