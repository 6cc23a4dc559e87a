"""Which supply does a user mean, "3.3 V" or "1.8V smps", and can a board answer for it?"""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import TargetInvalid
from .power import PowerSpec, Regulator
from .units import parse_v

# Microcontrollers run from 1.7 V to 3.6 V: further than that from a known supply nothing is scaled.
_FURTHEST = 2.2
_REGULATORS: dict[str, Regulator] = {"ldo": "ldo", "smps": "smps", "dcdc": "smps", "dc-dc": "smps"}
_FIX = 'write it like "3.3V", "1.8V smps" or "3V ldo"'


@dataclass(frozen=True, slots=True)
class Supply:
    """Volts at the supply pin, and what makes the core voltage of them ("" is the board's own)."""

    volts: float
    regulator: Regulator = ""

    def __str__(self) -> str:
        return f"{self.volts:g} V {self.regulator.upper()}".strip()


def parse_supply(text: str) -> Supply:
    """The supply that this text states.

    Raises:
        TargetInvalid: no voltage above zero, or another word than ldo, smps, dcdc.

    >>> parse_supply("3.3V"), parse_supply("1.8 V smps")
    (Supply(volts=3.3, regulator=''), Supply(volts=1.8, regulator='smps'))
    """
    words = text.lower().split()
    said: Regulator = ""
    if words and words[-1].isascii() and words[-1].replace("-", "").isalpha() and len(words[-1]) > 1:
        if words[-1] not in _REGULATORS:
            raise TargetInvalid(f"{words[-1][:40]!r} is no regulator", where="--supply", fix=_FIX)
        said = _REGULATORS[words[-1]]
        text = text[: text.lower().rindex(words[-1])]
    volts = parse_v(text)
    if volts <= 0:
        text = f"a supply of {text.strip()[:40]!r} is not above zero"
        raise TargetInvalid(text, where="--supply", fix=_FIX)
    return Supply(volts, said)


def checked_supply(power: PowerSpec | None, supply: Supply, device: str) -> Supply:
    """The supply, if it is near enough to one that the board's figures were taken at.

    Raises:
        TargetInvalid: no point has this regulator, or the volts are more than 2.2 times off one of them.
    """
    points = () if power is None else power.all_points
    known = [point for point in points if point.supply_v is not None]
    shown = ", ".join(dict.fromkeys(str(Supply(p.supply_v or 0.0, p.regulator)) for p in known))
    regulators = {point.regulator for point in known}
    if known and supply.regulator and not regulators & {supply.regulator, ""}:
        text = f"no figure of {device} is with an {supply.regulator.upper()}"
        raise TargetInvalid(text, where="--supply", fix=f"known: {shown}")
    if not all(_is_near(supply.volts, point.supply_v or 0.0) for point in known):
        text = f"{supply.volts:g} V is too far from what is known of {device}"
        raise TargetInvalid(text, where="--supply", fix=f"known: {shown}")
    return supply


def _is_near(volts: float, known: float) -> bool:
    return max(volts, known) <= _FURTHEST * min(volts, known)
