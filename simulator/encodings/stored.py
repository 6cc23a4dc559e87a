"""Which model lies in the target's flash and runs, where its runtime stores weights in a way of its own?"""

from __future__ import annotations

from collections.abc import Callable

from ...devices.target import Target
from ...graphs.encodings.tflm_lut import lut_model
from ...graphs.ir import ModelGraph

# RuntimeSpec.weights -> the model that its tool makes; doing so twice changes nothing
_TOOLS: dict[str, Callable[[ModelGraph], ModelGraph]] = {"tflm-lut": lut_model}


def as_stored(graph: ModelGraph, target: Target) -> ModelGraph:
    """The model with its weights as the runtime stores them, and the ops that decode them.

    The very same where it stores them as the .tflite does.
    """
    tool = _TOOLS.get(target.runtime.weights)
    return graph if tool is None else tool(graph)
