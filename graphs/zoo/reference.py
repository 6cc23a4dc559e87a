"""What is an entry of the zoo: its text, what follows its input, and its published plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..build import GraphBuilder


@dataclass(frozen=True, slots=True)
class Plan:
    """What to build: width multiplies channels, resolution is the picture's edge (of a spectrum, its frames).

    Args:
        picture_channels: 3 for colours, 1 for grey.
    """

    width: float
    resolution: int
    classes: int
    picture_channels: int = 3


def times(width: float, channels: int) -> int:
    """width x channels to the nearest integer, at least 1.

    >>> times(0.5, 64), times(0.01, 8)
    (32, 1)
    """
    return max(1, int(width * channels + 0.5))


@dataclass(frozen=True, slots=True)
class Reference:
    """One entry of the zoo.

    Args:
        append: builds the network, its input included; gives the output tensor.
        options: which members of the plan may be chosen.
        smallest: the least resolution that leaves something at the end.
    """

    description: str
    append: Callable[[GraphBuilder, Plan], int]
    plan: Plan
    options: tuple[str, ...] = ("width", "resolution", "classes", "picture_channels")
    smallest: int = 1
