"""Variants of a model: written, measured on your samples, priced on your boards."""

from __future__ import annotations

import shlex
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .accuracy import InputScale
from .deliver import deliver_text, read_content, say_written
from .options import BAD_VERDICT, OK, Debug, Model

if TYPE_CHECKING:
    from ..devices.target import Target
    from ..graphs.variants.recipe import Recipe
    from ..simulator.variant_study import VariantStudy


class Table(str, Enum):
    text, json, csv, html = "text", "json", "csv", "html"


_RecipeWords = Annotated[
    list[str],
    typer.Option("--recipe", metavar="FILE.toml|STEPS", help='A file, or "prune sparsity=0.5 | quantize".'),
]
_Boards = Annotated[
    list[str], typer.Option("--device", "-d", metavar="BOARD", help="A board; may be repeated.")
]
_Runtimes = Annotated[
    list[str] | None,
    typer.Option("--runtime", "-r", metavar="RUNTIME", help="For every board; may be repeated."),
]
_Data = Annotated[Path | None, typer.Option("--data", metavar="X.npz", help="Samples and labels.")]
_Metric = Annotated[str | None, typer.Option(metavar="top1|auc|...", help="Else by the labels.")]
_Calibrate = Annotated[
    int,
    typer.Option(
        "--calibrate", metavar="N", min=0,
        help="The first N samples are for ranges and sensitivities, the rest for accuracy.",
    ),
]  # fmt: skip
_Folder = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="DIR", help="Models, CSV, JSON and the page.")
]
_Form = Annotated[Table, typer.Option("--format", "-f", help="How to print the table.")]
_Seed = Annotated[int, typer.Option(metavar="N", help="Of whatever is drawn.")]


def variants(
    model: Model, device: _Boards, recipe: _RecipeWords, runtime: _Runtimes = None, data: _Data = None,
    metric: _Metric = None,
    calibrate: _Calibrate = 100, input_scale: InputScale = None, output: _Folder = None,
    form: _Form = Table.text,
    seed: _Seed = 0, _debug: Debug = False,
) -> int:  # fmt: skip
    """Variants of a model, each a real .tflite: accuracy, RAM, flash, latency, energy side by side."""
    from ..simulator.variant_quality import Measured, study_measured
    from .accuracy import given_grid
    from .progress import ProgressLine

    recipes = tuple(one for words in recipe for one in _recipes(words))
    targets, line = _targets(device, runtime), ProgressLine()
    measured = None if data is None else Measured(data, metric or "", calibrate, given_grid(input_scale))
    try:
        graph, content = read_content(model)
        found = study_measured(
            graph, recipes, targets, measured=measured, seed=seed, progress=line, original=content
        )
    finally:
        line.clear()
    words = ["preflash", "variants", model, *(w for name in device for w in ("-d", name))]
    words += [w for name in runtime or () for w in ("-r", name)]
    words += [w for text in recipe for w in ("--recipe", text)]
    for name, value in (("--data", data), ("--metric", metric), ("--input-scale", input_scale)):
        words += [] if value is None else [name, str(value)]
    words += [] if data is None else ["--calibrate", str(calibrate)]
    _show(found, form, output, command=shlex.join(words))
    return BAD_VERDICT if any(variant.error for variant in found.variants) else OK


def _recipes(words: str) -> tuple[Recipe, ...]:
    """Those of a file where it ends in .toml, else steps."""
    from ..graphs.variants.recipe import parse_recipe
    from ..graphs.variants.recipe_file import load_recipes

    return load_recipes(words) if words.endswith(".toml") else (parse_recipe(words),)


def _targets(boards: list[str], runtimes: list[str] | None) -> tuple[Target, ...]:
    from ..devices.catalog import load_target

    return tuple(load_target(board, name) for board in boards for name in runtimes or (None,))


def _show(found: VariantStudy, form: Table, folder: Path | None, *, command: str) -> None:
    from ..reports.variants_report import render_variants, write_folder

    if folder is not None:
        for path in write_folder(found, folder, command=command):
            say_written(path)
    deliver_text(render_variants(found, form.value, command=command if folder is None else ""), None)
