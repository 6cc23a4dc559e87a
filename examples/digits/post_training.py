"""What do the recipes make of the trained float model: files, their sizes, and their measured accuracy?"""

from __future__ import annotations

from pathlib import Path

from preflash.devices.catalog import load_target
from preflash.graphs.tflite.read import read_tflite
from preflash.graphs.variants.recipe_file import load_recipes
from preflash.simulator.accuracy.outputs import Way
from preflash.simulator.variant_quality import Measured, study_measured
from preflash.simulator.variant_study import VariantStudy
from training import DATA, load_digits

RECIPES = Path(__file__).parent / "recipes.toml"
BOARD = "nucleo-l4r5zi"


def study_of(model: Path) -> VariantStudy:
    """What `preflash variants` finds: ranges and budgets see calibration pictures, accuracy the test ones."""
    count = len(load_digits("calibration").labels)
    measured = Measured(DATA / "held_out.npz", "top1", count, way=Way(use_cache=False))
    targets = (load_target(BOARD),)
    return study_measured(read_tflite(model), load_recipes(RECIPES), targets, measured=measured)


def variants_table(study: VariantStudy) -> str:
    """One line per variant, as Markdown; only what is counted or measured, no estimate."""
    lines = [
        "**The float model of seed 0 changed after training, run by TFLite's reference kernels**", "",
        "| variant | zeros | bits per weight | file, B | with gzip, B | accuracy, % | change |",
        "| --- | ---: | ---: | ---: | ---: | ---: | --- |",
    ]  # fmt: skip
    for variant in study.variants:
        quality = variant.quality
        if quality is None or quality.value is None:
            raise SystemExit(f"{variant.name}: {variant.error or quality}")
        cells = (
            variant.name, f"{variant.sparsity:.1%}", f"{variant.bits:.2f}", f"{len(variant.file):,}",
            f"{variant.gzip_bytes:,}", f"{100 * quality.value:.1f}", quality.change_text,
        )  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
