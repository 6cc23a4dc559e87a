"""How good is every planner, and how long does it take? Hard instances and recorded plans.

    python benchmarks/planners.py [--facts DIR] [--seconds 60] [--only A,B,tensor-plans] [--seed 0]

Prints, per hard instance (capacity 1 MiB), the extent over the lower bound and the CPU time of every planner,
beside the ratios to the capacity that instances.csv records; then the same over all recorded plans. Wall time
of `exact` is bounded by --seconds; it uses up to two cores, and CPU time counts all threads.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from preflash.simulator.memory.planners.best import layout
from preflash.simulator.memory.planners.bound import lower_bound
from preflash.simulator.memory.planners.exact import optimal_layout
from preflash.simulator.memory.planners.judge import judge_layout
from preflash.simulator.memory.planners.problem import Layout, Request
from preflash.simulator.memory.planners.table import PLANNERS
from preflash.simulator.validate.facts import Facts, find_facts
from preflash.simulator.validate.recorded_plans import CAPACITY_BYTES, hard_instances, recorded_plans


def timed(work: Callable[[], Layout], requests: Sequence[Request]) -> tuple[Layout, float, float]:
    """The layout, judged, with wall and CPU seconds of making it."""
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    found = work()
    wall_s, cpu_s = time.perf_counter() - wall_s, time.process_time() - cpu_s
    judge_layout(requests, found)
    return found, wall_s, cpu_s


def run(
    name: str, requests: Sequence[Request], options: argparse.Namespace, *, capacity_bytes: int = 0
) -> tuple[Layout, float, float]:
    """One planner on one problem."""
    if name == "exact":
        return timed(
            lambda: optimal_layout(
                requests, seconds=options.seconds, seed=options.seed, capacity_bytes=capacity_bytes
            ),
            requests,
        )
    bound = lower_bound(requests)
    return timed(lambda: layout(name, requests, PLANNERS[name](requests), bound=bound), requests)


def hard(facts: Facts, options: argparse.Namespace) -> None:
    columns = ("/ bound", "/ 1 MiB", "recorded", "wall s", "CPU s")
    print(f"{'instance':8} {'planner':20} " + " ".join(f"{c:>8}" for c in columns) + "  proof")
    reached = []
    for instance in hard_instances(facts, only=options.only):
        for name in PLANNERS:
            found, wall_s, cpu_s = run(name, instance.requests, options, capacity_bytes=CAPACITY_BYTES)
            recorded = instance.recorded.get(f"{name.replace('-', '_')}_ratio", "")
            ratio = found.extent_bytes / CAPACITY_BYTES
            print(f"{instance.name:8} {name:20} {found.gap + 1:8.3f} {ratio:8.3f} {recorded:>8} "
                  f"{wall_s:8.2f} {cpu_s:8.2f}  {found.proof}", flush=True)  # fmt: skip
        theirs = instance.recorded
        print(f"{instance.name:8} {'(minimalloc, C++)':20} {'':8} {1:8.3f} {'':8} "
              f"{theirs['minimalloc_wall_s']:>8} {theirs['minimalloc_cpu_s']:>8}")  # fmt: skip
        reached.append(found.extent_bytes <= CAPACITY_BYTES)  # exact comes last in the table
    if reached:
        print(f"exact reaches 1 MiB on {sum(reached)} of {len(reached)} within {options.seconds:g} s each")


def compiled(facts: Facts, options: argparse.Namespace) -> None:
    plans = recorded_plans(facts)
    print(f"{len(plans)} recorded plans of compiled networks")
    print(f"{'planner':20} {'at bound':>8} {'above recorded':>14} {'mean':>7} {'worst':>7} {'CPU s':>7}")
    for name in PLANNERS:
        results = [run(name, plan.requests, options) for plan in plans]
        layouts = [r[0] for r in results]
        above = sum(f.extent_bytes > p.layout.extent_bytes for f, p in zip(layouts, plans, strict=True))
        ratios = [f.gap + 1 for f in layouts]
        print(f"{name:20} {sum(f.is_optimal for f in layouts):8} {above:14} {statistics.mean(ratios):7.3f} "
              f"{max(ratios):7.3f} {sum(r[2] for r in results):7.2f}", flush=True)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--facts", type=Path, help="a folder with facts/; default PREFLASH_SHARED")
    parser.add_argument("--seconds", type=float, default=60.0, help="wall time of `exact` per problem")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="instances and `tensor-plans`, separated by commas")
    options = parser.parse_args()
    options.only = tuple(options.only.split(",")) if options.only else ()
    facts = find_facts(options.facts)
    if not options.only or set(options.only) - {"tensor-plans"}:
        hard(facts, options)
    if not options.only or "tensor-plans" in options.only:
        compiled(facts, options)


if __name__ == "__main__":
    main()
