"""Cells of searched and random networks, built in code: many branches, so the order of the ops matters."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import numpy as np

from . import ops as kinds
from .build import GraphBuilder
from .geometry import Padding
from .ir import DType, ModelGraph
from .ops import Activation
from .quantities import affine


def randomly_wired(nodes: int = 32, *, extent: int = 16, channels: int = 16, seed: int = 0) -> ModelGraph:
    """A stage of a randomly wired network: Watts-Strogatz, 4 neighbours, rewired with 0.75 (Xie et al. 2019).

    Every vertex adds what it gets, then RELU and a separable 3 x 3 convolution; the last adds all loose ends.
    """
    import networkx

    wiring = networkx.connected_watts_strogatz_graph(nodes, 4, 0.75, seed=seed)
    b = GraphBuilder(f"randomly wired {nodes}, seed {seed}", seed=seed)
    x = b.conv(b.input((1, extent, extent, 3)), channels, (3, 3))
    made: list[int] = []
    for v in range(nodes):
        sources = [made[u] for u in sorted(wiring[v]) if u < v] or [x]
        made.append(_separable(b, _sum(b, sources), channels, 3))
    loose = [made[v] for v in range(nodes) if all(u < v for u in wiring[v])]
    return _head(b, _sum(b, loose), channels)


def nasnet_cells(cells: int = 2, *, extent: int = 16, channels: int = 16) -> ModelGraph:
    """Normal cells of NASNet-A (Zoph et al. 2018, figure 4), each fed by the two before it."""
    b = GraphBuilder(f"NASNet-A normal x {cells}")
    out = _Joint(b, (1, extent, extent, channels))
    before = now = b.conv(b.input((1, extent, extent, 3)), channels, (3, 3))
    depths = [channels, channels]
    for _ in range(cells):
        p, h = out.conv(before, depths[-2]), b.conv(now, channels)
        parts = [
            p,
            out.add(_separable(b, h, channels, 3), h),
            out.add(_separable(b, p, channels, 3), _separable(b, h, channels, 5)),
            out.add(_average(b, h), p),
            out.add(_average(b, p), _average(b, p)),
            out.add(_separable(b, p, channels, 5), _separable(b, p, channels, 3)),
        ]
        before, now = now, b.concat(parts)
        depths.append(len(parts) * channels)
    return _head(b, now, channels)


def darts_cells(cells: int = 2, *, extent: int = 16, channels: int = 16) -> ModelGraph:
    """Normal cells of DARTS, second order (Liu et al. 2019, figure 4): 4 steps, each of two inputs.

    Its dilated convolution is a plain one here.
    """
    b = GraphBuilder(f"DARTS V2 normal x {cells}")
    out = _Joint(b, (1, extent, extent, channels))
    before = now = b.conv(b.input((1, extent, extent, 3)), channels, (3, 3))
    for _ in range(cells):
        p, h = b.conv(before, channels), b.conv(now, channels)
        first = out.add(_twice(b, p, channels), _twice(b, h, channels))
        second = out.add(_twice(b, p, channels), _twice(b, h, channels))
        third = out.add(_twice(b, h, channels), p)
        fourth = out.add(p, _separable(b, first, channels, 3))
        before, now = now, b.concat([first, second, third, fourth])
    return _head(b, now, channels)


def branches_by_breadth(branches: int = 6, *, extent: int = 16, channels: int = 8) -> ModelGraph:
    """Inception-like branches (expand, convolve, project) written stage by stage, as some converters do."""
    b = GraphBuilder(f"{branches} branches by breadth")
    out = _Joint(b, (1, extent, extent, channels // 2))
    x = b.conv(b.input((1, extent, extent, 3)), channels, (3, 3))
    wide = [b.conv(x, 4 * channels) for _ in range(branches)]
    deep = [b.depthwise(w) for w in wide]
    return _head(b, b.concat([out.conv(d, 4 * channels) for d in deep]), channels)


class _Joint:
    """Makes the parts of a concatenation: int8 runtimes want all of them on one grid."""

    def __init__(self, b: GraphBuilder, shape: tuple[int, ...]) -> None:
        self._b, self._shape, self._grid = b, shape, affine(-4.0, 4.0, DType.INT8)
        self._random = np.random.default_rng(1)

    def add(self, x: int, y: int) -> int:
        return self._b.op("ADD", (x, y), kinds.AddAttributes(), outputs=[self._output("add")])[0]

    def conv(self, x: int, depth: int) -> int:
        """A 1 x 1 convolution with a bias of zeros."""
        values = self._random.standard_normal((self._shape[3], 1, 1, depth)) * sqrt(2 / depth)
        weight = self._b.quantized_constant(values, name="weights", axis=0)
        bias = self._b.constant(np.zeros(self._shape[3], np.int32), name="bias")
        outputs = [self._output("conv")]
        return self._b.op("CONV_2D", (x, weight, bias), kinds.Conv2DAttributes(), outputs=outputs)[0]

    def _output(self, name: str) -> int:
        return self._b.tensor(self._shape, name=name, quantization=self._grid)


def _sum(b: GraphBuilder, parts: Sequence[int]) -> int:
    total = parts[0]
    for part in parts[1:]:
        total = b.add(total, part)
    return total


def _separable(b: GraphBuilder, x: int, channels: int, kernel: int) -> int:
    return b.conv(b.depthwise(b.unary("RELU", x), (kernel, kernel)), channels)


def _twice(b: GraphBuilder, x: int, channels: int) -> int:
    return _separable(b, _separable(b, x, channels, 3), channels, 3)


def _average(b: GraphBuilder, x: int) -> int:
    same = kinds.Pool2DAttributes(
        padding=Padding.SAME, stride_w=1, stride_h=1, filter_width=3, filter_height=3
    )
    return b.pool("AVERAGE_POOL_2D", x, same)


def _head(b: GraphBuilder, x: int, channels: int) -> ModelGraph:
    attributes = kinds.Conv2DAttributes(fused_activation_function=Activation.RELU)
    pooled = b.pool("AVERAGE_POOL_2D", b.conv(x, 2 * channels, (1, 1), attributes))
    return b.finish([b.softmax(b.fully_connected(b.reshape(pooled, (1, 2 * channels)), 10))])
