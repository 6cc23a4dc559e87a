"""Make simulator/data/measured/energy.csv from the published energies of MLPerf Tiny and of MicroNets.

usage: make_energy_data.py FACTS_FOLDER      (holds mlperf_tiny.csv and measured_other.csv)

Every Cortex-M row with an energy is taken over once; a row that no comparison may use says why in `left_out`.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

OUT = Path(__file__).resolve().parents[1] / "simulator" / "data" / "measured" / "energy.csv"
COLUMNS = (
    "device", "runtime", "network", "clock", "latency", "energy", "supply", "regulator", "boundary",
    "source", "left_out",
)  # fmt: skip
HEADER = """\
# Measured energy of one inference. Made by scripts/make_energy_data.py from facts/mlperf_tiny.csv and
# facts/measured_other.csv. boundary: what the measured supply feeds (core, mcu, board).
# supply, regulator: as the submission notes them; without a note of an SMPS the part runs on its LDO.
# left_out: why the row stands in no comparison and no fit; "" if it does.
"""
# board as submitted -> board here; the -P variant is the same chip with a converter on the board
BOARDS = {
    "NUCLEO-L4R5ZI": "nucleo-l4r5zi", "NUCLEO-L4R5ZI-P": "nucleo-l4r5zi", "NUCLEO-U575ZI-Q": "nucleo-u575zi",
    "NUCLEO-H7A3ZI-Q": "nucleo-h7a3zi", "XG24-DK2601B": "efr32mg24", "NUCLEO-U3C5ZIT6-Q": "nucleo-u3c5zi",
    "NDP9120": "ndp9120",
}  # fmt: skip
RUNTIMES = {
    "microTVM+CMSIS-NN": "microtvm-cmsis-nn", "microTVM native": "microtvm", "ONNC+CMSIS-NN q7": "onnc-q7",
    "TFLM+CMSIS-NN": "tflm-cmsis-nn",
}  # fmt: skip
MODELLED = ("X-CUBE-AI", "microTVM+CMSIS-NN", "TFLM+CMSIS-NN")
MICRONETS = "arXiv 2010.11267 Table 4 (MicroNets)"

Row = dict[str, str]


def main(facts: Path) -> None:
    rows = [*mlperf_rows(_read(facts / "mlperf_tiny.csv")), *micronets_rows(facts / "measured_other.csv")]
    with OUT.open("w", newline="", encoding="utf-8") as file:
        file.write(HEADER)
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    used = sum(not row["left_out"] for row in rows)
    print(f"{OUT.name}: {len(rows)} rows, {used} used")


def mlperf_rows(published: list[Row]) -> Iterator[Row]:
    """Rows of a Cortex-M with an energy; the same files handed in again count once."""
    seen: set[tuple[str, ...]] = set()
    for row in published:
        if not row["energy_uj"] or not row["core"].startswith("Cortex-M"):
            continue
        key = tuple(row[name] for name in ("board", "cpu_mhz", "benchmark", "latency_ms", "energy_uj"))
        if key in seen:
            continue
        seen.add(key)
        smps = "SMPS" in row["voltage_note"]
        yield {
            "device": BOARDS[row["board"].upper()], "runtime": _runtime(row),
            "network": row["benchmark"].removesuffix("01"), "clock": f"{float(row['cpu_mhz']):g} MHz",
            "latency": f"{row['latency_ms']} ms", "energy": f"{row['energy_uj']} uJ",
            "supply": f"{int(row['supply_mv']) / 1000:g} V" if row["supply_mv"] else "",
            "regulator": "smps" if smps else "ldo", "boundary": "mcu",
            "source": f"MLPerf Tiny {row['round']}, {row['submitter']}, {row['system']}",
            "left_out": _reason(row),
        }  # fmt: skip


def _runtime(row: Row) -> str:
    """ "x-cube-ai@9.0": the name, with major and minor number of a release."""
    family = row["runtime_family"]
    if family == "X-CUBE-AI":
        number = row["runtime"].split()[-1].split(".")
        return f"x-cube-ai@{'.'.join(number[:2])}"
    return RUNTIMES.get(family, "other")


def _reason(row: Row) -> str:
    """Why a row stands in no comparison; "" if it does."""
    reasons = {
        row["flag"]: bool(row["flag"]),
        "v0.5 reference: TFLM 2.3.1, kernels before those modelled": row["submitter"] == "reference",
        f"runs on an accelerator ({row['accelerator']})": bool(row["accelerator"]),
        f"no runtime here models {row['runtime_family']}": row["runtime_family"] not in MODELLED,
        "streaming benchmark: its energy is that of a period of 32 ms, waiting included":
            row["benchmark"] == "sww01",
        "supply not stated": not row["supply_mv"],
    }  # fmt: skip
    return "; ".join(reason for reason, holds in reasons.items() if holds)


def micronets_rows(path: Path) -> Iterator[Row]:
    """The whole-board energies of one board: latency and energy stand in rows of their own."""
    values: dict[str, dict[str, Row]] = {}
    for row in _read(path):
        if row["source"] == MICRONETS and row["device"] == "STM32F746ZG":
            values.setdefault(row["model"], {})[row["metric"]] = row
    for model, metrics in values.items():
        if "energy" not in metrics:
            continue
        latency, energy = metrics["latency"], metrics["energy"]
        yield {
            "device": "nucleo-f746zg", "runtime": "tflm-cmsis-nn", "network": model, "clock": "216 MHz",
            "latency": f"{latency['value']} ms", "energy": f"{energy['value']} mJ", "supply": "",
            "regulator": "", "boundary": "board", "source": MICRONETS,
            "left_out": _micronets_reason(latency, energy),
        }  # fmt: skip


def _micronets_reason(latency: Row, energy: Row) -> str:
    reasons = {
        "the paper's energy columns look shifted in this row": "columns look shifted" in energy["notes"],
        "the paper marks the row as estimated": "estimated (*)" in latency["notes"],
        "latency printed with one digit": float(latency["value"]) < 10,
    }
    return "; ".join(reason for reason, holds in reasons.items() if holds)


def _read(path: Path) -> list[Row]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
