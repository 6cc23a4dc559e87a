"""What does a firmware image take, whatever file told it: sections, objects with a role, linker regions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

What = Literal["text", "rodata", "data", "bss", "heap", "stack", "heap and stack"]
Role = Literal["arena", "model", "runtime"]


@dataclass(frozen=True, slots=True)
class Span:
    """One output section, or one reservation of the linker script.

    Args:
        address: where it lies while the firmware runs; None where the file does not say.
        load_address: where its bytes are stored; None if it stores none (.bss, stack).
        in_ram: it is written while the firmware runs, as far as flags and names tell.
    """

    section: str
    what: What
    address: int | None
    size_bytes: int
    load_address: int | None
    in_ram: bool


@dataclass(frozen=True, slots=True)
class NamedObject:
    """A symbol that the new model replaces. `evidence` says what told its role."""

    role: Role
    name: str
    address: int
    size_bytes: int
    evidence: str


@dataclass(frozen=True, slots=True)
class Region:
    """A region of a linker's MEMORY command."""

    name: str
    origin: int
    length_bytes: int
    attributes: str = ""

    @property
    def end(self) -> int:
        return self.origin + self.length_bytes


@dataclass(frozen=True, slots=True)
class FirmwareUse:
    """What a firmware image takes, before anybody knows the board.

    Args:
        format: "ELF" or "GNU ld map".
        machine: "ARM", "RISC-V", "x86-64", ...; "" where the file does not say.
        regions: the MEMORY regions that a map lists; () of an ELF.
        arena_notes: why no arena was recognised, or what was not taken for it.
        has_symbols: without them neither arena nor model nor stack can be told apart.
    """

    file: str
    format: str
    sha256: str
    machine: str
    spans: tuple[Span, ...]
    objects: tuple[NamedObject, ...]
    regions: tuple[Region, ...] = ()
    arena_notes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    has_symbols: bool = True
    heap_and_stack: tuple[tuple[str, int], ...] = ()

    def of_role(self, role: Role) -> tuple[NamedObject, ...]:
        return tuple(found for found in self.objects if found.role == role)

    @property
    def arena(self) -> NamedObject | None:
        return next(iter(self.of_role("arena")), None)


def disjoint(objects: Iterable[NamedObject]) -> tuple[NamedObject, ...]:
    """The objects by address, each without the bytes that an earlier one covers; arenas and models first.

    Constructors have two names at one address, and a static table lies within its namespace's own.
    """
    importance = {"arena": 0, "model": 1, "runtime": 2}
    kept: list[NamedObject] = []
    end = 0
    for item in sorted(objects, key=lambda o: (o.address, importance[o.role], -o.size_bytes)):
        begin = max(item.address, end)
        if item.address + item.size_bytes <= begin:
            continue
        end = item.address + item.size_bytes
        kept.append(NamedObject(item.role, item.name, begin, end - begin, item.evidence))
    return tuple(kept)
