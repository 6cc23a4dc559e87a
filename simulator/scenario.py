"""What does a scenario file say: deadline, period, battery, sleep, reservations, limits, steps."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, WithJsonSchema, model_validator

from ..devices.battery import FRACTION_AS_WRITTEN, BatterySpec, parse_battery
from ..devices.blocks import Block
from ..devices.catalog import read_toml
from ..devices.faults import plain_faults, shortened
from ..devices.sleep import DeclaredSleep, parse_sleep
from ..devices.target import Target
from ..devices.units import parse_bytes, parse_cycles, parse_fraction, parse_j, parse_s
from ..errors import BudgetInvalid, ScenarioFileInvalid
from .conditions import parse_conditions, parse_reservations
from .given import Conditions, Duty, Limit, Reservation, Step
from .interval import Basis, Interval

# Cycles may be a plain number; everything else that is no text has a unit.
CYCLES_AS_WRITTEN: dict[str, Any] = {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string"}]}
_Seconds = Annotated[float, BeforeValidator(parse_s), Field(ge=0)]
_Cycles = Annotated[float, BeforeValidator(parse_cycles), WithJsonSchema(CYCLES_AS_WRITTEN)]
_AboveZeroSeconds = Annotated[float, BeforeValidator(parse_s), Field(gt=0)]
_Joules = Annotated[float, BeforeValidator(parse_j), Field(ge=0)]
_LONGEST_NAME = 40


def _as_label(given: object) -> object:
    """A name that can also stand in --reserve."""
    if isinstance(given, str) and (
        not given.strip() or set(given) & set(",=@\n") or len(given) > _LONGEST_NAME
    ):
        raise ValueError(f"a name has 1 to {_LONGEST_NAME} characters, none of them , = @")
    return given


_Label = Annotated[str, BeforeValidator(_as_label)]
_Fraction = Annotated[float, BeforeValidator(parse_fraction), WithJsonSchema(FRACTION_AS_WRITTEN)]
_LONGEST_PERIOD_S = 366 * 86400.0


class StepSpec(Block):
    """Something that happens before or after each inference.

    Args:
        time, time_low, time_high: how long it takes; or `cycles` of the core, at the clock of the target.
        energy: all that it takes; else power of the core, or of its sleep, x time.
        core: "sleep" while a peripheral works and the core does not.
        measured: the figures were measured on this board; else they are an assumption.
    """

    name: _Label
    when: Literal["pre", "post"]
    time_s: Annotated[_Seconds | None, Field(alias="time")] = None
    time_s_lo: Annotated[_Seconds | None, Field(alias="time_low")] = None
    time_s_hi: Annotated[_Seconds | None, Field(alias="time_high")] = None
    cycles: _Cycles | None = None
    energy_j: Annotated[_Joules | None, Field(alias="energy")] = None
    core: Literal["active", "sleep"] = "active"
    measured: bool = False
    source: str = ""

    @model_validator(mode="after")
    def _says_how_long(self) -> StepSpec:
        if (self.time_s is None) == (self.cycles is None):
            raise ValueError("give time or cycles, one of them")
        bounds = [value for value in (self.time_s_lo, self.time_s, self.time_s_hi) if value is not None]
        if self.time_s is None and bounds:
            raise ValueError("time_low and time_high need time")
        if bounds != sorted(bounds):
            raise ValueError("time_low <= time <= time_high does not hold")
        if self.cycles is not None and self.core == "sleep":
            raise ValueError("a sleeping core counts no cycles: give time")
        return self


class ReservedBytes(Block):
    """Bytes that the firmware around the model takes: of ram, flash, or a memory by its name."""

    name: _Label
    memory: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\s,=@]+$")]
    size_bytes: Annotated[Annotated[int, BeforeValidator(parse_bytes)], Field(ge=0, alias="size")]


class LimitedTo(Block):
    """What the model may take in all, wherever it lies: RAM, flash, energy of one inference."""

    ram: Annotated[Annotated[int, BeforeValidator(parse_bytes)], Field(gt=0)] | None = None
    flash: Annotated[Annotated[int, BeforeValidator(parse_bytes)], Field(gt=0)] | None = None
    energy: Annotated[_Joules, Field(gt=0)] | None = None

    @property
    def limits(self) -> tuple[Limit, ...]:
        ram, flash, energy = (value or 0.0 for value in (self.ram, self.flash, self.energy))
        stated = (Limit("ram", ram), Limit("flash", flash), Limit("energy", energy))
        return tuple(limit for limit in stated if limit.value)


class Scenario(Block):
    """A scenario file. Each table answers one question, so that others can stand beside them."""

    deadline_s: Annotated[_AboveZeroSeconds | None, Field(alias="deadline")] = None
    period_s: Annotated[
        Annotated[_AboveZeroSeconds, Field(le=_LONGEST_PERIOD_S)] | None, Field(alias="period")
    ] = None
    headroom: Annotated[_Fraction, Field(lt=1)] | None = None
    battery: BatterySpec | None = None
    sleep: DeclaredSleep | None = None
    limits: LimitedTo = LimitedTo()
    reserved: Annotated[tuple[ReservedBytes, ...], Field(max_length=64, alias="reserve")] = ()
    steps: Annotated[tuple[StepSpec, ...], Field(max_length=64, alias="step")] = ()

    @model_validator(mode="after")
    def _steps_have_their_own_names(self) -> Scenario:
        names = [step.name for step in self.steps]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"step: {', '.join(twice)} is named twice")
        return self


@dataclass(frozen=True, slots=True)
class Said:
    """The same things as options on a command line; they stand above the file. None is not said."""

    reserve: str | Sequence[str] | None = None
    deadline: str | None = None
    headroom: str | None = None
    period: str | None = None
    battery: str | None = None
    sleep: str | None = None
    limit: str | Sequence[str] | None = None


def read_scenario(path: str | os.PathLike[str]) -> Scenario:
    """The scenario of this TOML file.

    Raises:
        ScenarioFileInvalid: the file cannot be read or has faults; all of them are in `.faults`.
    """
    raw: dict[str, Any] = read_toml(Path(path), ScenarioFileInvalid)
    try:
        return Scenario.model_validate(raw)
    except ValidationError as error:
        faults = plain_faults(error, Scenario)
    count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    raise ScenarioFileInvalid(f"scenario file with {count}", faults=shortened(faults), where=str(path)[:200])


def conditions_of(target: Target, scenario: Scenario | None = None, said: Said | None = None) -> Conditions:
    """What the file states, and above it what the options say.

    Raises:
        BudgetInvalid: something that cannot be applied to this device.
        UnitInvalid: an amount that nobody can read.
    """
    file, words = scenario or Scenario(), said or Said()
    given = parse_conditions(
        target, reserve=words.reserve, deadline=words.deadline, headroom=words.headroom, limit=words.limit
    )
    limits = {limit.name: limit for limit in (*file.limits.limits, *given.limits)}
    given = replace(given, limits=tuple(limits.values()))
    if not words.reserve and words.reserve != "" and file.reserved:
        given = replace(given, reservations=_reservations(target, file.reserved))
    if words.deadline is None:
        given = replace(given, deadline_s=file.deadline_s)
    if words.headroom is None and file.headroom is not None:
        given = replace(given, tight_headroom=file.headroom)
    return replace(given, duty=_duty(target, file, words))


def _reservations(target: Target, reserved: Sequence[ReservedBytes]) -> tuple[Reservation, ...]:
    """The file's reservations, held against the device's memories."""
    texts = [f"{r.name}={r.size_bytes}@{r.memory}" for r in reserved]
    try:
        found = parse_reservations(target.unplaced.device, texts)
    except BudgetInvalid as error:
        raise BudgetInvalid(error.what, where="scenario: reserve", fix=error.fix) from error
    return tuple(replace(r, source="scenario file") for r in found)


def _duty(target: Target, file: Scenario, words: Said) -> Duty:
    return Duty(
        period_s=file.period_s if words.period is None else parse_period(words.period),
        steps=tuple(_step(spec, target.clock_hz) for spec in file.steps),
        battery=file.battery if words.battery is None else parse_battery(words.battery),
        sleep=file.sleep if words.sleep is None else parse_sleep(words.sleep),
    )


def parse_period(text: str) -> float:
    """Seconds of a period, above zero and up to a year."""
    period_s = parse_s(text)
    if not 0 < period_s <= _LONGEST_PERIOD_S:
        fix = 'write it like "1 s"'
        raise BudgetInvalid(f"a period of {text[:40]!r} is not above zero and up to a year", fix=fix)
    return period_s


def _step(spec: StepSpec, clock_hz: float) -> Step:
    """time = cycles / clock where cycles are declared; a figure without bounds is its own interval."""
    basis = Basis.MEASURED if spec.measured else Basis.ANALYTIC
    source = spec.source or ("measured, as declared" if spec.measured else "as declared, not measured")
    if spec.cycles is not None:
        time_s = low = high = spec.cycles / clock_hz
        source = f"{source}: {spec.cycles:,.0f} cycles at {clock_hz / 1e6:g} MHz"
    else:
        assert spec.time_s is not None
        time_s = spec.time_s
        low = time_s if spec.time_s_lo is None else spec.time_s_lo
        high = time_s if spec.time_s_hi is None else spec.time_s_hi
    took = Interval(time_s, low, high, basis, source)
    energy = None if spec.energy_j is None else Interval(*(spec.energy_j,) * 3, basis, source)
    return Step(spec.name, spec.when, took, energy, spec.core, spec.measured, spec.cycles)
