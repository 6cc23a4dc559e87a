"""What stands in a map of GNU ld, line by line: regions, output sections, input sections, symbols."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from .use import Region

_LONGEST_LINE = 2048
_MOST_REGIONS = 256
_HEX = r"0x([0-9a-fA-F]{1,16})"
_REGION = re.compile(rf"(\S{{1,80}})\s+{_HEX}\s+{_HEX}(?:\s+(\S{{1,16}}))?\s*$")
_NAME_ONLY = re.compile(r"( ?)([^\s*(/=]\S*)\s*$")
_OUTPUT = re.compile(rf"([^\s*(/=]\S*)\s+{_HEX}\s+{_HEX}(?:\s+load address\s+{_HEX})?\s*$")
_INPUT = re.compile(rf" ([^\s*(]\S*)\s+{_HEX}\s+{_HEX}(?:\s+(\S.*))?$")
_SYMBOL = re.compile(rf"\s{{8,}}{_HEX}\s+(?:PROVIDE\s*\(|HIDDEN\s*\()?\s*([A-Za-z_$][\w$.]*)(\s*=.*|\s*\)?)$")
_KIND = re.compile(
    r"\.(?:text|rodata|srodata|data|sdata|bss|sbss|noinit|literal|dram0|iram1|ext_ram|psram|ram|time_critical)"
    r"(?:\.(?:unlikely|startup|hot|rel|ro|str|bss|data|noinit))*\."
)


class OutputSection(NamedTuple):
    line: int
    name: str
    address: int
    size_bytes: int
    load_address: int | None


class InputSection(NamedTuple):
    """The part of an object file in an output section; `symbol` is what -fdata-sections put in its name."""

    output: str
    symbol: str
    address: int
    size_bytes: int
    file: str


@dataclass(frozen=True, slots=True)
class MapLines:
    regions: tuple[Region, ...]
    sections: tuple[OutputSection, ...]
    inputs: tuple[InputSection, ...]
    symbols: tuple[tuple[str, int], ...]
    output: str


def read_lines(text: str) -> MapLines:
    """Everything that can be read; lines that say something else are passed over."""
    before, _, body = text.partition("Linker script and memory map")
    reader = _Reader()
    number = before.count("\n") + 1
    for offset, line in enumerate(body.splitlines()):
        if line.startswith("Cross Reference Table"):
            break
        if len(line) <= _LONGEST_LINE:
            reader.take(line, number + offset)
    return MapLines(
        _regions(before), tuple(reader.sections), tuple(reader.inputs), tuple(reader.symbols), reader.output
    )


def _regions(before: str) -> tuple[Region, ...]:
    _, _, listed = before.partition("Memory Configuration")
    found = (_REGION.match(line) for line in listed.splitlines() if len(line) <= _LONGEST_LINE)
    regions = [Region(m[1], int(m[2], 16), int(m[3], 16), m[4] or "") for m in found if m]
    return tuple(r for r in regions if r.name != "*default*" and r.length_bytes)[:_MOST_REGIONS]


class _Reader:
    """Joins a long name with the numbers on the line below it."""

    def __init__(self) -> None:
        self.sections: list[OutputSection] = []
        self.inputs: list[InputSection] = []
        self.symbols: list[tuple[str, int]] = []
        self.output = ""
        self._begun = ""

    def take(self, line: str, number: int) -> None:
        if line.startswith("OUTPUT("):
            self.output = line[:200]
            return
        name_only = _NAME_ONLY.match(line)
        if name_only:
            self._begun = line.rstrip()
            return
        joined = f"{self._begun} {line.lstrip()}" if self._begun and line.startswith("  ") else line
        self._begun = ""
        if not self._section(joined, number):
            self._symbol(line)

    def _section(self, line: str, number: int) -> bool:
        output = None if line.startswith(" ") else _OUTPUT.match(line)
        if output:
            load = None if output[4] is None else int(output[4], 16)
            self.sections.append(
                OutputSection(number, output[1][:80], int(output[2], 16), int(output[3], 16), load)
            )
            return True
        part = _INPUT.match(line) if self.sections else None
        if part:
            kind = _KIND.match(part[1])
            symbol = part[1][kind.end() :] if kind else ""
            owner = self.sections[-1].name
            self.inputs.append(InputSection(owner, symbol, int(part[2], 16), int(part[3], 16), part[4] or ""))
        return bool(part)

    def _symbol(self, line: str) -> None:
        symbol = _SYMBOL.match(line)
        if symbol:
            self.symbols.append((symbol[2], int(symbol[1], 16)))
