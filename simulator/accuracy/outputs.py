"""What does a model answer to samples, run with certain kernels? In a process apart, and only once."""

from __future__ import annotations

import hashlib
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import DataInvalid, PreflashError
from ...graphs.evaluate import dequantize
from ...graphs.ir import ModelGraph
from ...graphs.tflite.read import parse_tflite
from ...graphs.tflite.write import write_tflite
from .cache import Cache, array_key, content_key, default_folder
from .child import Child, Limits, shared_child
from .feeding import fed
from .kernels import package_of
from .messages import Message, as_array
from .samples import Samples

Array = npt.NDArray[Any]
Progress = Callable[[int, int, str], None]

_BATCH = 32
_BATCH_BYTES = 1 << 26  # of activations
_RESOURCES = frozenset({"VAR_HANDLE", "CALL_ONCE", "HASHTABLE"})


def _silent(_done: int, _of: int, _what: str) -> None:
    """Nobody is told."""


@dataclass(frozen=True, slots=True)
class Way:
    """How models are run.

    Args:
        kernels: one of `kernels.KERNELS`.
        limits: of one run.
        use_cache: whether outputs are kept on disk and taken from there.
        progress: told (done, of, what) some ten times a second.
    """

    kernels: str = "reference"
    limits: Limits = field(default_factory=Limits)
    use_cache: bool = True
    progress: Progress = _silent

    @property
    def cache(self) -> Cache:
        return Cache(default_folder() if self.use_cache else None)

    @property
    def child(self) -> Child:
        return shared_child(self.limits)


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A graph and the bytes that the interpreter gets."""

    graph: ModelGraph
    content: bytes

    @property
    def key(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True, eq=False)
class Outputs:
    """What a model answered.

    Args:
        reals: per output the real numbers, float64 (samples, *shape).
        package: whose kernels ran, with its version.
        note: how they differ from those asked for; "" if they do not.
        run_s: how long it took; 0 where it was known.
    """

    reals: tuple[npt.NDArray[np.float64], ...]
    package: str
    note: str
    batch: int
    run_s: float


def model_of(model: bytes | ModelGraph | Model) -> Model:
    """The model as graph and bytes."""
    if isinstance(model, Model):
        return model
    if isinstance(model, ModelGraph):
        return Model(model, write_tflite(model))
    return Model(parse_tflite(model), bytes(model))


def outputs_of(model: Model, samples: Samples, way: Way) -> Outputs:
    """The model's outputs for all samples.

    Raises:
        DataInvalid: the samples do not go with the model.
        ModelError: the interpreter refuses the model, crashes on it or needs too much.
    """
    if not len(samples):
        raise DataInvalid("no samples", where=samples.name, fix="give at least one")
    package = package_of(way.kernels)
    if not package:
        raise _missing(way.kernels)
    inputs = fed(samples, model.graph)
    key = content_key((way.kernels, package, platform.machine()), model.content, inputs)
    start = time.monotonic()
    answer = way.cache.find(key)
    run_s = 0.0
    if answer is None:
        answer = _run(model, inputs, way)
        run_s = time.monotonic() - start
        if answer.words["package"] == package:
            way.cache.keep(key, answer)
    tensors = [model.graph.tensors[t] for t in model.graph.outputs]
    reals = tuple(dequantize(t, a) for t, a in zip(tensors, answer.arrays, strict=True))
    note = _note(way.kernels, answer.words["is_delegated"])
    return Outputs(reals, answer.words["package"], note, int(answer.words["batch"]), run_s)


def restart_of(graph: ModelGraph) -> str:
    """What a model carries from one sample to the next: "", "variables", or "load" (resources)."""
    if any(op.kind in _RESOURCES for subgraph in graph.subgraphs for op in subgraph.ops):
        return "load"
    is_stateful = any(tensor.is_variable for subgraph in graph.subgraphs for tensor in subgraph.tensors)
    return "variables" if is_stateful else ""


def _run(model: Model, inputs: tuple[Array, ...], way: Way) -> Message:
    samples_key = "+".join(array_key(a) for a in inputs)
    words = {
        "do": "run", "model": model.key, "samples": samples_key, "kernels": way.kernels,
        "outputs": len(model.graph.outputs), "restart": restart_of(model.graph),
        "batch": _batch(model.graph, way.kernels),
    }  # fmt: skip
    name = model.graph.name or "model"
    return way.child.ask(
        words, {model.key: [as_array(model.content)], samples_key: inputs},
        progress=lambda done, of: way.progress(done, of, name),
    )  # fmt: skip


def _batch(graph: ModelGraph, kernels: str) -> int:
    """Samples that could run at once: 1 where an input has no axis for them, or a sample leaves a trace."""
    fits = all(graph.tensors[t].shape[:1] == (1,) for t in graph.inputs)
    if not fits or restart_of(graph) or kernels == "tflm":
        return 1
    live_bytes = sum(t.dense_bytes for t in graph.tensors if not t.is_constant)
    return max(1, min(_BATCH, _BATCH_BYTES // max(1, live_bytes)))


def _note(kernels: str, is_delegated: bool | None) -> str:
    if kernels == "xnnpack" and is_delegated is False:
        return (
            "this interpreter's XNNPACK took none of the model's ops, its builtin kernels ran: "
            "pip install ai-edge-litert"
        )
    return ""


def _missing(kernels: str) -> PreflashError:
    if kernels == "tflm":
        fix = "pip install tflite-micro (Linux on x86-64), or take --kernels reference"
        return PreflashError("TFLM's interpreter (tflite_micro) is not installed", fix=fix)
    fix = "pip install ai-edge-litert, or tflite-runtime on Python 3.11"
    return PreflashError("no TFLite interpreter is installed", fix=fix)
