"""How is a placement written on a command line? "weights=copy:axi-sram,arena=dtcm"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from ...devices.homes import Homes
from ...devices.target import Target
from ...errors import PlacementInvalid

_ROLES = ("weights", "code", "arena", "persistent", "static")
_COPIED = {"weights": "weights_image", "code": "code_image"}
_PLACE = re.compile(r"(?P<copy>copy:)?(?P<memory>[^:@\s]{1,64})(?:@(?P<image>[^:@\s]{1,64}))?")
_WRITE = "write it like weights=psram,arena=dtcm or weights=copy:axi-sram"
_LONGEST = 1024


def parse_placement(target: Target, text: str) -> Homes:
    """The homes that the text states; what it leaves out stays where it is.

    role=memory, or role=copy:memory[@image] for weights and code that are copied into RAM at start. In RAM
    they are copied whether the text says so or not; the image is their own nonvolatile home unless named.

    Raises:
        PlacementInvalid: a role, a memory or a form that means nothing on this device.
    """
    if len(text) > _LONGEST:
        raise PlacementInvalid("the text is too long", where="--place", fix=_WRITE)
    changes: dict[str, str] = {}
    for item in (part.strip() for part in text.split(",")):
        role, equals, place = (piece.strip() for piece in item.partition("="))
        if not equals or not place:
            raise PlacementInvalid(f"{item[:40]!r} is no placement", where="--place", fix=_WRITE)
        if role not in _ROLES:
            known = f"known: {', '.join(_ROLES)}"
            raise PlacementInvalid(f"{role[:40]!r} is nothing that can be placed", where="--place", fix=known)
        if role in changes:
            raise PlacementInvalid(f"{role} is placed twice", where="--place", fix="name each role once")
        changes |= _change(target, role, place)
    homes = replace(_in_place(target.homes, changes), **changes)
    return target.placed(homes).homes


def _change(target: Target, role: str, place: str) -> Mapping[str, str]:
    """Fields of the homes that one item sets."""
    match = _PLACE.fullmatch(place)
    if match is None:
        raise PlacementInvalid(f"{role}={place[:40]!r} names no memory", where="--place", fix=_WRITE)
    memory, image = match["memory"], match["image"] or ""
    if (match["copy"] or image) and role not in _COPIED:
        what = f"{role} is not copied from anywhere: it is written while the model runs"
        raise PlacementInvalid(what, where="--place", fix=f"write {role}={memory}")
    known = {m.name: m for m in target.device.memories}
    if match["copy"] and memory in known and known[memory].is_nonvolatile:
        what = f"{role} are copied into RAM, and {memory} is {known[memory].kind}"
        raise PlacementInvalid(what, where="--place", fix=f"write {role}={memory}")
    return {role: memory, _COPIED[role]: image} if image else {role: memory}


def _in_place(homes: Homes, changes: Mapping[str, str]) -> Homes:
    """A role that gets a new memory forgets its old image."""
    lost = {image: "" for role, image in _COPIED.items() if role in changes}
    return replace(homes, **lost)
