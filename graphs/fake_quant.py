"""What does TFLite's FAKE_QUANT compute: reals rounded to a grid of few bits, in its own float32 steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import UnsupportedOp
from .reading import Reading

Reals = npt.NDArray[np.float32]


def nudged(low: float, high: float, bits: int) -> tuple[np.float32, np.float32, np.float32]:
    """(scale, low, high) of the grid: s = (high - low) / (2^k - 1), moved so that 0 is on it.

    z = round(-low / s), halves up; low' = -z s, high' = (2^k - 1 - z) s
    (tensorflow/lite/kernels/internal/reference/fake_quant.h and quantization_util.h).

    >>> [round(float(x), 4) for x in nudged(-1.0, 2.0, 2)]
    [1.0, -1.0, 2.0]
    """
    most = np.float32((1 << bits) - 1)
    scale = (np.float32(high) - np.float32(low)) / most
    zero = np.clip(np.floor(-np.float32(low) / scale + np.float32(0.5)), np.float32(0), most)
    return scale, -zero * scale, (most - zero) * scale


def fake_quantized(x: npt.NDArray[Any], low: float, high: float, bits: int) -> Reals:
    """y = round((clip(x) - low') / s) s + low'."""
    scale, least, most = nudged(low, high, bits)
    shifted = np.clip(x.astype(np.float32), least, most) - least
    steps = np.floor(shifted * (np.float32(1) / scale) + np.float32(0.5))
    rounded: Reals = steps * scale + least
    return rounded


def fake_quant_meaning(r: Reading, inputs: Any) -> list[npt.NDArray[Any]]:
    """FAKE_QUANT as an op of a graph; TFLite runs no narrow range."""
    x, bits = inputs[0], int(r.attribute("num_bits", 0))
    low, high = float(r.attribute("min", 0.0)), float(r.attribute("max", 0.0))
    is_narrow = bool(r.attribute("narrow_range", False))
    if x is None or is_narrow or not 2 <= bits <= 16 or not low <= 0 <= high or low == high:
        raise UnsupportedOp(f"FAKE_QUANT to {bits} bits between {low:g} and {high:g} cannot be evaluated",
                            where=f"op {r.op.index}")  # fmt: skip
    return [fake_quantized(x, low, high, bits).astype(np.float64)]
