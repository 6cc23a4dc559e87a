"""What does TFLM's own 4-bit compression of the anomaly model cost? Against the recorded arena and file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ...devices.target import KernelBuild
from ...graphs.encodings.tflm_lut import compressed_weights, lut_model
from ...graphs.evaluate import constant_array
from ...graphs.ir import ModelGraph
from ...graphs.tflite.read import read_tflite
from ...graphs.variants.weights import weights, with_tensors
from ..flash import model_bytes
from ..memory.plan import plan_tflm
from .facts import Facts
from .table import Cell, Claim, ValidationTable

MODEL = "model_ToyCar_quant_fullint_micro_intio.tflite"
RECORDED_FILE_BYTES, RECORDED_COMPRESSED_BYTES = 276_976, 147_664
RECORDED_ADDED_BYTES = 87_984 - 3_984  # of TFLM's recording interpreter on a 64-bit host
ARM_BASELINE_BYTES = 2_260  # recorded with the 32-bit Arm ABI, reference kernels
_CODES = 16
_FILE_TOLERANCE = 0.005
_BUILDS = {
    "64-bit host": KernelBuild("reference", "", "host64"),
    "32-bit Arm, reference": KernelBuild("reference", "", "arm32-short-enum"),
    "32-bit Arm, CMSIS-NN": KernelBuild("cmsis-nn", "dsp", "arm32-short-enum"),
}


@dataclass(frozen=True, slots=True)
class LutArena:
    """Arena of one build: used as arena_used_bytes() prints it."""

    build: str
    raw_used_bytes: int
    used_bytes: int
    smallest_bytes: int

    @property
    def added_bytes(self) -> int:
        return self.used_bytes - self.raw_used_bytes


def with_16_values(graph: ModelGraph) -> ModelGraph:
    """Every weight tensor on 16 values of its own, evenly spread over its range: sizes do not ask which."""
    changed = []
    for one in weights(graph):
        tensor = graph.tensors[one.tensor]
        stored = constant_array(tensor).astype(np.float64)
        step = (stored.max() - stored.min()) / (_CODES - 1)
        places = np.rint((stored - stored.min()) / step)
        places.reshape(-1)[:_CODES] = np.arange(_CODES)  # every value occurs, as after k-means
        shared = np.rint(stored.min() + places * step).astype(np.int8)
        changed.append(replace(tensor, data=shared.tobytes(), form=None))
    return with_tensors(graph, changed)


def lut_arenas(graph: ModelGraph) -> list[LutArena]:
    """The arenas of a model whose weights have few values, plain and compressed, per build."""
    found = []
    for name, build in _BUILDS.items():
        raw, stored = plan_tflm(graph, build), plan_tflm(lut_model(graph), build)
        found.append(LutArena(name, raw.used_bytes, stored.used_bytes, stored.min_bytes))
    return found


def lut_arena_table(facts: Facts) -> ValidationTable:
    """File and arena of the anomaly model, plain and with 4-bit indices."""
    graph = with_16_values(read_tflite(facts.path("models", MODEL)))
    arenas = lut_arenas(graph)
    rows: list[tuple[Cell, ...]] = [
        (one.build, one.raw_used_bytes, one.used_bytes, one.added_bytes, one.smallest_bytes) for one in arenas
    ]
    return ValidationTable(
        "lut-arena", "the anomaly model with 4-bit look-up tables: arena of TFLM by build, in bytes",
        ("build", "used, plain", "used, compressed", "added", "smallest, compressed"), tuple(rows),
        tuple(_claims(facts, graph, arenas)),
        ("the 64-bit arenas: op data of a 64-bit build are not recorded, but what the ops add is",),
    )  # fmt: skip


def _claims(facts: Facts, graph: ModelGraph, arenas: list[LutArena]) -> Iterator[Claim]:
    host, arm = arenas[0], arenas[1]
    yield Claim(f"the 64-bit recorder's arena grows by {RECORDED_ADDED_BYTES:,} B",
                f"{host.added_bytes:,} B", host.added_bytes == RECORDED_ADDED_BYTES)  # fmt: skip
    yield Claim(f"the 32-bit arena before is {ARM_BASELINE_BYTES:,} B", f"{arm.raw_used_bytes:,} B",
                arm.raw_used_bytes == ARM_BASELINE_BYTES)  # fmt: skip
    size = model_bytes(lut_model(graph))
    yield Claim(
        f"the file shrinks to {RECORDED_COMPRESSED_BYTES:,} B, within {_FILE_TOLERANCE:.1%}",
        f"{size:,} B ({size / RECORDED_COMPRESSED_BYTES - 1:+.2%})",
        abs(size / RECORDED_COMPRESSED_BYTES - 1) <= _FILE_TOLERANCE,
    )
    widths = {one.width for one in compressed_weights(graph)}
    yield Claim("every weight tensor has indices of 4 bits", f"{len(compressed_weights(graph))} tensors, "
                f"{', '.join(map(str, sorted(widths)))} bits", widths == {4})  # fmt: skip
    given = facts.path("models", MODEL).stat().st_size
    yield Claim(f"the file before is {RECORDED_FILE_BYTES:,} B", f"{given:,} B", given == RECORDED_FILE_BYTES)
