"""Which known operating point of a device stands for the one asked: supply, regulator, clock, runtime?"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .power import PowerPoint, PowerSpec
from .supply import Supply


@dataclass(frozen=True, slots=True)
class Asked:
    """The operating point that is asked for; None and "" are the board's own."""

    clock_hz: float
    supply: Supply | None = None
    runtime: str = ""


def chosen_point(power: PowerSpec, asked: Asked) -> PowerPoint | None:
    """The known point nearest to the asked one: measured before datasheet, then supply, clock, runtime."""
    wanted = asked.supply
    regulator = (wanted.regulator if wanted else "") or power.regulator
    fitting = [
        point for point in power.all_points
        if (not regulator or point.regulator in ("", regulator))
        and (wanted is None or point.supply_v is not None)
    ]  # fmt: skip
    volts = power.supply_v if wanted is None else wanted.volts
    return min(fitting, key=lambda point: _distance(point, volts, asked), default=None)


def _distance(point: PowerPoint, volts: float | None, asked: Asked) -> tuple[float, ...]:
    """The smaller, the better it stands for what is asked; min() keeps the file's order among equals."""
    known = point.supply_v
    supply = abs(math.log(known / volts)) if known and volts else 0.0
    clock = abs(math.log(asked.clock_hz / point.at_clock_hz)) if point.at_clock_hz else 0.0
    return (point.active_w is None, supply, clock, runtime_rank(point, asked))


def runtime_rank(point: PowerPoint, asked: Asked) -> float:
    """0 the same release, 1 to 2 another release (the nearest first), 2 any runtime, 3 another runtime."""
    if not point.runtime:
        return 2.0
    if point.runtime == asked.runtime:
        return 0.0
    (name, _, known), (runtime, _, release) = (text.partition("@") for text in (point.runtime, asked.runtime))
    return 2.0 - 1.0 / (1.0 + abs(_number(known) - _number(release))) if name == runtime else 3.0


def _number(release: str) -> float:
    """ "10.2" is 10.2; "3.0" is 11.0, as ST's generator counts since it has a name of its own."""
    parts = [int(part) for part in release.split(".") if part.isdigit()]
    major, minor = (*parts, 0, 0)[:2]
    return (major + 8 if major < 5 else major) + minor / 10
