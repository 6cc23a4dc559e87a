"""What another order of the ops gains, on generated cells and on the models of a folder.

    python benchmarks/order.py [MODELS...] [--library cmsis-nn] [--flavour dsp] [--in-place]

Bytes. "peak" is the largest live sum, in the given order and in the best one; "bound" is below every order;
"arena" is the smallest one that works, by TFLM's own planner.
"""

from __future__ import annotations

import argparse
import time

from preflash.devices.target import KernelBuild
from preflash.graphs.cells import branches_by_breadth, darts_cells, nasnet_cells, randomly_wired
from preflash.graphs.ir import ModelGraph
from preflash.graphs.tflite.read import read_tflite
from preflash.simulator.memory.order.study import study_order
from preflash.simulator.memory.plan import plan_tflm

_NAMES = ("peak", "best", "bound", "arena", "after")
COLUMNS = f"{'graph':34} {'ops':>5} " + " ".join(f"{name:>9}" for name in _NAMES) + f" {'gain':>6} {'s':>6}"


def generated() -> list[ModelGraph]:
    wired = [randomly_wired(n, seed=seed) for n in (12, 32) for seed in range(4)]
    cells = [make(n) for make in (nasnet_cells, darts_cells) for n in (1, 3)]
    return [*wired, *cells, branches_by_breadth(6), branches_by_breadth(24, extent=8)]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="*")
    parser.add_argument("--library", default="cmsis-nn")
    parser.add_argument("--flavour", default="dsp")
    parser.add_argument("--in-place", action="store_true")
    arguments = parser.parse_args()
    build = KernelBuild(arguments.library, arguments.flavour, "arm32-short-enum")
    print(COLUMNS, "found by; why no order is better")
    for graph in [read_tflite(path) for path in arguments.models] or generated():
        begin = time.perf_counter()
        study = study_order(graph, lambda one: plan_tflm(one, build), in_place=arguments.in_place)
        seconds = time.perf_counter() - begin
        live = study.live
        gain = study.gained_bytes / study.arena_before_bytes
        proof = live.proof or f"gap {live.gap:.1%}"
        print(f"{graph.name:34.34} {len(graph.ops):5} {study.peak_before_bytes:9} {live.peak_bytes:9} "
              f"{live.lower_bound_bytes:9} {study.arena_before_bytes:9} {study.arena_after_bytes:9} "
              f"{gain:6.1%} {seconds:6.2f} {live.method}; {proof}")  # fmt: skip
        if study.in_place is not None:
            shared = study.in_place
            print(f"{'    in place':34} {len(shared.ops):5} {shared.given_peak_bytes:9} "
                  f"{shared.best.peak_bytes:9} {shared.best.lower_bound_bytes:9}")  # fmt: skip


if __name__ == "__main__":
    main()
