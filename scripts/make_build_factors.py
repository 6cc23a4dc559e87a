"""Make simulator/data/kernel_builds.csv: what compiler flags do to a kernel's instructions, against -O2.

usage: make_build_factors.py FACTS_FOLDER      (holds model_layers.csv)

Per library, counted core and kernel class: the instructions of the five MLPerf Tiny networks' layers at these
flags over those at -O2; lo and hi are the least and the most of a single layer.
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from pathlib import Path

OUT = Path(__file__).resolve().parents[1] / "simulator" / "data" / "kernel_builds.csv"
HEADER = """\
# How compiler flags change a kernel's instructions against -O2 with NDEBUG; "unknown" where nobody says.
# counted is the core whose counts are meant, class the kernel class (simulator/kernels/classes.py); empty is any.
# Source: facts/model_layers.csv (GCC 12.2.1, all layers of the five MLPerf Tiny networks, smallest and largest ratio of
# a layer as lo and hi) and, for the rows of any core, specs/cmsis_nn_cost.md. Made by scripts/make_build_factors.py.
# reference-elements: reference kernels that loop over elements without an index function, where listed. esp-idf:
# cpi_check.csv, person_detect in reference kernels on RV32IMC 478.3 M at -Os against 120.4 M at -O2.
library,counted,class,flags,factor,lo,hi,reason
"""
SETS = {"cmsis-nn": "cmsis-nn", "tflm-reference": "reference", "esp-nn-opt": "esp-nn"}
FLAGS = {"-Os": "Os", "-O3": "O3"}
_CLASS = {
    "DEPTHWISE_CONV_2D": "depthwise",
    "FULLY_CONNECTED": "fully-connected",
    "AVERAGE_POOL_2D": "pool",
    "ADD": "other",
}
# For cores and classes without counts: (factor, lo, hi), the spread over cores and classes of the counted ones.
ANY = """\
reference,,,O2,1,1,1,
reference,,,Oscore+O2kernels,1,1,1,
reference,,,O3,1,0.8,1.5,counted for -O2
reference,,,Os,3.6,2.6,5,counted for -O2: reference kernels at -Os need 3 to 5 times as much
reference,,,unknown,1.5,0.9,6.1,counted for -O2: at -Os reference kernels need up to 6 times as much and nobody says how this runtime is compiled
reference,,,esp-idf,3.97,2.8,5.2,counted for -O2 without assertions: ESP-IDF keeps them and 3.97 times as much was counted on RV32IMC at -Os
reference-elements,,,esp-idf,1.25,0.95,1.7,counted for -O2: ESP-IDF's own build is not known
cmsis-nn,,,O2,1,1,1,
cmsis-nn,,,Oscore+O2kernels,1,1,1,
cmsis-nn,,,O3,1,0.95,1.1,counted for -O2
cmsis-nn,,,Os,1.28,1.05,1.65,counted for -O2: -Os needs 1.08 to 1.63 times as much
cmsis-nn,,,unknown,1.08,0.97,1.35,counted for -O2: -Os needs 1.08 to 1.63 times as much and nobody says how this runtime is compiled
esp-nn,,,O2,1,1,1,
esp-nn,,,O3,1,0.9,1.1,counted for -O2
esp-nn,,,Os,1.25,0.95,1.7,counted for -O2
esp-nn,,,esp-idf,1,0.95,1.3,counted for -O2 (CONFIG_COMPILER_OPTIMIZATION_PERF): other settings need more
esp-nn,,,unknown,1,0.9,1.4,counted for -O2
"""


def class_of(row: dict[str, str]) -> str:
    if row["op"] == "CONV_2D":
        if row["k_h"] == row["k_w"] == "1":
            return "conv1x1"
        return "conv-first" if int(row["in_c"]) < 4 else "conv"
    if row["op"] == "DEPTHWISE_CONV_2D" and (row["k_h"], row["k_w"]) != ("3", "3"):
        return "depthwise-other"
    return _CLASS.get(row["op"], "")


def main(facts: Path) -> None:
    counted: dict[tuple[str, ...], dict[str, float]] = defaultdict(dict)
    with (facts / "model_layers.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            kind = class_of(row) if row["layer"] != "TOTAL" else ""
            if row["kernel_set"] in SETS and kind:
                key = (SETS[row["kernel_set"]], row["core"], kind, row["model"], row["layer"])
                counted[key][row["opt"]] = float(row["instructions"])
    pairs: dict[tuple[str, ...], list[tuple[float, float]]] = defaultdict(list)
    for (library, core, kind, *_), by_flags in counted.items():
        for flags in FLAGS.keys() & by_flags.keys():
            pairs[library, core, kind, FLAGS[flags]].append((by_flags[flags], by_flags["-O2"]))
    lines = []
    for key, both in sorted(pairs.items()):
        factor = sum(a for a, _ in both) / sum(b for _, b in both)
        ratios = [a / b for a, b in both]
        lines.append(f"{','.join(key)},{factor:.4g},{min(ratios):.4g},{max(ratios):.4g},")
    OUT.write_text(HEADER + ANY + "\n".join(lines) + "\n", encoding="utf-8")
    print(f"{OUT.name}: {len(lines)} counted factors")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
