"""What an answer is made of: intervals with a basis, fits, findings, the estimate. These nouns add."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from ..graphs.passes.effect import FusionEffect


class Basis(str, Enum):
    """How a number is known, best first."""

    EXACT = "exact"
    MEASURED = "measured"
    CALIBRATED = "calibrated"
    ANALYTIC = "analytic"
    DATASHEET = "datasheet"
    UNKNOWN = "unknown"

    def __str__(self) -> str:
        return self.value


# A sum is as good as its weakest term.
_WEAKNESS = {
    Basis.EXACT: 0, Basis.MEASURED: 1, Basis.CALIBRATED: 2,
    Basis.DATASHEET: 3, Basis.ANALYTIC: 4, Basis.UNKNOWN: 5,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its p10..p90 and how it is known.

    `value is None` means unknown: `reason` says why, and `lo` may still hold a proven lower bound.
    """

    value: float | None
    lo: float | None
    hi: float | None
    basis: Basis
    source: str
    reason: str = ""

    def __post_init__(self) -> None:
        if (self.value is None) != (self.basis is Basis.UNKNOWN):
            raise ValueError("a figure is null exactly when its basis is unknown")
        if self.value is None and not self.reason:
            raise ValueError("an unknown figure states its reason")
        if self.value is not None and not (
            self.lo is not None and self.hi is not None and self.lo <= self.value <= self.hi
        ):
            raise ValueError(f"lo <= value <= hi does not hold: {self.lo}, {self.value}, {self.hi}")
        if not self.source and self.value is not None:
            raise ValueError("a figure states its source")

    def __add__(self, other: Interval) -> Interval:
        """Sum of the two; errors are taken as fully correlated, so bounds add (never too narrow)."""
        basis = max(self.basis, other.basis, key=_WEAKNESS.__getitem__)
        source = self.source if other.source in self.source else f"{self.source} + {other.source}"
        lo = (self.lo or 0.0) + (other.lo or 0.0)
        if self.value is None or other.value is None or self.hi is None or other.hi is None:
            reason = "; ".join(dict.fromkeys(r for r in (self.reason, other.reason) if r))
            return Interval(None, lo, None, Basis.UNKNOWN, source, reason)
        return Interval(self.value + other.value, lo, self.hi + other.hi, basis, source)


def exact(value: float, source: str) -> Interval:
    """A counted figure: the interval is the value."""
    return Interval(value, value, value, Basis.EXACT, source)


def unknown(reason: str, *, at_least: float | None = None, source: str = "") -> Interval:
    """No figure, and why; `at_least` is a lower bound that still holds."""
    return Interval(None, at_least, None, Basis.UNKNOWN, source, reason)


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
class Reservation:
    """Bytes of one memory that the firmware around the model takes."""

    name: str
    memory: str
    size_bytes: int
    source: str


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
class PlannedBuffer:
    """A buffer of the arena's head. Lifetimes are inclusive on the planner's clock.

    kind is "tensor" or "scratch"; `tensor` is the tensor's index (-1 for scratch), `op` the requesting op.
    """

    name: str
    kind: str
    subgraph: int
    tensor: int
    op: int
    size_bytes: int
    first: int
    last: int
    offset_bytes: int


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """Where every activation lies, and what the arena needs."""

    planner: str
    buffers: tuple[PlannedBuffer, ...]
    head_bytes: int
    tail_bytes: int
    used_bytes: int
    min_bytes: int
    clock_of_op: tuple[int, ...]  # main subgraph op index -> planner clock
    live_bytes: tuple[int, ...]  # main subgraph op index -> bytes live while it runs (16-byte rounded)
    lower_bound_bytes: int  # largest live sum over the whole clock
    tail_items: tuple[tuple[str, int], ...]  # what the tail holds, in bytes, by kind
    warnings: tuple[str, ...] = ()

    @property
    def peak_op(self) -> int:
        """The main-subgraph op with the largest live sum; -1 without ops."""
        if not self.live_bytes:
            return -1
        return max(range(len(self.live_bytes)), key=self.live_bytes.__getitem__)


class Severity(str, Enum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Finding:
    """Something the user should know. `rule` is a stable id that `preflash explain` knows."""

    rule: str
    severity: Severity
    message: str
    ops: tuple[int, ...] = ()
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Assumption:
    """A value that was taken, not known: what, its value, from where, how sure."""

    text: str
    value: str = ""
    source: str = ""
    confidence: str = ""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Bytes of one op that move to and from one memory. These add."""

    memory: str
    read_bytes: int
    write_bytes: int

    def __add__(self, other: Traffic) -> Traffic:
        return Traffic(
            self.memory, self.read_bytes + other.read_bytes, self.write_bytes + other.write_bytes
        )


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


@dataclass(frozen=True, slots=True)
class ModelFacts:
    name: str
    file_bytes: int
    sha256: str
    op_count: int
    macs: int | None
    input_dtypes: tuple[str, ...]
    weight_bytes: int
    subgraph_count: int


@dataclass(frozen=True, slots=True)
class TargetFacts:
    device: str
    title: str
    core: str
    clock_hz: float
    runtime: str
    runtime_title: str
    kernel_library: str
    runtime_is_default: bool


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
    deadline_s: float | None = None
    passed: tuple[str, ...] = ()
    timings_s: Mapping[str, float] = field(default_factory=dict)

    def metric(self, name: str) -> Metric:
        """The metric of this name.

        Raises:
            KeyError: there is none.
        """
        for metric in self.metrics:
            if metric.name == name:
                return metric
        raise KeyError(name)

    @property
    def has_unknown(self) -> bool:
        """Whether any headline figure is null."""
        return any(metric.value is None for metric in self.metrics)


def total(intervals: Iterable[Interval], *, empty_source: str) -> Interval:
    """The sum; an unknown term makes it unknown, with the known terms as lower bound."""
    result: Interval | None = None
    for interval in intervals:
        result = interval if result is None else result + interval
    return exact(0.0, empty_source) if result is None else result
