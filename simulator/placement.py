"""What lies in which memory: the device's own homes for weights, code, arena and static data."""

from __future__ import annotations

from dataclasses import dataclass

from ..devices.spec import DeviceSpec, MemorySpec
from .estimate import Assumption, Basis, Interval, MemoryPlan, MemoryUse, exact


@dataclass(frozen=True, slots=True)
class Contents:
    """The bytes that have to lie somewhere; the plan is None where the arena is unknown."""

    model: Interval
    code: Interval
    arena: Interval
    static: Interval
    plan: MemoryPlan | None


def memory_uses(device: DeviceSpec, contents: Contents) -> dict[str, tuple[MemoryUse, ...]]:
    """memory name -> what lies in it, in the order it is drawn."""
    homes: dict[str, list[MemoryUse]] = {memory.name: [] for memory in device.memories}
    homes[device.home_of("weights").name].append(MemoryUse("weights", contents.model))
    homes[device.home_of("code").name].append(MemoryUse("code", contents.code))
    homes[device.home_of("arena").name].extend(_arena_uses(contents))
    homes[device.home_of("static").name].append(MemoryUse("static", contents.static))
    return {name: tuple(uses) for name, uses in homes.items()}


def _arena_uses(contents: Contents) -> list[MemoryUse]:
    plan = contents.plan
    if plan is None:
        return [MemoryUse("arena", contents.arena)]
    parts = [("arena_head", plan.head_bytes), ("arena_tail", plan.tail_bytes)]
    slack = plan.min_bytes - plan.used_bytes
    if slack > 0:
        parts.append(("arena_planning", slack))
    source = contents.arena.source
    found = [MemoryUse(kind, exact(size, source)) for kind, size in parts if size]
    if plan.tail_range_bytes is not None:
        low, high = plan.tail_range_bytes
        tail = MemoryUse("arena_tail", Interval(plan.tail_bytes, low, high, Basis.ANALYTIC, source))
        found = [tail if use.kind == "arena_tail" else use for use in found]
    return found


def placement_assumptions(device: DeviceSpec) -> tuple[Assumption, ...]:
    """What the placement took for granted."""
    taken = [
        Assumption(f"memory {memory.name}: {memory.assumption}", "", memory.source, memory.confidence)
        for memory in device.memories
        if memory.assumption
    ]
    rams = [memory for memory in device.memories if not memory.is_nonvolatile and memory.kind != "npu-sram"]
    if len(rams) > 1:
        taken.append(_single_arena(device, rams))
    return tuple(taken)


def _single_arena(device: DeviceSpec, rams: list[MemorySpec]) -> Assumption:
    arena = device.home_of("arena")
    others = ", ".join(ram.name for ram in rams if ram.name != arena.name)
    return Assumption(f"the arena is one block in {arena.name}; {others} not used for it", "", "placement")
