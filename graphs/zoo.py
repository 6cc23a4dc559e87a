"""Which reference networks can be built by name: the MLPerf Tiny four, MobileNetV1 and V2, a fusion demo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches

from ..errors import ModelNotFound
from .build import GraphBuilder
from .geometry import Padding
from .ir import DType, ModelGraph
from .ops import Activation, AddAttributes, Conv2DAttributes, DepthwiseConv2DAttributes, Pool2DAttributes

_RELU, _RELU6 = Activation.RELU, Activation.RELU6


@dataclass(frozen=True, slots=True)
class Plan:
    """What to build: width multiplies channels, resolution is the picture's edge."""

    width: float
    resolution: int
    classes: int


@dataclass(frozen=True, slots=True)
class Reference:
    """One entry of the zoo: its text, what follows its input, and its published plan."""

    description: str
    append: Callable[[GraphBuilder, Plan], int]
    plan: Plan
    scales: bool = False  # whether width and resolution may be chosen


def build(
    name: str, *, dtype: str = "int8", width: float | None = None, resolution: int | None = None,
    classes: int | None = None, seed: int = 0,
) -> ModelGraph:  # fmt: skip
    """The reference network with seeded weights; what is not given is as published.

    >>> [op.kind for op in build("conv-add-pool-relu").ops]
    ['CONV_2D', 'ADD', 'MAX_POOL_2D', 'RELU']
    """
    reference = ZOO.get(name)
    if reference is None:
        near = get_close_matches(name, ZOO, 1)
        fix = f"did you mean {near[0]}? " if near else ""
        raise ModelNotFound(f"the zoo has no {name!r}", where="zoo", fix=f"{fix}known: {', '.join(ZOO)}")
    published = reference.plan
    if not reference.scales and (width, resolution) != (None, None):
        raise ModelNotFound(f"{name} has one width and one resolution", where="zoo", fix="leave both out")
    plan = Plan(width or published.width, resolution or published.resolution, classes or published.classes)
    if plan.width <= 0 or plan.resolution < 1 or plan.classes < 1:
        raise ModelNotFound(f"{name} cannot be built as {plan}", where="zoo", fix="use positive numbers")
    builder = GraphBuilder(name, dtype=_dtype(dtype), seed=seed)
    return builder.finish([reference.append(builder, plan)])


def _dtype(text: str) -> DType:
    if text not in ("int8", "int16", "float32"):
        raise ModelNotFound(f"the zoo has no {text} models", where="zoo", fix="use int8, int16 or float32")
    return DType(text)


def _conv(b: GraphBuilder, x: int, channels: int, *, stride: int = 1, activation: Activation = _RELU) -> int:
    return b.conv(x, channels, (3, 3), Conv2DAttributes(Padding.SAME, stride, stride, activation))


def _pointwise(
    b: GraphBuilder, x: int, channels: int, *, stride: int = 1, activation: Activation = _RELU
) -> int:
    return b.conv(x, channels, (1, 1), Conv2DAttributes(Padding.SAME, stride, stride, activation))


def _depthwise(b: GraphBuilder, x: int, *, stride: int = 1, activation: Activation = _RELU) -> int:
    attributes = DepthwiseConv2DAttributes(Padding.SAME, stride, stride, 1, activation)
    return b.depthwise(x, (3, 3), attributes)


def _classify(b: GraphBuilder, x: int, channels: int, classes: int) -> int:
    """Mean over the picture, dense, softmax."""
    pooled = b.reshape(b.pool("AVERAGE_POOL_2D", x), (1, channels))
    return b.softmax(b.fully_connected(pooled, classes))


def _kws01(b: GraphBuilder, plan: Plan) -> int:
    """DS-CNN: 10x4 convolution of stride 2, four depthwise-separable blocks of 64 channels."""
    x = b.conv(b.input((1, 49, 10, 1)), 64, (10, 4), Conv2DAttributes(Padding.SAME, 2, 2, _RELU))
    for _ in range(4):
        x = _pointwise(b, _depthwise(b, x), 64)
    return _classify(b, x, 64, plan.classes)


def _ic01(b: GraphBuilder, plan: Plan) -> int:
    """ResNet-8: three residual stacks of 16, 32 and 64 channels; the later two halve the picture."""
    x = _conv(b, b.input((1, 32, 32, 3)), 16)
    main = _conv(b, _conv(b, x, 16), 16, activation=Activation.NONE)
    x = b.add(x, main, _RELU)
    for channels in (32, 64):
        main = _conv(b, _conv(b, x, channels, stride=2), channels, activation=Activation.NONE)
        shortcut = _pointwise(b, x, channels, stride=2, activation=Activation.NONE)
        x = b.add(shortcut, main, _RELU)
    return _classify(b, x, 64, plan.classes)


def _ad01(b: GraphBuilder, _: Plan) -> int:
    """Autoencoder: 640 - 4 x 128 - 8 - 4 x 128 - 640, dense."""
    x = b.input((1, 640))
    for units in (128, 128, 128, 128, 8, 128, 128, 128, 128):
        x = b.fully_connected(x, units, _RELU)
    return b.fully_connected(x, 640)


# (channels, stride) of MobileNetV1's depthwise-separable blocks (Howard et al. 2017, table 1).
_V1_BLOCKS = (
    (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2),
    (512, 1), (512, 1), (512, 1), (512, 1), (512, 1), (1024, 2), (1024, 1),
)  # fmt: skip


def _mobilenet_v1(b: GraphBuilder, plan: Plan, activation: Activation = _RELU6) -> int:
    """Channels are width x published, cut to an integer, at least 8."""

    def channels(published: int) -> int:
        return max(8, int(published * plan.width))

    x = b.input((1, plan.resolution, plan.resolution, 3))
    x = _conv(b, x, channels(32), stride=2, activation=activation)
    for published, stride in _V1_BLOCKS:
        x = _depthwise(b, x, stride=stride, activation=activation)
        x = _pointwise(b, x, channels(published), activation=activation)
    return _classify(b, x, channels(1024), plan.classes)


def _vww01(b: GraphBuilder, plan: Plan) -> int:
    return _mobilenet_v1(b, plan, _RELU)


# (expansion, channels, repeats, first stride) of MobileNetV2's bottlenecks (Sandler et al. 2018, table 2).
_V2_BLOCKS = (
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
)  # fmt: skip


def rounded_channels(channels: float) -> int:
    """The nearest multiple of 8, at least 8, and never below nine tenths of the wish.

    >>> rounded_channels(32 * 0.35), rounded_channels(24 * 0.75)
    (16, 24)
    """
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * channels else nearest


def _mobilenet_v2(b: GraphBuilder, plan: Plan) -> int:
    """Inverted residuals: expand 1x1, depthwise 3x3, project 1x1; added where the shape stays."""
    x = b.input((1, plan.resolution, plan.resolution, 3))
    depth = rounded_channels(32 * plan.width)
    x = _conv(b, x, depth, stride=2, activation=_RELU6)
    for expansion, published, repeats, first_stride in _V2_BLOCKS:
        channels = rounded_channels(published * plan.width)
        for repeat in range(repeats):
            stride = first_stride if repeat == 0 else 1
            y = x if expansion == 1 else _pointwise(b, x, depth * expansion, activation=_RELU6)
            y = _depthwise(b, y, stride=stride, activation=_RELU6)
            y = _pointwise(b, y, channels, activation=Activation.NONE)
            x = b.add(x, y) if stride == 1 and depth == channels else y
            depth = channels
    last = rounded_channels(1280 * max(1.0, plan.width))
    return _classify(b, _pointwise(b, x, last, activation=_RELU6), last, plan.classes)


def _conv_add_pool_relu(b: GraphBuilder, plan: Plan) -> int:
    """One residual convolution with pooling and activation, each an op of its own."""
    x = b.input((1, plan.resolution, plan.resolution, 8))
    y = b.op("ADD", (_conv(b, x, 8, activation=Activation.NONE), x), AddAttributes())[0]
    pool = Pool2DAttributes(stride_w=2, stride_h=2, filter_width=2, filter_height=2)
    return b.unary("RELU", b.pool("MAX_POOL_2D", y, pool))


ZOO: dict[str, Reference] = {
    "kws01": Reference("DS-CNN, keyword spotting (MLPerf Tiny)", _kws01, Plan(1.0, 49, 12)),
    "vww01": Reference(
        "MobileNetV1 0.25, person or not (MLPerf Tiny)", _vww01, Plan(0.25, 96, 2), scales=True
    ),
    "ic01": Reference("ResNet-8, CIFAR-10 (MLPerf Tiny)", _ic01, Plan(1.0, 32, 10)),
    "ad01": Reference("dense autoencoder, machine sounds (MLPerf Tiny)", _ad01, Plan(1.0, 640, 640)),
    "mobilenet-v1": Reference("MobileNetV1, ImageNet", _mobilenet_v1, Plan(1.0, 224, 1000), scales=True),
    "mobilenet-v2": Reference("MobileNetV2, ImageNet", _mobilenet_v2, Plan(1.0, 224, 1000), scales=True),
    "conv-add-pool-relu": Reference(
        "a residual convolution, pooling and activation as four ops", _conv_add_pool_relu, Plan(1.0, 16, 1)
    ),
}
