"""What a device file may say: memories, core, accelerators, power. Every block names its source.

Quantities are text with a unit ("480 MHz", "512 KiB"); inside they are plain SI numbers.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from .agreement import disagreements
from .blocks import AboveZeroBandwidth, Hertz, MacsPerSecond
from .blocks import Block as Block
from .blocks import Bytes as Bytes
from .blocks import Confidence as Confidence
from .blocks import Sourced as Sourced
from .power import PowerSpec as PowerSpec

Address = Annotated[int, Field(strict=True, ge=0, lt=1 << 64)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._+-]*$", max_length=64)]

CoreName = Literal[
    "cortex-m0", "cortex-m0+", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m23", "cortex-m33",
    "cortex-m55", "cortex-m85", "arm1176", "cortex-a7", "cortex-a53", "cortex-a72", "cortex-a73",
    "cortex-a75", "cortex-a76", "kryo", "xtensa-lx6", "xtensa-lx7", "rv32imc", "rv32imac", "rv32imafc",
    "rv64gc", "pulp", "msp430x", "c28x", "none",
]  # fmt: skip
IsaFeature = Literal["dsp", "mve", "fpu-sp", "fpu-dp", "trustzone", "neon", "dotprod", "pie", "xpulp", "rvv"]
MemoryKind = Literal[
    "flash", "rram", "mram", "fram", "external-flash", "sram", "tcm", "psram", "dram", "npu-sram"
]
Holds = Literal["weights", "code", "arena", "static"]


class CoreSpec(Sourced):
    """The core that runs the kernels."""

    name: CoreName
    count: Annotated[int, Field(strict=True, ge=1)] = 1
    max_clock_hz: Annotated[Hertz, Field(gt=0, alias="max_clock")]
    isa: tuple[IsaFeature, ...] = ()


class CacheSpec(Sourced):
    """A cache in front of a memory (or of all memories of the core).

    Args:
        ways: lines that share a set; 0 if nobody says.
    """

    instruction_bytes: Annotated[Bytes, Field(ge=0, alias="instruction")] = 0
    data_bytes: Annotated[Bytes, Field(ge=0, alias="data")] = 0
    unified_bytes: Annotated[Bytes, Field(ge=0, alias="unified")] = 0
    ways: Annotated[int, Field(strict=True, ge=0, le=64)] = 0


class WaitStates(Block):
    """Wait states of a memory up to a clock."""

    up_to_hz: Annotated[Hertz, Field(gt=0, alias="up_to")]
    wait_states: Annotated[int, Field(strict=True, ge=0, le=64)]


class AccessSpec(Sourced):
    """How fast the core reaches a memory: a fixed bandwidth, or a bus width with wait states per clock.

    offered bandwidth = bandwidth, or bus_width / (1 + wait_states(clock)) * clock.
    """

    bandwidth_bytes_per_s: Annotated[AboveZeroBandwidth | None, Field(alias="bandwidth")] = None
    bus_width_bits: Annotated[int, Field(strict=True, gt=0)] | None = None
    wait_states: tuple[WaitStates, ...] = ()
    accelerator: str = ""  # "ART", "prefetch buffer", ...: what hides wait states of code

    @model_validator(mode="after")
    def _says_how_fast(self) -> AccessSpec:
        if self.bandwidth_bytes_per_s is None and self.bus_width_bits is None:
            raise ValueError("give bandwidth, or bus_width_bits with wait_states")
        clocks = [step.up_to_hz for step in self.wait_states]
        if clocks != sorted(clocks):
            raise ValueError("wait_states must be listed by rising clock")
        return self

    def bandwidth_at(self, clock_hz: float) -> float:
        """Bytes per second that the memory offers at this core clock.

        Above the last listed clock the last wait states hold.
        """
        if self.bandwidth_bytes_per_s is not None:
            return self.bandwidth_bytes_per_s
        assert self.bus_width_bits is not None
        return self.bus_width_bits / 8 * clock_hz / (1 + self.wait_states_at(clock_hz))

    def wait_states_at(self, clock_hz: float) -> int:
        states = 0
        for step in self.wait_states:
            states = step.wait_states
            if clock_hz <= step.up_to_hz:
                break
        return states


class MemorySpec(Sourced):
    """One contiguous physical memory.

    Args:
        kind: the technology; nvm kinds hold weights and code, ram kinds the arena.
        holds: what goes here unless the user says otherwise; each of weights, code, arena, static
            has exactly one home among the memories of a device.
        never_holds: what no placement may put here: data in an instruction memory, all in another core's.
        address: of its first byte as the core sees it; firmware files name memories by address only.
        windows: half-open address ranges (begin, end) at which the core sees it too, or only.
        assumption: set where the memory is the usual module's, not the part's own.
    """

    name: Name
    kind: MemoryKind
    size_bytes: Annotated[Bytes, Field(gt=0, alias="size")]
    holds: tuple[Holds, ...] = ()
    never_holds: tuple[Holds, ...] = ()
    access: AccessSpec | None = None
    address: Address | None = None
    windows: Annotated[tuple[tuple[Address, Address], ...], Field(max_length=16)] = ()
    assumption: str = ""

    @property
    def has_address(self) -> bool:
        return self.address is not None or bool(self.windows)

    def holds_address(self, address: int) -> bool:
        """Whether this address lies in it."""
        if self.address is not None and self.address <= address < self.address + self.size_bytes:
            return True
        return any(begin <= address < end for begin, end in self.windows)

    @property
    def is_nonvolatile(self) -> bool:
        return self.kind in ("flash", "rram", "mram", "fram", "external-flash")

    @property
    def is_core_ram(self) -> bool:
        """Whether the core itself computes in it; an accelerator's own memory is not the core's."""
        return not self.is_nonvolatile and self.kind != "npu-sram"


class ReservedSpec(Sourced):
    """Bytes of a memory that every firmware on this device loses (boot loader, cache carve-out, radio)."""

    name: Name
    memory: Name
    size_bytes: Annotated[Bytes, Field(gt=0, alias="size")]


class NpuSpec(Sourced):
    """An accelerator, declared; priced only by a runtime that targets it."""

    name: Name
    clock_hz: Annotated[Annotated[Hertz, Field(gt=0)] | None, Field(alias="clock")] = None
    macs_per_cycle: Annotated[int, Field(strict=True, gt=0)] | None = None
    peak_macs_per_s: Annotated[Annotated[MacsPerSecond, Field(gt=0)] | None, Field(alias="peak")] = None
    sram_bytes: Annotated[Bytes, Field(ge=0, alias="sram")] = 0
    weight_bits: tuple[Annotated[int, Field(strict=True, ge=1, le=32)], ...] = ()


class CompressionSpec(Sourced):
    """Hardware that decompresses weights on the way in."""

    scheme: Literal["ethos-u-mlw", "lut", "huffman", "run-length", "bitmask"]
    codebook_entries: Annotated[int, Field(strict=True, ge=2)] | None = None
    output_bytes_per_cycle: Annotated[float, Field(gt=0)] | None = None


class SparsitySpec(Sourced):
    """Hardware that skips zero weights; used by a runtime that drives the accelerator.

    Args:
        n, m: of n:m, or of blocks of n output channels by m inputs.
        max_speedup: at most so many times as fast, in multiplications; None is not known.
        ops: kinds that profit; () is all that multiply by weights.
    """

    pattern: Literal["unstructured", "n:m", "block", "channel"]
    n: Annotated[int, Field(strict=True, ge=1)] | None = None
    m: Annotated[int, Field(strict=True, ge=1)] | None = None
    max_speedup: Annotated[float, Field(ge=1)] | None = None
    ops: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=64)], ...], Field(max_length=64)] = ()

    @model_validator(mode="after")
    def _pattern_has_its_numbers(self) -> SparsitySpec:
        if self.pattern == "n:m" and (self.n is None or self.m is None or self.n > self.m):
            raise ValueError("pattern n:m needs n and m with n <= m")
        return self


class DeviceSpec(Block):
    """A board, or a part without one."""

    name: Name
    aliases: Annotated[tuple[Name, ...], Field(max_length=16)] = ()
    title: Annotated[str, Field(min_length=1, max_length=120)]
    vendor: Annotated[str, Field(min_length=1)]
    part: str = ""
    default_runtime: Name
    core: CoreSpec
    cache: CacheSpec | None = None
    memories: Annotated[tuple[MemorySpec, ...], Field(min_length=1, max_length=64, alias="memory")]
    reserved: Annotated[tuple[ReservedSpec, ...], Field(max_length=64)] = ()
    npu: NpuSpec | None = None
    compression: CompressionSpec | None = None
    sparsity: SparsitySpec | None = None
    power: PowerSpec | None = None
    notes: str = ""

    @model_validator(mode="after")
    def _memories_agree(self) -> DeviceSpec:
        memories = [(memory.name, memory.holds) for memory in self.memories]
        faults = disagreements(memories, [(r.name, r.memory) for r in self.reserved])
        faults += [fault for memory in self.memories for fault in self._overfull(memory)]
        if faults:
            raise ValueError("\n".join(faults))
        return self

    def memory(self, name: str) -> MemorySpec:
        """The memory of this name.

        Raises:
            KeyError: there is none.
        """
        for memory in self.memories:
            if memory.name == name:
                return memory
        raise KeyError(name)

    def home_of(self, holds: Holds) -> MemorySpec:
        """The memory that holds weights, code, the arena or static data unless placed otherwise."""
        return next(memory for memory in self.memories if holds in memory.holds)

    def _overfull(self, memory: MemorySpec) -> list[str]:
        taken = sum(r.size_bytes for r in self.reserved if r.memory == memory.name)
        if taken <= memory.size_bytes:
            return []
        return [f"reserved: {taken} bytes are reserved in {memory.name!r}, which has {memory.size_bytes}"]
