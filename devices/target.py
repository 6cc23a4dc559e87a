"""What is a target: a device, a runtime and a clock that go together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from ..errors import PlacementInvalid
from .calibration import Calibration, shipped_calibration
from .homes import Homes, homes_of, rehomed, with_images
from .operating_point import Asked, chosen_point
from .power import PowerPoint
from .runtime import RuntimeSpec
from .spec import DeviceSpec, Holds, MemorySpec
from .supply import Supply
from .what_if import AS_KNOWN, WhatIf

Flavour = Literal["", "c", "dsp", "mve", "s3", "p4", "generic", "ansi", "sparse"]


@dataclass(frozen=True, slots=True)
class KernelBuild:
    """Which build of which kernel library runs: cmsis-nn and x-cube-ai c/dsp/mve, esp-nn s3/p4/generic/ansi.

    Args:
        departures: where the library's memory differs from the release that the rules describe, by name.
    """

    library: str
    flavour: Flavour
    abi: str
    departures: tuple[str, ...] = ()


# Other compilers than arm-none-eabi-gcc give an enum a whole int; 64-bit cores have 64-bit pointers.
_ABI_OF_CORE = {
    "xtensa-lx6": "int32-enum", "xtensa-lx7": "int32-enum", "rv32imc": "int32-enum", "rv32imac": "int32-enum",
    "rv32imafc": "int32-enum", "pulp": "int32-enum", "arm1176": "int32-enum", "cortex-a7": "int32-enum",
    "rv64gc": "host64", "cortex-a53": "host64", "cortex-a72": "host64", "cortex-a73": "host64",
    "cortex-a75": "host64", "cortex-a76": "host64", "kryo": "host64",
}  # fmt: skip
# ESP-NN is optimised by default (CONFIG_NN_OPTIMIZED): SIMD on S3 and P4, "generic" C on ESP32, S2, C3, C6.
_ESP_FLAVOUR: dict[str, Flavour] = {"xtensa-lx7": "s3", "rv32imafc": "p4"}


@dataclass(frozen=True)
class Target:
    """Device x runtime at a clock. Made by `load_target`, which checks that they go together.

    Args:
        placement: where things lie, if not where the file puts them; `device` then answers these homes.
        own_device: the device as its file has it, where a placement changed it.
        own_calibration: fits to the user's own measurements over those that ship; None is what ships.
        supply: what the user says of it; None is the supply that the board's first power figure is for.
        threads: that share the work, one per core.
        what_if: factors on figures that follow from fits and tables.
    """

    device: DeviceSpec
    runtime: RuntimeSpec
    clock_hz: float
    runtime_is_default: bool = True
    placement: Homes | None = None
    own_device: DeviceSpec | None = None
    own_calibration: Calibration | None = None
    supply: Supply | None = None
    threads: int = 1
    what_if: WhatIf = AS_KNOWN

    @property
    def calibration(self) -> Calibration:
        """What was fitted to measurements: the user's own, or what ships."""
        return self.own_calibration or shipped_calibration()

    @property
    def operating_point(self) -> Asked:
        """Clock, supply and runtime, as its power is asked for."""
        return Asked(self.clock_hz, self.supply, self.runtime.measured_label)

    @cached_property
    def power_point(self) -> PowerPoint | None:
        """The power figure of the board that stands for that; None where there is none."""
        power = self.device.power
        return None if power is None else chosen_point(power, self.operating_point)

    @cached_property
    def homes(self) -> Homes:
        """Where things lie."""
        return self.placement or homes_of(self.device)

    @property
    def unplaced(self) -> Target:
        """The same target with everything where the device file puts it."""
        if self.own_device is None:
            return self
        return replace(self, device=self.own_device, placement=None, own_device=None)

    def own_home(self, role: Holds) -> MemorySpec:
        """Where the device file puts it: the memory that the core's costs were fitted with."""
        return (self.own_device or self.device).home_of(role)

    def placed(self, homes: Homes) -> Target:
        """The same target with things lying elsewhere; what is already where the file puts it stays known.

        Raises:
            PlacementInvalid: a memory that is not there or may not hold it; two arenas for a runtime of one.
        """
        own = self.own_device or self.device
        homes = with_images(own, homes)
        if homes.persistent == homes.arena:
            homes = replace(homes, persistent="")
        if homes.persistent and self.runtime.memory.arenas == "one":
            what = f"{self.runtime.name} has one arena: its persistent part lies with the rest"
            raise PlacementInvalid(what, where=self.device.name, fix="leave persistent= out")
        if homes == homes_of(own):
            return self.unplaced
        return replace(self, device=rehomed(own, homes), placement=homes, own_device=own)

    @property
    def kernels(self) -> KernelBuild:
        """The kernel build that this core gets from this runtime."""
        isa = self.device.core.isa
        flavour: Flavour = ""
        if self.runtime.kernel_library in ("cmsis-nn", "x-cube-ai"):
            flavour = "mve" if "mve" in isa else "dsp" if "dsp" in isa else "c"
        elif self.runtime.kernel_library == "esp-nn":
            simd = "pie" in isa
            flavour = _ESP_FLAVOUR.get(self.device.core.name, "generic") if simd else "generic"
        flavour = self.runtime.kernel_flavour or flavour
        return KernelBuild(self.runtime.kernel_library, flavour, self._abi, self.runtime.departures)

    @property
    def _abi(self) -> str:
        """How long pointers and enums are: the runtime's word on an Arm core, else the core's."""
        if self.runtime.abi == "none":
            return "none"
        return _ABI_OF_CORE.get(self.device.core.name, self.runtime.abi)
