"""No normalisation: a gain and a shift per channel in place of mean, variance and root."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from ...errors import VariantInvalid
from ..grids import version_of
from ..ir import ModelGraph, Op, Tensor
from ..ops import AddAttributes, MulAttributes
from ..quantities import NUMPY_OF_DTYPE, affine
from .given import SHAPE_ONLY, Given
from .norms import Norm, norms
from .regions import Reals
from .rewiring import Rewiring


@dataclass(frozen=True)
class SwapNorms:
    """Puts gain * x + shift in place of layer normalisation that is written in simple ops.

    NoNorm(h) = gain o h + shift (MobileBERT, Sun et al. 2020, section 3.5). Gain and shift stay as they are;
    the model has to be trained.
    """

    word: ClassVar[str] = "swap-norms"
    retrain: ClassVar[bool] = True

    def apply(self, graph: ModelGraph, given: Given) -> ModelGraph:
        """The model without normalisations.

        Raises:
            VariantInvalid: it has none.
        """
        found = norms(graph)
        if not found:
            raise VariantInvalid(
                "the model has no layer normalisation of simple ops over its last axis", where=graph.name,
                fix="batch norms are part of the weights already; skip this step",
            )  # fmt: skip
        work = Rewiring(graph)
        for norm in found:
            _swap(work, norm)
        for word, times in Counter(norm.word for norm in found).items():
            given.note(f"{times} x {word} becomes a gain and a shift: {SHAPE_ONLY}")
        return work.finished()


def _swap(work: Rewiring, norm: Norm) -> None:
    """MUL by the gain, ADD of the shift."""
    place, end = norm.region.ops[-1], work.tensors[norm.region.end]
    gain, shift = (
        work.add(_constant(end, f"{end.name}/{name}", values))
        for name, values in (("gain", norm.gain), ("shift", norm.shift))
    )
    between = work.add(replace(end, name=f"{end.name}/scaled"))
    work.remove(norm.region.ops)
    mul = Op(
        place, "MUL", (norm.region.source, gain), (between,), MulAttributes(), version_of("MUL", end.dtype)
    )
    add = Op(place, "ADD", (between, shift), (end.index,), AddAttributes(), version_of("ADD", end.dtype))
    work.put(place, [mul, add])


def _constant(end: Tensor, name: str, values: Reals) -> Tensor:
    """One number per channel, of the activation's own type."""
    quantization = None
    if not end.dtype.is_float:
        quantization = affine(float(values.min()), float(values.max()), end.dtype)
        values = np.rint(values / quantization.scales[0]) + quantization.zero_points[0]
    data = np.ascontiguousarray(values.astype(NUMPY_OF_DTYPE[end.dtype])).tobytes()
    return Tensor(0, name, end.dtype, (len(values),), data, quantization)
