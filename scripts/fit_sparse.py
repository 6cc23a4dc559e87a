"""Fit what a sparse product of XNNPACK costs: simulator/data/neon_sparse.csv from data/measured/sparse.csv.

    python scripts/fit_sparse.py

The cost of a MAC whose weight is not zero is the only unknown; all else is priced as in preflash check, so
the seconds of a network are a + b x cost. Least squares on log(predicted / measured). The spread is that of
rows left out one by one; cores and families left out are printed. A machine without rows may differ as far
as the three published ones do in what a sparse FLOP takes against a dense one.
"""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import numpy as np
from preflash.simulator.validate.sparse_fit import fit_cost, ratios, sparse_points
from preflash.simulator.validate.sparse_rows import sparse_rows
from preflash.simulator.validate.sparse_speed import machine_rates

DATA = Path(__file__).parents[1] / "simulator" / "data" / "neon_sparse.csv"
HEADER = """\
# coefficients of simulator/kernels/spmm.py; no core is for all. lo and hi: p10 and p90 of measured /
# predicted of rows left out one by one; other_lo and other_hi: how far machines differ in the cost of a
# sparse FLOP against a dense one. rows: what a value was fitted to. Made by scripts/fit_sparse.py from
# data/measured/sparse.csv.
"""


def main() -> None:
    points = sparse_points()
    cost = fit_cost(points)
    single = ratios(points, [str(n) for n in range(len(points))])
    print(f"cost {cost:.3f} from {len(points)} rows; alone: "
          + ", ".join(f"{(p.row.latency_s - p.a_s) / p.b_s:.2f}" for p in points))  # fmt: skip
    for name, groups in (
        ("rows", [str(n) for n in range(len(points))]), ("cores", [p.core for p in points]),
        ("families", [p.row.network.split()[0] for p in points]),
        ("all but 1.4 of MobileNetV1", [p.row.machine if p.row.role else "" for p in points]),
    ):  # fmt: skip
        off = [1 / r - 1 for r in ratios(points, groups)]
        print(f"{name} left out: " + ", ".join(f"{100 * e:+.1f} %" for e in off))
    efficiency = [
        machine_rates(machine).efficiency for machine in dict.fromkeys(r.machine for r in sparse_rows())
    ]
    middle = float(np.exp(np.log(efficiency).mean()))
    rows = [
        ("cost", "", cost, len(points)),
        *(("rows", core, count, count) for core, count in Counter(p.core for p in points).items()),
        ("lo", "", min(1.0, float(np.quantile(single, 0.1))), len(points)),
        ("hi", "", max(1.0, float(np.quantile(single, 0.9))), len(points)),
        ("other_lo", "", middle / max(efficiency), len(efficiency)),
        ("other_hi", "", middle / min(efficiency), len(efficiency)),
    ]
    with DATA.open("w", newline="", encoding="utf-8") as file:
        file.write(HEADER)
        out = csv.writer(file, lineterminator="\n")
        out.writerow(("name", "core", "value", "rows"))
        out.writerows((name, core, f"{value:.4g}", count) for name, core, value, count in rows)


if __name__ == "__main__":
    main()
