"""What does TFLite itself compute: the only room that knows tflite_runtime and ai_edge_litert.

A model that the interpreter was not built for can end the process; run unknown models in a child process.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..errors import ModelError, PreflashError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_REFUSALS = (ValueError, RuntimeError, SystemError, TypeError)
# the first that can be imported runs the model
_PACKAGES = ("tflite_runtime.interpreter", "ai_edge_litert.interpreter")


def run_tflite(
    model: bytes, inputs: Sequence[npt.NDArray[Any]], *, keep_all: bool = False
) -> list[npt.NDArray[Any]]:
    """The outputs of one invocation, in the order of the model's outputs.

    Args:
        model: the bytes of a .tflite.
        inputs: one array per model input, of its shape and type.
        keep_all: give all tensors of the main subgraph instead, by index; those that the interpreter
            does not keep are empty.

    Raises:
        PreflashError: no interpreter is installed.
        ModelError: the interpreter refuses the model or its inputs.
    """
    interpreter = load_interpreter(model, keep_all=keep_all)
    details = interpreter.get_input_details()
    if len(details) != len(inputs):
        fix = "give one array per model input"
        raise ModelError(f"the model has {len(details)} inputs, {len(inputs)} were given", fix=fix)
    try:
        for detail, value in zip(details, inputs, strict=True):
            interpreter.set_tensor(detail["index"], value)
        with _quiet():
            interpreter.invoke()
    except _REFUSALS as error:
        raise _refused(error) from None
    if keep_all:
        return [_tensor(interpreter, detail["index"]) for detail in _all_tensors(interpreter)]
    return [_tensor(interpreter, detail["index"]) for detail in interpreter.get_output_details()]


def load_interpreter(model: bytes, *, keep_all: bool = False) -> Any:
    """A TFLite interpreter with its tensors allocated."""
    factory = _interpreter_class()
    try:
        with _quiet(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # keep_all is for debugging, and says so
            interpreter = factory(
                model_content=bytes(model), num_threads=1, experimental_preserve_all_tensors=keep_all
            )
            interpreter.allocate_tensors()
    except _REFUSALS as error:
        raise _refused(error) from None
    return interpreter


def _interpreter_class() -> Any:
    reasons = []
    for package in _PACKAGES:
        try:
            return import_module(package).Interpreter
        except (ImportError, AttributeError, SystemError) as error:
            reasons.append(f"{package.partition('.')[0]}: {error}")
    raise PreflashError(
        "no TFLite interpreter can be imported: " + "; ".join(reasons),
        fix="pip install ai-edge-litert, or tflite-runtime on Python 3.11",
    )


def _refused(error: Exception) -> ModelError:
    first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
    return ModelError(f"the interpreter refuses the model: {first_line}", fix="check its ops and inputs")


def _all_tensors(interpreter: Any) -> list[dict[str, Any]]:
    return sorted(interpreter.get_tensor_details(), key=lambda detail: int(detail["index"]))


def _tensor(interpreter: Any, index: int) -> npt.NDArray[Any]:
    import numpy as np

    try:
        found: npt.NDArray[np.generic] = interpreter.get_tensor(index)
    except ValueError:  # a tensor without data: omitted, or freed
        return np.empty(0)
    return found


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what the C++ code writes to stderr (delegate notices) from the user."""
    try:
        saved = os.dup(2)
    except OSError:  # no stderr to keep quiet
        yield
        return
    silent = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(silent, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(silent)
