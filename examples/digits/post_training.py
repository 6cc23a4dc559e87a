"""What do the recipes make of the trained float model: files, their sizes, and their measured accuracy?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from preflash.graphs.tflite.read import read_tflite
from preflash.graphs.variants.given import Given
from preflash.graphs.variants.recipe_file import load_recipes
from preflash.simulator.accuracy.activations import activations
from preflash.simulator.accuracy.measure import Accuracy, compare, measure, scorer
from preflash.simulator.accuracy.outputs import Way
from preflash.simulator.accuracy.samples import load_samples
from preflash.simulator.variant_study import Judge, Quality, VariantStudy, study_variants
from training import DATA

RECIPES = Path(__file__).parent / "recipes.toml"
_AFRESH = Way(use_cache=False)


def study_of(model: Path) -> VariantStudy:
    """Every recipe's variant; ranges and budgets see the calibration pictures, accuracy the test pictures."""
    graph = read_tflite(model)
    seen = load_samples(DATA / "calibration.npz", graph)
    given = Given(
        samples=tuple(np.asarray(array) for array in seen.inputs),
        activations=activations,
        score=scorer(seen, way=_AFRESH),
    )
    return study_variants(graph, load_recipes(RECIPES), (), given=given, judge=_judge(model))


def _judge(model: Path) -> Judge:
    """Top-1 on the test pictures, and how it stands to the model as it is."""
    samples = load_samples(DATA / "test.npz", read_tflite(model))
    first: list[Accuracy] = []

    def judged(file: bytes) -> Quality:
        found = measure(file, samples, "top1", way=_AFRESH)
        first.append(found)
        change, text = None, ""
        if len(first) > 1:
            difference = compare(found, first[0])
            change = difference.value
            text = "significant" if difference.is_significant else "not significant"
        return Quality(
            "top1", found.kernels.name, found.value, found.lo, found.hi, found.n, change, text
        )  # fmt: skip

    return judged


def variants_table(study: VariantStudy) -> str:
    """One line per variant, as Markdown."""
    lines = [
        "**The float model of seed 0 changed after training, run by TFLite's reference kernels**", "",
        "| variant | zeros | bits per weight | file, B | with zlib, B | accuracy, % | change, points |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]  # fmt: skip
    for variant in study.variants:
        quality = variant.quality
        if quality is None or quality.value is None:
            raise SystemExit(f"{variant.name}: {variant.error or 'not measured'}")
        change = "" if quality.change is None else f"{100 * quality.change:+.1f}, {quality.change_text}"
        cells = (
            variant.name, f"{variant.sparsity:.1%}", f"{variant.bits:.2f}", f"{len(variant.file):,}",
            f"{variant.gzip_bytes:,}", f"{100 * quality.value:.1f}", change,
        )  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
