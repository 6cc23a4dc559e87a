"""Which real values do all tensors of a model take for one sample?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import DataInvalid
from ...graphs.evaluate import dequantize
from ...graphs.ir import ModelGraph
from ...graphs.kept import kept
from .feeding import entered
from .messages import as_array
from .outputs import Model, Way, model_of
from .samples import grid_of

Array = npt.NDArray[Any]


def activations(
    graph: ModelGraph, sample_inputs: Sequence[Array], *, way: Way | None = None
) -> Mapping[int, Array]:
    """tensor index -> real values (float32, the tensor's shape) of all tensors that are no constants.

    Run in another process that keeps the model loaded: only the first of many samples waits for that.
    Kernels are the interpreter's reference or builtin ones; XNNPACK keeps no values between ops.

    Args:
        sample_inputs: one array per model input, with or without the first axis of extent 1: real numbers, or
            the input's own integers.

    Raises:
        DataInvalid: the sample does not go with the model.
        ModelError: the interpreter refuses the model, crashes on it or needs too much.
    """
    if len(sample_inputs) != len(graph.inputs):
        what = f"{len(sample_inputs)} inputs were given, the model takes {len(graph.inputs)}"
        raise DataInvalid(what, where=graph.name, fix="give one array per model input")
    chosen = way or Way(kernels="builtin")
    model = kept(graph, "accuracy:model", model_of)
    inputs = [
        entered(np.asarray(array)[None], grid_of(graph.tensors[t]), graph.tensors[t], where=graph.name)[0]
        for t, array in zip(graph.inputs, sample_inputs, strict=True)
    ]
    indices = [t.index for t in graph.tensors if not t.is_constant]
    answer = chosen.child.ask(
        {"do": "tensors", "model": _key(model), "kernels": keeping(chosen.kernels), "tensors": indices},
        {_key(model): [as_array(model.content)]}, arrays=inputs,
    )  # fmt: skip
    return {
        index: dequantize(graph.tensors[index], values).astype(np.float32)
        for index, values in zip(indices, answer.arrays, strict=True)
        if values.size
    }


def keeping(kernels: str) -> str:
    """The kernels nearest to these that keep all tensors."""
    return {"xnnpack": "builtin", "tflm": "reference"}.get(kernels, kernels)


def _key(model: Model) -> str:
    return kept(model.graph, "accuracy:key", lambda _: model.key)
