"""Which clock and how many threads can a device give?"""

from __future__ import annotations

import math

from ..errors import TargetInvalid
from .runtime import RuntimeSpec
from .spec import DeviceSpec
from .units import parse_hz


def checked_clock_hz(device: DeviceSpec, clock: str | float | None) -> float:
    """The clock in hertz; None is the highest.

    Raises:
        TargetInvalid: the core has no such clock.
    """
    highest = device.core.max_clock_hz
    if clock is None:
        return highest
    clock_hz = parse_hz(clock) if isinstance(clock, str) else float(clock)
    if not (math.isfinite(clock_hz) and clock_hz > 0):
        raise TargetInvalid(f"a clock of {clock!r} is not above zero", fix='write it like "64 MHz"')
    if clock_hz > highest:
        reason = f"a clock of {clock_hz / 1e6:g} MHz is above the {highest / 1e6:g} MHz of {device.name}"
        raise TargetInvalid(reason, fix=f"give at most {highest / 1e6:g} MHz")
    return clock_hz


def checked_threads(device: DeviceSpec, runtime: RuntimeSpec, threads: int) -> int:
    """The number of threads.

    Raises:
        TargetInvalid: there are not so many cores, or the runtime has one thread.
    """
    most = device.core.count if runtime.has_threads else 1
    if not 1 <= threads <= most:
        why = f"{device.name} has {most} such cores" if runtime.has_threads else f"{runtime.name} has one"
        raise TargetInvalid(f"{threads} threads cannot be had: {why}", fix=f"give 1 to {most}")
    return threads
