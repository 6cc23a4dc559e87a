"""What does TFLM's own interpreter compute: the only room that knows the tflite_micro package."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..errors import ModelError, PreflashError
from .interpreter import package_label

if TYPE_CHECKING:
    import numpy.typing as npt

_PACKAGE = "tflite_micro"
# Arenas tried one after the other: the wrapper says only whether one is large enough.
_ARENA_BYTES = (1 << 20, 1 << 23, 1 << 26, 1 << 29)


def micro_label() -> str:
    """The package and its version; "" where it is not installed."""
    from importlib.util import find_spec

    return "" if find_spec(_PACKAGE) is None else package_label(_PACKAGE)


def load_micro(model: bytes) -> Any:
    """A TFLM interpreter for this model, in the smallest arena of a few that holds it.

    Raises:
        PreflashError: the tflite_micro package is not installed.
        ModelError: TFLM refuses the model.
    """
    try:
        runtime = import_module(f"{_PACKAGE}.python.tflite_micro.runtime")
    except (ImportError, SystemError) as error:
        fix = "pip install tflite-micro (Linux on x86-64), or take --kernels reference"
        raise PreflashError(f"TFLM's interpreter cannot be imported: {error}", fix=fix) from None
    reason = ""
    for arena_bytes in _ARENA_BYTES:
        try:
            return runtime.Interpreter.from_bytes(bytes(model), arena_size=arena_bytes)
        except (RuntimeError, ValueError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    raise ModelError(f"TFLM refuses the model: {reason}", fix="check its ops and inputs")


def run_micro(interpreter: Any, inputs: Sequence[npt.NDArray[Any]], outputs: int) -> list[npt.NDArray[Any]]:
    """The outputs of one invocation.

    Raises:
        ModelError: TFLM refuses the inputs.
    """
    try:
        for place, value in enumerate(inputs):
            interpreter.set_input(value, place)
        interpreter.invoke()
        return [interpreter.get_output(place) for place in range(outputs)]
    except (RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(f"TFLM refuses the model: {reason}", fix="check its ops and inputs") from None
