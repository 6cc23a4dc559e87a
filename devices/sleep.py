"""What does a device draw while it sleeps, what of its RAM survives, and what does waking up cost."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from ..errors import UnitInvalid
from .blocks import Block, Sourced, Volts, Watts
from .units import parse_a, parse_j, parse_s, parse_v, parse_w

_AboveZero = Field(gt=0)
_Amperes = Annotated[float, BeforeValidator(parse_a), _AboveZero]
_Watts = Annotated[Watts, _AboveZero]
_Volts = Annotated[Volts, _AboveZero]
_Seconds = Annotated[float, BeforeValidator(parse_s), Field(ge=0)]
_Joules = Annotated[float, BeforeValidator(parse_j), Field(ge=0)]


class SleepDraw(Block):
    """What is drawn between two inferences: a current, or a power.

    Args:
        state: the vendor's name of the state ("stop 2", "EM2", "light sleep").
        supply: at which voltage the current was stated; else that of [power], else that of the battery.
        ram: whether arena and variables survive; "lost" means that the model is set up again at each wake-up.
        wake_up, wake_up_energy: from the wake-up event to the first instruction of yours.
    """

    state: Annotated[str, Field(max_length=60)] = ""
    current_a: Annotated[_Amperes | None, Field(alias="current")] = None
    current_a_lo: Annotated[_Amperes | None, Field(alias="current_low")] = None
    current_a_hi: Annotated[_Amperes | None, Field(alias="current_high")] = None
    power_w: Annotated[_Watts | None, Field(alias="power")] = None
    power_w_lo: Annotated[_Watts | None, Field(alias="power_low")] = None
    power_w_hi: Annotated[_Watts | None, Field(alias="power_high")] = None
    supply_v: Annotated[_Volts | None, Field(alias="supply")] = None
    ram: Literal["retained", "lost"] | None = None
    wake_up_s: Annotated[_Seconds | None, Field(alias="wake_up")] = None
    wake_up_j: Annotated[_Joules | None, Field(alias="wake_up_energy")] = None

    @model_validator(mode="after")
    def _says_one_draw(self) -> SleepDraw:
        currents = (self.current_a_lo, self.current_a, self.current_a_hi)
        powers = (self.power_w_lo, self.power_w, self.power_w_hi)
        if (self.current_a is None) == (self.power_w is None):
            raise ValueError("give current or power, one of them")
        said, other = (currents, powers) if self.current_a is not None else (powers, currents)
        if any(value is not None for value in other):
            raise ValueError("low and high are those of the one that is given")
        in_order = [value for value in said if value is not None]
        if in_order != sorted(in_order):
            raise ValueError("low <= value <= high does not hold")
        if self.wake_up_j is not None and self.wake_up_s is None:
            raise ValueError("wake_up_energy needs wake_up: the time that it takes")
        return self


class SleepSpec(SleepDraw, Sourced):
    """The sleep state of a device file, in which a firmware waits for its next inference."""

    state: Annotated[str, Field(min_length=1, max_length=60)]
    ram: Literal["retained", "lost"]


class DeclaredSleep(SleepDraw):
    """The sleep of a user's own board: what was measured says so, everything else is an assumption."""

    measured: bool = False
    source: str = ""


def parse_sleep(text: str) -> DeclaredSleep:
    """The sleep that "3uA", "3uA@3V" or "9uW" states.

    Raises:
        UnitInvalid: neither a current nor a power, or not above zero.
    """
    amount, at, supply = (piece.strip() for piece in text.partition("@"))
    is_power = amount.endswith("W")
    draw = (parse_w if is_power else parse_a)(amount)
    fix = 'write it like "3uA", "3uA@3V" or "9uW"'
    if draw <= 0 or (is_power and at):
        why = "is not above zero" if draw <= 0 else "is a power: it needs no voltage"
        raise UnitInvalid(f"a sleep of {text[:40]!r} {why}", fix=fix)
    if at and parse_v(supply) <= 0:
        raise UnitInvalid(f"a sleep of {text[:40]!r} has no voltage above zero", fix=fix)
    said = {"power" if is_power else "current": amount, "source": "--sleep"}
    return DeclaredSleep.model_validate({**said, "supply": supply} if at else said)
