"""What does a device file say about power while the core works: one or several operating points."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from .blocks import AboveZeroWattsPerHertz, Hertz, Sourced, Volts, Watts
from .sleep import SleepSpec

Regulator = Literal["ldo", "smps", ""]


class PowerPoint(Sourced):
    """Power while the core works, at one operating point: a measured figure, or datasheet W/Hz.

    Args:
        regulator: what makes the core voltage: ldo (current stays, power follows the supply), smps (power
            stays); "" where nobody says.
        runtime: whose kernels ran, "x-cube-ai@9.0"; "" stands for any.
        boundary: what the power feeds: the core's rail, the MCU's supply, or the whole board.
    """

    active_w: Annotated[Annotated[Watts, Field(gt=0)] | None, Field(alias="active")] = None
    active_w_lo: Annotated[Annotated[Watts, Field(gt=0)] | None, Field(alias="active_low")] = None
    active_w_hi: Annotated[Annotated[Watts, Field(gt=0)] | None, Field(alias="active_high")] = None
    active_w_per_hz: Annotated[AboveZeroWattsPerHertz | None, Field(alias="active_per_clock")] = None
    at_clock_hz: Annotated[Annotated[Hertz, Field(gt=0)] | None, Field(alias="at_clock")] = None
    supply_v: Annotated[Annotated[Volts, Field(gt=0)] | None, Field(alias="supply")] = None
    regulator: Regulator = ""
    runtime: Annotated[str, Field(max_length=64)] = ""
    boundary: Literal["core", "mcu", "board"] = "mcu"

    @model_validator(mode="after")
    def _says_something(self) -> PowerPoint:
        if self.active_w is None and self.active_w_per_hz is None:
            raise ValueError("give active, or active_per_clock")
        if self.active_w is not None and self.at_clock_hz is None:
            raise ValueError("active needs at_clock: the clock it was measured at")
        return self


class PowerSpec(PowerPoint):
    """The operating points that are known; the block itself is the one taken unless the user says more.

    Args:
        sleep: what is drawn between two inferences.
    """

    points: Annotated[tuple[PowerPoint, ...], Field(max_length=32, alias="point")] = ()
    sleep: SleepSpec | None = None

    @property
    def all_points(self) -> tuple[PowerPoint, ...]:
        return (self, *self.points)
