"""Which model is a variant of the grid? Built or read, changed by its recipe, written, measured."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from ....errors import PreflashError
from ....graphs.encodings.download import gzipped
from ....graphs.ir import ModelGraph
from ....graphs.static_shapes import with_static_shapes
from ....graphs.tflite.read import parse_tflite
from ....graphs.tflite.write import write_tflite
from ....graphs.variants.given import Given
from ....graphs.variants.recipe import parse_recipe
from ....graphs.zoo.words import build_as_written
from ...variant_study import Quality, sparsity_and_bits
from ...workload import op_macs
from ..asked.specs import Grid, VariantSpec
from ..table import VariantRow
from .quality import Bench

_MOST_ORIGINALS = 8


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """A variant that can be priced, or why there is none.

    Args:
        graph: as read again from its .tflite; None with `row.error`.
        qualities: kernel set -> accuracy measured with it.
    """

    row: VariantRow
    graph: ModelGraph | None = None
    qualities: dict[str, Quality] | None = None


def make(spec: VariantSpec, grid: Grid, bench: Bench | None, originals: dict[str, ModelGraph]) -> Made:
    """The variant; what is wrong with it is its row's error, whatever it is.

    Args:
        bench: measures accuracy on the samples; None without samples.
        originals: models by their hash, filled as they are built.
    """
    row = row_of(spec)
    try:
        original = _original(spec, grid, originals)
        return _changed(spec, row, original, bench, grid)
    except PreflashError as error:
        return Made(replace(row, error=str(error)))
    except Exception as error:
        return Made(replace(row, error=f"{type(error).__name__}: {error}"[:500]))


def row_of(spec: VariantSpec) -> VariantRow:
    """What is known of a variant before it is made."""
    text = spec.steps or spec.name
    return VariantRow(
        spec.number, spec.model, spec.name, text, dict(spec.axes), spec.model_sha256, spec.recipe_sha256,
        retrain=spec.retrain, source=spec.source,
    )  # fmt: skip


def _original(spec: VariantSpec, grid: Grid, originals: dict[str, ModelGraph]) -> ModelGraph:
    key = spec.model_sha256
    if key not in originals:
        if len(originals) >= _MOST_ORIGINALS:
            originals.pop(next(iter(originals)))
        if spec.zoo:
            originals[key] = build_as_written(spec.zoo, dict(spec.options))
        else:
            originals[key] = parse_tflite(grid.files[spec.file_sha256], name=spec.model)
    return originals[key]


def _macs(graph: ModelGraph) -> float:
    """Multiply-accumulates of all ops; nan where one's are not known."""
    solved = with_static_shapes(graph)
    work = [op_macs(subgraph, op) for subgraph in solved.subgraphs for op in subgraph.ops]
    return float("nan") if None in work else float(sum(each or 0 for each in work))


def _changed(
    spec: VariantSpec, row: VariantRow, original: ModelGraph, bench: Bench | None, grid: Grid
) -> Made:
    """Recipe applied, written and read again: what is priced is the file."""
    given = Given(seed=grid.seed)
    notes: list[str] = []
    if bench is not None:
        given = bench.given(spec.model_sha256, original)
    retrain = bool(spec.zoo)
    if spec.steps:
        changed, untrained = parse_recipe(spec.steps).changed(original, replace(given, note=notes.append))
        retrain = retrain or untrained
        file = write_tflite(changed)
    else:
        file = grid.files.get(spec.file_sha256) or write_tflite(original)
    graph = parse_tflite(file, name=spec.model, is_own=bool(spec.steps) or not spec.file_sha256)
    sparsity, bits, count = sparsity_and_bits(graph)
    row = replace(
        row, sha256=hashlib.sha256(file).hexdigest(), file_bytes=len(file),
        gzip_bytes=len(gzipped(file)) if grid.download else 0,
        sparsity=sparsity, bits=bits, weight_count=count, macs=_macs(graph),
        notes=tuple(dict.fromkeys(notes)), retrain=retrain,
    )  # fmt: skip
    qualities = None
    if bench is not None:
        judge = bench.untrained if retrain else bench.qualities
        qualities = judge(spec.model_sha256, original, file)
    return Made(row, graph, qualities)
