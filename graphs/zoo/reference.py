"""What is an entry of the zoo: its text, what follows its input, and its published plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..build import GraphBuilder


@dataclass(frozen=True, slots=True)
class Plan:
    """What to build: width multiplies channels, resolution is the picture's edge.

    Args:
        picture_channels: 3 for colours, 1 for grey.
    """

    width: float
    resolution: int
    classes: int
    picture_channels: int = 3


@dataclass(frozen=True, slots=True)
class Reference:
    """One entry of the zoo.

    Args:
        append: builds the network, its input included; gives the output tensor.
        scales: whether width, resolution and the picture's channels may be chosen.
    """

    description: str
    append: Callable[[GraphBuilder, Plan], int]
    plan: Plan
    scales: bool = False
