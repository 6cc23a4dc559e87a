"""Make simulator/data/reference_coefficients.csv from simulator/data/reference_instructions.csv.

usage: fit_reference_kernels.py [FOLDER]      (where to write; without, simulator/data)

Non-negative least squares on relative errors, one fit per family and core; its errors are those of shapes
that were left out. To them comes what the counts differ from those of the same kernels built from their own
files (CONTEXT_PCT; the counts' header).
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from make_kernel_data import _non_negative
from preflash.simulator.columns import Floats

DATA = Path(__file__).resolve().parents[1] / "simulator" / "data"
MEASURED = DATA / "reference_instructions.csv"
HEADER = """\
# Instructions of a kernel = sum of coefficient x term (terms: simulator/kernels/terms.py, price.py), -O2.
# _soft: floating point without an FPU. Errors in percent: p90 and largest when a shape is left out, plus what
# the same kernels differ by when built from their own files (10 on m3 and m4, 30 on m0 and rv32imc).
# Source: simulator/data/reference_instructions.csv. Made by scripts/fit_reference_kernels.py.
"""
CONTEXT_PCT = {"m0": 30.0, "m3": 10.0, "m4": 10.0, "rv32imc": 30.0}
# core -> columns of integer kernels, of floats with an FPU and without one; "" is not fitted.
COLUMNS = {
    "m0": ("m0", "", "m0"), "m3": ("m3", "", ""), "m4": ("m4", "m4", "m4_soft"),
    "rv32imc": ("rv32imc", "rv32imafc", "rv32imc"),
}  # fmt: skip
# picolibc, counted on RV32, copies byte by byte; the newlib of RV32 firmware does not.
LIBC_BOUND = frozenset({"move", "concatenation", "gather", "strided_slice", "resize_nearest_s8"})
FLOATS = ("_f32", "cast_f32_s32", "dequantize_s8", "resize_nearest_s8")

Row = dict[str, str]


def main(folder: Path = DATA) -> None:
    families: dict[str, list[Row]] = defaultdict(list)
    for row in _rows(MEASURED):
        families[row["family"]].append(row)
    lines = [HEADER + "core,family,n,p90_pct,max_pct,term,coefficient"]
    for core in COLUMNS:
        for family, rows in families.items():
            for name, column in _columns(core, family):
                lines += _fitted(core, name, rows, column)
    path = folder / "reference_coefficients.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{path.name}: {path.stat().st_size} bytes, {len(lines)} lines")


def _columns(core: str, family: str) -> list[tuple[str, str]]:
    """(family name, column of counts) that are fitted for a core."""
    integer, hard, soft = COLUMNS[core]
    if not _is_fitted(core, family):
        return []
    if not family.endswith(FLOATS):
        return [(family, integer)]
    return [(name, column) for name, column in ((family, hard), (f"{family}_soft", soft)) if column]


def _is_fitted(core: str, family: str) -> bool:
    """CMSIS-NN runs on Arm only; of M3 nothing else is fitted: its plain C is that of M4."""
    if family.startswith("cmsis_"):
        return core != "rv32imc"
    return core != "m3" and not (core == "rv32imc" and family in LIBC_BOUND)


def _fitted(core: str, family: str, rows: list[Row], column: str) -> list[str]:
    terms = [dict(_pair(text) for text in row["terms"].split()) for row in rows]
    names = list(dict.fromkeys(name for found in terms for name in found))
    counted = np.array([float(row[column]) for row in rows])
    matrix: Floats = np.array([[found.get(name, 0.0) for name in names] for found in terms])
    matrix = matrix / counted[:, None]
    solution = _non_negative(matrix)
    errors = _held_out_errors(matrix) * 100
    p90, worst = np.percentile(errors, 90) + CONTEXT_PCT[core], errors.max() + CONTEXT_PCT[core]
    head = f"{core},{family},{len(rows)},{p90:.1f},{worst:.1f}"
    return [f"{head},{name},{value:.4g}" for name, value in zip(names, solution, strict=True) if value > 0]


def _held_out_errors(matrix: Floats) -> Floats:
    """The relative error of each shape when it is left out of the fit."""
    kept = [np.delete(matrix, row, axis=0) for row in range(len(matrix))]
    return np.array([abs(row @ _non_negative(rest) - 1) for row, rest in zip(matrix, kept, strict=True)])


def _pair(text: str) -> tuple[str, float]:
    name, value = text.split("=")
    return name, float(value)


def _rows(path: Path) -> list[Row]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:2]))
