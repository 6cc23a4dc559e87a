"""How long does a sweep take per point, does it grow with the points, is each `simulate`'s, how much memory?

    python benchmarks/sweep.py [--sides 100 316 1000] [--jobs 2] [--sample 1000] [--vela /path/to/vela]

Variants are networks of the zoo in many shapes (width, resolution, classes), each as it is, pruned in five
ways and with 4, 5 and 6 bits; targets are all boards with several runtimes, clocks and placements, taken
evenly. The store is part of the time. A sample of points is simulated one by one from the variant's own file
and compared: figures with their intervals, verdict and limiting budget.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from preflash.graphs.tflite.write import write_tflite
from preflash.simulator.simulate import simulate
from preflash.simulator.sweep.asked.grid import grid_of
from preflash.simulator.sweep.asked.scenario import SweepScenario
from preflash.simulator.sweep.asked.specs import Grid
from preflash.simulator.sweep.engine import run_sweep
from preflash.simulator.sweep.run.making import make
from preflash.simulator.sweep.run.pools import Here, Processes
from preflash.simulator.sweep.store.identity import kernels_of, target_row
from preflash.simulator.sweep.store.reading import read_store
from preflash.simulator.sweep.store.store import Store
from preflash.simulator.sweep.table import WORDS

_NETWORKS = ("person-detect", "mobilenet-v2", "squeezenet-v1.1")
_SHAPES = {"width": [0.125, 0.25, 0.35, 0.5, 0.75], "resolution": [48, 64, 80, 96], "classes": [2, 10]}
_SCENARIO = {
    "model": [{"zoo": name, "over": _SHAPES} for name in _NETWORKS],
    "recipe": [
        {"steps": "prune sparsity={s}", "over": {"s": [0.3, 0.5, 0.7, 0.9]}},
        {"steps": "prune granularity=2:4"},
        {"steps": "quantize-weights bits={b}", "over": {"b": [4, 5, 6]}},
    ],
    "targets": {
        "boards": ["all"], "runtimes": ["default", "tflm-reference", "x-cube-ai"],
        "clocks": ["max", "75%", "50%"], "place": ["own", "every"],
    },
    "constraints": {"deadline": "100 ms"},
}  # fmt: skip
_METRICS = {"arena_bytes": "arena_min_bytes", "ram_bytes": "ram_bytes", "flash_bytes": "flash_bytes",
            "latency_s": "latency_s", "energy_j": "energy_j"}  # fmt: skip


def cut(grid: Grid, side: int) -> Grid:
    """So many variants and so many targets, taken evenly."""
    variants = _evenly(grid.variants, side)
    targets = _evenly(grid.targets, side)
    return replace(
        grid, variants=tuple(replace(spec, number=n) for n, spec in enumerate(variants)),
        targets=tuple(replace(spec, number=n) for n, spec in enumerate(targets)),
    )  # fmt: skip


def _evenly(specs: tuple, count: int) -> list:
    return [specs[int(place * len(specs) / count)] for place in range(min(count, len(specs)))]


def run(grid: Grid, path: Path, jobs: int) -> float:
    """Seconds from an empty store to a closed one, workers started and ended in between."""
    begin = time.perf_counter()
    store = Store(path, is_new=True)
    store.begin({}, ((target_row(spec), kernels_of(spec)) for spec in grid.targets))
    store.state({"limits": "{}", "objectives": "[]"})
    pool = Here(grid) if jobs == 1 else Processes(grid, jobs)
    run_sweep(grid, store, pool)
    pool.close()
    store.close()
    return time.perf_counter() - begin


def compare(grid: Grid, path: Path, count: int) -> tuple[int, float]:
    """How many of the sampled points differ from `simulate` on the variant's file; seconds per such call."""
    table = read_store(path)
    rng = np.random.default_rng(0)
    points = np.sort(rng.choice(len(table), min(count, len(table)), replace=False))
    differ, spent_s, at, graph = 0, 0.0, -1, None
    for point in points.tolist():
        variant, spec = int(table.variant[point]), grid.targets[table.target[point]]
        if variant != at:
            at, graph = variant, make(grid.variants[variant], grid, None, {}).graph
        assert graph is not None and spec.target is not None
        begin = time.perf_counter()
        estimate = simulate(graph, spec.target, spec.conditions)
        spent_s += time.perf_counter() - begin
        same = WORDS[table.word[point]] == estimate.verdict.word.value
        same &= table.limits_named[table.limiting[point]] == estimate.verdict.limiting
        for name, metric in _METRICS.items():
            found = estimate.metric(metric)
            for mine, theirs in zip(table.figures[name][:3], (found.value, found.lo, found.hi), strict=True):
                wanted = np.nan if theirs is None else theirs
                same &= bool(np.isclose(mine[point], wanted, rtol=1e-12, atol=0, equal_nan=True))
        differ += not same
    return differ, spent_s / len(points)


def vela_s(vela: str, grid: Grid, folder: Path) -> float | None:
    """Median seconds of one run of Vela on the smallest and on a larger variant."""
    found = []
    for spec in (grid.variants[0], grid.variants[len(grid.variants) // 2]):
        graph = make(spec, grid, None, {}).graph
        assert graph is not None
        (folder / "model.tflite").write_bytes(write_tflite(graph))
        for _ in range(3):
            begin = time.perf_counter()
            command = [vela, "model.tflite", "--output-dir", "out"]
            subprocess.run(command, cwd=folder, check=True, capture_output=True)
            found.append(time.perf_counter() - begin)
    return statistics.median(found)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sides", type=int, nargs="+", default=[100, 316, 1000])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--sample", type=int, default=1000)
    parser.add_argument("--vela", default=shutil.which("vela"))
    options = parser.parse_args()
    whole = grid_of(SweepScenario.model_validate(_SCENARIO), Path())
    print(f"grid: {len(whole.variants):,} variants x {len(whole.targets):,} targets to choose from")
    print("     points   seconds   us/point   store MB   MiB parent + workers   shapes")
    per_point_s = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for side in options.sides:
            grid, path = cut(whole, side), Path(folder) / f"{side}.sweep"
            spent_s = run(grid, path, options.jobs)
            own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            worker = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
            shapes = len({(spec.zoo, spec.options) for spec in grid.variants})
            per_point_s = spent_s / len(grid)
            size_mb = path.stat().st_size / 1e6
            print(f"{len(grid):11,} {spent_s:9.1f} {1e6 * per_point_s:10.1f} {size_mb:10.1f}"
                  f" {own:8.0f} + {options.jobs} x {worker:<8.0f} {shapes:6}", flush=True)  # fmt: skip
        differ, each_s = compare(grid, path, options.sample)
        print(f"of {options.sample:,} points of the last sweep {differ} differ from simulate")
        ratio = each_s / per_point_s
        print(f"a loop over simulate, models at hand: {1e3 * each_s:.2f} ms each, {ratio:.0f} times as much")
        if options.vela:
            vela = vela_s(options.vela, grid, Path(folder))
            print(f"one run of Vela: {vela:.2f} s, {vela / per_point_s:,.0f} times as long as a point")
        else:
            print("Vela is not installed: no ratio")


if __name__ == "__main__":
    sys.exit(main())
