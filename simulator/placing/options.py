"""Which placements are there? Every legal home of weights and arena, by the kind of memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from ...devices.homes import Homes, homes_of
from ...devices.spec import Holds, MemorySpec
from ...devices.target import Target

_ACCELERATORS_OWN = "npu-sram"


def placements(target: Target, *, with_two_arenas: bool = False) -> Iterator[Homes]:
    """Every placement of weights and arena; the device's own first. Code stays, static data has yet no say.

    Weights lie in any nonvolatile memory, or in any RAM with an image in any nonvolatile memory. The arena
    lies in any RAM; with two arenas its persistent part in any other.
    """
    own = homes_of(target.unplaced.device)
    yield own
    for weights, image in _weight_homes(target):
        for arena, persistent in _arena_homes(target, with_two_arenas=with_two_arenas):
            homes = replace(own, weights=weights, weights_image=image, arena=arena, persistent=persistent)
            if homes != own:
                yield homes


def static_homes(target: Target) -> tuple[str, ...]:
    """Where the runtime's static data may lie: the device's own home first, then the roomiest."""
    own = target.own_home("static").name
    others = [m for m in _rams(target, "static") if m.name != own]
    return (own, *(m.name for m in sorted(others, key=lambda m: -m.size_bytes)))


def _weight_homes(target: Target) -> list[tuple[str, str]]:
    """(memory the kernels read, image it is copied from or "")."""
    own = target.own_home("weights")
    stores = [m for m in _allowed(target, "weights") if m.is_nonvolatile]
    in_place = [(m.name, "") for m in stores]
    if not own.is_nonvolatile:
        return [(own.name, ""), *in_place]
    rams = _rams(target, "weights")
    return [*in_place, *((ram.name, store.name) for ram, store in product(rams, stores))]


def _arena_homes(target: Target, *, with_two_arenas: bool) -> list[tuple[str, str]]:
    """(memory of the arena, memory of its persistent part or "")."""
    rams = _rams(target, "arena")
    together = [(ram.name, "") for ram in rams]
    if not with_two_arenas:
        return together
    return [*together, *((a.name, b.name) for a, b in product(rams, rams) if a.name != b.name)]


def _rams(target: Target, role: Holds) -> list[MemorySpec]:
    return [m for m in _allowed(target, role) if not m.is_nonvolatile]


def _allowed(target: Target, role: Holds) -> list[MemorySpec]:
    """Memories that the device file lets hold it; an accelerator's own only where that is its home."""
    own = target.own_home(role).name
    return [
        m for m in target.device.memories
        if m.name == own or (role not in m.never_holds and m.kind != _ACCELERATORS_OWN)
    ]  # fmt: skip
