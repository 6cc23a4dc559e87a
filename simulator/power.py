"""What does the device draw while it works? The known operating point that stands for the one asked.

  measured:   power x (supply / known supply, with an LDO) x clock / known clock
  datasheet:  power per clock x clock x load of the kernels

Intervals are those of rows left out of the fit, one step of power_spreads.csv for each thing that differs.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from ..devices.operating_point import Asked, chosen_point, runtime_rank
from ..devices.power import PowerPoint, PowerSpec
from ..devices.supply import Supply
from .interval import Basis, Interval, unknown

_PATH = Path(__file__).parent / "data" / "power_spreads.csv"
_MEASURED = ("measured", "primary")
BOUNDARIES = {"core": "core rail", "mcu": "MCU supply", "board": "whole board"}


class Spread(NamedTuple):
    """Measured / predicted: the median, p10 and p90 of rows that were left out."""

    value: float
    lo: float
    hi: float


Spreads = Mapping[str, Spread]


@lru_cache(maxsize=1)
def shipped_spreads() -> Spreads:
    """step -> spread, as scripts/fit_power.py writes them."""
    with _PATH.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return {r["step"]: Spread(float(r["value"]), float(r["lo"]), float(r["hi"])) for r in rows}


def active_power_w(power: PowerSpec, asked: Asked, spreads: Spreads | None = None) -> Interval:
    """Power while the kernels run; null where no figure stands for that supply.

    Args:
        spreads: of the steps from a known point to the asked one; None is what is shipped.
    """
    return power_at(chosen_point(power, asked), asked, spreads)


def power_at(point: PowerPoint | None, asked: Asked, spreads: Spreads | None = None) -> Interval:
    """The same of a point that is chosen already."""
    if point is None:
        return unknown(f"no power figure for a supply of {asked.supply}")
    steps = spreads if spreads is not None else shipped_spreads()
    if point.active_w is None:
        return _datasheet_w(point, asked, steps)
    return _measured_w(point, asked, steps)


def _measured_w(point: PowerPoint, asked: Asked, spreads: Spreads) -> Interval:
    """active x supply law x clock ratio, between the lowest and the highest of what was measured there."""
    assert point.active_w is not None and point.at_clock_hz is not None
    low_w = min(point.active_w_lo or point.active_w, point.active_w)
    high_w = max(point.active_w_hi or point.active_w, point.active_w)
    ratio = asked.clock_hz / point.at_clock_hz
    law = _supply_law(point, asked)
    steps = _steps(point, asked)
    value = point.active_w * law.value * ratio
    lo, hi = low_w * law.lo, high_w * law.hi
    for step in steps:
        lo, hi = lo * spreads[step].lo, hi * spreads[step].hi
    exponents = spreads["clock"]
    powers = [ratio**exponent for exponent in exponents]
    lo, hi = lo * min(powers), hi * max(powers)
    notes = "".join(f", {note}" for note in _notes(point, asked))
    basis = _basis(point, steps, ratio)
    return Interval(value, min(lo, value), max(hi, value), basis, _source(point) + notes)


def _steps(point: PowerPoint, asked: Asked) -> tuple[str, ...]:
    """What differs between the known point and the one asked for, by its row in power_spreads.csv."""
    rank = runtime_rank(point, asked)
    own = 0.0 if not asked.runtime else rank
    steps = ["network" if point.confidence in _MEASURED else "runtime"]
    if own == 3:
        steps.append("runtime")
    elif 1 <= own < 2:
        steps.append("release")
    if _is_scaled(point, asked):
        steps.append("supply")
    return tuple(steps)


def _basis(point: PowerPoint, steps: tuple[str, ...], ratio: float) -> Basis:
    if point.confidence == "datasheet":
        return Basis.DATASHEET
    known = point.confidence in _MEASURED and ratio == 1.0 and "supply" not in steps
    return Basis.CALIBRATED if known else Basis.ANALYTIC


def _is_scaled(point: PowerPoint, asked: Asked) -> bool:
    return asked.supply is not None and point.supply_v not in (None, asked.supply.volts)


def _supply_law(point: PowerPoint, asked: Asked) -> Spread:
    """An LDO's current stays: power ~ supply. A converter's power stays. Unsaid: from one to the other."""
    if not _is_scaled(point, asked):
        return Spread(1.0, 1.0, 1.0)
    assert asked.supply is not None and point.supply_v is not None
    ratio = asked.supply.volts / point.supply_v
    if point.regulator == "smps":
        return Spread(1.0, 1.0, 1.0)
    if point.regulator == "ldo":
        return Spread(ratio, ratio, ratio)
    return Spread(ratio, min(1.0, ratio), max(1.0, ratio))


def _datasheet_w(point: PowerPoint, asked: Asked, spreads: Spreads) -> Interval:
    """per clock x clock x load: kernels at full clock draw more than what a datasheet has on its cover."""
    assert point.active_w_per_hz is not None
    watts, law, load = point.active_w_per_hz * asked.clock_hz, _supply_law(point, asked), spreads["load"]
    notes = [f"times {load.lo:.2g} to {load.hi:.2g} for the kernels' load at full clock"]
    text = ", ".join((_source(point), *_notes(point, asked), *notes))
    value = watts * law.value * load.value
    return Interval(value, watts * law.lo * load.lo, watts * law.hi * load.hi, Basis.DATASHEET, text)


def _source(point: PowerPoint) -> str:
    """ "power of the MCU supply at 1.8 V LDO: ..."."""
    at = "" if point.supply_v is None else f" at {Supply(point.supply_v, point.regulator)}"
    return f"power of the {BOUNDARIES[point.boundary]}{at}: {point.source}"


def _notes(point: PowerPoint, asked: Asked) -> list[str]:
    notes = []
    if point.at_clock_hz not in (None, asked.clock_hz):
        notes.append(f"scaled from {(point.at_clock_hz or 0) / 1e6:g} MHz")
    if _is_scaled(point, asked):
        notes.append(f"scaled from {point.supply_v:g} V to {asked.supply}")
    if point.runtime and asked.runtime and point.runtime != asked.runtime:
        notes.append(f"measured with {point.runtime}")
    return notes
