"""How long does step `quantize` take on MobileNetV1-1.0 (4.2 M weights), with and without its calibration?

python benchmarks/quantize.py
"""

from __future__ import annotations

import argparse
from time import perf_counter

from preflash.graphs.tflite.write import write_tflite
from preflash.graphs.variants.calibrate import activations, real_samples
from preflash.graphs.variants.given import Given
from preflash.graphs.variants.prepared import prepared
from preflash.graphs.variants.quantize import Quantize, quantized
from preflash.graphs.zoo import build


def main() -> None:
    """Best of three: the step on activations that are known already, one run of the model, the writing."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    graph = build("mobilenet-v1", dtype="float32")
    ready, _notes = prepared(graph)
    (sample,) = real_samples(graph, Given(), random_samples=1)
    rows = []
    for _ in range(3):
        start = perf_counter()
        known = dict(activations(ready.main, [sample[0]]))
        run_s = perf_counter() - start
        given = Given(samples=(sample,), activations=lambda _graph, _one, known=known: known)
        start = perf_counter()
        whole = quantized(graph, Quantize(), given).graph
        step_s = perf_counter() - start
        start = perf_counter()
        write_tflite(whole)
        rows.append((step_s, run_s, perf_counter() - start))
    step_s, run_s, write_s = (min(column) for column in zip(*rows, strict=True))
    print(f"quantize {step_s:.2f} s, and {run_s:.2f} s per sample of calibration; writing {write_s:.2f} s")


if __name__ == "__main__":
    main()
