"""MicroNets: keyword spotting found by search for MCUs (Banbury et al. 2021, arXiv 2010.11267)."""

from __future__ import annotations

from collections.abc import Callable

from ..build import GraphBuilder
from ..geometry import Padding
from ..ops import Conv2DAttributes
from .blocks import RELU, classify, depthwise, pointwise
from .reference import Plan, times

# Channels of the first convolution, and of the separable blocks behind it: the first of them has stride 2.
_CHANNELS: dict[str, tuple[int, tuple[int, ...]]] = {
    "s": (84, (112, 84, 84, 84, 196)),
    "m": (140, (140, 140, 140, 112, 196)),
    "l": (276, (248, 276, 276, 248, 248, 248, 248)),
}


def micronet_kws(letter: str) -> Callable[[GraphBuilder, Plan], int]:
    """10x4 on 49 frames of 10 coefficients, separable blocks at 25 x 5, a mean, dense, softmax."""
    first, blocks = _CHANNELS[letter]

    def append(b: GraphBuilder, plan: Plan) -> int:
        spectrum = b.input((1, plan.resolution, 10, 1))
        x = b.conv(spectrum, times(plan.width, first), (10, 4), Conv2DAttributes(Padding.SAME, 1, 1, RELU))
        for place, channels in enumerate(blocks):
            filtered = depthwise(b, x, stride=1 if place else 2, activation=RELU)
            x = pointwise(b, filtered, times(plan.width, channels))
        return classify(b, x, times(plan.width, blocks[-1]), plan.classes)

    return append
