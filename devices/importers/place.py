"""In which memories of a device does a firmware lie, and what in them would the new model replace.

RAM takes a section at its address; nonvolatile memory takes its bytes at their load address. Bytes that
are loaded straight into RAM are stored too: a boot loader copies them from where code is kept.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from ..spec import DeviceSpec, MemorySpec
from .use import FirmwareUse, NamedObject, Role, Span


@dataclass(frozen=True, slots=True)
class Taken:
    """Bytes of one memory that stay with the firmware."""

    memory: str
    what: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Replaced:
    """Bytes of one memory that are not counted, because the new model or its runtime stands for them."""

    role: Role
    name: str
    memory: str
    address: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class PlacedFirmware:
    """A firmware on a device.

    Args:
        unplaced: sections that lie in no memory of the device; they are in none of the sums.
        is_by_kind: the device file lacks addresses, so sections went by being written or not.
    """

    use: FirmwareUse
    taken: tuple[Taken, ...]
    replaced: tuple[Replaced, ...]
    unplaced: tuple[Span, ...]
    is_by_kind: bool
    first_load: tuple[tuple[str, int], ...]  # memory -> lowest address that bytes are loaded to

    def of_role(self, role: Role) -> tuple[Replaced, ...]:
        return tuple(found for found in self.replaced if found.role == role)

    def taken_bytes(self, memory: str) -> int:
        return sum(part.size_bytes for part in self.taken if part.memory == memory)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A span's bytes in one memory. `shift` + position is the address while the firmware runs."""

    memory: str
    what: str
    begin: int
    end: int
    shift: int


def place(use: FirmwareUse, device: DeviceSpec) -> PlacedFirmware:
    """Every section in a memory of this device, or among the unplaced."""
    pieces: list[_Piece] = []
    loose: list[Taken] = []
    unplaced: list[Span] = []
    by_kind = False
    for span in use.spans:
        if span.address is None:
            loose.append(Taken(device.home_of("static").name, span.what, span.size_bytes))
            continue
        found = _pieces(span, device)
        by_kind = by_kind or (bool(found) and _at(device, span.address) is None)
        pieces += found
        if not found:
            unplaced.append(span)
    taken, replaced = _counted(_trimmed(pieces), use.objects)
    return PlacedFirmware(
        use, _summed([*taken, *loose]), replaced, tuple(unplaced), by_kind, _first_loads(pieces, device)
    )


def _pieces(span: Span, device: DeviceSpec) -> list[_Piece]:
    assert span.address is not None
    running = _at(device, span.address) or _by_kind(device, span)
    load = span.address if span.load_address is None else span.load_address
    found = []
    if running is not None and not running.is_nonvolatile:
        found.append(_piece(running, span, span.address, 0))
    if span.load_address is not None:
        stored = _at(device, load)
        if stored is None or not stored.is_nonvolatile:
            stored = _store(device, running)
        if stored is not None and (stored.is_nonvolatile or not found):
            found.append(_piece(stored, span, load, span.address - load))
    return found


def _store(device: DeviceSpec, running: MemorySpec | None) -> MemorySpec | None:
    """Where bytes without an address in nonvolatile memory are kept; None where nobody can say."""
    return running if running is None or running.is_nonvolatile else device.home_of("code")


def _piece(memory: MemorySpec, span: Span, begin: int, shift: int) -> _Piece:
    return _Piece(memory.name, span.what, begin, begin + span.size_bytes, shift)


def _at(device: DeviceSpec, address: int) -> MemorySpec | None:
    return next((memory for memory in device.memories if memory.holds_address(address)), None)


def _by_kind(device: DeviceSpec, span: Span) -> MemorySpec | None:
    """The home of code or of static data, if the device file does not say where that lies.

    What is larger than the home of static data lies in that of the arena.
    """
    home = device.home_of("static" if span.in_ram else "code")
    if span.in_ram and span.size_bytes > home.size_bytes:
        home = device.home_of("arena")
    return None if home.has_address else home


def _trimmed(pieces: Sequence[_Piece]) -> list[_Piece]:
    """The pieces without bytes that an earlier one of the same memory covers (overlays, stack over .bss)."""
    kept: list[_Piece] = []
    ends: dict[str, int] = {}
    for piece in sorted(pieces, key=lambda p: (p.memory, p.begin, -p.end)):
        begin = max(piece.begin, ends.get(piece.memory, piece.begin))
        if begin < piece.end:
            kept.append(_Piece(piece.memory, piece.what, begin, piece.end, piece.shift))
            ends[piece.memory] = piece.end
    return kept


def _counted(
    pieces: Sequence[_Piece], objects: Sequence[NamedObject]
) -> tuple[list[Taken], tuple[Replaced, ...]]:
    """What stays and what is replaced; `objects` do not overlap and are sorted by address."""
    begins = [item.address for item in objects]
    taken: list[Taken] = []
    replaced: dict[tuple[Role, str, str], Replaced] = {}
    for piece in pieces:
        begin, end = piece.begin + piece.shift, piece.end + piece.shift
        out_bytes = 0
        at = max(0, bisect_right(begins, begin) - 1)
        while at < len(objects) and objects[at].address < end:
            item = objects[at]
            at += 1
            size_bytes = min(end, item.address + item.size_bytes) - max(begin, item.address)
            if size_bytes > 0:
                out_bytes += size_bytes
                key = (item.role, item.name, piece.memory)
                before = replaced.get(key, Replaced(*key, item.address, 0))
                replaced[key] = Replaced(*key, before.address, before.size_bytes + size_bytes)
        taken.append(Taken(piece.memory, piece.what, piece.end - piece.begin - out_bytes))
    return taken, tuple(replaced.values())


def _summed(parts: Sequence[Taken]) -> tuple[Taken, ...]:
    sums: dict[tuple[str, str], int] = {}
    for part in parts:
        key = (part.memory, part.what)
        sums[key] = sums.get(key, 0) + part.size_bytes
    return tuple(Taken(memory, what, size) for (memory, what), size in sums.items() if size)


def _first_loads(pieces: Sequence[_Piece], device: DeviceSpec) -> tuple[tuple[str, int], ...]:
    found: dict[str, int] = {}
    for piece in pieces:
        memory = device.memory(piece.memory)
        if memory.is_nonvolatile and memory.holds_address(piece.begin):
            found[piece.memory] = min(piece.begin, found.get(piece.memory, piece.begin))
    return tuple(found.items())
