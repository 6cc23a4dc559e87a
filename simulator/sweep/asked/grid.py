"""Which variants and targets does a scenario mean? Files are read and boards loaded; nothing is priced."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import islice
from math import prod
from pathlib import Path

from ....errors import DataInvalid, ModelFileInvalid, ModelNotFound, ScenarioFileInvalid
from ....graphs.tflite.read import parse_tflite
from ....graphs.variants.recipe import needs_retraining, parse_recipe
from ....graphs.variants.recipe_file import load_recipes
from ..table import MOST_POINTS
from .ranges import combinations
from .scenario import FIGURE_OF, ModelSpec, SweepScenario, filled
from .specs import AS_IS, Grid, Samples, VariantSpec
from .targets import target_specs

_Recipe = tuple[str, str, dict[str, str]]  # name, steps, axes
MOST_VARIANTS = 1_000_000
_LARGEST_MODEL_BYTES = 1 << 30


def grid_of(scenario: SweepScenario, folder: Path, *, limit: int | None = None) -> Grid:
    """Every variant and target of the scenario, in its order.

    Args:
        folder: what its paths are relative to.
        limit: so many variants at most.

    Raises:
        ScenarioFileInvalid: it means no variant or no target, or too many.
        ModelNotFound, RecipeInvalid, DataInvalid, DeviceUnknown, ...: what it names is not there or faulty.
    """
    files: dict[str, bytes] = {}
    if limit is None and _least_variants(scenario) > MOST_VARIANTS:
        raise _too_large(f"more than {MOST_VARIANTS:,} variants")
    most = MOST_VARIANTS + 1 if limit is None else min(limit, MOST_VARIANTS)
    variants = tuple(islice(_variants(scenario, folder, files, most), most))
    if len(variants) > MOST_VARIANTS:
        raise _too_large(f"more than {MOST_VARIANTS:,} variants")
    targets, left_out = target_specs(scenario, folder)
    if len(variants) * len(targets) > MOST_POINTS:
        count = f"{len(variants):,} variants on {len(targets):,} targets"
        raise _too_large(f"{count}, more than {MOST_POINTS:,} points")
    if not variants or not targets:
        lost = "variant" if not variants else "target"
        why = [f"{reason}: {count}" for reason, count in left_out.items()]
        if not variants:
            why = ["original = false and no recipe leave nothing"]
        raise ScenarioFileInvalid(
            f"the scenario means no {lost}", faults=why, fix="name boards, runtimes that fit"
        )
    return Grid(
        variants, targets, files, left_out, _limits(scenario), _objectives(scenario),
        _samples(scenario, folder), scenario.seed, scenario.download,
    )  # fmt: skip


def _least_variants(scenario: SweepScenario) -> int:
    """Shapes times recipes, a recipe file counted as one."""
    shapes = sum(prod(map(len, spec.over.values())) for spec in scenario.models)
    recipes = sum(prod(map(len, recipe.over.values())) for recipe in scenario.recipes)
    return shapes * (scenario.original + recipes + len(scenario.recipe_files))


def _too_large(why: str) -> ScenarioFileInvalid:
    return ScenarioFileInvalid("a grid too large", faults=[why], fix="fewer or shorter axes, or --limit")


def _variants(
    scenario: SweepScenario, folder: Path, files: dict[str, bytes], most: int
) -> Iterator[VariantSpec]:
    """Model by model, shape by shape, recipe by recipe: what shares a shape lies together."""
    recipes = list(islice(_recipes(scenario, folder), most))
    number = 0
    for spec in scenario.models:
        sha = _read(folder / spec.file, files) if spec.file else ""
        for shape in combinations(spec.over):
            for name, steps, axes in recipes:
                yield _variant(spec, sha, shape, recipe=(name, steps, axes), number=number)
                number += 1


def _variant(
    spec: ModelSpec, sha256: str, shape: dict[str, str], *, recipe: _Recipe, number: int
) -> VariantSpec:
    """The zoo builds its shapes; a file's are steps before the recipe's own."""
    name, steps, axes = recipe
    if spec.zoo:
        source = ",".join((f"zoo:{spec.zoo}", *(f"{key}={value}" for key, value in shape.items())))
        return VariantSpec(
            number, spec.name or spec.zoo, source, zoo=spec.zoo, options=tuple(shape.items()), name=name,
            steps=steps, axes=tuple((shape | axes).items()), retrain=True,
        )  # fmt: skip
    assert spec.file is not None
    shaped = [step.format(shape[key]) for key, step in _SHAPE_STEPS.items() if shape.get(key, "1") != "1"]
    steps = " | ".join(part for part in (*shaped, steps) if part)
    return VariantSpec(
        number, spec.name or Path(spec.file).stem, spec.file, sha256, name=name, steps=steps,
        axes=tuple((shape | axes).items()), retrain=bool(steps) and needs_retraining(parse_recipe(steps)),
    )  # fmt: skip


_SHAPE_STEPS = {"width": "width multiplier={}", "resolution": "resolution edge={}",
                "scale": "resolution scale={}"}  # fmt: skip


def _recipes(scenario: SweepScenario, folder: Path) -> Iterator[_Recipe]:
    """(name, steps, axes): the model as it is, those of the scenario, those of recipe files."""
    if scenario.original:
        yield AS_IS, "", {}
    for recipe in scenario.recipes:
        for chosen in combinations(recipe.over):
            steps = filled(recipe.steps, chosen)
            yield filled(recipe.name, chosen) or steps[:80], steps, chosen
    for path in scenario.recipe_files:
        for one in load_recipes(folder / path):
            yield one.name, one.text, {}


def _read(path: Path, files: dict[str, bytes]) -> str:
    """The file's bytes are kept; its hash."""
    try:
        if path.stat().st_size > _LARGEST_MODEL_BYTES:
            raise ModelNotFound("larger than 1 GiB", where=str(path)[:200], fix="give a .tflite model")
        content = path.read_bytes()
    except OSError as error:
        why = error.strerror or str(error)
        raise ModelNotFound(f"cannot be read: {why}", where=str(path)[:200], fix="check `file`") from error
    sha = hashlib.sha256(content).hexdigest()
    if sha not in files:
        try:
            parse_tflite(content)
        except ModelFileInvalid as error:
            raise ModelFileInvalid(error.what, where=str(path)[:200], fix=error.fix) from error
    files[sha] = content
    return sha


def _samples(scenario: SweepScenario, folder: Path) -> Samples | None:
    data = scenario.data
    if data is None:
        return None
    path = (folder / data.samples).resolve()
    try:
        sha = hashlib.sha256(path.read_bytes()).hexdigest()
        scale = (folder / data.input_scale).read_bytes() if data.input_scale else b""
    except OSError as error:
        where = str(error.filename or path)[:200]
        raise DataInvalid(
            f"cannot be read: {error.strerror or error}", where=where, fix="check [data]"
        ) from error
    return Samples(str(path), sha, data.metric, data.calibrate, scale)


def _limits(scenario: SweepScenario) -> dict[str, float]:
    given = scenario.constraints
    stated = {
        "latency_s": given.deadline_s, "period_s": given.period_s, "ram_bytes": given.ram_bytes,
        "flash_bytes": given.flash_bytes, "energy_j": given.energy_j, "accuracy": given.accuracy,
    }  # fmt: skip
    return {name: float(value) for name, value in stated.items() if value is not None}


def _objectives(scenario: SweepScenario) -> tuple[tuple[str, str], ...]:
    """Minima first as they are given; accuracy only where it is measured."""
    given = scenario.objectives
    wanted = [(name, "min") for name in given.minimize] + [(name, "max") for name in given.maximize]
    return tuple(
        (FIGURE_OF[name], way) for name, way in wanted if name != "accuracy" or scenario.data is not None
    )
