"""On which grids do the network's weights and activations lie when they are integers?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from network import STAGES, WEIGHTED, Array, Arrays, Grid, forward

_CUTS = np.linspace(0.3, 1.0, 36).tolist()  # where the largest weight of a channel may be cut off
_CLASSIC_BITS = 8  # nothing is cut off: TFLite's own rule


def activation_grids(arrays: Arrays, pictures: Array) -> dict[str, Grid]:
    """An int8 grid from the smallest to the largest value of each activation, zero being on it.

    The pool keeps its input's grid, as TFLite demands.
    """
    _, trace = forward(arrays, pictures)
    seen = {"input": pictures, **{stage.name: y for stage, *_, y in trace}}
    grids = {name: _between(float(values.min()), float(values.max())) for name, values in seen.items()}
    return {**grids, "pool": grids["first"]}


def _between(low: float, high: float) -> Grid:
    """scale = (high - low) / 255; zero point = round(-128 - low / scale)."""
    low, high = min(low, 0.0), max(high, 0.0)
    scale = float(np.float32((high - low) / 255)) or 1.0
    return Grid(scale, int(np.clip(np.rint(-128 - low / scale), -128, 127)))


def weight_scales(arrays: Arrays, bits: int) -> Arrays:
    """Per array one scale per output channel (dense: one in all), shaped to broadcast.

    8 bits: largest magnitude / 127. Fewer: the cut of the largest magnitude with the least squared error.
    """
    return {f"{s.name}/weights": _scales(arrays[f"{s.name}/weights"], s.scale_axis, bits) for s in WEIGHTED}


def _scales(values: Array, axis: int | None, bits: int) -> Array:
    others = tuple(d for d in range(values.ndim) if d != axis)
    largest = np.abs(values).max(axis=others, keepdims=True)
    whole = np.where(largest > 0, largest, 1) / _top(bits)
    if bits >= _CLASSIC_BITS:
        return whole.astype(np.float32)
    best, least = whole, np.full(whole.shape, np.inf)
    for cut in _CUTS:
        error = np.square(values - _on(values, whole * cut, bits)).sum(axis=others, keepdims=True)
        best, least = np.where(error < least, whole * cut, best), np.minimum(error, least)
    return best.astype(np.float32)


def rounded_weights(arrays: Arrays, scales: Arrays, bits: int) -> Arrays:
    """The arrays with every weight on the k-bit grid of its channel."""
    return {name: _on(v, scales[name], bits) if name in scales else v for name, v in arrays.items()}


def stored_weights(values: Array, scales: Array, bits: int) -> Array:
    """The integers that stand for these weights: symmetric, -(2^(k-1) - 1) to 2^(k-1) - 1."""
    return np.clip(np.rint(values / scales), -_top(bits), _top(bits))


def bias_on_grid(arrays: Arrays, scales: Arrays, grids: Mapping[str, Grid]) -> Arrays:
    """The arrays with biases as integers x input scale x weight scale, as int32 holds them."""
    rounded = dict(arrays)
    before = "input"
    for stage in STAGES:
        if stage.shape:
            name = f"{stage.name}/bias"
            scale = bias_scales(grids[before], scales[f"{stage.name}/weights"])
            rounded[name] = (np.rint(arrays[name] / scale) * scale).astype(arrays[name].dtype)
        before = stage.name
    return rounded


def bias_scales(data: Grid, weights: Array) -> Array:
    """Of the stage's input x of its weights: one per channel, or one in all."""
    return (np.float32(data.scale) * weights.reshape(-1)).astype(np.float32)


def _on(values: Array, scales: Array, bits: int) -> Array:
    return (stored_weights(values, scales, bits) * scales).astype(values.dtype)


def _top(bits: int) -> int:
    return (1 << (bits - 1)) - 1
