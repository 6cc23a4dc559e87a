"""What does the whole estimate say of a measured row: its predicted time and energy, from the model alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from ...devices.catalog import load_target
from ...devices.target import Target
from ...errors import PreflashError
from ...graphs.ir import ModelGraph
from ...graphs.tflite.read import read_tflite
from ..simulate import simulate
from .energy_rows import EnergyRow, Point
from .facts import Facts
from .table import Cell

# network of MLPerf Tiny -> the file in models/
_MODELS = {
    "kws": "kws_ref_model.tflite", "vww": "vww_96_int8.tflite", "ic": "pretrainedResnet_quant.tflite",
    "ad": "model_ToyCar_quant_fullint_micro_intio.tflite",
}  # fmt: skip
# what was measured -> the runtime here that runs the same kernels
_RUNTIMES = {"microtvm-cmsis-nn": "tflm-cmsis-nn"}


@dataclass(frozen=True, slots=True)
class Simulated:
    """Errors of the rows of one operating point, and why there are none."""

    energy_errors: tuple[float, ...]
    latency_errors: tuple[float, ...]

    @property
    def cells(self) -> tuple[Cell, Cell]:
        """Median errors in percent; "unknown" where nothing was predicted."""
        return _median(self.energy_errors), _median(self.latency_errors)


def simulated_j(point: Point, rows: list[EnergyRow], facts: Facts | None) -> Simulated:
    """Each row simulated: |error| of energy and of latency, where the estimate knows them."""
    energies, latencies = [], []
    target = target_of(point)
    for row in rows:
        name = _MODELS.get(row.network)
        if facts is None or target is None or name is None:
            continue
        estimate = simulate(_graph(facts, name), target)
        energy, latency = (estimate.metric(name).value for name in ("energy_j", "latency_s"))
        if energy is not None:
            energies.append(abs(energy / row.energy_j - 1))
        if latency is not None:
            latencies.append(abs(latency / row.latency_s - 1))
    return Simulated(tuple(sorted(energies)), tuple(sorted(latencies)))


def target_of(point: Point) -> Target | None:
    """The target that such a point is; None where no board or no release here is that."""
    runtime = _RUNTIMES.get(point.runtime, point.runtime)
    supply = None if point.supply is None else str(point.supply)
    try:
        return load_target(point.device, runtime, point.clock_hz, supply=supply)
    except PreflashError:
        return None


@lru_cache(maxsize=16)
def _graph(facts: Facts, name: str) -> ModelGraph:
    return read_tflite(facts.path("models", name))


def _median(ascending: tuple[float, ...]) -> Cell:
    return round(100 * ascending[(len(ascending) - 1) // 2], 1) if ascending else "unknown"
