"""What does a linked firmware ELF take: sections with load addresses, the arena, models, runtime, reserves.

flash = every loaded byte at its load address (LMA); RAM = every allocated byte at its address (VMA).
A section's LMA is p_paddr + (sh_addr - p_vaddr) of the PT_LOAD segment that it lies in (System V ABI).
"""

from __future__ import annotations

import hashlib
import io
import os
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ...errors import FirmwareFileInvalid
from .elf_symbols import Section, read_symbols
from .files import faults_in, read_bounded
from .recognise import recognise
from .reserves import heap_and_stack
from .symbols import is_placeholder, section_reserve
from .use import FirmwareUse, Span, What

if TYPE_CHECKING:
    from elftools.elf.elffile import ELFFile

_LARGEST_FILE_BYTES = 128 << 20
_MOST_SECTIONS = 2048
_MOST_SEGMENTS = 256
_LARGEST_SPAN_BYTES = 1 << 32
_WRITE, _ALLOC, _EXECUTE, _TLS = 0x1, 0x2, 0x4, 0x400
_FIX = "link the firmware again and give the .elf that the linker wrote"


class _Segment(NamedTuple):
    offset: int
    file_bytes: int
    address: int
    load_address: int


def read_elf(path: str | os.PathLike[str], *, arena_symbol: str | None = None) -> FirmwareUse:
    """What this firmware takes.

    Args:
        arena_symbol: the tensor arena's name; None looks for one.

    Raises:
        FirmwareFileInvalid: no linked ELF, a damaged one, or one without the asked arena symbol.
    """
    data = read_bounded(path, most_bytes=_LARGEST_FILE_BYTES, kind="a linked ELF file")
    with faults_in(path):
        return parse_elf(data, file=Path(path).name, arena_symbol=arena_symbol)


def parse_elf(data: bytes, *, file: str, arena_symbol: str | None = None) -> FirmwareUse:
    """The same of bytes in memory.

    Raises:
        FirmwareFileInvalid: as `read_elf`.
    """
    if data[:4] != b"\x7fELF":
        raise FirmwareFileInvalid("it is no ELF file: the first bytes are not 7f 45 4c 46", fix=_FIX)
    from elftools.common.exceptions import ELFError
    from elftools.construct import ConstructError

    damage = (ELFError, ConstructError, ValueError, TypeError, AttributeError, LookupError, OverflowError,
              MemoryError, AssertionError, RecursionError, struct.error, OSError)  # fmt: skip
    try:
        return _read(data, file, arena_symbol)
    except FirmwareFileInvalid:
        raise
    except damage as error:
        reason = f"{type(error).__name__} {str(error)[:80]}".strip()
        raise FirmwareFileInvalid(f"a damaged ELF file ({reason})", fix=_FIX) from error


def _read(data: bytes, file: str, arena_symbol: str | None) -> FirmwareUse:
    from elftools.elf.elffile import ELFFile

    _check_header(data)
    elf = ELFFile(io.BytesIO(data))
    if elf["e_type"] not in ("ET_EXEC", "ET_DYN"):
        raise FirmwareFileInvalid(f"an ELF file of type {elf['e_type']} is not linked", fix=_FIX)
    segments, (sections, unallocated) = _segments(elf, len(data)), _sections(elf, len(data))
    symbols = read_symbols(elf, data)
    spans = _spans(sections, segments) if sections else _spans_of_segments(segments, elf)
    if not spans:
        raise FirmwareFileInvalid("the ELF file holds no bytes for any memory", fix=_FIX)
    values = {s.name: s.value for s in symbols if s.is_linker_name}
    sizes = {s.name: s.size_bytes for s in symbols if s.is_linker_name}
    kept = heap_and_stack(spans, values, sizes, unallocated)
    machine = str(elf.get_machine_arch())[:40]
    objects, arena_notes = recognise(
        symbols, sections, data, arena_symbol=arena_symbol, is_arm=machine == "ARM"
    )
    return FirmwareUse(
        file=file, format="ELF", sha256=hashlib.sha256(data).hexdigest(), machine=machine,
        spans=(*spans, *kept.spans), objects=objects, arena_notes=arena_notes,
        notes=kept.notes, has_symbols=bool(symbols), heap_and_stack=kept.sizes,
    )  # fmt: skip


def _check_header(data: bytes) -> None:
    """Counts are checked before anybody loops over them: a header may ask for 2^32 sections."""
    if len(data) < 52 or data[4] not in (1, 2) or data[5] not in (1, 2):
        raise FirmwareFileInvalid("the ELF header is cut off or says no class", where="byte 4", fix=_FIX)
    order = "<" if data[5] == 1 else ">"
    wide = data[4] == 2
    if wide and len(data) < 64:
        raise FirmwareFileInvalid("the ELF header is cut off", where=f"byte {len(data)}", fix=_FIX)
    table, at = (
        struct.unpack_from(f"{order}QQ", data, 32) if wide else struct.unpack_from(f"{order}II", data, 28)
    )
    sizes = struct.unpack_from(f"{order}HHHH", data, 54 if wide else 42)
    segment_bytes, segment_count, section_bytes, section_count = sizes
    for start, each, count, most, what in (
        (table, segment_bytes, segment_count, _MOST_SEGMENTS, "segment"),
        (at, section_bytes, section_count, _MOST_SECTIONS, "section"),
    ):
        smallest = {"segment": (32, 56), "section": (40, 64)}[what][wide]
        if count > most or (count and each < smallest) or start + count * each > len(data):
            text = f"its table of {count} {what} headers does not fit in the file"
            raise FirmwareFileInvalid(text, where=f"byte {start}", fix=_FIX)
    if at and not section_count:
        text = f"it has more than {_MOST_SECTIONS} sections"
        raise FirmwareFileInvalid(text, where=f"byte {at}", fix="give a linked firmware, not an object file")


def _segments(elf: ELFFile, file_bytes: int) -> list[_Segment]:
    found = []
    for index, segment in enumerate(elf.iter_segments("PT_LOAD")):
        head: Any = segment.header
        part = _Segment(head["p_offset"], head["p_filesz"], head["p_vaddr"], head["p_paddr"])
        if part.offset + part.file_bytes > file_bytes:
            text = f"segment {index} ends at byte {part.offset + part.file_bytes:,} of {file_bytes:,}"
            raise FirmwareFileInvalid(text, where=f"segment {index}", fix=_FIX)
        found.append(part)
    return found


def _sections(elf: ELFFile, file_bytes: int) -> tuple[list[Section], list[Span]]:
    """Those that take memory; and heaps and stacks that only mark it."""
    found, unallocated = [], []
    for section in elf.iter_sections():
        head: Any = section.header
        name = section.name[:80]
        size_bytes, is_nobits = int(head["sh_size"]), head["sh_type"] == "SHT_NOBITS"
        if not head["sh_flags"] & _ALLOC:
            what = section_reserve(name)
            if what and size_bytes <= _LARGEST_SPAN_BYTES:
                unallocated.append(Span(name, what, head["sh_addr"] or None, size_bytes, None, True))
            continue
        if size_bytes > _LARGEST_SPAN_BYTES or head["sh_addr"] + size_bytes > 1 << elf.elfclass:
            text = f"section {name} of {size_bytes:,} bytes at 0x{head['sh_addr']:x} leaves the address space"
            raise FirmwareFileInvalid(text, where=f"section {name}", fix=_FIX)
        if not is_nobits and head["sh_offset"] + size_bytes > file_bytes:
            raise FirmwareFileInvalid(
                f"section {name} ends beyond the file", where=f"section {name}", fix=_FIX
            )
        if size_bytes and not (is_nobits and (head["sh_flags"] & _TLS or is_placeholder(name))):
            found.append(
                Section(name, is_nobits, head["sh_flags"], head["sh_addr"], head["sh_offset"], size_bytes)
            )
    return found, unallocated


def _spans(sections: list[Section], segments: list[_Segment]) -> list[Span]:
    """A span per section; bytes that fill up to the next section of a segment belong to the one before."""
    spans = []
    loaded: list[tuple[Section, _Segment | None]] = []
    for section in sections:
        if section.is_nobits:
            what: What = section_reserve(section.name) or "bss"
            spans.append(Span(section.name, what, section.address, section.size_bytes, None, True))
        else:
            loaded.append((section, _segment_of(section, segments)))
    loaded.sort(key=lambda pair: pair[0].offset)
    for index, (section, segment) in enumerate(loaded):
        shift = 0 if segment is None else segment.load_address - segment.address
        following = next((s for s, of in loaded[index + 1 : index + 2] if of is segment), None)
        size_bytes = _filled_bytes(section, None if segment is None else following)
        writable = bool(section.flags & _WRITE)
        spans.append(
            Span(section.name, _what(section), section.address, size_bytes, section.address + shift,
                 writable or shift != 0)
        )  # fmt: skip
    return spans


def _filled_bytes(section: Section, following: Section | None) -> int:
    """The section's bytes up to the next one, where it follows at the same distance in file and memory."""
    if following is None:
        return section.size_bytes
    gap = following.offset - section.offset
    is_filled = following.address - section.address == gap
    return max(section.size_bytes, gap) if is_filled else section.size_bytes


def _segment_of(section: Section, segments: list[_Segment]) -> _Segment | None:
    for segment in segments:
        inside = section.offset - segment.offset
        if inside >= 0 and inside + section.size_bytes <= segment.file_bytes:
            return segment
    return None


def _what(section: Section) -> What:
    reserve = section_reserve(section.name)
    if reserve:
        return reserve
    if section.flags & _EXECUTE:
        return "text"
    return "data" if section.flags & _WRITE else "rodata"


def _spans_of_segments(segments: list[_Segment], elf: ELFFile) -> list[Span]:
    """The same from the program headers, for a file whose section headers were stripped."""
    spans = []
    for index, (segment, header) in enumerate(zip(segments, elf.iter_segments("PT_LOAD"), strict=True)):
        head: Any = header.header
        what: What = "text" if head["p_flags"] & 1 else "data" if head["p_flags"] & 2 else "rodata"
        in_ram = what == "data" or segment.address != segment.load_address
        name = f"segment {index}"
        rest_bytes = head["p_memsz"] - segment.file_bytes
        if not 0 <= rest_bytes <= _LARGEST_SPAN_BYTES or segment.file_bytes > _LARGEST_SPAN_BYTES:
            raise FirmwareFileInvalid(f"{name} has no possible size", where=name, fix=_FIX)
        if segment.file_bytes:
            spans.append(Span(name, what, segment.address, segment.file_bytes, segment.load_address, in_ram))
        if rest_bytes:
            spans.append(Span(name, "bss", segment.address + segment.file_bytes, rest_bytes, None, True))
    return spans
