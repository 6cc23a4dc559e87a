"""What the flash image is made of: the model's array with its padding, and the code."""

from __future__ import annotations

from dataclasses import dataclass

from ...devices.target import Target
from ...graphs.ir import ModelGraph
from ...graphs.kept import kept
from ..encodings.hardware import hardware_saving_bytes
from ..interval import Interval, exact, unknown, weakest
from .ahead_of_time import described_constants
from .code import code_bytes
from .generated import raw_weights

ARRAY_ALIGNMENT_BYTES = 16  # flatbuffers hold tensors at multiples of 16 from the start of the file


@dataclass(frozen=True, slots=True)
class FlashImage:
    """The parts of the image that the model costs.

    Args:
        padding_bytes: from the end of the model's array to the next multiple of its alignment.
    """

    model_bytes: int
    padding_bytes: int
    code: Interval

    @property
    def array(self) -> Interval:
        """The model with its padding."""
        return _array(self.model_bytes, self.padding_bytes)

    @property
    def total(self) -> Interval:
        return self.array + self.code


def flash_image(graph: ModelGraph, target: Target) -> FlashImage:
    """The image of this model with the runtime of this target."""
    size = model_bytes(graph)
    return FlashImage(size, padding_bytes(size), code_bytes(graph, target))


def stored_model(graph: ModelGraph, target: Target) -> Interval:
    """Flash that the model itself takes: the padded .tflite, or what a code generator keeps of it."""
    persistent, name = target.runtime.memory.persistent, target.runtime.name
    if persistent == "unknown":
        return unknown(f"how {name} stores weights is not modelled in this version")
    if persistent == "ahead-of-time":
        return described_constants(graph, constant_bytes(graph))
    if persistent == "x-cube-ai":
        return raw_weights(graph)
    size, saved = model_bytes(graph), hardware_saving_bytes(graph, target)
    whole = _array(size, padding_bytes(size))
    return whole if saved is None else _less(whole, saved)


def _array(size_bytes: int, padding: int) -> Interval:
    source = f"length of the .tflite, rounded up to its array's alignment of {ARRAY_ALIGNMENT_BYTES}"
    return exact(size_bytes + padding, source)


def _less(whole: Interval, saved: Interval) -> Interval:
    """The file without what encoded weights save."""
    assert whole.value is not None and saved.value is not None and saved.lo is not None
    value, lo, hi = (whole.value - (end or 0) for end in (saved.value, saved.hi, saved.lo))
    source = f"{whole.source}, less what encoded weights save: {saved.source}"
    return Interval(value, lo, hi, weakest((whole.basis, saved.basis)), source)


def padding_bytes(size_bytes: int, alignment_bytes: int = ARRAY_ALIGNMENT_BYTES) -> int:
    """Bytes from the end of an aligned array to the next multiple of the alignment.

    >>> padding_bytes(53936), padding_bytes(53937)
    (0, 15)
    """
    return -size_bytes % alignment_bytes


def model_bytes(graph: ModelGraph) -> int:
    """Bytes of the .tflite as it lies in flash: the file's, or of the file that this graph would become."""
    if graph.file_bytes is not None:
        return graph.file_bytes
    return kept(graph, "model_bytes", _written_bytes)


def _written_bytes(graph: ModelGraph) -> int:
    from ...graphs.tflite.write import write_tflite

    return len(write_tflite(graph))


def constant_bytes(graph: ModelGraph, *, alignment_bytes: int = 1) -> int:
    """Bytes of the constants alone, as an ahead-of-time build keeps them: each stored buffer once.

    Args:
        alignment_bytes: every buffer is rounded up to it.
    """
    import numpy as np

    found: set[tuple[int, int]] = set()
    for subgraph in graph.subgraphs:
        for tensor in subgraph.tensors:
            if tensor.data:
                address = np.frombuffer(tensor.data, np.uint8).__array_interface__["data"][0]
                found.add((address, len(tensor.data)))
    return sum(size + padding_bytes(size, alignment_bytes) for _, size in found)
