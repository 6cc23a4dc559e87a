"""What is the answer about patches: one stage under one grid with its price, and the choice among many."""

from __future__ import annotations

from dataclasses import dataclass

from ..interval import Basis, Interval
from .cost import Cost
from .schedule import Schedule
from .tiling import Grid, Patch, Tiling


@dataclass(frozen=True, eq=False)
class PatchPlan:
    """The first ops run patch by patch, the rest as it is.

    Args:
        tiling: the stage and what every row and column of patches needs.
        is_streamed: whether the application delivers tiles of the picture; else it lies in RAM whole.
        ram: activations and scratch, laid out.
        beside_bytes: what the runtime keeps beside them (TFLM's tail), as without patches.
        unpatched_bytes: activations, scratch and the rest of the network run as it is.
        patched, unpatched: one inference with and without patches.
        run_by: catalogue runtimes that run patches.
        how: which of them, or what the user has to do instead.
        notes: what the figures take for granted.
    """

    tiling: Tiling
    is_streamed: bool
    ram: Schedule
    beside_bytes: int
    unpatched_bytes: int
    patched: Cost
    unpatched: Cost
    run_by: tuple[str, ...]
    how: str
    notes: tuple[str, ...] = ()

    @property
    def grid(self) -> Grid:
        return self.tiling.grid

    @property
    def cut(self) -> int:
        """The index of the stage's last op."""
        return self.tiling.stage.last

    @property
    def cut_tensor(self) -> str:
        return self.tiling.stage.subgraph.tensors[self.tiling.stage.cut].name

    @property
    def patches(self) -> tuple[Patch, ...]:
        """Half-open rows and columns of every activation of the stage, patch by patch."""
        return self.tiling.patches()

    @property
    def peak_bytes(self) -> int:
        """Activations and scratch, as laid out."""
        return self.ram.peak_bytes

    @property
    def ram_bytes(self) -> int:
        """What the network needs in all: peak + what the runtime keeps beside it."""
        return self.ram.peak_bytes + self.beside_bytes

    @property
    def need(self) -> Interval:
        """`ram_bytes` as a figure: as laid out, at least the live sum; nobody has measured such a build."""
        least = self.ram.live_bytes + self.beside_bytes
        source = f"{self.grid} patches replayed to the byte; what lies beside them as without patches"
        return Interval(self.ram_bytes, least, self.ram_bytes, Basis.ANALYTIC, source)

    @property
    def mac_overhead(self) -> float | None:
        """MACs with patches / MACs without - 1: the price of the halo.

        It can fall below 0: patches leave out rows and columns that no later window reads.
        """
        with_patches, without = self.patched.macs, self.unpatched.macs
        return with_patches / without - 1 if with_patches is not None and without else None

    @property
    def label(self) -> str:
        """E.g. "2x2 patches up to op 5"."""
        return f"{self.grid} patches up to op {self.cut}"

    @property
    def price(self) -> str:
        """The work more in words, e.g. "+9 % MACs"."""
        overhead = self.mac_overhead
        return "MACs unknown" if overhead is None else f"{100 * overhead:+.0f} % MACs"

    @property
    def time_overhead(self) -> float | None:
        """Seconds with patches / seconds without - 1; None where either is unknown."""
        with_patches, without = self.patched.latency_s.value, self.unpatched.latency_s.value
        return with_patches / without - 1 if with_patches is not None and without else None

    @property
    def saving(self) -> float:
        """1 - RAM with patches / RAM without; negative where patches need more."""
        return 1 - self.ram_bytes / self.unpatched_bytes if self.unpatched_bytes else 0.0


@dataclass(frozen=True, eq=False)
class PatchStudy:
    """All cuts and grids of a model, and the choice for a budget.

    Args:
        budget_bytes: for activations, scratch and what the runtime keeps beside them.
        unpatched_bytes: what the network needs as it is.
        front: plans that no other beats in both RAM and MACs and that save RAM, by ascending RAM.
        chosen: the cheapest that fits, or the smallest if none does; None: not needed, or no patches help.
        fits: whether `chosen`, or the network as it is, keeps the budget.
        sentence: the answer in one sentence.
        ended: why the stage cannot be longer; "" if it can be the whole network.
        looked_at: number of pairs of cut and grid.
    """

    budget_bytes: int
    unpatched_bytes: int
    front: tuple[PatchPlan, ...]
    chosen: PatchPlan | None
    fits: bool
    sentence: str
    ended: str
    looked_at: int


def cheapest_within(plans: tuple[PatchPlan, ...], budget_bytes: int) -> PatchPlan | None:
    """The fastest plan that keeps the budget; that of the fewest MACs where nobody knows the time of all."""
    fitting = [plan for plan in plans if plan.ram_bytes <= budget_bytes]
    seconds = [plan.patched.latency_s.value for plan in fitting]
    prices = [s if s is not None else 0.0 for s in seconds]
    if None in seconds:
        prices = [float(plan.patched.macs or 0) for plan in fitting]
    order = sorted(range(len(fitting)), key=lambda n: (prices[n], fitting[n].ram_bytes))
    return fitting[order[0]] if order else None
