"""How does one loaded model run, sample by sample or many at once, with which kernels?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ...errors import ModelError
from ..interpreter import REFUSALS, delegated_ops, load_interpreter, package_label, refused
from ..micro_interpreter import load_micro, micro_label, run_micro

Array = npt.NDArray[Any]


class Session(Protocol):
    """A model that is loaded. Every run starts as if it was the first."""

    is_delegated: bool | None
    package: str  # and its version

    def run(self, inputs: Sequence[Array]) -> list[Array]:
        """The outputs for one sample, or one batch; the caller's to keep."""
        ...


class LiteRtSession:
    """A model in the TFLite interpreter.

    Args:
        restart: what has to be forgotten between samples: "" nothing, "variables", or "load": all of it.
        batch: samples per run; 0 is the model's own first extent.
    """

    def __init__(
        self, model: bytes, kernels: str, *, restart: str = "", keep_all: bool = False, batch: int = 0
    ) -> None:
        self._model, self._kernels, self._restart = model, kernels, restart
        self._keep_all, self._batch, self._is_fresh = keep_all, batch, True
        self._load()

    def _load(self) -> None:
        self._one = load_interpreter(
            self._model, keep_all=self._keep_all, kernels=self._kernels, batch=self._batch
        )
        self._inputs = [int(d["index"]) for d in self._one.get_input_details()]
        self._outputs = [int(d["index"]) for d in self._one.get_output_details()]
        self.is_delegated = delegated_ops(self._one)
        self.package = package_label(type(self._one).__module__.partition(".")[0])

    def run(self, inputs: Sequence[Array]) -> list[Array]:
        if len(inputs) != len(self._inputs):
            raise ModelError(f"the interpreter takes {len(self._inputs)} inputs, {len(inputs)} were given")
        if not self._is_fresh and self._restart == "load":
            self._load()
        try:
            if not self._is_fresh and self._restart == "variables":
                self._one.reset_all_variables()
            self._is_fresh = False
            for index, value in zip(self._inputs, inputs, strict=True):
                self._one.set_tensor(index, value)
            self._one.invoke()
            return [self._one.get_tensor(index) for index in self._outputs]
        except REFUSALS as error:
            raise refused(error) from None

    def tensor(self, index: int) -> Array:
        """A tensor's values after a run; empty where the interpreter has none."""
        try:
            values: Array = self._one.get_tensor(index)
        except REFUSALS:
            return np.empty(0)
        return values


class MicroSession:
    """A model in TFLM's own interpreter."""

    is_delegated: bool | None = False
    package = micro_label()

    def __init__(self, model: bytes, outputs: int, *, restart: str = "") -> None:
        self._model, self._outputs, self._restart, self._is_fresh = model, outputs, restart, True
        self._one = load_micro(model)

    def run(self, inputs: Sequence[Array]) -> list[Array]:
        if not self._is_fresh and self._restart:
            self._one = load_micro(self._model)
        self._is_fresh = False
        return run_micro(self._one, inputs, self._outputs)


def session(model: bytes, kernels: str, *, outputs: int, restart: str = "") -> Session:
    """The model loaded, with these kernels."""
    if kernels == "tflm":
        return MicroSession(model, outputs, restart=restart)
    return LiteRtSession(model, kernels, restart=restart)
