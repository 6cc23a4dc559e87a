"""What an answer is made of: metrics, fits, findings, the verdict, the estimate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from ..graphs.passes.effect import FusionEffect as FusionEffect
from .arena import Layout as Layout
from .arena import MemoryPlan as MemoryPlan
from .arena import Option as Option
from .arena import PlannedBuffer as PlannedBuffer
from .arena import Rung as Rung
from .cycle import DutyCycle as DutyCycle
from .cycle import Line as Line
from .finding import Finding as Finding
from .finding import Severity as Severity
from .finding import most_urgent_first as most_urgent_first
from .given import Conditions as Conditions
from .given import Duty as Duty
from .given import Limit as Limit
from .given import Reservation as Reservation
from .given import Step as Step
from .identity import ModelFacts as ModelFacts
from .identity import TargetFacts as TargetFacts
from .interval import Basis as Basis
from .interval import Interval as Interval
from .interval import exact as exact
from .interval import total as total
from .interval import unknown as unknown


@dataclass(frozen=True, slots=True)
class Metric:
    """One named figure of the result; names and order are part of the JSON's contract."""

    name: str
    value: float | None
    unit: str
    lo: float | None
    hi: float | None
    basis: Basis
    source: str
    reason: str = ""

    @staticmethod
    def of(name: str, unit: str, interval: Interval) -> Metric:
        i = interval
        return Metric(name, i.value, unit, i.lo, i.hi, i.basis, i.source, i.reason)


class Word(str, Enum):
    """The verdict."""

    FITS = "FITS"
    TIGHT = "TIGHT"
    RISKY = "RISKY"
    UNKNOWN = "UNKNOWN"
    NO = "NO"

    @property
    def severity(self) -> int:
        """0 (FITS) to 4 (NO)."""
        return ("FITS", "TIGHT", "RISKY", "UNKNOWN", "NO").index(self.value)

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class BudgetCheck:
    """One need against one budget.

    Args:
        name: "ram:sram", "flash:flash", "latency".
        need: what is needed, in `unit`.
        budget: what there is after reservations, in `unit`.
        headroom: 1 - need / budget; None if unknown.
    """

    name: str
    unit: str
    need: Interval
    budget: float
    word: Word
    headroom: float | None


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """One thing that lies in one memory: kind is weights, code, arena_head, arena_tail, static."""

    kind: str
    used: Interval


@dataclass(frozen=True, slots=True)
class MemoryFit:
    """One physical memory: what it has, what is taken, what moves through it."""

    name: str
    role: str
    capacity_bytes: int
    reserved: tuple[Reservation, ...]
    used: tuple[MemoryUse, ...]
    read_bytes: int
    write_bytes: int
    traffic_bytes: Interval
    bandwidth_needed_bytes_per_s: Interval
    bandwidth_at_deadline_bytes_per_s: Interval
    bandwidth_offered_bytes_per_s: Interval

    @property
    def budget_bytes(self) -> int:
        return max(0, self.capacity_bytes - sum(r.size_bytes for r in self.reserved))

    @property
    def is_used(self) -> bool:
        return bool(self.used)


@dataclass(frozen=True, slots=True)
class Assumption:
    """A value that was taken, not known: what, its value, from where, how sure."""

    text: str
    value: str = ""
    source: str = ""
    confidence: str = ""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Bytes that move to and from one memory. These add.

    Args:
        repeated_bytes: those beyond each byte of each tensor once: what the kernel's blocking reads again,
            and the windows it copies to scratch.
    """

    memory: str
    read_bytes: int
    write_bytes: int
    repeated_bytes: int

    def __add__(self, other: Traffic) -> Traffic:
        return Traffic(
            self.memory, self.read_bytes + other.read_bytes, self.write_bytes + other.write_bytes,
            self.repeated_bytes + other.repeated_bytes,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class FusionTraffic:
    """What all kernels move per memory, weights and re-reads included: unfused, and as the runtime fuses."""

    before: tuple[Traffic, ...]
    after: tuple[Traffic, ...]


@dataclass(frozen=True, slots=True)
class OpEstimate:
    """One kernel: what runs it, its work, its time."""

    index: int
    kind: str
    name: str
    fused: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    output_shape: tuple[int, ...]
    kernel: str
    kernel_status: str  # "optimised" | "reference" | "unsupported" | "unpriced"
    kernel_note: str  # why this kernel and not a faster one; "" for the expected one
    macs: int | None
    weight_bytes: int
    traffic: tuple[Traffic, ...]
    cycles: Interval
    latency_s: Interval
    energy_j: Interval
    bound: str  # "compute" | "<memory name>" | "unknown"
    live_bytes: int | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The worst over all budgets, what limits, and the rule ids that say why."""

    word: Word
    limiting: str
    sentence: str
    budgets: tuple[BudgetCheck, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Estimate:
    """The answer for one model on one target."""

    model: ModelFacts
    target: TargetFacts
    verdict: Verdict
    metrics: tuple[Metric, ...]
    memories: tuple[MemoryFit, ...]
    ops: tuple[OpEstimate, ...]
    plan: MemoryPlan | None
    fusion: FusionEffect
    findings: tuple[Finding, ...]
    assumptions: tuple[Assumption, ...]
    conditions: Conditions = field(default_factory=lambda: Conditions())
    passed: tuple[str, ...] = ()
    timings_s: Mapping[str, float] = field(default_factory=dict)
    fusion_traffic: FusionTraffic = field(default_factory=lambda: FusionTraffic((), ()))
    optimum: Layout | None = None  # of the plan's buffers: the best layout known; None where not asked
    ladder: tuple[Rung, ...] = ()  # smaller arenas and what reaches them; () where not asked
    cycle: DutyCycle | None = None  # against deadline, period and battery; None where none was given

    def metric(self, name: str) -> Metric:
        """The metric of this name.

        Raises:
            KeyError: there is none.
        """
        for metric in self.metrics:
            if metric.name == name:
                return metric
        raise KeyError(name)
