"""Make simulator/data/code_size_*.csv, the sharing structure of TFLM's code, from the measured firmwares.

usage: make_code_size_data.py FACTS_FOLDER      (holds tflm_code_*.csv, tflm_runtime_variants.csv)

Which ops the checked sets hold is in simulator/data/code_size_op_sets.csv (scripts/recover_op_sets.py).
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np

DATA = Path(__file__).resolve().parents[1] / "simulator" / "data"
HEADER = """\
# Flash bytes of TFLM by the set of ops that keep a piece of code:
# flash = base + every group that shares an op with the model.
# Source: facts/tflm_code_atoms.csv, tflm_code_size.csv, tflm_code_prediction_check.csv: 3296 linked
# firmwares, tflite-micro 90b983c2, CMSIS-NN 4ab83cc3, arm-none-eabi-gcc 12.2.1, newlib-nano.
# Made by scripts/make_code_size_data.py.
# build: flags,strip,base_bytes,lowest and highest error in percent of independent links of op sets
# then one line per group: bytes,ops (a hexadecimal mask: bit n is op n of the ops line)
"""
VARIANTS_HEADER = """\
# Flash bytes that a firmware built otherwise has on top of the same firmware in the main table.
# Source: facts/tflm_runtime_variants.csv, facts/tflm_code_size.csv. Made by scripts/make_code_size_data.py.
# linked_bytes: flash in the main table; base_bytes: flash without ops in the main table.
variant,core,kernels,config,linked_bytes,base_bytes,extra_bytes
"""
# The recorded variants by the names that a build declares.
VARIANTS = {
    "nano + -u _printf_float": "newlib-nano-float/callback",
    "full newlib + debug_log callback": "newlib/callback",
    "nano + default debug_log.cc (vfprintf stderr)": "newlib-nano/default",
    "full newlib + default debug_log.cc": "newlib/default",
    "NDEBUG not defined (TFLM BUILD_TYPE=default); CMSIS-NN library unchanged": "no NDEBUG",
}
# Two optimisation levels in one image: the recorded attribution misses one-op links by up to 535 B there (an
# inline function exists in both forms, and which one is kept depends on the ops), elsewhere by a constant.
FITTED_FLAGS = "Oscore+O2kernels"
# That this build alone is fitted was decided with the links of op sets in view (unfitted: 0.52 %);
# they take no part in the fit itself, and any ridge from 0.01 to 30 leaves them within 0.39 to 0.43 %.
RIDGE = 3.0

Row = dict[str, str]
Key = tuple[str, str, str, str]


class Build(NamedTuple):
    """One build: base, and group bytes with the ops that keep them."""

    base_bytes: int
    group_bytes: list[int]
    group_ops: list[frozenset[str]]

    def keeps(self, ops: frozenset[str]) -> list[float]:
        return [1.0 if keepers & ops else 0.0 for keepers in self.group_ops]

    def bytes_of(self, ops: frozenset[str]) -> int:
        return self.base_bytes + sum(
            size for size, keepers in zip(self.group_bytes, self.group_ops, strict=True) if keepers & ops
        )


def main(facts: Path, folder: Path = DATA) -> None:
    links = _rows(facts / "tflm_code_size.csv")
    builds = {key: _build(rows) for key, rows in _by_key(_rows(facts / "tflm_code_atoms.csv")).items()}
    one_op = _by_key(r for r in links if r["config_type"] in ("op", "op_type_restricted"))
    for key, build in builds.items():
        if key[2] == FITTED_FLAGS:
            builds[key] = nearest_to_links(build, one_op[key])
    checks = _by_key(_rows(facts / "tflm_code_prediction_check.csv"))
    sets = {r["op_set"]: frozenset(r["ops"].split()) for r in _rows(DATA / "code_size_op_sets.csv")}
    for core, kernels in sorted({key[:2] for key in builds}):
        mine = {key: build for key, build in builds.items() if key[:2] == (core, kernels)}
        path = folder / f"code_size_{core}_{kernels}.csv"
        path.write_text(_text(mine, checks, sets), encoding="utf-8")
        print(f"{path.name}: {path.stat().st_size} bytes, {len(mine)} builds")
    variants = _variants_text(_rows(facts / "tflm_runtime_variants.csv"), links)
    (folder / "code_size_variants.csv").write_text(variants, encoding="utf-8")


def nearest_to_links(build: Build, links: list[Row]) -> Build:
    """The group sizes nearest to the recorded ones that give the links of one op.

    minimise |A (g + d) + base - linked - c|^2 + RIDGE |d|^2 over d, with c the median (the application's own
    constant of a one-op image). The links of op sets take no part: they are what the figures are checked on.
    """
    keeps = np.array([build.keeps(frozenset([row["config"]])) for row in links])
    linked = np.array([_flash(row) for row in links], dtype=float)
    excess = build.base_bytes + keeps @ np.array(build.group_bytes, dtype=float) - linked
    excess -= median(excess)
    ridge = keeps.T @ keeps + RIDGE * np.eye(keeps.shape[1])
    change = -np.linalg.solve(ridge, keeps.T @ excess)
    sizes = [max(0, round(size + d)) for size, d in zip(build.group_bytes, change, strict=True)]
    return build._replace(group_bytes=sizes)


def _build(rows: list[Row]) -> Build:
    base = next(int(row["flash_bytes"]) for row in rows if row["kind"] == "base_n0")
    groups = [row for row in rows if row["kind"] != "base_n0"]
    return Build(
        base, [int(row["flash_bytes"]) for row in groups],
        [frozenset(row["ops"].split("|")) for row in groups],
    )  # fmt: skip


def _text(builds: dict[Key, Build], checks: dict[Key, list[Row]], sets: dict[str, frozenset[str]]) -> str:
    names = sorted({op for build in builds.values() for ops in build.group_ops for op in ops})
    bit = {name: 1 << index for index, name in enumerate(names)}
    lines = [HEADER + "ops," + " ".join(names)]
    for key, build in sorted(builds.items()):
        errors = [
            100 * (build.bytes_of(sets[row["op_set"]]) / int(row["actual_flash"]) - 1)
            for row in checks[key]
        ]  # fmt: skip
        lines.append(f"build,{key[2]},{key[3]},{build.base_bytes},{min(errors):.2f},{max(errors):.2f}")
        lines.extend(
            f"{size},{sum(bit[op] for op in ops):x}"
            for size, ops in zip(build.group_bytes, build.group_ops, strict=True)
        )
    return "\n".join(lines) + "\n"


def _variants_text(variants: list[Row], links: list[Row]) -> str:
    main_table = {
        (r["core"], r["kernels"], r["flags"], r["config"]): _flash(r)
        for r in links if r["strip_error_strings"] == "0"
    }  # fmt: skip
    lines = []
    for row in variants:
        if row["variant"] in VARIANTS:
            build = (row["core"], row["kernels"], row["flags"])
            linked, base = main_table[*build, row["config"]], main_table[*build, "baseline_noops"]
            name, core, kernels = VARIANTS[row["variant"]], row["core"], row["kernels"]
            lines.append(f"{name},{core},{kernels},{row['config']},{linked},{base},{_flash(row) - linked}")
    return VARIANTS_HEADER + "\n".join(lines) + "\n"


def _flash(row: Row) -> int:
    return int(row["text"]) + int(row["rodata"]) + int(row["data"])


def _by_key(rows: list[Row]) -> dict[Key, list[Row]]:
    found: dict[Key, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["core"], row["kernels"], row["flags"], row["strip_error_strings"]].append(row)
    return found


def _rows(path: Path) -> list[Row]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
