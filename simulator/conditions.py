"""What does the user hold fixed, as written on a command line: reservations, deadline, headroom."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from ..devices.spec import DeviceSpec, MemorySpec
from ..devices.target import Target
from ..devices.units import parse_bytes, parse_fraction, parse_j, parse_s
from ..errors import BudgetInvalid, UnitInvalid
from .estimate import Conditions, Limit, Reservation

_SOURCE = "--reserve"
_LONGEST_NAME = 40


def parse_conditions(
    target: Target, *, reserve: str | Sequence[str] | None = None, deadline: str | None = None,
    headroom: str | None = None, limit: str | Sequence[str] | None = None,
) -> Conditions:  # fmt: skip
    """The conditions that these texts state; None is the default of each.

    Args:
        reserve: "ram=20KiB,camera=150KiB@axi-sram", or several such texts; a key is ram, flash or the
            name of a memory, or any name with the memory behind the @.
        deadline: "50 ms".
        headroom: "10%" or "0.1": with less free than this, the verdict is TIGHT.
        limit: "ram=64KiB,energy=2mJ", or several such texts: what the model may take in all.

    Raises:
        BudgetInvalid: a key, an amount or a fraction that cannot be applied to this device.
        UnitInvalid: an amount that nobody can read.
    """
    own = target.unplaced.device
    return Conditions(
        deadline_s=None if deadline is None else parse_deadline(deadline),
        reservations=() if not reserve and reserve != "" else parse_reservations(own, reserve),
        tight_headroom=Conditions().tight_headroom if headroom is None else parse_headroom(headroom),
        limits=() if not limit and limit != "" else parse_limits(limit),
    )


def parse_deadline(text: str) -> float:
    """Seconds of a deadline, above zero."""
    deadline_s = parse_s(text)
    if not (math.isfinite(deadline_s) and deadline_s > 0):
        raise BudgetInvalid(f"a deadline of {text!r} is not above zero", fix='write it like "50 ms"')
    return deadline_s


def parse_headroom(text: str) -> float:
    """A fraction from 0 up to, not including, 1."""
    try:
        fraction = parse_fraction(text)
    except UnitInvalid:
        fraction = math.nan
    if not 0 <= fraction < 1:
        raise BudgetInvalid(f"a headroom of {text[:40]!r} is no fraction", fix='write it like "10%" or "0.1"')
    return fraction


# What can be limited -> how its amount is read
_LIMITS: dict[Literal["ram", "flash", "energy"], Callable[[object], float]] = {
    "ram": parse_bytes, "flash": parse_bytes, "energy": parse_j,
}  # fmt: skip
_LIMIT_FIX = "write it like ram=64KiB,flash=300KiB,energy=2mJ"


def parse_limits(given: str | Sequence[str]) -> tuple[Limit, ...]:
    """The limits in the order given, each above zero and named once."""
    found: dict[str, Limit] = {}
    texts = (given,) if isinstance(given, str) else given
    for item in (part for text in texts for part in text.split(",")):
        key, _, amount = (piece.strip() for piece in item.partition("="))
        name = next((known for known in _LIMITS if known == key.lower()), None)
        if name is None or not amount or name in found:
            slip = "limited twice" if name in found else "no limit"
            raise BudgetInvalid(f"{item.strip()[:40]!r} is {slip}", where="--limit", fix=_LIMIT_FIX)
        value = _LIMITS[name](amount)
        if not (math.isfinite(value) and value > 0):
            what = f"{item.strip()[:40]!r} is not above zero"
            raise BudgetInvalid(what, where="--limit", fix=_LIMIT_FIX)
        found[name] = Limit(name, value)
    return tuple(found.values())


def parse_reservations(device: DeviceSpec, given: str | Sequence[str]) -> tuple[Reservation, ...]:
    """The reservations in the order given; together with the device's own they must leave room."""
    taken = {
        m.name: sum(r.size_bytes for r in device.reserved if r.memory == m.name) for m in device.memories
    }
    found = []
    for key, amount, place in _items((given,) if isinstance(given, str) else given):
        memory = _memory_of(device, place or key)
        size_bytes = parse_bytes(amount)
        taken[memory.name] += size_bytes
        if taken[memory.name] > memory.size_bytes:
            raise _too_much(memory, key, taken[memory.name])
        if size_bytes:
            name = key if place else f"your firmware ({key})"
            found.append(Reservation(name, memory.name, size_bytes, _SOURCE))
    return tuple(found)


def _items(texts: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """(key, amount, memory or "") of every "key=amount" and "name=amount@memory"."""
    fix = "write it like ram=20KiB,flash=64KiB or camera=150KiB@ram"
    for item in (part.strip() for text in texts for part in text.split(",")):
        key, equals, said = (piece.strip() for piece in item.partition("="))
        amount, at, place = (piece.strip() for piece in said.partition("@"))
        if not (equals and key and amount) or bool(at) != bool(place) or len(key) > _LONGEST_NAME:
            raise BudgetInvalid(f"{item[:40]!r} is no reservation", where="--reserve", fix=fix)
        yield key, amount, place


def _too_much(memory: MemorySpec, key: str, taken_bytes: int) -> BudgetInvalid:
    return BudgetInvalid(
        f"{key}: {taken_bytes:,} bytes are reserved in {memory.name}, which has {memory.size_bytes:,}",
        where="--reserve",
        fix="reserve less; what the device file reserves counts too",
    )


def _memory_of(device: DeviceSpec, key: str) -> MemorySpec:
    """A memory by its name or how that begins ("axi"), what holds the arena (ram) or the weights (flash)."""
    by_name = {memory.name: memory for memory in device.memories}
    if key in by_name:
        return by_name[key]
    if key.lower() == "ram":
        return device.home_of("arena")
    if key.lower() == "flash":
        return device.home_of("weights")
    begun = [name for name in by_name if name.startswith(key.lower())]
    if key and len(begun) == 1:
        return by_name[begun[0]]
    known = ", ".join(dict.fromkeys(("ram", "flash", *by_name)))
    raise BudgetInvalid(f"{device.name} has no memory {key[:40]!r}", where="--reserve", fix=f"known: {known}")
