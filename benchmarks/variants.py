"""How long does each transform of a model take, and what sparsity does it leave?

    python benchmarks/variants.py [--model mobilenet-v1] [--runs 5] [--only prune]

Medians over MobileNetV1 1.0 (4.2 million weights), as float32 and as int8. A step is a recipe in words: add a
row to RECIPES.
"""

from __future__ import annotations

import argparse
import statistics
import time

from preflash.graphs.ir import DType, ModelGraph
from preflash.graphs.variants.recipe import Recipe, parse_recipe
from preflash.graphs.variants.zeros import sparsity_of
from preflash.graphs.zoo import build

# name -> the recipe
RECIPES = {
    "prune, weights": "prune sparsity=0.5",
    "prune, blocks 1x4": "prune sparsity=0.5 granularity=1x4",
    "prune, blocks 4x1": "prune sparsity=0.5 granularity=4x1",
    "prune, blocks 3x5 (edges)": "prune sparsity=0.5 granularity=3x5",
    "prune, 2:4": "prune granularity=2:4",
    "prune, 1:4": "prune granularity=1:4",
    "prune, stride-2 (3x3 kernels)": "prune granularity=stride-2 depthwise=true first=true",
    "prune, heuristic": "prune sparsity=0.5 distribution=heuristic",
    "prune, equal loss of weights": "prune sparsity=0.5 distribution=sensitivity",
    "prune, equal loss, 1x4": "prune sparsity=0.5 granularity=1x4 distribution=sensitivity",
    "channels": "prune-channels fraction=0.5",
    "channels, what reads them, l2, heuristic": (
        "prune-channels fraction=0.5 criterion=channel norm=l2 distribution=heuristic multiple_of=8"
    ),
    "cluster, 16 linear": "cluster clusters=16 depthwise=true first=true",
    "cluster, 256 k-means++": "cluster clusters=256 initialisation=k-means++ depthwise=true first=true",
    "cluster, 16 per channel": "cluster clusters=16 per_channel=true depthwise=true first=true",
    "few bits, 4": "quantize-weights bits=4",
    "few bits, 4, best scale": "quantize-weights bits=4 best=true",
    "few bits, 4, one scale": "quantize-weights bits=4 per_channel=false",
    "prune, cluster, few bits": "prune sparsity=0.5 | cluster clusters=16 | quantize-weights bits=4",
}


def seconds(graph: ModelGraph, recipe: Recipe) -> float:
    begin = time.perf_counter()
    recipe.apply(graph)
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="mobilenet-v1")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", default="", help="recipes whose name has this in it")
    options = parser.parse_args()
    for dtype in (DType.FLOAT32, DType.INT8):
        graph = build(options.model, dtype=dtype)
        print(f"{options.model}, {dtype}: median of {options.runs}, slowest, fraction of zeros")
        for name, text in RECIPES.items():
            if options.only in name:
                recipe = parse_recipe(text, name=name)
                times = [seconds(graph, recipe) for _ in range(options.runs)]
                zeros = sparsity_of(recipe.apply(graph)).sparsity or 0.0
                print(f"  {name:32}{statistics.median(times):6.2f} s {max(times):6.2f} s {zeros:8.4f}")


if __name__ == "__main__":
    main()
