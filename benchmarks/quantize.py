"""How long does step `quantize` take on MobileNetV1-1.0 (4.2 M weights), with and without its calibration?

python -m preflash.benchmarks.quantize [--samples N]
"""

from __future__ import annotations

import argparse
from time import perf_counter

from preflash.graphs.tflite.write import write_tflite
from preflash.graphs.variants.calibrate import observed, real_samples
from preflash.graphs.variants.given import Given
from preflash.graphs.variants.prepared import prepared
from preflash.graphs.variants.quantize import Quantize, quantized
from preflash.graphs.zoo import build


def main() -> None:
    """Seconds of the whole step, of its calibration, and of writing the file; the best of three."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=2)
    samples = parser.parse_args().samples
    graph = build("mobilenet-v1", dtype="float32")
    rows = []
    for _ in range(3):
        start = perf_counter()
        whole = quantized(graph, Quantize(random_samples=samples)).graph
        step_s = perf_counter() - start
        ready, _notes = prepared(graph)
        flowing = [t.index for t in ready.tensors if not t.is_constant]
        noise = real_samples(graph, Given(), random_samples=samples)
        start = perf_counter()
        observed(ready, flowing, Given(), samples=noise, bins=False)
        calibration_s = perf_counter() - start
        start = perf_counter()
        write_tflite(whole)
        rows.append((step_s - calibration_s, calibration_s, perf_counter() - start))
    rest_s, calibration_s, write_s = min(rows)
    print(f"without calibration {rest_s:.2f} s, calibration on {samples} samples {calibration_s:.2f} s, "
          f"writing {write_s:.2f} s")  # fmt: skip


if __name__ == "__main__":
    main()
