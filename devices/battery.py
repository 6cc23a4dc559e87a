"""What does a battery hold: charge at a voltage, or energy, and the part of it that can be used."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from ..errors import UnitInvalid
from .blocks import Block, Volts
from .units import parse_c, parse_fraction, parse_j, parse_v

_SPELLING = 'write it like "220mAh@3V", "220mAh@3V,85%" or "0.66Wh"'

# (low, value, high) of the capacity on the label that a load gets. Low: pulses of 300 ohm every 5 s take 25 %
# of a CR2032's (Maxell's datasheet as cited at thecavepearlproject.org/2023/06/05); high: all of it; value:
# the middle of the two.
ASSUMED_USABLE = (0.75, 0.875, 1.0)
ASSUMED_USABLE_SOURCE = (
    "not declared: from 75 % (pulsed load of a CR2032, Maxell's datasheet as cited by the Cave Pearl "
    "Project) to all of the nominal capacity"
)


# As written in a file, a fraction is a number or "85%".
FRACTION_AS_WRITTEN: dict[str, Any] = {
    "anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, {"type": "string"}]
}
_Fraction = Annotated[float, BeforeValidator(parse_fraction), WithJsonSchema(FRACTION_AS_WRITTEN)]


class BatterySpec(Block):
    """A battery as its label has it: capacity and voltage, or energy.

    Args:
        usable: the part of it that the load gets before its voltage is too low.
    """

    charge_c: Annotated[
        Annotated[float, BeforeValidator(parse_c), Field(gt=0)] | None, Field(alias="capacity")
    ] = None
    energy_j: Annotated[
        Annotated[float, BeforeValidator(parse_j), Field(gt=0)] | None, Field(alias="energy")
    ] = None
    voltage_v: Annotated[Annotated[Volts, Field(gt=0)] | None, Field(alias="voltage")] = None
    usable: Annotated[_Fraction, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _says_how_much(self) -> BatterySpec:
        if (self.charge_c is None) == (self.energy_j is None):
            raise ValueError("give capacity with voltage, or energy")
        if self.charge_c is not None and self.voltage_v is None:
            raise ValueError("capacity needs voltage: mAh alone are no energy")
        return self

    @property
    def nominal_j(self) -> float:
        """energy = charge x voltage."""
        if self.energy_j is not None:
            return self.energy_j
        assert self.charge_c is not None and self.voltage_v is not None
        return self.charge_c * self.voltage_v


def parse_battery(text: str) -> BatterySpec:
    """The battery that "220mAh@3V", "220mAh@3V,85%" or "0.66Wh" states.

    >>> parse_battery("220mAh@3V,85%").nominal_j
    2376.0

    Raises:
        UnitInvalid: a part that nobody can read, or one that is missing.
    """
    amount, comma, part = (piece.strip() for piece in text.partition(","))
    capacity, at, voltage = (piece.strip() for piece in amount.partition("@"))
    is_energy = capacity.endswith(("Wh", "J"))
    if bool(at) != bool(voltage) or bool(comma) != bool(part) or not (at or is_energy):
        raise UnitInvalid(f"{text[:40]!r} is no battery", fix=_SPELLING)
    held = (parse_j if is_energy else parse_c)(capacity)
    if held <= 0 or (at and parse_v(voltage) <= 0) or (part and parse_fraction(part) <= 0):
        raise UnitInvalid(f"a battery of {text[:40]!r} holds nothing", fix=_SPELLING)
    said = {"energy" if is_energy else "capacity": capacity, "voltage": voltage, "usable": part}
    return BatterySpec.model_validate({key: value for key, value in said.items() if value})
