"""How long `simulate` takes on an already read model.

    python benchmarks/simulate_in_process.py MODEL [-d BOARD] [--runs 200]

The first call of a process also loads coefficient tables; it is printed apart from the median of the rest.
"""

from __future__ import annotations

import argparse
import statistics
import time

import preflash


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model")
    parser.add_argument("-d", "--device", default="nucleo-l4r5zi")
    parser.add_argument("--runs", type=int, default=200)
    arguments = parser.parse_args()
    graph = preflash.read_tflite(arguments.model)
    target = preflash.load_target(arguments.device)
    times_ms = []
    for _ in range(arguments.runs + 1):
        start = time.perf_counter()
        preflash.simulate(graph, target)
        times_ms.append((time.perf_counter() - start) * 1e3)
    rest = sorted(times_ms[1:])
    print(f"{len(graph.ops)} ops on {arguments.device}: first {times_ms[0]:.2f} ms, "
          f"then median {statistics.median(rest):.2f} ms, p90 {rest[int(len(rest) * 0.9)]:.2f} ms, "
          f"n={arguments.runs}")  # fmt: skip


if __name__ == "__main__":
    main()
