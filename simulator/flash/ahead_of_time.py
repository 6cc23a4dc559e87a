"""How much flash does a build without an interpreter take: calls of the same kernels, and constants.

Nothing was linked that way, so both figures are ranges.
"""

from __future__ import annotations

from dataclasses import replace

from ...graphs.ir import ModelGraph
from ..interval import Basis, Interval

# A kernel's Prepare and error text are about half of it (tflm_code_size.md, surprises 3 and 8); generated
# calls and start-up take little.
_PREPARE_SHARE, _GENERATED_BYTES = 0.5, 4096
_BYTES_PER_CHANNEL, _BYTES_PER_TENSOR = 8, 64  # multiplier and shift; at most, a generated description


def called_kernels(kernels: Interval) -> Interval:
    """From half of what the ops keep beyond the runtime to all of it and the generated calls."""
    if kernels.value is None or kernels.lo is None or kernels.hi is None:
        return kernels
    lo, hi = kernels.lo * (1 - _PREPARE_SHARE), kernels.hi + _GENERATED_BYTES
    source = f"{kernels.source}; without interpreter: the ops' own code, half to all of it"
    return replace(
        kernels, value=round((lo + hi) / 2), lo=int(lo), hi=-int(-hi // 1), basis=Basis.ANALYTIC,
        source=source,
    )  # fmt: skip


def described_constants(graph: ModelGraph, stored_bytes: int) -> Interval:
    """The constants without the flatbuffer around them, up to tables per channel and descriptions beside."""
    tensors = [t for s in graph.subgraphs for t in s.tensors]
    channels = sum(
        len(t.quantization.scales) for t in tensors
        if t.is_constant and t.quantization is not None and t.quantization.is_per_channel
    )  # fmt: skip
    most = stored_bytes + _BYTES_PER_CHANNEL * channels + _BYTES_PER_TENSOR * len(tensors)
    source = "constants as stored; up to 8 B per channel and 64 B of generated description per tensor"
    return Interval((stored_bytes + most) / 2, stored_bytes, most, Basis.ANALYTIC, source)
