"""What lies in which memory: weights, code, arena and static data, and the images of what is copied."""

from __future__ import annotations

from dataclasses import dataclass

from ..devices.homes import homes_of
from ..devices.spec import DeviceSpec, MemorySpec
from ..devices.target import Target
from .estimate import Assumption, Basis, Interval, MemoryPlan, MemoryUse

_TWO_ALLOCATORS_BYTES = 64  # at most: two allocator objects in the place of one


@dataclass(frozen=True, slots=True)
class Contents:
    """The bytes that have to lie somewhere; the plan is None where the arena is unknown."""

    model: Interval
    code: Interval
    arena: Interval
    static: Interval
    plan: MemoryPlan | None


def memory_uses(target: Target, contents: Contents) -> dict[str, tuple[MemoryUse, ...]]:
    """memory name -> what lies in it, in the order it is drawn.

    What is copied into RAM at start lies in nonvolatile memory too: its load image.
    """
    homes = target.homes
    lying = [
        (homes.weights_image, "weights_image", contents.model),
        (homes.code_image, "code_image", contents.code),
        (homes.weights, "weights", contents.model), (homes.code, "code", contents.code),
        *((place, use.kind, use.used) for place, use in _arena_uses(target, contents)),
        (homes.static, "static", contents.static),
    ]  # fmt: skip
    uses: dict[str, list[MemoryUse]] = {memory.name: [] for memory in target.device.memories}
    for place, kind, used in lying:
        if place:
            uses[place].append(MemoryUse(kind, used))
    return {name: tuple(found) for name, found in uses.items()}


def _arena_uses(target: Target, contents: Contents) -> list[tuple[str, MemoryUse]]:
    """(memory, what of the arena lies in it)."""
    plan, homes = contents.plan, target.homes
    if plan is None:
        return [(homes.arena, MemoryUse("arena", contents.arena))]
    if plan.taken is not None:
        return [(homes.arena, MemoryUse("arena_head", contents.arena))]
    source, slack = contents.arena.source, plan.min_bytes - plan.used_bytes
    if homes.persistent:
        return _two_arenas(plan, homes.arena, homes.persistent, source=source)
    parts = [("arena_head", plan.head_bytes), ("arena_tail", plan.tail_bytes)]
    if slack > 0:
        parts.append(("arena_planning", slack))
    basis = Basis.CALIBRATED if plan.inferred else Basis.EXACT
    found = [(homes.arena, MemoryUse(kind, Interval(n, n, n, basis, source))) for kind, n in parts if n]
    if plan.tail_range_bytes is not None and plan.tail_bytes:
        low, high = plan.tail_range_bytes
        tail = MemoryUse("arena_tail", Interval(plan.tail_bytes, low, high, Basis.ANALYTIC, source))
        found = [(place, tail if use.kind == "arena_tail" else use) for place, use in found]
    return found


def _two_arenas(plan: MemoryPlan, head: str, tail: str, *, source: str) -> list[tuple[str, MemoryUse]]:
    """Planning's temporaries lie in the first arena alone: at most what one arena for all needs."""
    slack = max(0, plan.min_bytes - plan.used_bytes)
    text = f"{source}; in two arenas"
    first = Interval(plan.head_bytes + slack, plan.head_bytes, plan.min_bytes, Basis.ANALYTIC, text)
    most = plan.tail_bytes + _TWO_ALLOCATORS_BYTES
    second = Interval(plan.tail_bytes, plan.tail_bytes, most, Basis.ANALYTIC, text)
    return [(head, MemoryUse("arena_head", first)), (tail, MemoryUse("arena_tail", second))]


def placement_assumptions(target: Target) -> tuple[Assumption, ...]:
    """What the placement took for granted."""
    device = target.device
    taken = [
        Assumption(f"memory {memory.name}: {memory.assumption}", "", memory.source, memory.confidence)
        for memory in device.memories
        if memory.assumption
    ]
    rams = [memory for memory in device.memories if memory.is_core_ram]
    if len(rams) > 1 and not target.homes.persistent:
        taken.append(_single_arena(device, rams))
    if target.placement is not None:
        chosen = target.homes.beside(homes_of(target.unplaced.device))
        taken.append(Assumption("placed elsewhere than the device file puts it", chosen, "--place"))
    if target.device.home_of("code").name != target.own_home("code").name:
        taken.append(Assumption("fetching moved code is priced as from its own memory", "", "--place"))
    return tuple(taken)


def _single_arena(device: DeviceSpec, rams: list[MemorySpec]) -> Assumption:
    arena = device.home_of("arena")
    others = ", ".join(ram.name for ram in rams if ram.name != arena.name)
    return Assumption(f"the arena is one block in {arena.name}; {others} not used for it", "", "placement")
