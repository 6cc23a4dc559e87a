"""What is a study of placements: every candidate with its fit and its time, the best, the naive one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from ...devices.homes import Homes
from ..estimate import Interval, MemoryFit


class Standing(IntEnum):
    """How sure it is that everything fits."""

    FITS = 0
    MAY_FIT = 1
    UNKNOWN = 2
    DOES_NOT_FIT = 3


@dataclass(frozen=True, slots=True)
class Candidate:
    """One placement.

    Args:
        homes: where things lie; `str(homes)` is what `--place` takes.
        memories: how full each memory is, as `simulate` on the placed target says.
        latency_s: of one inference.
        copy_s: once at start, for what is copied into RAM.
        reason: why it does not surely fit; "" if it does.
    """

    homes: Homes
    memories: tuple[MemoryFit, ...]
    latency_s: Interval
    copy_s: Interval
    standing: Standing
    reason: str = ""

    @property
    def is_feasible(self) -> bool:
        return self.standing is Standing.FITS

    @property
    def ram_bytes(self) -> float:
        """RAM taken, copies included, as far as it is known."""
        rams = (use.used for m in self.memories if m.role == "ram" for use in m.used)
        return sum(used.value or used.lo or 0.0 for used in rams)


@dataclass(frozen=True, slots=True)
class PlacementStudy:
    """All placements of a model on a target, best first.

    Args:
        candidates: one arena in one memory, best first.
        chosen: the first that fits best; None if every one certainly does not fit.
        naive: everything where the device file puts it.
        two_arenas: a better one with the persistent part in a memory of its own, where the runtime can.
        saved_s: latency of the naive placement minus that of the chosen one.
        restriction: what the runtime does not let one do.
        sentence: the outcome in one sentence.
    """

    candidates: tuple[Candidate, ...]
    chosen: Candidate | None
    naive: Candidate
    two_arenas: Candidate | None
    saved_s: Interval
    restriction: str
    sentence: str

    @property
    def infeasible(self) -> tuple[Candidate, ...]:
        """Those that do not surely fit, each with its reason."""
        return tuple(candidate for candidate in self.candidates if not candidate.is_feasible)
