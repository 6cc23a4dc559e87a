"""Which stack and heap does a firmware keep: sections, arrays of its RTOS, or what its script defines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .symbols import HEAP_ENDS, SIZE_SYMBOLS, STACK_AND_HEAP_OBJECTS, STACK_ENDS, STACK_TOPS
from .use import Span, What

_LARGEST_RESERVE_BYTES = 1 << 31


@dataclass(frozen=True, slots=True)
class Reserves:
    """Spans to count beside the sections, sizes by name for the reader, and what is not counted."""

    spans: tuple[Span, ...]
    sizes: tuple[tuple[str, int], ...]
    notes: tuple[str, ...]


def heap_and_stack(
    spans: Iterable[Span], values: Mapping[str, int], sizes: Mapping[str, int], unallocated: Iterable[Span]
) -> Reserves:
    """What is kept for heap and stack, counted once.

    The first that is there counts: an allocated section of that name, an RTOS's array (both lie in
    sections already), the ends that the linker script defines, a section that is not allocated, a
    size that it defines.

    Args:
        values: linker symbol -> value.
        sizes: object -> bytes.
        unallocated: sections by these names that take no memory by themselves (COPY).
    """
    allocated = [s for s in spans if s.what in ("heap", "stack", "heap and stack")]
    inside: list[tuple[str, int, str]] = [(s.section, s.size_bytes, s.what) for s in allocated]
    inside += [(name, sizes[name], what) for name, what in STACK_AND_HEAP_OBJECTS.items() if sizes.get(name)]
    found: list[Span] = []
    listed = [(name, size) for name, size, _ in inside if size]
    notes: list[str] = []
    for what in ("stack", "heap"):
        if any(what in kind and size for _, size, kind in inside):
            continue
        span, note = _kept(what, values, [s for s in unallocated if what in s.what and s.size_bytes])
        notes += [note] if note else []
        if span is not None:
            found.append(span)
            listed.append((span.section, span.size_bytes))
    return Reserves(tuple(found), tuple(listed), tuple(notes))


def _kept(what: str, values: Mapping[str, int], unallocated: list[Span]) -> tuple[Span | None, str]:
    """The reservation that symbols or a section tell, and what is not counted."""
    ends = _between(STACK_ENDS if what == "stack" else HEAP_ENDS, values)
    if what == "stack" and ends is not None:
        return _span(what, ends[0], *ends[1:]), ""
    if unallocated:
        section = unallocated[0]
        return _span(what, section.section, section.address, section.size_bytes), ""
    for name, kind in SIZE_SYMBOLS.items():
        if kind == what and 0 < values.get(name, 0) <= _LARGEST_RESERVE_BYTES:
            top = next((values[t] for t in STACK_TOPS if what == "stack" and t in values), None)
            address = None if top is None or top < values[name] else top - values[name]
            return _span(what, name, address, values[name]), ""
    if ends is None:
        return None, ""
    name, address, size_bytes = ends
    if address + size_bytes in {values.get(end) for pair in STACK_ENDS for end in pair}:
        return None, f"the heap takes what is left between {name} ({size_bytes:,} B): not counted"
    return _span(what, name, address, size_bytes), ""


def _between(pairs: tuple[tuple[str, str], ...], values: Mapping[str, int]) -> tuple[str, int, int] | None:
    """(names, address, size) of the first pair of symbols that encloses bytes."""
    for low, high in pairs:
        size_bytes = values.get(high, 0) - values.get(low, 0)
        if low in values and 0 < size_bytes <= _LARGEST_RESERVE_BYTES:
            return f"{low} and {high}", values[low], size_bytes
    return None


def _span(what: str, name: str, address: int | None, size_bytes: int) -> Span:
    kind: What = "stack" if what == "stack" else "heap"
    return Span(name, kind, address, size_bytes, None, True)
