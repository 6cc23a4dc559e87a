"""What do a sweep's figures depend on? Hashes of models, recipes, targets, calibration, conditions."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from .... import __version__
from ....devices.calibration import Calibration
from ....devices.spec import Block
from ...accuracy.kernels import kernels_for
from ..asked.specs import Grid, TargetSpec, sha256_of
from ..run.tile import layout_of
from ..table import TargetRow


def fingerprints(grid: Grid) -> dict[str, str]:
    """What has to be the same for a store to be gone on with: part -> its hash."""
    data = "" if grid.samples is None else repr(replace(grid.samples, path=""))
    return {
        "version": __version__,
        "models and recipes": sha256_of(repr((grid.variants, grid.download))),
        "boards, runtimes and calibration": sha256_of(repr([target_row(spec) for spec in grid.targets])),
        "constraints": sha256_of(
            repr([(spec.conditions, spec.error) for spec in grid.targets]) + repr(grid.limits)
        ),
        "data": sha256_of(data),
        "seed": str(grid.seed),
        "batches": repr(layout_of(grid)),
    }


def target_row(spec: TargetSpec) -> TargetRow:
    """The target as it stands in a store."""
    target = spec.target
    if target is None:
        return TargetRow(spec.number, spec.device, spec.device, spec.runtime, 0.0, error=spec.error)
    sizes = {True: 0, False: 0}
    for memory in target.unplaced.device.memories:
        sizes[memory.is_nonvolatile] += memory.size_bytes
    device, runtime = _sha256(target.unplaced.device), _sha256(target.runtime)
    return TargetRow(
        spec.number, spec.device, target.device.title, spec.runtime, target.clock_hz, spec.place, spec.supply,
        spec.npu, device, runtime, _calibration_sha256(target.calibration), sizes[False], sizes[True],
        spec.error,
    )  # fmt: skip


def kernels_of(spec: TargetSpec) -> str:
    """The kernel set that stands for the runtime's where accuracy is measured."""
    return "" if spec.target is None else kernels_for(spec.target.runtime).name


@lru_cache(maxsize=512)
def _sha256(block: Block) -> str:
    return sha256_of(block.model_dump_json())


_known: dict[int, tuple[Calibration, str]] = {}


def _calibration_sha256(calibration: Calibration) -> str:
    """Kept by identity: calibrations are large and few."""
    if id(calibration) not in _known:
        _known[id(calibration)] = calibration, sha256_of(calibration.model_dump_json())
    return _known[id(calibration)][1]
