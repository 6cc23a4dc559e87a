"""What is believed of the coefficients before any row is seen: their middles and how far they may lie off."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...devices.catalog import load_runtime

Floats = npt.NDArray[np.float64]
# ("cpi", core), ("per_byte", core), ("board", device), ("build", device, label), ("stall", device),
# ("fetch", library), ("kernel", label, class, part)
Key = tuple[str, ...]
_PATH = Path(__file__).parents[1] / "data" / "fit_spreads.csv"


@dataclass(frozen=True, slots=True)
class Spreads:
    """Standard deviations of logs, those with the largest evidence (scripts/choose_spreads.py).

    Args:
        noise: of one row: what is left between networks on a measured board.
        board: of a board against its core.
        build: of a firmware, a board and a release, against both.
        stall: of a board's cycles per weight byte against its core's.
        release: of a release's kernels against those of the one it resembles.
    """

    noise: float
    board: float
    build: float
    stall: float
    release: float


@lru_cache(maxsize=1)
def chosen_spreads() -> Spreads:
    """The spreads that ship."""
    with _PATH.open(newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(line for line in file if not line.startswith("#"))
    return Spreads(**{name: float(row[name]) for name in Spreads.__dataclass_fields__})


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of the log of a coefficient before any row: its middle and its standard deviation."""

    log: float
    spread: float


# Cycles per instruction by how the core issues them: one at a time with loads of two cycles (M4), of one
# (M33), two at a time (M7), one with vectors that take two beats (M55), two with vectors (M85).
_CPI = {
    "cortex-m4": 1.4, "cortex-m33": 1.2, "cortex-m7": 0.8, "cortex-m55": 1.2, "cortex-m85": 0.9,
    "cortex-m3": 1.4, "cortex-m0+": 1.6, "cortex-m0": 1.6, "cortex-m23": 1.6,
}  # fmt: skip
_CPI_SPREAD = 0.25
_PER_BYTE = Prior(np.log(0.6), 0.6)  # a word of flash behind some wait states, half of them hidden
# How often kernels fetch a weight against CMSIS-NN's, whose blocks are known; ST's may keep it longer.
_COUNTED_BLOCKS, _UNKNOWN_BLOCKS = Prior(0.0, 1e-3), Prior(np.log(0.6), 0.7)
# ST's kernels against CMSIS-NN's of the same op, in the oldest release.
_KERNEL = Prior(np.log(0.7), 0.4)
_PLAIN_KERNELS = {
    "pool": Prior(np.log(1.7), 0.5),  # between CMSIS-NN's and plain C's (kernel_coefficients.csv)
    "other": Prior(np.log(0.8), 0.5),
    "reference": Prior(np.log(0.8), 0.4),
}


def prior(key: Key, spreads: Spreads) -> Prior:
    """The prior of one coefficient."""
    match key[0]:
        case "cpi":
            return Prior(float(np.log(_CPI.get(key[1], 1.3))), _CPI_SPREAD)
        case "fetch":
            return _COUNTED_BLOCKS if key[1] == "cmsis-nn" else _UNKNOWN_BLOCKS
        case "kernel":
            return _PLAIN_KERNELS.get(key[2], _KERNEL)
        case "per_byte":
            return _PER_BYTE
        case kind:
            return Prior(0.0, {"board": spreads.board, "build": spreads.build, "stall": spreads.stall}[kind])


def precision_of(keys: Sequence[Key], place: Mapping[Key, int], spreads: Spreads) -> Floats:
    """One over the prior's variance; a release's factor is tied to that of the release it resembles."""
    matrix = np.zeros((len(keys), len(keys)))
    before = fitted_labels()
    for key in keys:
        at = place[key]
        like = before[key[1]] if key[0] == "kernel" else ""
        if not like:
            matrix[at, at] += 1 / prior(key, spreads).spread ** 2
            continue
        other, tie = place["kernel", like, *key[2:]], 1 / spreads.release**2
        matrix[at, at] += tie
        matrix[other, other] += tie
        matrix[at, other] -= tie
        matrix[other, at] -= tie
    return matrix


@lru_cache(maxsize=1)
def fitted_labels() -> dict[str, str]:
    """The releases whose kernels have factors that rows must tell -> the one each resembles, "" for none."""
    runtime = load_runtime("x-cube-ai")
    found = {}
    for release in runtime.releases:
        like = f"{runtime.name}@{release.kernels_like}" if release.kernels_like else ""
        found[f"{runtime.name}@{release.version}"] = like
    return found


def is_fitted_label(label: str) -> bool:
    """Whether the kernels of this runtime have factors of their own that rows must tell."""
    return label in fitted_labels()
