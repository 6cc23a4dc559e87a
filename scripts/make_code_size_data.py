"""Make simulator/data/code_size_*.csv, the sharing structure of TFLM's code, from the measured firmwares.

usage: make_code_size_data.py FACTS_FOLDER      (holds tflm_code_atoms.csv, tflm_code_prediction_check.csv)
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from pathlib import Path

DATA = Path(__file__).resolve().parents[1] / "simulator" / "data"
HEADER = """\
# Flash bytes of TFLM by the set of ops that keep a piece of code:
# flash = base + every group that shares an op with the model.
# Source: facts/tflm_code_atoms.csv, facts/tflm_code_prediction_check.csv: 3296 linked firmwares, tflite-micro
# 90b983c2, CMSIS-NN 4ab83cc3, arm-none-eabi-gcc 12.2.1, newlib-nano. Made by scripts/make_code_size_data.py.
# build: flags,strip,base_bytes,lowest and highest error in percent of independent links
# then one line per group: bytes,ops (a hexadecimal mask: bit n is op n of the ops line)
"""

Build = tuple[str, str]


def main(facts: Path, folder: Path = DATA) -> None:
    files: dict[tuple[str, str], dict[Build, list[dict[str, str]]]] = defaultdict(lambda: defaultdict(list))
    for row in _rows(facts / "tflm_code_atoms.csv"):
        files[row["core"], row["kernels"]][row["flags"], row["strip_error_strings"]].append(row)
    errors: dict[tuple[str, str, Build], list[float]] = defaultdict(list)
    for row in _rows(facts / "tflm_code_prediction_check.csv"):
        if row["union_err_pct"]:
            build = (row["flags"], row["strip_error_strings"])
            errors[row["core"], row["kernels"], build].append(float(row["union_err_pct"]))
    for (core, kernels), builds in sorted(files.items()):
        spread = {build: errors[core, kernels, build] for build in builds}
        path = folder / f"code_size_{core}_{kernels}.csv"
        path.write_text(_text(builds, spread), encoding="utf-8")
        print(f"{path.name}: {path.stat().st_size} bytes, {len(builds)} builds")


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _text(builds: dict[Build, list[dict[str, str]]], spread: dict[Build, list[float]]) -> str:
    names = sorted({op for rows in builds.values() for row in rows for op in row["ops"].split("|") if op})
    bit = {name: 1 << index for index, name in enumerate(names)}
    lines = [HEADER + "ops," + " ".join(names)]
    for (flags, strip), rows in sorted(builds.items()):
        base = next(row["flash_bytes"] for row in rows if row["kind"] == "base_n0")
        found = spread[flags, strip] or [0.0]
        lines.append(f"build,{flags},{strip},{base},{min(found)},{max(found)}")
        for row in rows:
            if row["kind"] != "base_n0":
                group = sum(bit[op] for op in row["ops"].split("|"))
                lines.append(f"{row['flash_bytes']},{group:x}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
