"""How are weights found: Adam on noisy pictures, under a hold that the weights keep while they change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from network import Array, Arrays, Grid, backward, cross_entropy, forward

DATA = Path(__file__).parent / "data"
_DECAYS = (0.9, 0.999)  # Adam, Kingma & Ba 2015
_SMALL = 1e-8
_NOISE = 0.1  # standard deviation; pixels are 0 to 1


@dataclass(frozen=True)
class Digits:
    """Pictures NHWC from 0 to 1, and their labels."""

    pictures: Array
    labels: Array


def load_digits(name: str) -> Digits:
    """One of the three parts of the fixed split: train, calibration, test."""
    with np.load(DATA / f"{name}.npz", allow_pickle=False) as file:
        return Digits(file["x"], file["y"])


@dataclass(frozen=True)
class Plan:
    """How long and how fast; the rate falls as half a cosine from `rate` to 0.

    Args:
        decay: weight x rate x decay is what an L1 norm takes from prunable weights in every step.
    """

    epochs: int
    rate: float = 2e-3
    batch: int = 50
    decay: float = 0.0


class Hold(Protocol):
    """What weights must keep while they are trained.

    The trained arrays are free; the network sees `used(trained)`.
    """

    @property
    def grids(self) -> Mapping[str, Grid]: ...

    def epoch(self, trained: Arrays) -> None:
        """An epoch begins."""

    def step(self, trained: Arrays, done: float) -> None:
        """A step was made; `done` of all steps, 0 to 1. May change the arrays in place."""

    def used(self, trained: Arrays) -> Arrays:
        """What the network computes with."""

    def pulled(self, slopes: Arrays) -> Arrays:
        """The slopes of the trained arrays, from those of the used ones."""


class Free:
    """Nothing is held."""

    grids: Mapping[str, Grid] = {}

    def epoch(self, trained: Arrays) -> None:
        """Nothing."""

    def step(self, trained: Arrays, done: float) -> None:
        """Nothing."""

    def used(self, trained: Arrays) -> Arrays:
        return trained

    def pulled(self, slopes: Arrays) -> Arrays:
        return slopes


FREE = Free()


def train(
    start: Arrays, digits: Digits, plan: Plan, *, seed: int, hold: Hold = FREE, norm: tuple[str, ...] = ()
) -> Arrays:
    """The trained arrays, `start` left as it is; `norm` names those under the L1 norm.

    m <- a m + (1 - a) g; v <- b v + (1 - b) g^2; w <- w - rate m^ / (sqrt(v^) + small), and for the norm
    the proximal step w <- sign(w) max(|w| - rate decay, 0).
    """
    random = np.random.default_rng(seed)
    trained = {name: values.copy() for name, values in start.items()}
    means = {name: np.zeros_like(values) for name, values in trained.items()}
    squares = {name: np.zeros_like(values) for name, values in trained.items()}
    per_epoch = len(digits.labels) // plan.batch
    steps, made = plan.epochs * per_epoch, 0
    hold.step(trained, 0.0)
    for _ in range(plan.epochs):
        hold.epoch(trained)
        order = random.permutation(len(digits.labels))
        for rows in order[: per_epoch * plan.batch].reshape(per_epoch, plan.batch):
            pictures = noisy(digits.pictures[rows], random)
            logits, trace = forward(hold.used(trained), pictures, hold.grids)
            _, slope = cross_entropy(logits, digits.labels[rows])
            slopes = hold.pulled(backward(trace, slope))
            rate = plan.rate * (1 + np.cos(np.pi * made / steps)) / 2
            made += 1
            for name, values in trained.items():
                values -= _adam(means[name], squares[name], slopes[name], made) * values.dtype.type(rate)
                if name in norm and plan.decay:
                    _shrink(values, rate * plan.decay)
            hold.step(trained, made / steps)
    return trained


def noisy(pictures: Array, random: np.random.Generator) -> Array:
    """Normal noise on every pixel: no two epochs show the same pictures."""
    noise = random.standard_normal(pictures.shape, np.float32) * np.float32(_NOISE)
    return (pictures + noise).astype(pictures.dtype)


def _adam(mean: Array, square: Array, slope: Array, made: int) -> Array:
    """The step of Adam; the running means change in place."""
    a, b = _DECAYS
    mean += (1 - a) * (slope - mean)
    square += (1 - b) * (slope * slope - square)
    step: Array = (mean / (1 - a**made)) / (np.sqrt(square / (1 - b**made)) + _SMALL)
    return step


def _shrink(values: Array, by: float) -> None:
    values[...] = np.sign(values) * np.maximum(np.abs(values) - values.dtype.type(by), 0)
