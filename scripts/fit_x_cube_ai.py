"""Make simulator/data/x_cube_ai.csv: what ST's rows say each release takes, by terms of the network.

usage: fit_x_cube_ai.py FACTS_FOLDER      (holds st_model_zoo.csv)

Activations are at least the planned bytes; what is fitted is what comes on top. Per release and figure:
non-negative coefficients with the smallest sum of |predicted / stated - 1| over the distinct networks. The
spread lo..hi is p10..p90 of stated / predicted where a family is predicted from the other three; the table of
both is printed.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np
from preflash.devices.catalog import load_runtime
from preflash.graphs.passes.fusion import fuse
from preflash.simulator.memory.x_cube_ai.plan import plan_x_cube_ai
from preflash.simulator.releases import TERMS, op_terms
from preflash.simulator.validate.facts import Facts
from preflash.simulator.validate.st_rows import VERSIONS, Network, StRow, st_rows

OUT = Path(__file__).resolve().parents[1] / "simulator" / "data" / "x_cube_ai.csv"
HEADER = """\
# Bytes of a figure = sum of coefficient x term (simulator/releases.py); lo and hi are factors on it: p10 and
# p90 of stated / predicted for families left out of the fit, left_out_* their |error| as a fraction;
# most_ratio is the largest stated / planned bytes.
# Source: facts/st_model_zoo.csv (ST's model zoo, STM32H747). Made by scripts/fit_x_cube_ai.py.
"""
FIGURES = {
    "activations": (("planned_bytes", "fixed"), lambda row: row.activations_bytes),
    "runtime_ram": (("fixed", "matrix_ops", "other_ops"), lambda row: row.runtime_ram_bytes),
    "code": (("fixed", "matrix_ops", "other_ops", "channels"), lambda row: row.code_bytes),
}


class Point(NamedTuple):
    family: str
    terms: dict[str, float]
    stated: float


def points(rows: Sequence[StRow], version: str, figure: str) -> list[Point]:
    """One point per distinct network and stated figure."""
    runtime = load_runtime(f"x-cube-ai@{version}")
    seen: dict[tuple[Network, float], Point] = {}
    for row in rows:
        stated = FIGURES[figure][1](row)
        if row.version != version or stated is None or (row.network, stated) in seen:
            continue
        graph = fuse(row.network.built(), runtime.fusion).graph
        terms = op_terms(graph)
        if figure == "activations":
            terms = {"fixed": 1.0, "planned_bytes": float(plan_x_cube_ai(graph, runtime).head_bytes)}
        seen[row.network, stated] = Point(row.family, terms, stated)
    return list(seen.values())


def fit(found: Sequence[Point], names: Sequence[str]) -> dict[str, float]:
    """The best subset of terms with all coefficients >= 0, by reweighted least squares on relative errors."""
    planned = np.array([p.terms["planned_bytes"] / p.stated for p in found])
    wanted = 1 - planned
    best, smallest = dict.fromkeys(names, 0.0), float(np.abs(wanted).sum()) if planned.any() else np.inf
    for count in range(1, min(len(names), len(found)) + 1):
        for subset in combinations(names, count):
            design = np.array([[p.terms[name] / p.stated for name in subset] for p in found])
            weights = np.ones(len(found))
            for _ in range(60):
                solved = np.linalg.lstsq(design * weights[:, None], weights * wanted, rcond=None)[0]
                weights = 1 / np.sqrt(np.maximum(np.abs(design @ solved - wanted), 1e-5))
            error = float(np.abs(design @ solved - wanted).sum())
            if (solved >= 0).all() and error < smallest - 1e-9:
                best, smallest = dict(zip(subset, map(float, solved), strict=True)), error
    if planned.any():
        best["planned_bytes"] = best.get("planned_bytes", 0.0) + 1.0
    return best


def most(found: Sequence[Point]) -> float:
    """The largest stated / planned; 0 where nothing is planned."""
    planned = [p.stated / p.terms["planned_bytes"] for p in found if p.terms["planned_bytes"]]
    return max(1.0, *planned) if planned else 0.0


def predicted(coefficients: dict[str, float], point: Point) -> float:
    return sum(value * point.terms[name] for name, value in coefficients.items())


def held_out(found: Sequence[Point], names: Sequence[str]) -> list[tuple[str, float]]:
    """(family, stated / predicted) of every point, its family left out of the fit."""
    ratios = []
    for family in sorted({p.family for p in found}):
        rest = [p for p in found if p.family != family]
        if not rest:
            continue
        coefficients = fit(rest, names)
        ratios += [
            (family, p.stated / max(1.0, predicted(coefficients, p))) for p in found if p.family == family
        ]
    return ratios


def row_of(version: str, figure: str, found: Sequence[Point]) -> list[str]:
    """The line of the file; prints how well it fits and how well it predicts a family left out."""
    names = FIGURES[figure][0]
    coefficients, ratios = fit(found, names), held_out(found, names)
    inside = [abs(predicted(coefficients, p) / p.stated - 1) * 100 for p in found]
    outside = [abs(1 / ratio - 1) * 100 for _, ratio in ratios]
    lo, hi = np.quantile([ratio for _, ratio in ratios], [0.1, 0.9])
    print(
        f"{version:5} {figure:12} n {len(found):2}"
        f"  fitted: median {np.median(inside):5.1f} % p90 {np.quantile(inside, 0.9):5.1f} %"
        f"  left out: median {np.median(outside):5.1f} % p90 {np.quantile(outside, 0.9):5.1f} %"
    )
    return [
        version, figure, *(f"{coefficients.get(term, 0.0):.6g}" for term in TERMS), f"{lo:.4f}", f"{hi:.4f}",
        f"{most(found):.4f}", str(len(found)), f"{np.median(outside) / 100:.4f}",
        f"{np.quantile(outside, 0.9) / 100:.4f}",
    ]  # fmt: skip


def main() -> None:
    rows, _ = st_rows(Facts(Path(sys.argv[1]).parent))
    with OUT.open("w", newline="", encoding="utf-8") as file:
        file.write(HEADER)
        out = csv.writer(file, lineterminator="\n")
        out.writerow(("version", "figure", *TERMS, "lo_ratio", "hi_ratio", "most_ratio", "points",
                      "left_out_median", "left_out_p90"))  # fmt: skip
        for version in dict.fromkeys(VERSIONS.values()):
            for figure in FIGURES:
                out.writerow(row_of(version, figure, points(rows, version, figure)))


if __name__ == "__main__":
    main()
