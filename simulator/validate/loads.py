"""How much more do kernels draw than a datasheet says? Boards that state both figures for one regulator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from statistics import median

from ...devices.catalog import device_names, load_device
from ...devices.operating_point import Asked
from ...devices.power import PowerSpec
from ...devices.supply import Supply
from ..power import Spread, active_power_w

_ONE = Spread(1.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Load:
    """measured power / datasheet power at the measured clock and supply."""

    device: str
    regulator: str
    ratio: float


@lru_cache(maxsize=1)
def measured_loads() -> tuple[Load, ...]:
    """One per board and regulator, of the point that the file states first."""
    return tuple(load for name in device_names() for load in _loads_of(name, load_device(name).power))


def load_without(device: str) -> Spread:
    """The load of all boards but this one: median, lowest and highest."""
    ratios = [load.ratio for load in measured_loads() if load.device != device]
    return Spread(median(ratios), min(ratios), max(ratios))


def datasheet_only(power: PowerSpec | None) -> PowerSpec | None:
    """The same block as if nobody had measured the board; None if nothing is left."""
    points = () if power is None else tuple(p for p in power.all_points if p.active_w is None)
    if not points:
        return None
    return PowerSpec.model_construct(**dict(points[0]) | {"points": points})


def _loads_of(name: str, power: PowerSpec | None) -> Iterator[Load]:
    known = datasheet_only(power)
    if power is None or known is None:
        return
    seen: set[str] = set()
    for point in power.all_points:
        counts = point.active_w is not None and point.confidence == "measured" and point.boundary == "mcu"
        if not counts or point.regulator in seen or point.active_w is None or point.at_clock_hz is None:
            continue
        seen.add(point.regulator)
        supply = None if point.supply_v is None else Supply(point.supply_v, point.regulator)
        watts = active_power_w(known, Asked(point.at_clock_hz, supply), {"load": _ONE}).value
        if watts is not None:
            yield Load(name, point.regulator, point.active_w / watts)
