"""What does a firmware take by the map that GNU ld wrote (-Wl,-Map): sections, regions, objects with a role.

Format: "Memory Configuration", then "Linker script and memory map": an output section begins in the first
column, its input sections behind one space, symbols behind their address.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from ...errors import FirmwareFileInvalid
from .arena import Variable, recognise_arena
from .files import faults_in, read_bounded
from .map_lines import MapLines, OutputSection, read_lines
from .ranges import Ranges
from .reserves import heap_and_stack
from .symbols import LINKER_NAMES, is_model_name, is_placeholder, is_runtime_name, section_reserve
from .use import FirmwareUse, NamedObject, Region, Span, What, disjoint

_LARGEST_FILE_BYTES = 64 << 20
_LARGEST_SPAN_BYTES = 1 << 32
_WIDEST_ALIGNMENT_BYTES = 256
_FIX = "give the map that GNU ld writes with -Wl,-Map=app.map, or the .elf itself with --firmware"
# How the maps of other linkers begin or call themselves.
_OTHERS = (
    ("Component: ARM Compiler", "armlink"), ("Image Symbol Table", "armlink"),
    ("IAR ELF Linker", "IAR"), ("TMS320", "TI"), ("Linker PC v", "TI"), ("VMA      LMA", "LLVM lld"),
)  # fmt: skip
_NO_MEMORY = re.compile(
    r"\.(debug|comment|stab|line|symtab|strtab|shstrtab|note\.GNU|gnu\.|xt\.|xtensa\.|rel)|.*\.attributes$"
)
_NO_BYTES = re.compile(r"bss|no_?init|heap|stack|common|no_?load|uninit", re.IGNORECASE)
_WRITTEN = re.compile(r"data|ram|got|tm_clone|_array", re.IGNORECASE)
_CONSTANT = re.compile(r"rodata|rdata|constdata", re.IGNORECASE)
_CODE = re.compile(r"text|vector|isr|init$|fini$|boot", re.IGNORECASE)
_RUNTIME_FILE = re.compile(
    r"tensorflow[/\\]lite|tflite-?_?micro|tensorflow-?_?microlite|libtflm|libtensorflow|cmsis[-_]nn|esp[-_]nn",
    re.IGNORECASE,
)
_MACHINES = (("arm", "ARM"), ("riscv", "RISC-V"), ("xtensa", "Tensilica Xtensa"), ("aarch64", "AArch64"),
             ("x86-64", "x64"))  # fmt: skip
_SMALLEST_MODEL_BYTES = 256


def read_map(path: str | os.PathLike[str], *, arena_symbol: str | None = None) -> FirmwareUse:
    """What this firmware takes.

    Args:
        arena_symbol: the tensor arena's name; None looks for one.

    Raises:
        FirmwareFileInvalid: no map of GNU ld, or one without the asked arena symbol.
    """
    data = read_bounded(path, most_bytes=_LARGEST_FILE_BYTES, kind="a linker map")
    with faults_in(path):
        return parse_map(data, file=Path(path).name, arena_symbol=arena_symbol)


def parse_map(data: bytes, *, file: str, arena_symbol: str | None = None) -> FirmwareUse:
    """The same of bytes in memory.

    Raises:
        FirmwareFileInvalid: as `read_map`.
    """
    text = data.decode("utf-8", "replace")
    if "Linker script and memory map" not in text:
        other = next((name for mark, name in _OTHERS if mark in text[: 1 << 16]), "")
        what = f"it is a map of {other}, which is not read" if other else "it is no map of GNU ld"
        raise FirmwareFileInvalid(what, fix=_FIX)
    lines = read_lines(text)
    sections = [s for s in lines.sections if s.size_bytes and _takes_memory(s.name)]
    spans = _filled([_span(s, lines.regions) for s in sections])
    if not spans:
        raise FirmwareFileInvalid("the map lists no section that takes memory", fix=_FIX)
    values = {name: value for name, value in lines.symbols if name in LINKER_NAMES}
    kept = heap_and_stack(spans, values, {}, ())
    arena, arena_notes = recognise_arena(_in_ram(lines, spans), arena_symbol)
    objects = ([] if arena is None else [arena]) + _models(lines) + _runtime(lines)
    return FirmwareUse(
        file=file, format="GNU ld map", sha256=hashlib.sha256(data).hexdigest(),
        machine=next((name for mark, name in _MACHINES if mark in lines.output), ""),
        spans=(*spans, *kept.spans), objects=disjoint(objects), regions=lines.regions,
        arena_notes=arena_notes, notes=kept.notes, heap_and_stack=kept.sizes,
    )  # fmt: skip


def _span(section: OutputSection, regions: tuple[Region, ...]) -> Span:
    """A section as its name and its region's attributes tell; a map does not say which hold no bytes."""
    if section.size_bytes > _LARGEST_SPAN_BYTES:
        text = f"section {section.name} of {section.size_bytes:,} bytes leaves the address space"
        raise FirmwareFileInvalid(text, where=f"line {section.line}", fix=_FIX)
    reserve = section_reserve(section.name)
    if reserve or _NO_BYTES.search(section.name):
        return Span(section.name, reserve or "bss", section.address, section.size_bytes, None, True)
    moved = section.load_address is not None and section.load_address != section.address
    region = next((r for r in regions if r.origin <= section.address < r.end), None)
    written = not _CONSTANT.search(section.name) and bool(_WRITTEN.search(section.name))
    in_ram = moved or (written if region is None else "w" in region.attributes)
    what: What = "data" if written else "text" if _CODE.search(section.name) else "rodata"
    load = section.address if section.load_address is None else section.load_address
    return Span(section.name, what, section.address, section.size_bytes, load, in_ram)


def _takes_memory(section: str) -> bool:
    return not _NO_MEMORY.match(section) and not is_placeholder(section)


def _filled(spans: list[Span]) -> tuple[Span, ...]:
    """Each stored section with the bytes that align the one stored after it."""
    stored = sorted((s for s in spans if s.load_address is not None), key=lambda s: s.load_address or 0)
    wider: dict[str, int] = {}
    for span, following in pairwise(stored):
        gap = (following.load_address or 0) - (span.load_address or 0) - span.size_bytes
        if 0 < gap <= _WIDEST_ALIGNMENT_BYTES:
            wider[span.section] = gap
    return tuple(replace(s, size_bytes=s.size_bytes + wider.get(s.section, 0)) for s in spans)


def _in_ram(lines: MapLines, spans: tuple[Span, ...]) -> list[Variable]:
    """Everything that may be an arena: input sections by name, else symbols up to the next."""
    ram = {span.section for span in spans if span.in_ram}
    inputs = [i for i in lines.inputs if i.output in ram and i.size_bytes]
    named = [Variable(i.symbol, i.address, i.size_bytes) for i in inputs if i.symbol]
    known = {variable.address for variable in named}
    marks = sorted({a for _, a in lines.symbols} | {i.address + i.size_bytes for i in inputs})
    following = dict(pairwise(marks))
    ranges = Ranges((i.address, i.address + i.size_bytes) for i in inputs)
    for name, address in lines.symbols:
        size_bytes = following.get(address, address) - address
        if address not in known and size_bytes and ranges.index_of(address, size_bytes) is not None:
            named.append(Variable(name, address, size_bytes))
    return named


def _models(lines: MapLines) -> list[NamedObject]:
    return [
        NamedObject("model", i.symbol, i.address, i.size_bytes, "its name")
        for i in lines.inputs
        if i.size_bytes >= _SMALLEST_MODEL_BYTES and is_model_name(i.symbol)
    ]


def _runtime(lines: MapLines) -> list[NamedObject]:
    """Input sections of TFLM's object files, or with its names, if its interpreter is linked in."""
    kept = [i for i in lines.inputs if i.size_bytes and not _NO_MEMORY.match(i.output)]
    if not any("micro_interpreter" in i.file or "MicroInterpreter" in i.symbol for i in kept):
        return []
    return [
        NamedObject("runtime", "TFLM", i.address, i.size_bytes, "files and names of TFLM and its kernels")
        for i in kept
        if is_runtime_name(i.symbol) or _RUNTIME_FILE.search(i.file)
    ]
