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

REFUSALS = (ValueError, RuntimeError, SystemError, TypeError)
NO_REASON = "no reason is given"  # ai_edge_litert says nothing where it gets no memory
# The first that can be imported runs the model. On the same inputs tflite_runtime's reference kernels give
# TFLM's own outputs bit for bit; its XNNPACK takes no int8 ops, ai_edge_litert's does.
_PACKAGES = ("tflite_runtime.interpreter", "ai_edge_litert.interpreter")
# kernels -> the op resolver that has them; "" is what the package does by itself
_RESOLVERS = {
    "": "AUTO", "reference": "BUILTIN_REF", "builtin": "BUILTIN_WITHOUT_DEFAULT_DELEGATES", "xnnpack": "AUTO",
}  # fmt: skip


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
    except REFUSALS as error:
        raise refused(error) from None
    if keep_all:
        return [_tensor(interpreter, detail["index"]) for detail in _all_tensors(interpreter)]
    return [_tensor(interpreter, detail["index"]) for detail in interpreter.get_output_details()]


def load_interpreter(model: bytes, *, keep_all: bool = False, kernels: str = "", batch: int = 0) -> Any:
    """A TFLite interpreter with its tensors allocated.

    Args:
        keep_all: keep every tensor's values; XNNPACK is not applied then.
        kernels: reference, builtin (optimised, without delegates), xnnpack, or "" for the package's default.
        batch: the first extent of every input, in place of the model's own; 0 leaves it.
    """
    package = _package(kernels)
    try:
        with _quiet(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # keep_all is for debugging, and says so
            interpreter = package.Interpreter(
                model_content=bytes(model), num_threads=1, experimental_preserve_all_tensors=keep_all,
                experimental_op_resolver_type=package.OpResolverType[_RESOLVERS[kernels]],
            )  # fmt: skip
            for detail in interpreter.get_input_details() if batch else ():
                interpreter.resize_tensor_input(detail["index"], [batch, *detail["shape"][1:]])
            interpreter.allocate_tensors()
    except REFUSALS as error:
        raise refused(error) from None
    return interpreter


def interpreter_label(kernels: str = "") -> str:
    """The package and version that would run, as "tflite_runtime 2.14.0"; "" where none is installed.

    Nothing is imported: a package that is there but cannot be loaded is not noticed.
    """
    from importlib.util import find_spec

    names = (module.partition(".")[0] for module in _preferred(kernels))
    return next((package_label(name) for name in names if find_spec(name) is not None), "")


def package_label(name: str) -> str:
    """The package and its version, as "tflite_runtime 2.14.0"."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"{name} {version(name.replace('_', '-'))}"
    except PackageNotFoundError:
        return f"{name} of unknown version"


def delegated_ops(interpreter: Any) -> bool | None:
    """Whether a delegate (XNNPACK) took any op over; None where the interpreter does not tell."""
    try:
        return any(op["op_name"] == "DELEGATE" for op in interpreter._get_ops_details())
    except (AttributeError, KeyError, *REFUSALS):
        return None


def _preferred(kernels: str) -> tuple[str, ...]:
    return _PACKAGES[::-1] if kernels == "xnnpack" else _PACKAGES


def _package(kernels: str = "") -> Any:
    reasons = []
    for name in _preferred(kernels):
        try:
            package = import_module(name)
            _ = package.Interpreter, package.OpResolverType
            return package
        except (ImportError, AttributeError, SystemError) as error:
            reasons.append(f"{name.partition('.')[0]}: {error}")
    raise PreflashError(
        "no TFLite interpreter can be imported: " + "; ".join(reasons),
        fix="pip install ai-edge-litert, or tflite-runtime on Python 3.11",
    )


def refused(error: Exception) -> ModelError:
    """What the interpreter raised, as a named error."""
    first_line = (str(error).strip() or NO_REASON).splitlines()[0]
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
