"""Make simulator/data/measured/latency.csv: measured latencies of Arm microcontrollers, one row per measurement.

usage: make_measured_rows.py FACTS_FOLDER      (holds mlperf_tiny.csv, st_model_zoo.csv, mcufit_bench_*.csv, ...)

The same measurement handed in twice (same board, runtime, network and clock) is one row: the median.
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from pathlib import Path
from statistics import median

from preflash.simulator.calibrate.rows import COLUMNS
from preflash.simulator.validate.facts import Facts
from preflash.simulator.validate.st_rows import network_of, reason_left_out

OUT = Path(__file__).resolve().parents[1] / "simulator" / "data" / "measured" / "latency.csv"
HEADER = """\
# Measured latencies of whole networks (and of single ops, column op). Columns: simulator/calibrate/rows.py.
# Made by scripts/make_measured_rows.py from facts/: mlperf_tiny.csv (MLCommons Tiny results), st_model_zoo.csv (ST's
# model zoo), mcufit_bench_models.csv and mcufit_bench_ops.csv (mcufit-bench, MIT), measured_other.csv, cpi_check.csv.
"""
DEVICES = {
    "NUCLEO-L4R5ZI": "nucleo-l4r5zi", "Nucleo-L4R5ZI": "nucleo-l4r5zi", "NUCLEO-L4R5ZI-P": "nucleo-l4r5zi",
    "NUCLEO-U575ZI-Q": "nucleo-u575zi", "NUCLEO-H7A3ZI-Q": "nucleo-h7a3zi", "NUCLEO-H7A3ZI": "nucleo-h7a3zi",
    "nRF5340 DK": "nrf5340-dk", "EK-RA8D1": "ek-ra8d1",
}  # fmt: skip
NETWORKS = {name: f"zoo:{name}" for name in ("kws01", "vww01", "ic01", "ad01", "sww01")}
RELEASES = {"7.1.0": "7.1", "7.3.0": "7.3", "8.1.0": "8.1", "9.0.0": "9.0", "9.0": "9.0",
            "10.2": "9.0", "10.2.0": "9.0"}  # fmt: skip
LIVE = ("8.1", "9.0", "10.0", "3.0")  # releases that drop channels without a weight
V05 = "the v0.5 reference: its sources are not those that were counted (specs/cmsis_nn_cost.md)"
Row = dict[str, str]


def main(facts: Facts) -> None:
    rows = [
        *_merged(mlperf_rows(facts)), *_merged(zoo_rows(facts)), *_merged(mcufit_rows(facts)),
        *other_rows(facts), SPOKEN_OF,
    ]  # fmt: skip
    with OUT.open("w", newline="", encoding="utf-8") as file:
        file.write(HEADER)
        writer = csv.DictWriter(file, COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    used = sum(not row.get("left_out") for row in rows)
    print(f"{OUT.name}: {len(rows)} rows, {used} used")


def mlperf_rows(facts: Facts) -> list[Row]:
    rows = []
    for raw in facts.rows("mlperf_tiny.csv"):
        runtime, left_out = _mlperf_runtime(raw)
        device = DEVICES.get(raw["board"], "")
        if not runtime or not device:
            continue
        release = runtime.partition("@")[2]
        network = NETWORKS[raw["benchmark"]]
        if network == "zoo:vww01" and release in LIVE:
            network = "zoo:vww01-live"
        if raw["weights"] == "fp32":
            network += " - - - - float32"
        left_out = left_out or (f"flagged: {raw['flag']}" if raw["flag"] else "")
        if "nearly" in raw["variant"]:
            left_out = left_out or raw["variant"]
        rows.append({
            "device": device, "runtime": runtime, "network": network, "clock": f"{float(raw['cpu_mhz']):g} MHz",
            "latency": f"{float(raw['latency_ms']):g} ms", "left_out": left_out,
            "source": f"mlperf_tiny.csv: {raw['round']} {raw['submitter']} {raw['system']}",
        })  # fmt: skip
    return rows


def _mlperf_runtime(raw: Row) -> tuple[str, str]:
    """The runtime here, and why its rows are left out; "" for a runtime that nobody models."""
    text = raw["runtime"]
    if text.startswith("X-CUBE-AI"):
        return f"x-cube-ai@{RELEASES[text.split()[-1]]}", ""
    if text.startswith("TVM") and "CMSIS-NN" in text:
        return "microtvm-cmsis-nn", ""
    if text.startswith("TFLM 2023/24"):
        return "tflm-cmsis-nn", ""
    if text.startswith("TFLM 2.3.1, TAGS"):
        return "tflm-cmsis-nn", V05
    return "", ""


def zoo_rows(facts: Facts) -> list[Row]:
    rows = []
    for raw in facts.rows("st_model_zoo.csv"):
        reason = reason_left_out(raw, needs_ram=False)
        if reason or not raw["inference_ms"] or raw["series"] != "STM32H7":
            continue
        version, network = network_of(raw)
        words = [network.name, network.width, network.resolution, network.classes, network.picture_channels]
        text = " ".join("-" if word is None else f"{word:g}" if isinstance(word, float) else str(word)
                        for word in words).rstrip(" -")  # fmt: skip
        place = "arena=sdram" if "external RAM" in raw["ext_memory"] else ""
        outside = "weights in external flash of unstated kind" if "Flash" in raw["ext_memory"] else ""
        rows.append({
            "device": "stm32h747i-disco", "runtime": f"x-cube-ai@{version}", "network": f"zoo:{text}",
            "clock": f"{float(raw['cpu_mhz']):g} MHz", "latency": f"{float(raw['inference_ms']):g} ms",
            "place": place, "left_out": outside,
            "source": f"st_model_zoo.csv: {raw['model']} {raw['resolution']} {raw['dataset']}, {raw['cubeai_version']}",
        })  # fmt: skip
    return rows


_MCUFIT = {"person_detect": "zoo:person-detect", "pretrainedResnet_quant": "zoo:ic01", "ad01_int8": "zoo:ad01"}


def mcufit_rows(facts: Facts) -> list[Row]:
    board = {"device": "arduino-nano-33-ble", "runtime": "tflm-arduino", "clock": "64 MHz"}
    rows = []
    for name, column in (("mcufit_bench_models.csv", "p50_us"), ("mcufit_bench_ops.csv", "us_per_inference")):
        for raw in facts.rows(name):
            if raw["target"] == "nano33ble" and raw[column]:
                rows.append({
                    **board, "network": _MCUFIT[raw["model"].removesuffix(".tflite")], "op": raw.get("op", ""),
                    "latency": f"{float(raw[column]) / 1000:g} ms", "source": f"{name}: {raw['board_label']}",
                })  # fmt: skip
    return rows


# Rows of measured_other.csv by the text of their model: device, runtime, flags, network, why left out.
_OTHER: dict[tuple[str, str, str], tuple[str, ...]] = {
    ("dippmatt", "TFLM (via CubeAI runtime)", "MLPerf Tiny KWS DS-CNN"): ("nucleo-l4r5zi", "tflm-cmsis-nn", "?", "zoo:kws01", ""),
    ("dippmatt", "TFLM (via CubeAI runtime)", "MLPerf Tiny IC ResNet8"): ("nucleo-l4r5zi", "tflm-cmsis-nn", "?", "zoo:ic01", ""),
    ("dippmatt", "X-CUBE-AI 8.1 time", "MLPerf Tiny KWS DS-CNN"): ("nucleo-l4r5zi", "x-cube-ai@8.1", "", "zoo:kws01", ""),
    ("dippmatt", "X-CUBE-AI 8.1 time", "MLPerf Tiny IC ResNet8"): ("nucleo-l4r5zi", "x-cube-ai@8.1", "", "zoo:ic01", ""),
    ("dippmatt", "X-CUBE-AI 8.1 balanced", "MLPerf Tiny KWS DS-CNN"): ("nucleo-l4r5zi", "x-cube-ai@8.1", "", "zoo:kws01", "optimised for both time and RAM: other kernels"),
    ("dippmatt", "X-CUBE-AI 8.1 balanced", "MLPerf Tiny IC ResNet8"): ("nucleo-l4r5zi", "x-cube-ai@8.1", "", "zoo:ic01", "optimised for both time and RAM: other kernels"),
    ("dippmatt", "X-CUBE-AI 8.1 ram", "MLPerf Tiny KWS DS-CNN"): ("nucleo-l4r5zi", "x-cube-ai@8.1", "", "zoo:kws01", "optimised for RAM: other kernels"),
    ("dippmatt", "X-CUBE-AI 8.1 ram", "MLPerf Tiny IC ResNet8"): ("nucleo-l4r5zi", "x-cube-ai@8.1", "", "zoo:ic01", "optimised for RAM: other kernels"),
    ("Samsung/ONE", "TFLM + CMSIS-NN", "person_detection (MobileNetV1 0.25 96)"): ("nucleo-f413zh", "tflm-cmsis-nn", "?", "zoo:person-detect", ""),
    ("AmbiqAI", "TFLM + CMSIS-NN MVE", "KWS DS-CNN (MLPerf Tiny) sum of layers"): ("apollo510", "tflm-cmsis-nn", "?", "zoo:kws01", ""),
    ("matteocarnelos", "TFLM", "person_detection MobileNetV1-0.25 96x96x1"): ("nrf52840-dk", "tflm-cmsis-nn", "?", "zoo:person-detect", "neither kernels nor flags are stated"),
}  # fmt: skip


# In no table, only in specs/techniques.md (SA-21).
SPOKEN_OF = {
    "device": "nucleo-u575zi", "runtime": "x-cube-ai@9.0", "network": "zoo:sww01 - - - - float32",
    "clock": "160 MHz", "latency": "47.8 ms", "source": "specs/techniques.md SA-21: MLPerf Tiny streaming wake word",
}  # fmt: skip


def other_rows(facts: Facts) -> list[Row]:
    rows = []
    for raw in facts.rows("measured_other.csv"):
        for (source, runtime, model), found in _OTHER.items():
            if not raw["source"].startswith(source) or raw["runtime"] != runtime or raw["model"] != model:
                continue
            if source in ("Samsung/ONE",) and raw["device"] != "NUCLEO-F413ZH":
                continue
            if source == "matteocarnelos" and raw["device"] != "nRF52840":
                continue
            device, ours, flags, network, left_out = found
            rows.append({
                "device": device, "runtime": ours, "network": network, "flags": flags, "left_out": left_out,
                "clock": f"{float(raw['mhz']):g} MHz", "latency": f"{float(raw['value']):g} {raw['unit']}",
                "source": f"measured_other.csv: {raw['source']}",
            })  # fmt: skip
    return rows


def _merged(rows: list[Row]) -> list[Row]:
    """One row per measurement: those that agree in all but latency, source and reason."""
    same: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in rows:
        key = tuple(row.get(c, "") for c in COLUMNS if c not in ("latency", "source", "left_out"))
        same[(*key, row.get("left_out", ""))].append(row)
    merged = []
    for alike in same.values():
        middle = median(float(row["latency"].split()[0]) for row in alike)
        sources = list(dict.fromkeys(row["source"] for row in alike))
        more = f" and {len(alike) - 1} more" if len(alike) > 1 else ""
        merged.append({**alike[0], "latency": f"{middle:g} ms", "source": sources[0] + more})
    return merged


if __name__ == "__main__":
    main(Facts(Path(sys.argv[1])))
