"""What ships with this version: the committed rows, fitted."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from ...devices.calibration import Calibration
from .assemble import assembled, spreads_of
from .features import Features, row_features
from .fit import Fit, fit_rows
from .holdout import HeldOut, with_one_network, without_board
from .op_factors import op_features, op_kernels
from .priors import Key
from .rows import MeasuredRow, read_rows
from .write import calibration_text

MEASURED = Path(__file__).parents[1] / "data" / "measured"
DATE = "2026-11-25"  # of the newest row in latency.csv
_COMMENT = """\
What was fitted to simulator/data/measured/latency.csv, and how far rows left out of the fit were off.
Made by `make calibrate`; do not edit."""
_TVM, _ARDUINO = "microtvm-cmsis-nn", "tflm-arduino"


@dataclass(frozen=True)
class ShippedFit:
    """The fit that ships, with all that was held against it."""

    used: tuple[Features, ...]
    left_out: tuple[MeasuredRow, ...]
    fixed: Mapping[Key, float]
    fit: Fit
    board_out: tuple[HeldOut, ...]
    one_given: tuple[HeldOut, ...]
    calibration: Calibration

    @property
    def text(self) -> str:
        return calibration_text(self.calibration, _COMMENT)


@lru_cache(maxsize=1)
def shipped_rows() -> tuple[Features, ...]:
    """The committed rows that are fitted."""
    rows = read_rows(MEASURED / "latency.csv")
    return tuple(row_features(row) for row in rows if not row.left_out and not row.op)


@lru_cache(maxsize=1)
def fit_shipped() -> ShippedFit:
    """Fits the committed rows; the same figures every time."""
    rows, used = read_rows(MEASURED / "latency.csv"), shipped_rows()
    fixed = counted_factors()
    board_out, one_given = without_board(used, fixed), with_one_network(used, fixed)
    fit = fit_rows(used, fixed)
    whole = assembled(used, fit, fixed, spreads=spreads_of(board_out, one_given), date=DATE)
    calibration = whole.model_copy(update={"kernels": (*whole.kernels, *op_kernels(op_features(), fit))})
    left_out = tuple(row for row in rows if row.left_out)
    return ShippedFit(used, left_out, fixed, fit, board_out, one_given, calibration)


def counted_factors() -> dict[Key, float]:
    """Kernels of CMSIS-NN of 2022 against those that were counted, by least squares on whole networks.

    instructions of the submission = a convolutions + b other kernels + c poolings that TVM compiles itself.
    """
    with (MEASURED / "instruction_totals.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    matrix = []
    for row in rows:
        one = row_features(MeasuredRow(0, "nucleo-l4r5zi", _TVM, row["network"], 1.0))
        total = float(row["instructions"])
        by_class: dict[str, float] = {}
        for (name, _), count in one.instructions.items():
            by_class[name] = by_class.get(name, 0.0) + count
        conv, pool = by_class.pop("conv", 0.0), by_class.pop("pool", 0.0)
        matrix.append([conv / total, sum(by_class.values()) / total, pool / total])
    conv, rest, pool = np.linalg.lstsq(np.array(matrix), np.ones(len(rows)), rcond=None)[0].tolist()
    others = ("conv-first", "conv1x1", "depthwise", "depthwise-other", "fully-connected", "other")
    release = {"conv": conv, **dict.fromkeys(others, rest)}
    factors: dict[Key, float] = {}
    for label in (_TVM, _ARDUINO):
        factors |= {("kernel", label, name): factor for name, factor in release.items()}
    return {**factors, ("kernel", _TVM, "pool"): pool}
