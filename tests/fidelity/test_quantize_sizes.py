"""SA-20: how much smaller is the int8 file of the published keyword spotters? Sizes of Arm's ML-zoo.

The networks are those of Zhang et al. 2017 (Hello Edge), with the sizes that ARM-software/ML-KWS-for-MCU
trains them with (train_commands.txt, `--model_size_info`); all four of the check can be sourced, none is
left out. File sizes: techniques.md, SA-20, from the ML-zoo's definition files.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from preflash.graphs.build import GraphBuilder
from preflash.graphs.geometry import Padding
from preflash.graphs.ir import DType, ModelGraph
from preflash.graphs.ops import Activation, Conv2DAttributes, DepthwiseConv2DAttributes
from preflash.graphs.tflite.write import write_tflite
from preflash.graphs.variants.given import Given
from preflash.graphs.variants.quantize import Quantize, quantized

RELU, KEYWORDS = Activation.RELU, 12
Part = Callable[[GraphBuilder], int]


def _windowed(b: GraphBuilder) -> int:
    """A second of sound: 49 windows of 10 coefficients (40 ms, every 20 ms)."""
    return b.reshape(b.input((1, 490)), (1, 49, 10, 1))


def dnn_l(b: GraphBuilder) -> int:
    """436 436 436; 25 windows of 10 (40 ms, every 40 ms)."""
    x = b.input((1, 250))
    for units in (436, 436, 436):
        x = b.fully_connected(x, units, RELU)
    return b.softmax(b.fully_connected(x, KEYWORDS))


def cnn_l(b: GraphBuilder) -> int:
    """60 10 4 1 1 76 10 4 2 1 58 128: channels, window, stride; then a linear and a RELU dense."""
    x = b.conv(_windowed(b), 60, (10, 4), Conv2DAttributes(Padding.VALID, 1, 1, RELU))
    x = b.conv(x, 76, (10, 4), Conv2DAttributes(Padding.VALID, 1, 2, RELU))
    x = b.fully_connected(b.reshape(x, (1, 16 * 4 * 76)), 58)
    return b.softmax(b.fully_connected(b.fully_connected(x, 128, RELU), KEYWORDS))


def ds_cnn(channels: int, first: tuple[int, int], strides: tuple[int, ...]) -> Part:
    """A 10 x 4 convolution of stride `first`, then a separable 3 x 3 block per stride."""

    def append(b: GraphBuilder) -> int:
        down, across = first
        x = b.conv(_windowed(b), channels, (10, 4), Conv2DAttributes(Padding.SAME, across, down, RELU))
        for stride in strides:
            x = b.depthwise(x, (3, 3), DepthwiseConv2DAttributes(Padding.SAME, stride, stride, 1, RELU))
            x = b.conv(x, channels, (1, 1), Conv2DAttributes(Padding.SAME, 1, 1, RELU))
        pooled = b.reshape(b.pool("AVERAGE_POOL_2D", x), (1, channels))
        return b.softmax(b.fully_connected(pooled, KEYWORDS))

    return append


@dataclass(frozen=True)
class Published:
    """A network, its weights by hand, and its two files."""

    name: str
    part: Part
    weights: int
    int8_bytes: int
    float_bytes: int


PUBLISHED = [
    # 276*40 + 5*(276*9 + 276*276) + 276*12
    Published("DS-CNN-L", ds_cnn(276, (2, 1), (2, 1, 1, 1, 1)), 407_652, 503_816, 1_652_648),
    # 64*40 + 4*(64*9 + 64*64) + 64*12
    Published("DS-CNN-S", ds_cnn(64, (2, 2), (1, 1, 1, 1)), 22_016, 47_616, 98_756),
    # 250*436 + 2*436*436 + 436*12
    Published("DNN-L", dnn_l, 494_424, 502_272, 1_985_048),
    # 60*40 + 76*40*60 + 4864*58 + 58*128 + 128*12
    Published("CNN-L", cnn_l, 475_872, 484_600, 1_908_316),
]


def built(network: Published) -> ModelGraph:
    b = GraphBuilder(network.name, dtype=DType.FLOAT32)
    return b.finish([network.part(b)])


@pytest.mark.parametrize("network", PUBLISHED, ids=lambda n: n.name)
def test_sa_20_the_int8_file_is_as_much_smaller_as_published(network: Published) -> None:
    graph = built(network)
    small = quantized(graph, Quantize(io="float", random_samples=2), Given()).graph
    weights = sum(t.element_count for t in small.tensors if t.is_constant and t.dtype is DType.INT8)
    assert weights == network.weights
    whole_bytes, small_bytes = len(write_tflite(graph)), len(write_tflite(small))
    published = network.float_bytes / network.int8_bytes
    print(f"{network.name}: {whole_bytes:,} / {small_bytes:,} B = {whole_bytes / small_bytes:.2f}, "
          f"published {published:.2f}")  # fmt: skip
    assert whole_bytes / small_bytes == pytest.approx(published, rel=0.10)
    assert small_bytes == pytest.approx(network.int8_bytes, rel=0.10)
