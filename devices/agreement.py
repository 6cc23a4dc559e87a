"""Where do the memories of a device contradict each other: names, homes, reservations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

ROLES = ("weights", "code", "arena", "static")


def disagreements(
    memories: Sequence[tuple[str, tuple[str, ...]]], reserved: Sequence[tuple[str, str]]
) -> list[str]:
    """Every memory has its own name, every role exactly one home, every reservation a memory.

    Args:
        memories: name and what it holds.
        reserved: name of the reservation and of its memory.
    """
    names = [name for name, _ in memories]
    faults = [f"memory: {n!r} is listed twice" for n in dict.fromkeys(names) if names.count(n) > 1]
    for role in ROLES:
        homes = [name for name, holds in memories if role in holds]
        if len(homes) != 1:
            found = ", ".join(homes) or "none"
            faults.append(f"memory: exactly one memory must hold {role!r}, found: {found}")
    for reservation, memory in reserved:
        if memory not in names:
            known = ", ".join(names)
            faults.append(f"reserved: {reservation!r} is in memory {memory!r}; known: {known}")
    return faults


def disagreements_in(raw: Mapping[str, Any]) -> list[str]:
    """The same for a file that has other faults too, as far as it can be read; () without any memory."""
    memories = [
        (entry["name"], _texts(entry.get("holds")))
        for entry in _tables(raw.get("memory"))
        if isinstance(entry.get("name"), str)
    ]
    reserved = [
        (entry["name"], entry["memory"])
        for entry in _tables(raw.get("reserved"))
        if isinstance(entry.get("name"), str) and isinstance(entry.get("memory"), str)
    ]
    return disagreements(memories[:64], reserved[:64]) if memories else []


def _tables(value: object) -> list[Mapping[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _texts(value: object) -> tuple[str, ...]:
    return tuple(entry for entry in value if isinstance(entry, str)) if isinstance(value, list) else ()
