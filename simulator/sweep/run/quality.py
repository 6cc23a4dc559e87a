"""How good is a variant of the grid, with the kernels of every runtime that the grid has?"""

from __future__ import annotations

from dataclasses import dataclass, field

from ....devices.target import Target
from ....errors import DataInvalid
from ....graphs.ir import ModelGraph
from ....graphs.tflite.read import parse_tflite
from ....graphs.tflite.write import write_tflite
from ....graphs.variants.given import SHAPE_ONLY, Given
from ...accuracy.kernels import kernels_for
from ...accuracy.metrics import metric_named
from ...accuracy.samples import grid_of as input_grid
from ...variant_quality import Judge, Measured, given_from, split_samples
from ...variant_study import Quality
from ..asked.specs import Grid, Samples


@dataclass(frozen=True, eq=False)
class Bench:
    """The samples and what was measured with them; one per worker.

    Args:
        targets: one for each set of kernels that accuracy is measured with.

    `key` is the hash of the model that variants are compared with.
    """

    samples: Samples
    targets: tuple[Target, ...]
    seed: int = 0
    _judges: dict[str, Judge | str] = field(default_factory=dict, repr=False)
    _givens: dict[str, Given] = field(default_factory=dict, repr=False)

    def given(self, key: str, original: ModelGraph) -> Given:
        """What steps may use; nothing where the samples do not go with the model."""
        self._judge(key, original)
        return self._givens[key]

    def qualities(self, key: str, original: ModelGraph, file: bytes) -> dict[str, Quality]:
        """kernel set -> accuracy of the file; the original is what it is compared with."""
        judge = self._judge(key, original)
        if isinstance(judge, str):
            return {
                kernels_for(t.runtime).name: Quality(self.samples.metric, reason=judge) for t in self.targets
            }
        return {kernels_for(target.runtime).name: judge(file, target) for target in self.targets}

    def untrained(self, _key: str, _original: ModelGraph, _file: bytes) -> dict[str, Quality]:
        """What there is to say of a shape whose weights were never trained."""
        unknown = Quality(self.samples.metric, reason=SHAPE_ONLY)
        return {kernels_for(target.runtime).name: unknown for target in self.targets}

    def _judge(self, key: str, original: ModelGraph) -> Judge | str:
        """The judge of this model's variants, or why the samples do not go with it."""
        if key not in self._judges:
            self._judges[key], self._givens[key] = self._set_up(original)
        return self._judges[key]

    def _set_up(self, original: ModelGraph) -> tuple[Judge | str, Given]:
        measured = _measured(self.samples)
        try:
            known, rest = split_samples(measured, original)
        except DataInvalid as error:
            return str(error), Given(seed=self.seed)
        judge = Judge(rest, measured)
        file = write_tflite(original)
        for target in self.targets:
            judge(file, target)
        return judge, given_from(known, measured, self.targets, self.seed)


def bench_of(grid: Grid) -> Bench | None:
    """The bench of a grid's samples; None without samples."""
    if grid.samples is None:
        return None
    kernels: dict[str, Target] = {}
    for spec in grid.targets:
        if spec.target is not None and not spec.npu:
            kernels.setdefault(kernels_for(spec.target.runtime).name, spec.target)
    return Bench(grid.samples, tuple(kernels.values()), grid.seed)


def check_samples(grid: Grid) -> None:
    """Says at once what is wrong with the samples, if no model of the grid can be measured with them.

    Raises:
        DataInvalid: the file cannot be read, goes with no model or leaves nothing; no such metric.
    """
    if grid.samples is None:
        return
    if not grid.files:
        what = "networks of the zoo have no trained weights: there is nothing to measure"
        raise DataInvalid(what, where="[data]", fix="leave [data] out, or give model files")
    measured, refused = _measured(grid.samples), None
    if grid.samples.metric:
        metric_named(grid.samples.metric)
    for content in grid.files.values():
        original = parse_tflite(content)
        try:
            split_samples(measured, original)
            return
        except DataInvalid as error:
            refused = refused or error
    assert refused is not None
    raise refused


def _measured(samples: Samples) -> Measured:
    scale = parse_tflite(samples.scale_file) if samples.scale_file else None
    grid = input_grid(scale.tensors[scale.inputs[0]]) if scale is not None and scale.inputs else None
    return Measured(samples.path, samples.metric, samples.calibrate, grid)
