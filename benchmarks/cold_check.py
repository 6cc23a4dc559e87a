"""How long and how much memory a cold `preflash check` takes beside other tools, in one interleaved run.

    python benchmarks/cold_check.py MODEL [--runs 15] [--vela PATH] [--mcufit PATH]

Prints medians of wall time, CPU time and peak memory, and the ratio to preflash pair by pair. Machines are
noisy: quote the ratios.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def measure(command: list[str]) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds (user + system) and peak MiB of one run."""
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, _, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - start
        process.returncode = 0
    return wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def commands(model: str, arguments: argparse.Namespace, scratch: str) -> dict[str, list[str]]:
    """The commands that are present on this machine, preflash first."""
    preflash = [str(Path(sys.executable).with_name("preflash")), "check", model]
    found = {"preflash": [*preflash, "-d", "nucleo-l4r5zi", "-f", "json", "--fail-on", "never"]}
    if arguments.vela:
        found["vela"] = [arguments.vela, model, "--output-dir", scratch]
    if arguments.mcufit:
        found["mcufit"] = [arguments.mcufit, "check", model, "-b", "nano33ble", "--json"]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model")
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--vela", default=shutil.which("vela"))
    parser.add_argument("--mcufit", default=shutil.which("mcufit"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        table = commands(arguments.model, arguments, scratch)
        runs: dict[str, list[tuple[float, float, float]]] = {name: [] for name in table}
        for turn in range(arguments.runs + 1):
            for name, command in table.items():
                figures = measure(command)
                if turn:  # the first round only warms the caches
                    runs[name].append(figures)
    print(
        f"{'tool':10} {'wall s':>8} {'cpu s':>8} {'peak MiB':>9} {'wall / preflash':>16}   n={arguments.runs}"
    )
    for name, rows in runs.items():
        wall, cpu, peak = (statistics.median(column) for column in zip(*rows, strict=True))
        ratio = statistics.median(r[0] / p[0] for r, p in zip(rows, runs["preflash"], strict=True))
        print(f"{name:10} {wall:8.3f} {cpu:8.3f} {peak:9.1f} {ratio:16.2f}")


if __name__ == "__main__":
    main()
