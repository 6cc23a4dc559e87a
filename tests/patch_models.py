"""Random stacks of ops that patches can run; sums are exact in float64, so their order cannot matter."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import strategies as st
from preflash.devices.catalog import load_target
from preflash.errors import PatchesInvalid
from preflash.graphs.build import GraphBuilder
from preflash.graphs.geometry import Padding
from preflash.graphs.ir import DType, ModelGraph, Quantization, Tensor
from preflash.graphs.ops import Activation, Conv2DAttributes, DepthwiseConv2DAttributes, Pool2DAttributes
from preflash.graphs.quantities import NUMPY_OF_DTYPE
from preflash.simulator.patches.stage import find_cuts
from preflash.simulator.patches.tiling import Grid, tile

REFERENCE = load_target("nucleo-l4r5zi", runtime="tflm-reference")
CMSIS = load_target("nucleo-l4r5zi", runtime="tflm-cmsis-nn")
GRIDS = st.tuples(st.integers(1, 4), st.integers(1, 4))
PADDINGS = st.sampled_from([Padding.SAME, Padding.VALID])


@st.composite
def stacks(draw: Any, *, dtype: DType | None = None, longest: int = 5) -> ModelGraph:
    """conv, depthwise, pools, PAD, RELU, concatenation, residual ADD; then a dense op that ends the stage."""
    kind = dtype or draw(st.sampled_from([DType.INT8, DType.FLOAT32]))
    b = GraphBuilder("stack", dtype=kind, seed=draw(st.integers(0, 99)))
    x = b.input((1, draw(st.integers(5, 19)), draw(st.integers(5, 19)), draw(st.integers(1, 3))))
    for _ in range(draw(st.integers(1, longest))):
        x = _block(draw, b, x)
    shape = b._tensors[x].shape
    flat = b.reshape(x, (1, int(np.prod(shape))))
    return exact_arithmetic(b.finish([b.fully_connected(flat, 3)]))


def _block(draw: Any, b: GraphBuilder, x: int) -> int:
    _, height, width, channels = b._tensors[x].shape
    names = ["conv", "depthwise", "pool", "pad", "relu", "residual", "concat"]
    name = draw(st.sampled_from(names))
    small = min(height, width)
    padding = draw(PADDINGS) if small >= 4 else Padding.SAME
    kernel = draw(st.integers(1, min(3, small))), draw(st.integers(1, min(4, small)))
    stride = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    most = 2 if small >= 8 else 1
    dilation = draw(st.integers(1, most)), draw(st.integers(1, most))
    if name == "conv":
        a = Conv2DAttributes(padding, stride[1], stride[0], Activation.NONE, dilation[1], dilation[0])
        return b.conv(x, draw(st.integers(1, 3)), kernel, a)
    if name == "depthwise":
        multiplier = draw(st.integers(1, 2)) if channels <= 3 else 1
        d = DepthwiseConv2DAttributes(
            padding, stride[1], stride[0], multiplier, Activation.NONE, dilation[1], dilation[0]
        )
        return b.depthwise(x, kernel, d)
    if name == "pool":
        pool = Pool2DAttributes(padding, stride[1], stride[0], kernel[1], kernel[0])
        return b.pool(draw(st.sampled_from(["MAX_POOL_2D", "AVERAGE_POOL_2D"])), x, pool)
    if name == "pad":
        amount = st.integers(0, 2)
        return b.pad(x, [(0, 0), (draw(amount), draw(amount)), (draw(amount), draw(amount)), (0, 0)])
    if name == "relu":
        return b.unary("RELU", x)
    y = b.conv(x, channels, kernel, Conv2DAttributes(Padding.SAME))
    return b.add(x, y) if name == "residual" else b.concat([x, y], 3)


def exact_arithmetic(graph: ModelGraph) -> ModelGraph:
    """Scales that are powers of two, float weights that are small integers: float64 sums lose nothing."""
    main = graph.main
    return graph.with_main(replace(main, tensors=tuple(_exact(t) for t in main.tensors)))


def _exact(tensor: Tensor) -> Tensor:
    q = tensor.quantization
    if q is not None and len(q.scales):
        scales = np.exp2(np.round(np.log2(q.scales))).astype(np.float32)
        return replace(tensor, quantization=Quantization(scales, q.zero_points, q.axis))
    if tensor.is_constant and tensor.dtype is DType.FLOAT32:
        values = np.frombuffer(tensor.data or b"", np.float32)
        return replace(tensor, data=np.clip(np.round(4 * values), -2, 2).astype(np.float32).tobytes())
    return tensor


def numbers(graph: ModelGraph, seed: int = 0) -> list[np.ndarray]:
    """One random input, integers also where it is float."""
    tensor = graph.tensors[graph.inputs[0]]
    random = np.random.default_rng(seed)
    kind = NUMPY_OF_DTYPE[tensor.dtype]
    if tensor.dtype.is_float:
        return [random.integers(-4, 5, tensor.shape).astype(kind)]
    low, high = np.iinfo(kind).min, np.iinfo(kind).max
    return [random.integers(low, high + 1, tensor.shape).astype(kind)]


def ending_at(graph: ModelGraph, tensor: int) -> ModelGraph:
    """The same model that also gives this tensor out, so that nothing hides behind later ops."""
    main = graph.main
    return graph.with_main(replace(main, outputs=(tensor,)))


def two_convs() -> ModelGraph:
    """8x8x1, conv 3x3 to 4 channels, conv 3x3 of stride 2 to 4x4x4, then a dense op."""
    b = GraphBuilder("two-convs")
    x = b.conv(b.input((1, 8, 8, 1)), 4, (3, 3), Conv2DAttributes(Padding.SAME))
    y = b.conv(x, 4, (3, 3), Conv2DAttributes(Padding.SAME, 2, 2))
    return b.finish([b.fully_connected(b.reshape(y, (1, 64)), 3)])


def legal(graph: ModelGraph, grid: tuple[int, int], at: int) -> tuple[int, tuple[int, int]] | None:
    """A legal (cut, grid) as near as the graph allows."""
    stages = find_cuts(graph).stages
    if not stages:
        return None
    stage = stages[at % len(stages)]
    _, height, width, _ = graph.tensors[stage.cut].shape
    chosen = Grid(min(grid[0], height), min(grid[1], width))
    try:
        tile(stage, chosen)
    except PatchesInvalid:  # a patch in padding alone
        return None
    return stage.last, chosen
