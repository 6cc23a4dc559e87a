"""What lies around the model: the firmware, its linker script, a boot loader, slots for updates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..devices.spec import DeviceSpec, MemorySpec
from ..devices.target import Target
from ..devices.units import parse_bytes
from ..errors import BudgetInvalid
from .estimate import Conditions, Finding, Reservation
from .firmware_findings import placement_findings, script_findings, slot_note

if TYPE_CHECKING:
    from ..devices.importers.place import PlacedFirmware
    from ..devices.importers.regions import ScriptedDevice
    from ..devices.importers.use import FirmwareUse

_MOST_SLOTS = 16


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the user says about the firmware, as written on a command line.

    Args:
        firmware: a linked ELF file.
        map_file: the map that GNU ld wrote, instead of the ELF.
        linker_script: its MEMORY regions override the board's sizes.
        arena_symbol: the tensor arena's name in ELF or map.
        bootloader: "48KiB" of the memory that holds code.
        ota_slots: how many images of firmware and model lie side by side.
    """

    firmware: str | None = None
    map_file: str | None = None
    linker_script: str | None = None
    arena_symbol: str | None = None
    bootloader: str | None = None
    ota_slots: int = 1


def scripted_target(target: Target, around: Surroundings) -> tuple[Target, ScriptedDevice | None]:
    """The target with the linker script's sizes.

    Raises:
        FirmwareFileInvalid: a script that cannot be read.
    """
    if around.linker_script is None:
        return target, None
    from ..devices.importers.ld import read_linker_script
    from ..devices.importers.regions import with_regions

    scripted = with_regions(target.device, read_linker_script(around.linker_script))
    return replace(target, device=scripted.device), scripted


def surround(
    target: Target, conditions: Conditions, around: Surroundings, scripted: ScriptedDevice | None = None
) -> Conditions:
    """The conditions with everything that the firmware takes.

    Args:
        target: with the script's sizes already.

    Raises:
        FirmwareFileInvalid: a file that cannot be read safely.
        BudgetInvalid: both an ELF and a map, or slots and a boot loader that leave nothing.
    """
    device = target.device
    placed = _placed(device, around)
    boot, boot_noted = _bootloader(device, around, scripted)
    given = (*conditions.reservations, *boot)
    slots, slots_noted = _slots(device, around.ota_slots, given, scripted)
    noted = (*boot_noted, *slots_noted)
    if scripted is not None:
        noted += script_findings(scripted)
    if placed is not None:
        noted += placement_findings(placed, device, has_bootloader=around.bootloader is not None)
    taken = () if placed is None else _taken(placed)
    return replace(
        conditions, reservations=(*given, *slots, *taken), firmware=placed, noted=(*conditions.noted, *noted)
    )


def _placed(device: DeviceSpec, around: Surroundings) -> PlacedFirmware | None:
    use = _firmware_use(around)
    if use is None:
        return None
    from ..devices.importers.place import place

    return place(use, device)


def _firmware_use(around: Surroundings) -> FirmwareUse | None:
    if around.firmware is not None and around.map_file is not None:
        raise BudgetInvalid("both an ELF and a map describe the firmware", fix="give --firmware or --map")
    if around.firmware is not None:
        from ..devices.importers.elf import read_elf

        return read_elf(around.firmware, arena_symbol=around.arena_symbol)
    if around.map_file is not None:
        from ..devices.importers.map import read_map

        return read_map(around.map_file, arena_symbol=around.arena_symbol)
    if around.arena_symbol is not None:
        fix = "give --firmware app.elf or --map app.map with it"
        raise BudgetInvalid("an arena symbol without a firmware", where="--arena-symbol", fix=fix)
    return None


def _taken(placed: PlacedFirmware) -> tuple[Reservation, ...]:
    use = placed.use
    source = f"{use.format} {use.file}, sha256 {use.sha256[:12]}"
    return tuple(
        Reservation(f"{use.file} {part.what}", part.memory, part.size_bytes, source) for part in placed.taken
    )


def _bootloader(
    device: DeviceSpec, around: Surroundings, scripted: ScriptedDevice | None
) -> tuple[tuple[Reservation, ...], tuple[Finding, ...]]:
    """The boot loader's bytes, unless the linker script's region leaves them out already."""
    if around.bootloader is None:
        return (), ()
    memory, size_bytes = device.home_of("code"), parse_bytes(around.bootloader)
    if scripted is not None and 0 < size_bytes <= scripted.outside_bytes(memory.name):
        return (), (slot_note(f"the boot loader lies outside the regions of {scripted.script.file}: "
                              "it takes nothing from them"),)  # fmt: skip
    if size_bytes > memory.size_bytes:
        text = f"a boot loader of {size_bytes:,} bytes in {memory.name}, which has {memory.size_bytes:,}"
        raise BudgetInvalid(text, where="--bootloader", fix="give at most what the memory has")
    found = Reservation("boot loader", memory.name, size_bytes, "--bootloader")
    return ((found,) if size_bytes else ()), ()


def _slots(
    device: DeviceSpec, count: int, given: Sequence[Reservation], scripted: ScriptedDevice | None
) -> tuple[tuple[Reservation, ...], tuple[Finding, ...]]:
    """The other slots: slot = (memory - all else reserved) / slots, where code and where weights live."""
    if not 1 <= count <= _MOST_SLOTS:
        fix = f"give 1 to {_MOST_SLOTS}"
        raise BudgetInvalid(f"{count} update slots are not possible", where="--ota-slots", fix=fix)
    if count == 1:
        return (), ()
    found: list[Reservation] = []
    noted: list[Finding] = []
    homes = {memory.name: memory for memory in (device.home_of("code"), device.home_of("weights"))}
    for memory in homes.values():
        outside = 0 if scripted is None else scripted.outside_bytes(memory.name)
        if scripted is not None and outside >= (count - 1) * memory.size_bytes:
            noted.append(
                slot_note(f"the region of {memory.name} in {scripted.script.file} is one slot already")
            )
            continue
        left_bytes = _left_bytes(device, memory, given)
        slot_bytes = left_bytes // count
        found.append(
            Reservation(f"the other {count - 1} of {count} update slots", memory.name,
                        left_bytes - slot_bytes, "--ota-slots")
        )  # fmt: skip
    return tuple(found), tuple(noted)


def _left_bytes(device: DeviceSpec, memory: MemorySpec, given: Sequence[Reservation]) -> int:
    taken = sum(r.size_bytes for r in device.reserved if r.memory == memory.name)
    taken += sum(r.size_bytes for r in given if r.memory == memory.name)
    if taken >= memory.size_bytes:
        text = (
            f"{taken:,} bytes are reserved in {memory.name}, which has {memory.size_bytes:,}: no slot is left"
        )
        raise BudgetInvalid(text, where="--ota-slots", fix="reserve less")
    return memory.size_bytes - taken
