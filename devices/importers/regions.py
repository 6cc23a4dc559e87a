"""How large are the memories of a device by its linker script, whose regions override the board's."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..spec import DeviceSpec, MemorySpec, ReservedSpec

if TYPE_CHECKING:
    from .ld import LinkerScript
    from .use import Region


@dataclass(frozen=True, slots=True)
class Resized:
    """One memory whose size the script states; `outside_bytes` of the board's size are in no region."""

    memory: str
    regions: tuple[str, ...]
    before_bytes: int
    after_bytes: int
    dropped: tuple[str, ...]  # reservations of the device file that lie outside the regions

    @property
    def outside_bytes(self) -> int:
        return max(0, self.before_bytes - self.after_bytes)


@dataclass(frozen=True, slots=True)
class ScriptedDevice:
    """The device with the script's sizes, and what of the script found no memory."""

    device: DeviceSpec
    script: LinkerScript
    resized: tuple[Resized, ...]
    unplaced: tuple[Region, ...]
    empty: tuple[str, ...] = ()  # names of regions of length 0

    def outside_bytes(self, memory: str) -> int:
        return sum(part.outside_bytes for part in self.resized if part.memory == memory)


_Test = Callable[[MemorySpec], bool]
# Usual names of regions -> the memory that is meant, on a board whose file knows no addresses.
_BY_NAME: tuple[tuple[re.Pattern[str], _Test], ...] = (
    (re.compile(r"qspi|ospi|xspi|ext.*flash|flash.*ext"), lambda m: m.kind == "external-flash"),
    (re.compile(r"psram|sdram|hyper|ext.*ram"), lambda m: m.kind in ("psram", "dram")),
    (re.compile(r"flash|^rom$|rram|mram"), lambda m: m.is_nonvolatile and "code" in m.holds),
    (re.compile(r"itcm"), lambda m: "itcm" in m.name),
    (re.compile(r"dtcm|ccm"), lambda m: m.kind == "tcm" and "itcm" not in m.name),
    (re.compile(r"d1|axi"), lambda m: m.name.startswith("axi")),
    (re.compile(r"ram"), lambda m: not m.is_nonvolatile and "arena" in m.holds),
)


def with_regions(device: DeviceSpec, script: LinkerScript) -> ScriptedDevice:
    """The device as this script divides it.

    A region lies in the memory that holds its origin; where the board knows no address, in the one
    that its name means. A memory without a region keeps its size.
    """
    homes: dict[str, list[Region]] = {}
    unplaced, empty = [], []
    for region in script.regions:
        memory = _memory_of(device, region)
        if memory is None:
            unplaced.append(region)
        elif region.length_bytes:
            homes.setdefault(memory.name, []).append(region)
        else:
            empty.append(region.name)
    resized = tuple(_resized(device, name, regions) for name, regions in homes.items())
    sizes = {part.memory: part for part in resized}
    memories = tuple(_scripted(m, sizes[m.name], homes[m.name], script) if m.name in sizes else m
                     for m in device.memories)  # fmt: skip
    outside = {(part.memory, name) for part in resized for name in part.dropped}
    reserved = tuple(r for r in device.reserved if (r.memory, r.name) not in outside)
    changed = device.model_copy(update={"memories": memories, "reserved": reserved})
    return ScriptedDevice(changed, script, resized, tuple(unplaced), tuple(empty))


def _memory_of(device: DeviceSpec, region: Region) -> MemorySpec | None:
    for memory in device.memories:
        if memory.holds_address(region.origin):
            return memory
    open_memories = [memory for memory in device.memories if not memory.has_address]
    name = region.name.lower()
    same = [memory for memory in open_memories if memory.name == name]
    for pattern, means in () if same else _BY_NAME:
        if pattern.search(name):
            same = [memory for memory in open_memories if means(memory)]
            break
    return same[0] if same else None


def _resized(device: DeviceSpec, name: str, regions: Sequence[Region]) -> Resized:
    """The bytes that the regions cover; two views of one memory do not make it larger."""
    memory = device.memory(name)
    size_bytes, end = 0, -1
    for region in sorted(regions, key=lambda r: r.origin):
        size_bytes += max(0, region.end - max(region.origin, end))
        end = max(end, region.end)
    if memory.windows and len(regions) > 1:
        size_bytes = min(size_bytes, memory.size_bytes)
    dropped = _outside(device.reserved, name, memory.size_bytes - size_bytes)
    return Resized(name, tuple(r.name for r in regions), memory.size_bytes, size_bytes, dropped)


def _outside(reserved: Sequence[ReservedSpec], memory: str, outside_bytes: int) -> tuple[str, ...]:
    """What the device file reserves, if the regions already leave at least that much out."""
    inside = [r for r in reserved if r.memory == memory]
    enough = sum(r.size_bytes for r in inside) <= outside_bytes
    return tuple(r.name for r in inside) if enough else ()


def _scripted(
    memory: MemorySpec, resized: Resized, regions: Sequence[Region], script: LinkerScript
) -> MemorySpec:
    named = ", ".join(resized.regions)
    views = [*memory.windows, *((region.origin, region.end) for region in regions)]
    if memory.address is not None:
        views.append((memory.address, memory.address + memory.size_bytes))
    return memory.model_copy(
        update={
            "size_bytes": resized.after_bytes, "address": None, "windows": tuple(views), "assumption": "",
            "source": f"{script.file}: {named}", "confidence": "primary",
        }
    )  # fmt: skip
