"""What does the user hold fixed beside model and target: budgets, steps around the inference, period."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from .finding import Finding
from .interval import Interval

if TYPE_CHECKING:
    from ..devices.battery import BatterySpec
    from ..devices.importers.place import PlacedFirmware
    from ..devices.sleep import DeclaredSleep


@dataclass(frozen=True, slots=True)
class Reservation:
    """Bytes of one memory that the firmware around the model takes."""

    name: str
    memory: str
    size_bytes: int
    source: str


@dataclass(frozen=True, slots=True)
class Limit:
    """What the model may take in all, wherever it lies: RAM, flash, energy of one inference.

    Args:
        value: bytes of ram or flash, joules of energy.
    """

    name: Literal["ram", "flash", "energy"]
    value: float

    @property
    def unit(self) -> str:
        return "J" if self.name == "energy" else "B"


@dataclass(frozen=True, slots=True)
class Step:
    """What else happens in each period, before or after the inference.

    Args:
        energy_j: all that it takes; None is the core's power, or the sleep's where the core sleeps.
        core: "sleep" while the work is a peripheral's (a camera that fills a buffer by DMA).
        cycles: of the core, where the time was declared as cycles at its clock.
    """

    name: str
    when: Literal["pre", "post"]
    time_s: Interval
    energy_j: Interval | None = None
    core: Literal["active", "sleep"] = "active"
    is_measured: bool = False
    cycles: float | None = None


@dataclass(frozen=True, slots=True)
class Duty:
    """What happens around the inference, how often, and on which battery.

    Args:
        period_s: from one inference to the next; None is not stated.
        sleep: instead of the device file's.
    """

    period_s: float | None = None
    steps: tuple[Step, ...] = ()
    battery: BatterySpec | None = None
    sleep: DeclaredSleep | None = None

    @property
    def is_given(self) -> bool:
        return bool(self.period_s or self.steps or self.battery or self.sleep)


@dataclass(frozen=True, slots=True)
class Conditions:
    """What the user holds fixed beside model and target.

    Args:
        deadline_s: the time that the steps before, the inference and the steps after may take; None is none.
        reservations: bytes the firmware around the model takes; they count against capacity.
        tight_headroom: below this fraction of free budget the verdict is TIGHT (0..1).
        firmware: what the reservations of an imported firmware were read from.
        noted: what the user should know about how the conditions were read.
        duty: steps around the inference, period, battery, sleep.
        limits: of the whole, beside what each memory has; each name at most once.
    """

    deadline_s: float | None = None
    reservations: tuple[Reservation, ...] = ()
    tight_headroom: float = 0.10
    firmware: PlacedFirmware | None = None
    noted: tuple[Finding, ...] = ()
    duty: Duty = field(default_factory=Duty)
    limits: tuple[Limit, ...] = ()

    @property
    def inference_deadline_s(self) -> float | None:
        """What the declared steps leave of the deadline; None without one, or where they leave nothing."""
        if self.deadline_s is None:
            return None
        left_s = self.deadline_s - sum(step.time_s.value or 0.0 for step in self.duty.steps)
        return left_s if left_s > 0 else None
