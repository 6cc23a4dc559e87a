"""Make simulator/data/fit_spreads.csv: how far boards, builds and rows differ, as the rows themselves say.

Of a grid of standard deviations those are taken that make the committed rows most probable (the largest
evidence, all coefficients integrated out). No row is held out and no target is looked at.

usage: choose_spreads.py
"""

from __future__ import annotations

import csv
from itertools import product
from pathlib import Path

from preflash.simulator.calibrate.fit import log_evidence
from preflash.simulator.calibrate.priors import Spreads
from preflash.simulator.calibrate.shipped import counted_factors, shipped_rows

OUT = Path(__file__).resolve().parents[1] / "simulator" / "data" / "fit_spreads.csv"
HEADER = """\
# Standard deviations of logs that the fit of latencies believes in; see simulator/calibrate/priors.py.
# The point of the grid in scripts/choose_spreads.py with the largest evidence; made by it, do not edit.
"""
NOISE = (0.03, 0.04, 0.05, 0.06)
BOARD = (0.005, 0.01, 0.02, 0.04, 0.06)
BUILD = (0.005, 0.01, 0.02, 0.03, 0.04)
STALL = (0.1, 0.2, 0.4)
RELEASE = (0.2, 0.3, 0.45)
SHOWN = 8


def main() -> None:
    rows, fixed = shipped_rows(), counted_factors()
    grid = [Spreads(*point) for point in product(NOISE, BOARD, BUILD, STALL, RELEASE)]
    ranked = sorted(((log_evidence(rows, fixed, one), one) for one in grid), key=lambda pair: -pair[0])
    for evidence, one in ranked[:SHOWN]:
        print(f"{evidence:8.2f}  {one}")
    best = ranked[0][1]
    names = tuple(Spreads.__dataclass_fields__)
    with OUT.open("w", newline="", encoding="utf-8") as file:
        file.write(HEADER)
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows((names, [f"{getattr(best, name):g}" for name in names]))


if __name__ == "__main__":
    main()
