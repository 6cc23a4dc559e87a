"""What does a sweep hold: its variants, its targets, and every finished point as columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..columns import Floats, Grades, Rows
from ..estimate import Word
from ..interval import BY_WEAKNESS, Interval

MOST_POINTS = 20_000_000  # of one sweep: what a report can hold in memory
# severity order of verdicts, as stored: a point's code is its position here; an error is no verdict
WORDS: tuple[str, ...] = (*(word.value for word in sorted(Word, key=lambda w: w.severity)), "ERROR")
# figures of a point, in the order they are stored
FIGURES = ("arena_bytes", "ram_bytes", "flash_bytes", "latency_s", "energy_j", "accuracy")
UNITS = {
    "arena_bytes": "B", "ram_bytes": "B", "flash_bytes": "B", "latency_s": "s", "energy_j": "J",
    "accuracy": "fraction",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class VariantRow:
    """One variant of the grid.

    Args:
        number: its place; points name it by that.
        model: name of the file or of the zoo's network; source: as a command line takes it.
        name, text: of the recipe; "as it is" without steps.
        axes: what was swept and its value here: {"width": "0.5", "sparsity": "0.3"}.
        model_sha256: of the file read; of the options for a network of the zoo.
        recipe_sha256, sha256: of the recipe's text; of the .tflite of the variant ("" where it was not made).
        file_bytes, gzip_bytes: of that .tflite; 0 where it was not made, or gzip not asked for.
        sparsity, bits: zeros / weights and average bits of a weight, over all weight tensors.
        macs: nan where nobody knows.
        retrain: whether it is a shape only, whose weights have to be trained.
        notes: what its steps say of what they did.
        error: why there is no such model; "" if there is.
    """

    number: int
    model: str
    name: str
    text: str
    axes: dict[str, str] = field(default_factory=dict)
    model_sha256: str = ""
    recipe_sha256: str = ""
    sha256: str = ""
    file_bytes: int = 0
    gzip_bytes: int = 0
    sparsity: float = 0.0
    bits: float = 0.0
    weight_count: int = 0
    macs: float = float("nan")
    retrain: bool = False
    notes: tuple[str, ...] = ()
    error: str = ""
    source: str = ""

    @property
    def label(self) -> str:
        """Model and recipe, as a reader tells variants apart; a shape without weights says so at its end."""
        swept = ", ".join(f"{key} {value}" for key, value in self.axes.items() if key not in self.name)
        return self.marked(" · ".join(part for part in (self.model, self.name, swept) if part))

    def marked(self, text: str) -> str:
        """The text, and "untrained" behind it for a shape whose weights have to be trained."""
        return f"{text} · untrained" if self.retrain else text


@dataclass(frozen=True, slots=True)
class TargetRow:
    """One target of the grid.

    Args:
        device, title, runtime: names as a user writes them, and the board's title.
        clock_hz: of the core.
        place: where things lie, if not where the device file puts them ("arena=dtcm").
        supply, npu: as the scenario states them; "" is the board's own, none.
        device_sha256, runtime_sha256, calibration_sha256: of everything that its figures depend on.
        ram_bytes, flash_bytes: what it has of each, over all memories.
        error: why nothing can be priced on it; "" if it can.
    """

    number: int
    device: str
    title: str
    runtime: str
    clock_hz: float
    place: str = ""
    supply: str = ""
    npu: str = ""
    device_sha256: str = ""
    runtime_sha256: str = ""
    calibration_sha256: str = ""
    ram_bytes: int = 0
    flash_bytes: int = 0
    error: str = ""

    @property
    def label(self) -> str:
        """Board, runtime and what differs from the board's own."""
        own = f"{self.device} {self.runtime}"
        parts = (own, f"{self.clock_hz / 1e6:g} MHz", self.place, self.supply, self.npu)
        return " · ".join(part for part in parts if part)


class Column(NamedTuple):
    """One figure of every point; nan is unknown, `lo` and `hi` may still hold a bound; `grade` its basis."""

    value: Floats
    lo: Floats
    hi: Floats
    grade: Grades

    def at(self, point: int, *, source: str = "sweep", reason: str = "unknown") -> Interval:
        value, lo, hi = (None if np.isnan(part[point]) else float(part[point]) for part in self[:3])
        basis = BY_WEAKNESS[int(self.grade[point])]
        return Interval(value, lo, hi, basis, source, reason if value is None else "")


@dataclass(frozen=True, eq=False)
class SweepTable:
    """A sweep as read from its store; arrays have one element per finished point, by rising point number.

    Args:
        facts: what the store says of itself: "name", "question", "created", "version", "seed", "store",
            "scenario" (its text), "run_s", "variants", "targets", "points" (of the grid), "command".
        limits: constraint -> value in SI units: "latency_s", "ram_bytes", "flash_bytes", "energy_j",
            "accuracy", "period_s"; only those that the scenario states.
        objectives: (figure, "min" or "max"), the most important first.
        variant, target: numbers of VariantRow and TargetRow.
        word: positions in WORDS.
        limiting: positions in `limits_named`: the budget that decides ("ram:sram", "latency", "runtime").
        figures: of FIGURES; accuracy is all nan where nothing was measured.
        reason: positions in `texts`: why a figure is unknown, why the runtime refuses, the error; 0 is "".
    """

    facts: dict[str, str]
    limits: dict[str, float]
    objectives: tuple[tuple[str, str], ...]
    variants: tuple[VariantRow, ...]
    targets: tuple[TargetRow, ...]
    variant: Rows
    target: Rows
    word: npt.NDArray[np.int8]
    limiting: Rows
    limits_named: tuple[str, ...]
    figures: dict[str, Column]
    reason: Rows
    texts: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.variant)

    @property
    def is_ok(self) -> npt.NDArray[np.bool_]:
        """Whether each point fits: FITS or TIGHT."""
        return self.word <= WORDS.index("TIGHT")
