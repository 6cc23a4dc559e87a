"""Which objects of an ELF would the new model replace: the arena, models, the runtime's own code."""

from __future__ import annotations

from collections.abc import Sequence

from .arena import Variable, recognise_arena
from .elf_symbols import Section, Symbol
from .ranges import Ranges
from .symbols import is_interpreter, is_runtime_name, plain_name
from .use import NamedObject, disjoint

_SMALLEST_MODEL_BYTES = 64
_IDENTIFIER = b"TFL3"  # bytes 4 to 7 of a .tflite
_WRITE = 0x1


def recognise(
    symbols: Sequence[Symbol], sections: Sequence[Section], data: bytes, *, arena_symbol: str | None,
    is_arm: bool,
) -> tuple[tuple[NamedObject, ...], tuple[str, ...]]:  # fmt: skip
    """The objects without overlaps, and what was not taken for the arena.

    Args:
        is_arm: bit 0 of a function's address is its instruction set.

    Raises:
        FirmwareFileInvalid: no array in RAM has the asked name.
    """
    ram = Ranges((s.address, s.address + s.size_bytes) for s in sections if s.flags & _WRITE)
    variables = [
        Variable(s.name, s.value, s.size_bytes)
        for s in symbols
        if s.is_defined and not s.is_function and ram.index_of(s.value, s.size_bytes) is not None
    ]
    arena, notes = recognise_arena(variables, arena_symbol)
    objects = [] if arena is None else [arena]
    return disjoint([*objects, *_models(symbols, sections, data), *_runtime(symbols, is_arm)]), notes


def _models(symbols: Sequence[Symbol], sections: Sequence[Section], data: bytes) -> list[NamedObject]:
    """Arrays that hold a .tflite by its identifier; a name alone is not enough where bytes can be read."""
    stored = [s for s in sections if not s.is_nobits]
    ranges = Ranges((s.address, s.address + s.size_bytes) for s in stored)
    found = []
    for symbol in symbols:
        if symbol.is_function or not symbol.is_defined or symbol.size_bytes < _SMALLEST_MODEL_BYTES:
            continue
        index = ranges.index_of(symbol.value, symbol.size_bytes)
        if index is None:
            continue
        at = stored[index].offset + symbol.value - stored[index].address + 4
        if data[at : at + 4] == _IDENTIFIER:
            name = plain_name(symbol.name)
            found.append(NamedObject("model", name, symbol.value, symbol.size_bytes, "TFL3 in its bytes"))
    return found


def _runtime(symbols: Sequence[Symbol], is_arm: bool) -> list[NamedObject]:
    """TFLM's own code and tables, if its interpreter is linked in."""
    if not any(is_interpreter(s.name) for s in symbols):
        return []
    return [
        NamedObject("runtime", "TFLM", s.value & ~1 if is_arm and s.is_function else s.value, s.size_bytes,
                    "names of TFLM, its kernels and flatbuffers")
        for s in symbols
        if s.size_bytes and s.is_defined and (s.is_object or s.is_function) and is_runtime_name(s.name)
    ]  # fmt: skip
