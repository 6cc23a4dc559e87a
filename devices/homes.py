"""Where do weights, code, the arena and static data lie? The device's own homes, or chosen ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..errors import PlacementInvalid
from .spec import DeviceSpec, Holds

ROLES: tuple[Holds, ...] = ("weights", "code", "arena", "static")


@dataclass(frozen=True, slots=True)
class Homes:
    """The memory of each role while the model runs.

    Args:
        weights, code, arena, static: names of memories.
        weights_image, code_image: the nonvolatile memory that weights or code are copied from at start;
            "" where they are used in place.
        persistent: the memory of the arena's persistent part, where the runtime takes two arenas; "" is with
            the rest.
    """

    weights: str
    code: str
    arena: str
    static: str
    weights_image: str = ""
    code_image: str = ""
    persistent: str = ""

    @property
    def weights_copied(self) -> bool:
        return bool(self.weights_image)

    def of(self, role: Holds) -> str:
        """The memory of a role."""
        return {"weights": self.weights, "code": self.code, "arena": self.arena, "static": self.static}[role]

    def __str__(self) -> str:
        """As `--place` takes it: every role, in order."""
        return ",".join(f"{role}={text}" for role, text in self._texts())

    def beside(self, other: Homes) -> str:
        """What differs from another placement, as `--place` takes it; "" if nothing does."""
        theirs = dict(other._texts())
        return ",".join(f"{role}={text}" for role, text in self._texts() if theirs.get(role) != text)

    def _texts(self) -> Iterator[tuple[str, str]]:
        for role, memory, image in (
            ("weights", self.weights, self.weights_image), ("code", self.code, self.code_image),
            ("arena", self.arena, ""), ("persistent", self.persistent, ""), ("static", self.static, ""),
        ):  # fmt: skip
            if memory:
                yield role, f"copy:{memory}@{image}" if image else memory


def homes_of(device: DeviceSpec) -> Homes:
    """The homes that the device file gives."""
    return Homes(*(device.home_of(role).name for role in ROLES))


def rehomed(device: DeviceSpec, homes: Homes) -> DeviceSpec:
    """The device with these homes: `home_of` answers them.

    Raises:
        PlacementInvalid: a memory that is not there or may not hold it, or weights in RAM from nowhere.
    """
    for fault, fix in _faults(device, homes):
        raise PlacementInvalid(fault, where=device.name, fix=fix)
    memories = tuple(
        memory.model_copy(update={"holds": tuple(r for r in ROLES if homes.of(r) == memory.name)})
        for memory in device.memories
    )
    return device.model_copy(update={"memories": memories})


def with_images(device: DeviceSpec, homes: Homes) -> Homes:
    """The same homes; weights and code in RAM that name no image come from their own nonvolatile home."""
    images: tuple[tuple[Holds, str], ...] = (("weights", "weights_image"), ("code", "code_image"))
    for role, key in images:
        own, place = device.home_of(role), homes.of(role)
        is_moved = place != own.name and own.is_nonvolatile
        if is_moved and not getattr(homes, key) and _is_ram(device, place):
            homes = replace(homes, **{key: own.name})
    return homes


def _is_ram(device: DeviceSpec, name: str) -> bool:
    return any(m.name == name and not m.is_nonvolatile for m in device.memories)


def _faults(device: DeviceSpec, homes: Homes) -> Iterator[tuple[str, str]]:
    """(what is wrong, what to do), the first that matters first."""
    memories = {memory.name: memory for memory in device.memories}
    known = f"known: {', '.join(memories)}"
    named: list[tuple[Holds, str]] = [(role, homes.of(role)) for role in ROLES]
    if homes.persistent:
        named.append(("arena", homes.persistent))
    for role, name in named:
        if name not in memories:
            yield f"there is no memory {name[:64]!r} for {role}", known
            continue
        memory = memories[name]
        if role in memory.never_holds:
            yield f"{name} may not hold {role}: the device file says so", known
        if role in ("arena", "static") and memory.is_nonvolatile:
            yield f"{role} is written while the model runs, and {name} is {memory.kind}", "name a RAM"
    for role, name, image in (
        ("weights", homes.weights, homes.weights_image), ("code", homes.code, homes.code_image)
    ):  # fmt: skip
        own = device.home_of("weights" if role == "weights" else "code")
        if image and (image not in memories or not memories[image].is_nonvolatile):
            yield f"{role} cannot be copied from {image[:64]!r}, which is no nonvolatile memory", known
        elif image and memories[name].is_nonvolatile:
            yield f"{role} are copied into RAM, and {name} is {memories[name].kind}", f"write {role}={name}"
        elif not image and not memories[name].is_nonvolatile and own.is_nonvolatile and name != own.name:
            yield f"{role} in {name} are gone without power", f"write {role}=copy:{name}@{own.name}"
