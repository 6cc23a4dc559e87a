"""Make simulator/data/code_size_op_sets.csv: which ops the linked firmwares random_00 to random_11 hold.

usage: recover_op_sets.py FACTS_FOLDER      (needs ortools)

The recorded check names its random sets without their ops. Each of its rows states
naive_sum = flash(baseline) + sum of the ops' marginal bytes + (ops - 1) x (bytes of one resolver call)
for one build, with marginals and baseline in tflm_code_size.csv. Thirty-two builds together leave one set of
ops, up to ops that are equally large in every build; the union rule then has to give the recorded prediction.
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

DATA = Path(__file__).resolve().parents[1] / "simulator" / "data"
HEADER = """\
# The ops of the firmwares that were linked to check the union rule (tflm_code_prediction_check.csv).
# random_*: recovered from naive_sum and the marginals of every build, checked against union_prediction; ops
# that are equally large in every build cannot be told apart. Made by scripts/recover_op_sets.py.
op_set,ops
"""
_TOLERANCE_BYTES = 4  # the recorded sums are rounded
_WITH_INT8 = "ADD AVERAGE_POOL_2D CONV_2D DEPTHWISE_CONV_2D FULLY_CONNECTED SOFTMAX"
_IC = "ADD AVERAGE_POOL_2D CONV_2D FULLY_CONNECTED RESHAPE SOFTMAX"
_KWS = "AVERAGE_POOL_2D CONV_2D DEPTHWISE_CONV_2D FULLY_CONNECTED RESHAPE SOFTMAX"
_NAMED = {"mlperf_ic": _IC, "mlperf_kws": _KWS, "mlperf_vww": _KWS, "mlperf_ad": "FULLY_CONNECTED"}
_CUSTOM = {"CircularBuffer", "Decode", "DetectionPostprocess"}

Row = dict[str, str]
Build = tuple[str, str, str, str]


def main(facts: Path, folder: Path = DATA) -> None:
    sizes, checks = _rows(facts / "tflm_code_size.csv"), _rows(facts / "tflm_code_prediction_check.csv")
    atoms = _rows(facts / "tflm_code_atoms.csv")
    found = dict(named_sets(sizes))
    for name in sorted({row["op_set"] for row in checks} - set(found)):
        rows = [row for row in checks if row["op_set"] == name]
        found[name] = next(ops for ops in candidates(rows, sizes, checks) if explains(ops, rows, atoms))
    lines = [f"{name},{' '.join(ops)}" for name, ops in sorted(found.items())]
    (folder / "code_size_op_sets.csv").write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")


def named_sets(sizes: list[Row]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The sets that the specification spells out."""
    for name, text in _NAMED.items():
        ops = text.split()
        yield name, tuple(ops)
        yield f"{name}_int8reg", tuple(f"{op}_INT8" if op in _WITH_INT8.split() else op for op in ops)
    every = {row["config"] for row in sizes if row["config_type"] == "op"} - _CUSTOM
    yield "all_builtin_ops", tuple(sorted(every))


def candidates(rows: list[Row], sizes: list[Row], checks: list[Row]) -> Iterator[tuple[str, ...]]:
    """Every set of ops whose marginals give the naive sums of all these rows."""
    from ortools.sat.python import cp_model

    baseline = {build(r): flash(r) for r in sizes if r["config"] == "baseline"}
    marginal: dict[Build, dict[str, int]] = defaultdict(dict)
    for row in sizes:
        if row["config_type"] == "op":
            marginal[build(row)][row["config"]] = int(row["marginal_flash"])
    call = {}  # of six ops, five calls are beyond the one in the marginals
    for row in checks:
        if row["op_set"] == "mlperf_ic":
            own = sum(marginal[build(row)][op] for op in _IC.split())
            call[build(row)] = (int(row["naive_sum"]) - baseline[build(row)] - own) / 5
    names = sorted(set.intersection(*(set(ops) for ops in marginal.values())))
    model = cp_model.CpModel()
    taken = {op: model.new_bool_var(op) for op in names}
    model.add(sum(taken.values()) == int(rows[0]["n_ops"]))
    for row in rows:
        key = build(row)
        want = int(row["naive_sum"]) - baseline[key] - call[key] * (int(row["n_ops"]) - 1)
        total = sum(marginal[key][op] * taken[op] for op in names)
        model.add_linear_constraint(total, round(want) - _TOLERANCE_BYTES, round(want) + _TOLERANCE_BYTES)
    solver = cp_model.CpSolver()
    solver.parameters.random_seed = 0
    while solver.solve(model) in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        ops = [op for op in names if solver.value(taken[op])]
        yield tuple(ops)
        model.add(sum(taken[op] for op in ops) < len(ops))


def explains(ops: tuple[str, ...], rows: list[Row], atoms: list[Row]) -> bool:
    """Whether the union rule gives the recorded prediction of every row for these ops."""
    wanted, totals = set(ops), defaultdict(int)
    for atom in atoms:
        if atom["kind"] == "base_n0" or wanted & set(atom["ops"].split("|")):
            totals[build(atom)] += int(atom["flash_bytes"])
    return all(abs(totals[build(row)] - int(row["union_prediction"])) <= 2 for row in rows)


def build(row: Row) -> Build:
    return row["core"], row["kernels"], row["flags"], row["strip_error_strings"]


def flash(row: Row) -> int:
    return int(row["text"]) + int(row["rodata"]) + int(row["data"])


def _rows(path: Path) -> list[Row]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
