"""Make simulator/data/class_cpi.csv: cycles per instruction of depthwise kernels against convolutions.

Both counted by the core itself: cycles / instructions retired of the ops in measured/retired.csv.

usage: fit_class_cpi.py
"""

from __future__ import annotations

import csv
from pathlib import Path

from preflash.devices.catalog import load_device
from preflash.simulator.calibrate.features import row_target
from preflash.simulator.calibrate.networks import measured_network
from preflash.simulator.calibrate.rows import MeasuredRow, read_rows
from preflash.simulator.kernels.classes import kernel_classes
from preflash.simulator.work_graph import work_graph
from preflash.simulator.workload import compile_table

DATA = Path(__file__).resolve().parents[1] / "simulator" / "data"
HEADER = """\
# Cycles per instruction of a kernel class, against the convolutions of the core, for which its figure holds.
# Made by scripts/fit_class_cpi.py from measured/ops.csv and measured/retired.csv (instructions retired, PMU).
# Of 100 instructions of a depthwise kernel 62 are Helium ones, of a 1x1 convolution 55 (64 channels,
# kernel_instructions.csv).
"""
CONVOLUTIONS, CLASS = ("conv", "conv1x1", "conv-first", "depthwise-other"), "depthwise"


def main(out: Path = DATA / "class_cpi.csv") -> None:
    rows = read_rows(DATA / "measured" / "ops.csv")
    counts = _retired()
    used = [row for row in rows if (row.device, row.network, row.op) in counts]
    by_class = _by_class(used, counts)
    (device,) = {row.device for row in used}
    cpi = {name: cycles / instructions for name, (cycles, instructions) in by_class.items()}
    cycles, instructions = (sum(by_class[n][i] for n in by_class if n in CONVOLUTIONS) for i in (0, 1))
    factor, plain = cpi[CLASS] / (cycles / instructions), cycles / instructions
    both = f"{cpi[CLASS]:.3f} of {CLASS} and {plain:.3f} of convolutions"
    source = f"{device}: {both}; one board and one network"
    with out.open("w", newline="", encoding="utf-8") as file:
        file.write(HEADER)
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("core", "class", "factor", "source"))
        writer.writerow((load_device(device).core.name, CLASS, f"{factor:.4g}", source))
    print({name: round(value, 3) for name, value in cpi.items()}, source)


def _retired() -> dict[tuple[str, str, str], float]:
    with (DATA / "measured" / "retired.csv").open(newline="", encoding="utf-8") as file:
        lines = csv.DictReader(line for line in file if not line.startswith("#"))
        return {(row["device"], row["network"], row["op"]): float(row["instructions"]) for row in lines}


def _by_class(
    rows: list[MeasuredRow], counts: dict[tuple[str, str, str], float]
) -> dict[str, tuple[float, float]]:
    """Kernel class -> cycles and instructions."""
    sums: dict[str, tuple[float, float]] = {}
    for row in rows:
        target = row_target(row)
        table = compile_table(work_graph(measured_network(row.network), target), target.kernels)
        name = kernel_classes(table)[int(row.op)]
        cycles, instructions = sums.get(name, (0.0, 0.0))
        count = counts[row.device, row.network, row.op]
        sums[name] = cycles + row.latency_s * target.clock_hz, instructions + count
    return sums


if __name__ == "__main__":
    main()
