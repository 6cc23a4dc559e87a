"""Make simulator/data/kernel_coefficients.csv from the measured instruction counts and their fits.

usage: make_kernel_data.py FACTS_FOLDER      (holds kernel_fits.csv and kernel_instructions.csv)

Arm families are taken over from kernel_fits.csv. Families whose published fit lacks terms (ESP-NN in plain C,
softmax, any-window reference convolutions) are fitted here: non-negative least squares on relative errors.
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from preflash.graphs.geometry import Window, taps_inside
from preflash.simulator.columns import Extents, Floats
from preflash.simulator.kernels.terms import TERMS, kernel_terms

DATA = Path(__file__).resolve().parents[1] / "simulator" / "data"
HEADER = """\
# Instructions of a kernel = sum of coefficient x term (terms: simulator/kernels/terms.py), compiled with -O2.
# Errors in percent of the measured points of the family: n points, p90 and largest absolute error.
# Source: facts/kernel_fits.csv, kernel_instructions.csv (CMSIS-NN 99f736a, tflite-micro 90b983c,
# ESP-NN d45b843, GCC 12.2.1, counted in an emulator). Made by scripts/make_kernel_data.py.
"""
OPT = "-O2"
CORES = ("m0", "m3", "m4", "m7", "m33", "m55")
POOLS = ("avgpool_s8", "avgpool_same_s8"), ("maxpool_s8", "maxpool_same_s8")

Row = dict[str, str]


def refits() -> dict[tuple[str, str], tuple[list[str], list[str]]]:
    """(core, family name here) -> (measured families, terms)."""
    kxk = ["conv3x3_s8", "conv5x5_s8", "conv7x7_s8", "conv_first_s8", "conv_1xn_s8", "conv_nx1_s8",
           "conv3x3_oddch_s8"]  # fmt: skip
    one = ["conv1x1_s8", "conv1x1_s2_s8", "conv1x1_oddch_s8"]
    dw = ["dw3x3_s8", "dw5x5_s8", "dw7x7_s8", "dw_nx1_s8", "dw3x3_oddch_s8"]
    fits: dict[tuple[str, str], tuple[list[str], list[str]]] = {}
    for core in (*CORES, "rv32imc"):
        fits[core, "ref_conv_s8"] = ([f"ref_conv{k}_s8" for k in ("1x1", "3x3", "5x5")],
                                     ["taps", "patchsat", "krow", "vpatch", "out", "one"])  # fmt: skip
        fits[core, "ref_dw_s8"] = (["ref_dw3x3_s8", "ref_dw5x5_s8"],
                                   ["taps", "patchsat", "krow", "out", "one"])  # fmt: skip
        fits[core, "ref_softmax_s8"] = (["ref_softmax_s8"], ["out", "pix"])
        if core != "rv32imc":
            fits[core, "softmax_s8"] = (["softmax_s8"], ["out", "pix"])
    rv, opt = "rv32imc", "espnn_opt_"
    loops = ["taps", "krow", "vpatch", "patches", "out", "pix", "one"]
    for here, there in (("esp", opt), ("esp_ansi", "espnn_ansi_")):
        fits[rv, f"{here}_conv_s8"] = ([there + f for f in kxk], loops)
        fits[rv, f"{here}_conv1x1_s8"] = ([there + f for f in one], ["macs", "out", "pix", "one"])
        single = ["taps", "krow", "patchsat", "out", "pix", "one"]
        fits[rv, f"{here}_dw_s8"] = ([there + f for f in dw], single)
        multiplied = [there + "dw_chmult_s8", there + "dw_cin1_s8"]
        fits[rv, f"{here}_dw_chmult_s8"] = (multiplied, ["taps", "krow", "out", "one"])
        fits[rv, f"{here}_fc_s8"] = ([there + "fc_s8", there + "fc_odd_s8"], ["macs", "out", "one"])
    for name, pool in zip(("avg", "max"), POOLS, strict=True):
        sources = [f"espnn_ansi_{family}" for family in pool]
        fits[rv, f"esp_{name}pool_s8"] = (sources, ["taps", "vpatch", "out", "pix", "one"])
    fits[rv, "esp_add_s8"] = (["espnn_ansi_add_s8"], ["out", "one"])
    fits[rv, "esp_softmax_s8"] = ([opt + "softmax_s8"], ["out", "pix"])
    return fits


def main(facts: Path, folder: Path = DATA) -> None:
    lines = [HEADER + "core,family,n,p90_pct,max_pct,term,coefficient"]
    own = refits()
    for row in _rows(facts / "kernel_fits.csv"):
        family = row["family"].removesuffix("(all)") + ("_all" if row["family"].endswith("(all)") else "")
        published = row["core"] in CORES or family.startswith("ref_")
        skip = not published or family.startswith("lean_") or (row["core"], family) in own
        if row["opt"] == OPT and not skip:
            errors = f"{row['n']},{row['p90_abs_err_pct']},{row['max_abs_err_pct']}"
            lines.append(f"{row['core']},{family},{errors},{row['term']},{row['coefficient']}")
    measured: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in _rows(facts / "kernel_instructions.csv"):
        if row["opt"] == OPT:
            measured[row["core"], row["family"]].append(row)
    for (core, family), (sources, terms) in own.items():
        lines += _fitted(core, family, [row for name in sources for row in measured[core, name]], terms)
    path = folder / "kernel_coefficients.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{path.name}: {path.stat().st_size} bytes, {len(lines)} lines")


def extents_of(rows: list[Row]) -> Extents:
    """The extents of measured shapes, in the convention of OpDims."""
    return Extents(*np.array([_extents(row) for row in rows], dtype=np.float64).T)


def _extents(row: Row) -> tuple[int, ...]:
    value = {name: int(row[name] or 0) for name in (
        "in_h", "in_w", "in_c", "out_h", "out_w", "out_c", "k_h", "k_w", "stride_h", "stride_w", "pad_top",
        "pad_left", "dilation")}  # fmt: skip
    kernel = row["kernel"]
    stride = max(1, value["stride_h"]), max(1, value["stride_w"])
    if "fully" in kernel:
        return (1, 1, 1, value["in_c"], 1, 1, value["out_c"], 1, 1, value["in_c"], 1, 1, 1, 1)
    single = "conv" not in kernel or "depthwise" in kernel
    spread = max(1, value["dilation"])
    taps = [
        taps_inside(Window(value[f"in_{a}"], value[f"out_{a}"], value[f"k_{a}"], step, spread, pad, 0))
        for a, step, pad in (("h", stride[0], value["pad_top"]), ("w", stride[1], value["pad_left"]))
    ]
    return (1, value["in_h"], value["in_w"], value["in_c"], value["out_h"], value["out_w"], value["out_c"],
            value["k_h"], value["k_w"], 1 if single else value["in_c"], *stride, *taps)  # fmt: skip


def _fitted(core: str, family: str, rows: list[Row], terms: list[str]) -> list[str]:
    counted = np.array([float(row["instructions"]) for row in rows])
    chosen = kernel_terms(extents_of(rows))[:, [TERMS.index(term) for term in terms]] / counted[:, None]
    solution = _non_negative(chosen)
    errors = np.abs(chosen @ solution - 1) * 100
    head = f"{core},{family},{len(rows)},{np.percentile(errors, 90):.2f},{errors.max():.2f}"
    return [f"{head},{term},{value:.6g}" for term, value in zip(terms, solution, strict=True) if value > 0]


def _non_negative(matrix: Floats) -> Floats:
    """x >= 0 with matrix @ x close to one: drop the most negative coefficient until none is left."""
    active = list(range(matrix.shape[1]))
    while True:
        scale = matrix[:, active].max(axis=0)
        part, *_ = np.linalg.lstsq(matrix[:, active] / scale, np.ones(len(matrix)), rcond=None)
        if (part >= 0).all() or len(active) == 1:
            break
        active.pop(int(np.argmin(part)))
    solution = np.zeros(matrix.shape[1])
    solution[active] = part / scale
    return solution


def _rows(path: Path) -> list[Row]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
