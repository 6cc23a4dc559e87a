"""How full is each memory, and how busy."""

from __future__ import annotations

from ..devices.spec import MemorySpec
from ..devices.target import Target
from .bandwidth import deadline_bandwidth, offered_bandwidth, required_bandwidth, traffic_interval
from .estimate import Conditions, Interval, MemoryFit, Reservation, Traffic
from .placement import Contents, memory_uses
from .traffic import TrafficColumns


def memory_fits(
    target: Target, contents: Contents, *, columns: TrafficColumns, latency_s: Interval,
    conditions: Conditions,
) -> tuple[MemoryFit, ...]:  # fmt: skip
    """One fit per physical memory of the device, in the device file's order."""
    moved, least = {part.memory: part for part in columns.by_memory()}, columns.least_by_memory()
    uses = memory_uses(target, contents)
    fits = []
    for memory in target.device.memories:
        traffic = moved.get(memory.name, Traffic(memory.name, 0, 0, 0))
        total_bytes = traffic_interval(traffic.read_bytes + traffic.write_bytes, least.get(memory.name, 0))
        at_deadline = deadline_bandwidth(total_bytes, conditions.inference_deadline_s)
        fits.append(
            MemoryFit(
                name=memory.name,
                role="flash" if memory.is_nonvolatile else "ram",
                capacity_bytes=memory.size_bytes,
                reserved=_reserved(target, memory, conditions),
                used=uses[memory.name],
                read_bytes=traffic.read_bytes,
                write_bytes=traffic.write_bytes,
                traffic_bytes=total_bytes,
                bandwidth_needed_bytes_per_s=required_bandwidth(total_bytes, latency_s),
                bandwidth_at_deadline_bytes_per_s=at_deadline,
                bandwidth_offered_bytes_per_s=offered_bandwidth(memory, target.clock_hz),
            )
        )
    return tuple(fits)


def _reserved(target: Target, memory: MemorySpec, conditions: Conditions) -> tuple[Reservation, ...]:
    """What the device file and the user take from this memory."""
    device = tuple(
        Reservation(spec.name, spec.memory, spec.size_bytes, spec.source)
        for spec in target.device.reserved
        if spec.memory == memory.name
    )
    return (*device, *(r for r in conditions.reservations if r.memory == memory.name))
