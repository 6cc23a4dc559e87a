"""Fit what unpacking 4-bit weights costs per MAC: simulator/data/unpacking.csv.

    python scripts/fit_unpacking.py

Published (data/measured/subbyte.csv) is by how much the whole network slows down; cycles of the int8 network
are ours, so that what we are off in absolute terms does not enter:

  instructions per MAC = added x cycles of the network / (CPI x MACs of ops with weights)

The value is the geometric mean of the two networks. Two points have no spread of their own: the interval is
as wide as one is off when it is predicted from the other, and at least as for other fits to few points.
"""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import numpy as np
from preflash.devices.catalog import load_target
from preflash.graphs.zoo import build
from preflash.simulator.kernels.cores import core_costs
from preflash.simulator.latency import kernel_cycles
from preflash.simulator.workload import compile_table

DATA = Path(__file__).parents[1] / "simulator" / "data"
FEW_POINTS = 0.10
HEADER = """\
# instructions per MAC of simulator/kernels/unpacking.py and their ends; no core is for all. rows: what a
# value was fitted to, by core. Made by scripts/fit_unpacking.py from data/measured/subbyte.csv.
"""


def per_mac(row: dict[str, str]) -> float:
    """Instructions per MAC that explain the added time of one network."""
    target = load_target(row["device"], "tflm-cmsis-nn", row["clock"])
    table, costs = compile_table(build(row["network"]), target.kernels), core_costs(target)
    assert costs is not None
    cycles = float(kernel_cycles(table, target).value.sum())
    weighted = float(table.macs[[facts.bits > 0 for facts in table.filters]].sum())
    return float(row["added"]) * cycles / (costs.cpi.value * weighted)


def main() -> None:
    with (DATA / "measured" / "subbyte.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    found = np.array([per_mac(row) for row in rows])
    value = float(np.exp(np.log(found).mean()))
    spread = 1 + max(FEW_POINTS, float(found.max() / found.min()) - 1)
    for row, own in zip(rows, found, strict=True):
        print(f"{row['network']}: {own:.4f} instructions per MAC; published +{float(row['added']):.2%}, "
              f"with {value:.4f}: +{float(row['added']) * value / own:.2%}")  # fmt: skip
    with (DATA / "unpacking.csv").open("w", newline="", encoding="utf-8") as file:
        file.write(HEADER)
        out = csv.writer(file, lineterminator="\n")
        out.writerow(("name", "core", "value"))
        for name, one in (("per_mac", value), ("per_mac_lo", value / spread), ("per_mac_hi", value * spread)):
            out.writerow((name, "", f"{one:.4g}"))
        for core, count in Counter(load_target(row["device"]).device.core.name for row in rows).items():
            out.writerow(("rows", core, count))


if __name__ == "__main__":
    main()
