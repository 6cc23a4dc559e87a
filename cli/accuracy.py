"""How accurate is a model on the user's data, as the target's runtime computes it, and beside a baseline?"""

from __future__ import annotations

import shlex
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .deliver import deliver_text, read_content
from .options import BAD_VERDICT, OK, Debug, Model, Out, Plain, PlainForm

if TYPE_CHECKING:
    from ..simulator.accuracy.kernels import KernelSet
    from ..simulator.accuracy.outputs import Model as WholeModel
    from ..simulator.accuracy.outputs import Way
    from ..simulator.accuracy.samples import Grid
    from .progress import ProgressLine


class Kernels(str, Enum):
    reference, builtin, xnnpack, tflm = "reference", "builtin", "xnnpack", "tflm"


_Data = Annotated[
    Path, typer.Option("--data", metavar="X.npz", help="Inputs x and labels y; in0, in1, ... for several.")
]
_MetricName = Annotated[
    str | None,
    typer.Option("--metric", metavar="top1|topK|auc|auc-reconstruction|mse", help="Else by the labels."),
]
_Runtime = Annotated[
    str | None,
    typer.Option("--runtime", "-r", metavar="RUNTIME", help="Whose numerics; else those of TFLM."),
]
_Kernels = Annotated[Kernels | None, typer.Option("--kernels", help="These kernels, whatever the runtime.")]
_Baseline = Annotated[
    str | None, typer.Option(metavar="MODEL", help="Compare with this model, e.g. the float one.")
]
InputScale = Annotated[
    str | None,
    typer.Option(
        "--input-scale", metavar="SCALE,ZERO|MODEL",
        help="What integers in the data stand for, or the model they were made for.",
    ),
]  # fmt: skip
_Count = Annotated[int | None, typer.Option("--samples", metavar="N", help="Only the first N samples.")]
_Min = Annotated[float | None, typer.Option("--min", metavar="0.9", help="Exit 1 if it is below.")]
_Max = Annotated[float | None, typer.Option("--max", metavar="0.1", help="For mse: exit 1 if it is above.")]
_Below = Annotated[
    float, typer.Option("--diverges-below", metavar="dB", help="SQNR from which on a tensor diverges.")
]
_TimeLimit = Annotated[str, typer.Option("--time-limit", metavar="1h", help="For one run of a model.")]
_MemoryLimit = Annotated[str, typer.Option("--memory-limit", metavar="4GiB", help="For running models.")]
_NoCache = Annotated[bool, typer.Option("--no-cache", help="Run again what was run before.")]


def accuracy(
    model: Model, data: _Data, metric: _MetricName = None, runtime: _Runtime = None,
    kernels: _Kernels = None, baseline: _Baseline = None, input_scale: InputScale = None,
    samples: _Count = None, minimum: _Min = None, maximum: _Max = None, diverges_below: _Below = 10.0,
    time_limit: _TimeLimit = "1 h", memory_limit: _MemoryLimit = "4 GiB", no_cache: _NoCache = False,
    form: PlainForm = Plain.text, output: Out = None, _debug: Debug = False,
) -> int:  # fmt: skip
    """Accuracy on your data with the numerics of a runtime; with --baseline what changed, and where."""
    from ..reports.accuracy_report import render_accuracy
    from ..simulator.accuracy.study import Asked, study
    from .progress import ProgressLine

    chosen, spec_name = _kernels(runtime, kernels)
    whole, other = _whole(model), None if baseline is None else _whole(baseline)
    asked = Asked(metric or "", other, given_grid(input_scale), samples, diverges_below, minimum, maximum)
    line = ProgressLine()
    try:
        way = _way(time_limit, memory_limit, line, use_cache=not no_cache)
        found = study(whole, data, asked, kernels=chosen, way=way)
    finally:
        line.clear()
    words = ["preflash", "accuracy", model, "--data", str(data)]
    for name, value in (("-r", runtime), ("--kernels", kernels and kernels.value), ("--baseline", baseline),
                        ("--metric", metric), ("--input-scale", input_scale),
                        ("--samples", samples and str(samples))):  # fmt: skip
        words += [name, value] if value else []
    text = render_accuracy(found, form.value, command=shlex.join(words), runtime=spec_name)
    deliver_text(text, output)
    return BAD_VERDICT if found.is_kept is False else OK


def _kernels(runtime: str | None, kernels: Kernels | None) -> tuple[KernelSet, str]:
    """The kernels, and the name of the runtime they stand for."""
    from ..simulator.accuracy.kernels import kernels_for

    if runtime is None:
        return kernels_for(None, kernels.value if kernels else ""), ""
    from ..devices.catalog import load_runtime

    spec = load_runtime(runtime)
    return kernels_for(spec, kernels.value if kernels else ""), spec.label


def _whole(model: str) -> WholeModel:
    from ..simulator.accuracy.outputs import Model

    return Model(*read_content(model))


def given_grid(given: str | None) -> Grid | None:
    """ "0.5847,83", or the input of a model."""
    from ..errors import DataInvalid
    from ..graphs.tflite.read import read_tflite
    from ..simulator.accuracy.samples import Grid, grid_of

    if given is None:
        return None
    if given.endswith(".tflite"):
        graph = read_tflite(given)
        grid = grid_of(graph.tensors[graph.inputs[0]]) if graph.inputs else None
        if grid is None:
            raise DataInvalid("its input has no scale", where=given, fix="give --input-scale SCALE,ZERO")
        return grid
    scale, _, zero = given.partition(",")
    try:
        grid = Grid(float(scale), int(zero or 0))
    except ValueError:
        grid = Grid(0.0)
    if not 0 < grid.scale < float("inf"):
        fix = "write it as 0.5847,83, or name a .tflite"
        raise DataInvalid(f"{given[:40]!r} is no scale and zero point", where="--input-scale", fix=fix)
    return grid


def _way(time_limit: str, memory_limit: str, progress: ProgressLine, *, use_cache: bool) -> Way:
    from ..devices.units import parse_bytes, parse_s
    from ..errors import BudgetInvalid
    from ..simulator.accuracy.child import Limits
    from ..simulator.accuracy.outputs import Way

    limits = Limits(parse_s(time_limit), parse_bytes(memory_limit))
    if not 0 < limits.time_s < 1e7 or limits.memory_bytes <= 0:
        raise BudgetInvalid("a limit must be above 0", fix="e.g. --time-limit 10min --memory-limit 2GiB")
    return Way(limits=limits, use_cache=use_cache, progress=progress)
