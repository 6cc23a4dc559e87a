"""How long `auto_patches` takes: all legal cuts and grids up to 8x8, on an already read model.

    python benchmarks/patches.py [MODEL ...] [-d BOARD] [--budget-kib 256]

Without a model, the zoo's MobileNetV2 at 224x224.
"""

from __future__ import annotations

import argparse
import time

import preflash
from preflash.graphs.zoo import build
from preflash.simulator.patches.study import auto_patches


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="*")
    parser.add_argument("-d", "--device", default="nucleo-h743zi")
    parser.add_argument("--budget-kib", type=int, default=256)
    arguments = parser.parse_args()
    target = preflash.load_target(arguments.device)
    graphs = [preflash.read_tflite(path) for path in arguments.models] or [build("mobilenet-v2")]
    for graph in graphs:
        for streamed in (False, True):
            start = time.perf_counter()
            study = auto_patches(graph, target, arguments.budget_kib * 1024, input_streamed=streamed)
            seconds = time.perf_counter() - start
            print(f"{graph.name}, {len(graph.ops)} ops, input {'streamed' if streamed else 'in RAM'}: "
                  f"{study.looked_at} pairs, front of {len(study.front)}, {seconds:.2f} s: "
                  f"{study.sentence}")  # fmt: skip


if __name__ == "__main__":
    main()
