"""How many points a second `price_points` prices, against a loop over `simulate`.

    python benchmarks/points.py [--variants 100] [--targets 100] [--runs 5]

Variants are networks of the zoo by width, resolution and classes; targets all boards with their default
runtime, then with the other runtimes that fit, then at half the clock. "cold" makes the graphs anew, so that
tables, plans and code sizes are worked out; "warm" asks again for the same graphs. The loop is timed on a
sample of the points, warm and cold by the same meaning.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import time
from collections.abc import Callable, Sequence

from preflash.devices.catalog import (
    Target,
    device_names,
    load_device,
    load_runtime,
    load_target,
    misfit,
    runtime_names,
)
from preflash.graphs.ir import ModelGraph
from preflash.graphs.zoo import build
from preflash.simulator.points import price_points
from preflash.simulator.simulate import simulate

_PLANS = [
    {"width": width, "resolution": resolution, "classes": classes}
    for width, resolution, classes in itertools.product(
        (0.125, 0.25, 0.35, 0.5, 0.75), (48, 64, 80, 96, 128), (2, 10)
    )
]


def variants(count: int) -> list[ModelGraph]:
    names = itertools.product(_PLANS, ("person-detect", "mobilenet-v2", "squeezenet-v1.1"))
    return [build(name, **plan) for plan, name in itertools.islice(names, count)]


def targets(count: int) -> list[Target]:
    boards = [load_target(name) for name in device_names()]
    others = [
        load_target(name, runtime)
        for name in device_names()
        for runtime in runtime_names()
        if runtime != load_device(name).default_runtime
        and not misfit(load_device(name), load_runtime(runtime))
    ]
    slower = [load_target(t.device.name, t.runtime.label, t.clock_hz / 2) for t in boards]
    return [*boards, *others, *slower][:count]


def seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def one_by_one(graphs: Sequence[ModelGraph], on: Sequence[Target]) -> None:
    for graph in graphs:
        for target in on:
            simulate(graph, target)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--variants", type=int, default=100)
    parser.add_argument("--targets", type=int, default=100)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--sample", type=int, default=10, help="variants that the loop goes over")
    options = parser.parse_args()
    on = targets(options.targets)
    one_by_one([build("kws01")], on)  # coefficient tables are loaded
    times: dict[str, list[float]] = {"cold": [], "warm": [], "loop cold": [], "loop warm": []}
    for _ in range(options.runs):
        graphs, few = variants(options.variants), variants(options.variants)
        few = few[:: max(1, len(few) // options.sample)]
        for state in ("cold", "warm"):
            points = len(graphs) * len(on)
            times[state].append(seconds(lambda graphs=graphs: price_points(graphs, on)))
            share = len(few) * len(on) / points
            times[f"loop {state}"].append(seconds(lambda few=few: one_by_one(few, on)) / share)
    ops = statistics.mean(len(graph.ops) for graph in graphs)
    print(f"{len(graphs)} variants x {len(on)} targets = {points} points, {ops:.0f} ops each on average")
    for state in ("cold", "warm"):
        batch, loop = statistics.median(times[state]), statistics.median(times[f"loop {state}"])
        print(f"{state}: {batch:.2f} s ({min(times[state]):.2f} to {max(times[state]):.2f}), "
              f"{points / batch:,.0f} points per second; a loop over simulate {loop:.1f} s, "
              f"{loop / batch:.1f} times as long; median of {options.runs}")  # fmt: skip


if __name__ == "__main__":
    main()
