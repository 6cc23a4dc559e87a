"""What does the digits network compute, and how do its outputs change with its weights?

Arrays are laid out as TFLite's: pictures NHWC, convolutions OHWI, depthwise 1HWC, dense OI.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Arrays = dict[str, Array]


@dataclass(frozen=True)
class Stage:
    """One op of the network with what it needs to be run; `shape` is of its weights, () for none."""

    name: str
    kind: str
    shape: tuple[int, ...] = ()
    stride: int = 1
    is_rectified: bool = True

    @property
    def output_axis(self) -> int:
        """The dimension of the weights that counts output channels."""
        return 3 if self.kind == "depthwise" else 0

    @property
    def scale_axis(self) -> int | None:
        """The dimension that has one scale each; dense kernels of TFLite take one for the whole tensor."""
        return None if self.kind == "dense" else self.output_axis


@dataclass(frozen=True)
class Grid:
    """real = scale x (stored - zero point), stored in -128..127: the values an int8 tensor can hold."""

    scale: float
    zero_point: int

    def rounded(self, reals: Array) -> Array:
        """The nearest values of the grid."""
        stored = np.clip(np.rint(reals / self.scale) + self.zero_point, -128, 127)
        return ((stored - self.zero_point) * self.scale).astype(reals.dtype)

    def holds(self, reals: Array) -> Array:
        """Where a value lies within the ends of the grid."""
        low, high = (-128 - self.zero_point) * self.scale, (127 - self.zero_point) * self.scale
        return (reals >= low) & (reals <= high)


PICTURE = (8, 8, 1)
CLASSES = 10
STAGES = (
    Stage("first", "conv", (16, 3, 3, 1)),
    Stage("pool", "pool", is_rectified=False),
    Stage("second", "conv", (32, 3, 3, 16)),
    Stage("depthwise", "depthwise", (1, 3, 3, 32)),
    Stage("pointwise", "conv", (48, 1, 1, 32)),
    Stage("logits", "dense", (CLASSES, 768), is_rectified=False),
)
WEIGHTED = tuple(stage for stage in STAGES if stage.shape)


def fresh_arrays(seed: int) -> Arrays:
    """Weights of deviation sqrt(2 / fan-in) (He et al. 2015) and zero biases, float32."""
    random = np.random.default_rng(seed)
    arrays: Arrays = {}
    for stage in WEIGHTED:
        channels = stage.shape[stage.output_axis]
        fan_in = int(np.prod(stage.shape)) // channels
        drawn = random.standard_normal(stage.shape) * np.sqrt(2 / fan_in)
        arrays[f"{stage.name}/weights"] = drawn.astype(np.float32)
        arrays[f"{stage.name}/bias"] = np.zeros(channels, np.float32)
    return arrays


def forward(
    arrays: Mapping[str, Array], pictures: Array, grids: Mapping[str, Grid] | None = None
) -> tuple[Array, list[tuple[Any, ...]]]:
    """The logits, and what `backward` needs of the way there.

    Args:
        arrays: weights and biases by name.
        pictures: NHWC.
        grids: what the activations are rounded to, by the name of the stage that makes them; "input" too.
    """
    grids = grids or {}
    x = grids["input"].rounded(pictures) if "input" in grids else pictures
    trace = []
    for stage in STAGES:
        weights = arrays.get(f"{stage.name}/weights")
        y, kept = _FORWARD[stage.kind](stage, x, weights)
        if stage.shape:
            y = y + arrays[f"{stage.name}/bias"]
        passes = None
        if stage.is_rectified:
            passes = y > 0
            y = np.where(passes, y, y.dtype.type(0))
        if stage.name in grids:
            held = grids[stage.name].holds(y)
            passes = held if passes is None else passes & held
            y = grids[stage.name].rounded(y)
        trace.append((stage, weights, kept, passes, y))
        x = y
    return x, trace


def backward(trace: list[tuple[Any, ...]], slope: Array) -> Arrays:
    """The slopes of weights and biases for these slopes of the logits.

    Rounding counts as the identity within the ends of its grid: the straight-through estimator.
    """
    slopes: Arrays = {}
    for stage, weights, kept, passes, _ in reversed(trace):
        if passes is not None:
            slope = slope * passes
        if stage.shape:
            slopes[f"{stage.name}/bias"] = slope.reshape(-1, slope.shape[-1]).sum(axis=0)
        slope, of_weights = _BACKWARD[stage.kind](stage, slope, weights, kept)
        if of_weights is not None:
            slopes[f"{stage.name}/weights"] = of_weights
    return slopes


def cross_entropy(logits: Array, labels: Array) -> tuple[float, Array]:
    """-mean log softmax(logits)[label], and its slopes: (softmax - one-hot) / count."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    raised = np.exp(shifted)
    total = raised.sum(axis=1, keepdims=True)
    rows = np.arange(len(labels))
    loss = float(np.mean(np.log(total[:, 0]) - shifted[rows, labels]))
    slope = raised / total
    slope[rows, labels] -= 1
    return loss, slope / len(labels)


def accuracy(
    arrays: Mapping[str, Array], pictures: Array, labels: Array, grids: Mapping[str, Grid] | None = None
) -> float:
    """The fraction of pictures whose largest logit is that of the label."""
    logits, _ = forward(arrays, pictures, grids)
    return float(np.mean(logits.argmax(axis=1) == labels))


# Convolutions. SAME padding as TFLite: the odd row and column go below and to the right.


def _padded(x: Array, kernel: int, stride: int) -> tuple[Array, int]:
    extent = x.shape[1]
    out = -(-extent // stride)
    total = max((out - 1) * stride + kernel - extent, 0)
    before = total // 2
    edge = (before, total - before)
    return np.pad(x, ((0, 0), edge, edge, (0, 0))) if total else x, before


def _taps(stage: Stage, extent: int) -> list[tuple[int, int, slice, slice]]:
    """Per place of the kernel the rows and columns of the padded picture that it meets."""
    _, height, width, _ = stage.shape
    reach = (-(-extent // stage.stride) - 1) * stage.stride + 1
    return [
        (i, j, slice(i, i + reach, stage.stride), slice(j, j + reach, stage.stride))
        for i in range(height)
        for j in range(width)
    ]


def _conv(stage: Stage, x: Array, weights: Array) -> tuple[Array, Any]:
    padded, before = _padded(x, stage.shape[1], stage.stride)
    columns = np.stack([padded[:, r, c] for _, _, r, c in _taps(stage, x.shape[1])], axis=3)
    flat = columns.reshape(-1, weights[0].size)  # one row per output pixel: kernel height, width, depth
    y = flat @ weights.reshape(len(weights), -1).T
    return y.reshape(*columns.shape[:3], len(weights)), (flat, padded.shape, before, x.shape)


def _conv_back(stage: Stage, slope: Array, weights: Array, kept: Any) -> tuple[Array, Array]:
    flat, padded_shape, before, shape = kept
    rows = slope.reshape(-1, slope.shape[-1])
    of_weights = (rows.T @ flat).reshape(weights.shape)
    columns = (rows @ weights.reshape(len(weights), -1)).reshape(*slope.shape[:3], -1, shape[3])
    padded = np.zeros(padded_shape, slope.dtype)
    for place, (_, _, r, c) in enumerate(_taps(stage, shape[1])):
        padded[:, r, c] += columns[:, :, :, place]
    return padded[:, before : before + shape[1], before : before + shape[2]], of_weights


def _depthwise(stage: Stage, x: Array, weights: Array) -> tuple[Array, Any]:
    padded, before = _padded(x, stage.shape[1], stage.stride)
    y = sum(padded[:, r, c] * weights[0, i, j] for i, j, r, c in _taps(stage, x.shape[1]))
    return np.asarray(y), (padded, before, x.shape)


def _depthwise_back(stage: Stage, slope: Array, weights: Array, kept: Any) -> tuple[Array, Array]:
    padded, before, shape = kept
    of_padded, of_weights = np.zeros_like(padded), np.zeros_like(weights)
    for i, j, r, c in _taps(stage, shape[1]):
        of_padded[:, r, c] += slope * weights[0, i, j]
        of_weights[0, i, j] = (slope * padded[:, r, c]).sum(axis=(0, 1, 2))
    return of_padded[:, before : before + shape[1], before : before + shape[2]], of_weights


# The largest of 2 x 2, and dense.


def _pool(_stage: Stage, x: Array, _weights: None) -> tuple[Array, Any]:
    n, height, width, depth = x.shape
    squares = x.reshape(n, height // 2, 2, width // 2, 2, depth).swapaxes(2, 3)
    squares = squares.reshape(n, height // 2, width // 2, 4, depth)
    winner = squares.argmax(axis=3)[:, :, :, None]
    return np.take_along_axis(squares, winner, axis=3)[:, :, :, 0], (winner, x.shape)


def _pool_back(_stage: Stage, slope: Array, _weights: None, kept: Any) -> tuple[Array, None]:
    winner, (n, height, width, depth) = kept
    squares = np.zeros((n, height // 2, width // 2, 4, depth), slope.dtype)
    np.put_along_axis(squares, winner, slope[:, :, :, None], axis=3)
    squares = squares.reshape(n, height // 2, width // 2, 2, 2, depth).swapaxes(2, 3)
    return squares.reshape(n, height, width, depth), None


def _dense(_stage: Stage, x: Array, weights: Array) -> tuple[Array, Any]:
    flat = x.reshape(len(x), -1)
    return flat @ weights.T, (flat, x.shape)


def _dense_back(_stage: Stage, slope: Array, weights: Array, kept: Any) -> tuple[Array, Array]:
    flat, shape = kept
    return (slope @ weights).reshape(shape), slope.T @ flat


_FORWARD: Any = {"conv": _conv, "depthwise": _depthwise, "pool": _pool, "dense": _dense}
_BACKWARD: Any = {
    "conv": _conv_back, "depthwise": _depthwise_back, "pool": _pool_back, "dense": _dense_back,
}  # fmt: skip
