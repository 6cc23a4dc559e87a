"""Which symbols does an ELF file name, and in which sections: the symbol table in one pass, bounded."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, NamedTuple

from ...errors import FirmwareFileInvalid
from .symbols import LINKER_NAMES

if TYPE_CHECKING:
    from elftools.elf.elffile import ELFFile

_MOST_SYMBOLS = 1 << 18
_LONGEST_NAME = 256
_OBJECT, _FUNCTION = 1, 2
_NARROW, _WIDE = "IIIBBH", "IBBHQQ"  # Elf32_Sym, Elf64_Sym
_SPECIAL_SECTIONS = 0xFF00


class Section(NamedTuple):
    """The part of a section header that counts, in plain numbers."""

    name: str
    is_nobits: bool
    flags: int
    address: int
    offset: int
    size_bytes: int


class Symbol(NamedTuple):
    """A named address or value. `size_bytes` is 0 where the file does not say."""

    name: str
    value: int
    size_bytes: int
    is_object: bool
    is_function: bool
    is_defined: bool

    @property
    def is_linker_name(self) -> bool:
        return self.name in LINKER_NAMES


def read_symbols(elf: ELFFile, data: bytes) -> list[Symbol]:
    """Every named symbol of .symtab, or of .dynsym where there is no other; [] of a stripped file.

    Raises:
        FirmwareFileInvalid: a table that does not fit in the file or is too long.
    """
    for kind in ("SHT_SYMTAB", "SHT_DYNSYM"):
        for section in elf.iter_sections(kind):
            head: Any = section.header
            names: Any = elf.get_section(head["sh_link"]).header
            table = _part(data, head, "symbol table")
            texts = _part(data, names, "table of symbol names")
            return _parsed(table, texts, wide=elf.elfclass == 64, order="<" if elf.little_endian else ">")
    return []


def _part(data: bytes, head: Any, what: str) -> bytes:
    start, size_bytes = int(head["sh_offset"]), int(head["sh_size"])
    if head["sh_type"] == "SHT_NOBITS" or start + size_bytes > len(data):
        raise FirmwareFileInvalid(
            f"its {what} ends beyond the file",
            where=f"byte {start}",
            fix="give the file as the linker wrote it",
        )
    return data[start : start + size_bytes]


def _parsed(table: bytes, texts: bytes, *, wide: bool, order: str) -> list[Symbol]:
    form = struct.Struct(order + (_WIDE if wide else _NARROW))
    count = len(table) // form.size
    if count > _MOST_SYMBOLS:
        raise FirmwareFileInvalid(f"it has {count:,} symbols, more than {_MOST_SYMBOLS:,}", fix="strip it")
    found = []
    for fields in form.iter_unpack(table[: count * form.size]):
        if wide:
            at, kind, _, section, value, size_bytes = fields
        else:
            at, value, size_bytes, kind, _, section = fields
        end = texts.find(b"\0", at, at + _LONGEST_NAME)
        name = texts[at : end if end >= 0 else at + _LONGEST_NAME].decode("utf-8", "replace")
        if name:
            kind &= 15
            defined = 0 < section < _SPECIAL_SECTIONS
            found.append(Symbol(name, value, size_bytes, kind == _OBJECT, kind == _FUNCTION, defined))
    return found
