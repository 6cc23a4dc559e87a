"""Make simulator/data/measured/ops.csv and retired.csv: latencies of single ops, instructions retired.

usage: make_op_rows.py FACTS_FOLDER      (holds measured_other.csv)
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from preflash.simulator.calibrate.rows import COLUMNS
from preflash.simulator.validate.facts import Facts

OUT = Path(__file__).resolve().parents[1] / "simulator" / "data" / "measured"
OPS_HEADER = """\
# Measured latencies of single ops; op is the index among the kernels of that runtime. No row fits a core or
# a board: those of cmsis-nn-uint8 make its own factors (simulator/calibrate/op_factors.py), those of
# apollo510 make class_cpi.csv.
# Made by scripts/make_op_rows.py from facts/measured_other.csv. Columns: simulator/calibrate/rows.py.
"""
RETIRED_HEADER = """\
# Instructions retired per op, from the core's performance counters (measured_other.csv, AmbiqAI/neuralSPOT).
# Made by scripts/make_op_rows.py. The rows of ops.csv with the same op hold the latency of the same run.
"""
UINT8 = {"device": "nucleo-h743zi", "runtime": "cmsis-nn-uint8", "network": "zoo:mobilenet-v1 0.25 160 1000"}
EXECUTORCH = {
    "device": "alif-e8", "runtime": "executorch-cmsis-nn", "network": "zoo:mobilenet-v2 1.0 224 1000"
}  # fmt: skip
APOLLO = {"device": "apollo510", "runtime": "tflm-cmsis-nn", "network": "zoo:kws01", "flags": "?"}
RESHAPE = 28  # of MobileNetV1: a kernel in ours, none in the table
NOT_OURS = "no kernel of the network: the input's quantisation and the ranking of the output stand beside it"
Row = dict[str, str]


def main(facts: Facts, folder: Path = OUT) -> None:
    raw = facts.rows("measured_other.csv")
    apollo = [row for row in raw if row["device"] == "Apollo510" and " layer " in row["model"]]
    rows = [*_uint8(raw), *_executorch(raw), *_apollo(apollo)]
    _write(folder / "ops.csv", OPS_HEADER, COLUMNS, rows)
    retired = [
        {"op": row["op"], "instructions": _found(r"inst retired (\d+)", one["notes"])}
        for row, one in zip(_apollo(apollo), apollo, strict=True)
    ]
    fixed = {key: value for key, value in APOLLO.items() if key != "flags"}
    _write(folder / "retired.csv", RETIRED_HEADER, (*fixed, "op", "instructions"),
           [{**fixed, **row} for row in retired])  # fmt: skip


def _uint8(raw: Sequence[Row]) -> Iterator[Row]:
    for row in raw:
        if not row["source"].startswith("EEESlab") or " layer " not in row["model"]:
            continue
        at = int(_found(r" layer (\d+) ", row["model"])) - 1
        op = at if at < RESHAPE else at + 1
        left_out = NOT_OURS if "Top5" in row["model"] else ""
        yield _row(UINT8, row, op, left_out)


def _executorch(raw: Sequence[Row]) -> Iterator[Row]:
    for row in raw:
        if row["device"].startswith("Alif Ensemble E8") and row["metric"] == "cycles":
            at = int(_found(r" op(\d+) ", row["model"]))  # op 0 quantises the picture
            yield _row(EXECUTORCH, row, max(at - 1, 0), NOT_OURS if at == 0 else "")


def _apollo(rows: Sequence[Row]) -> list[Row]:
    return [_row(APOLLO, row, int(_found(r" layer (\d+) ", row["model"]))) for row in rows]


def _row(where: Row, row: Row, op: int, left_out: str = "") -> Row:
    mhz = float(row["mhz"])
    us = float(row["value"]) / mhz if row["unit"] == "cycles" else float(row["value"])
    source = row["source"].split(":")[0].split(" (")[0]
    what = re.sub(r"^.*? (layer|op)", r"\1", row["model"])
    return {
        **where, "op": "" if left_out else str(op), "clock": f"{mhz:g} MHz", "latency": f"{us:.8g} us",
        "left_out": left_out, "source": f"measured_other.csv: {source}: {what}",
    }  # fmt: skip


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found is not None, text
    return found[1]


def _write(path: Path, header: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        file.write(header)
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(f"{path.name}: {len(rows)} rows")


if __name__ == "__main__":
    main(Facts(Path(sys.argv[1])))
