"""What can weights keep while they are trained: zeros, shared values, the grid of a bit-width?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from grids import bias_on_grid, rounded_weights, weight_scales
from network import WEIGHTED, Array, Arrays, Grid
from preflash.graphs.variants.schedules import sparsity_at

# Not the first convolution and not the depthwise one: few weights, and much depends on each.
PRUNABLE = tuple(f"{s.name}/weights" for s in WEIGHTED if s.name not in ("first", "depthwise"))


def magnitude_mask(values: Array, sparsity: float) -> Array:
    """False for the smallest magnitudes, floor(sparsity x count + 1/2) of them; ties go by place."""
    mask = np.ones(values.size, bool)
    count = int(np.floor(sparsity * values.size + 0.5))
    mask[np.argsort(np.abs(values).reshape(-1), kind="stable")[:count]] = False
    return mask.reshape(values.shape)


def masks_of(arrays: Arrays, sparsity: float) -> Arrays:
    """One mask per prunable array, each of this sparsity."""
    return {name: magnitude_mask(arrays[name], sparsity) for name in PRUNABLE}


def masked(arrays: Arrays, masks: Mapping[str, Array]) -> Arrays:
    """The arrays with zeros where a mask is False."""
    return {name: values * masks[name] if name in masks else values for name, values in arrays.items()}


@dataclass
class Pruned:
    """Zeros stay zero; with a target their number also grows until `end`, by a cubic schedule."""

    masks: Arrays = field(default_factory=dict)
    target: float | None = None
    end: float = 0.6
    grids: Mapping[str, Grid] = field(default_factory=dict)

    def epoch(self, trained: Arrays) -> None:
        """Nothing."""

    def step(self, trained: Arrays, done: float) -> None:
        if self.target is not None:
            self.masks = masks_of(trained, sparsity_at(0.0, self.target, x=done / self.end))
        for name, mask in self.masks.items():
            trained[name] *= mask  # what is zero stays among the smallest: no weight comes back

    def used(self, trained: Arrays) -> Arrays:
        return trained

    def pulled(self, slopes: Arrays) -> Arrays:
        return masked(slopes, self.masks)


@dataclass
class Clustered:
    """Weights share the values of a codebook per array: the trained arrays are the codebooks.

    d loss / d value = sum of the slopes of all weights that have it (Han et al. 2016, section 3).
    """

    assignments: Arrays
    grids: Mapping[str, Grid] = field(default_factory=dict)

    def epoch(self, trained: Arrays) -> None:
        """Nothing."""

    def step(self, trained: Arrays, done: float) -> None:
        """Nothing."""

    def used(self, trained: Arrays) -> Arrays:
        shared = {name: trained[name][codes] for name, codes in self.assignments.items()}
        return {**trained, **shared}

    def pulled(self, slopes: Arrays) -> Arrays:
        summed = {}
        for name, codes in self.assignments.items():
            sums = np.bincount(codes.reshape(-1), slopes[name].reshape(-1), int(codes.max()) + 1)
            summed[name] = sums.astype(slopes[name].dtype)
        return {**slopes, **summed}


def clustered(arrays: Arrays, clusters: int) -> tuple[Arrays, Clustered]:
    """The arrays with codebooks in place of the prunable ones, and which weight has which value."""
    found = {name: k_means(arrays[name], clusters) for name in PRUNABLE}
    trained = {**arrays, **{name: values for name, (values, _) in found.items()}}
    return trained, Clustered({name: codes for name, (_, codes) in found.items()})


def k_means(values: Array, clusters: int, *, rounds: int = 50) -> tuple[Array, Array]:
    """Values that stand for all others, and which for which: Lloyd's rounds from evenly spaced ones."""
    flat = values.reshape(-1).astype(np.float64)
    centres = np.linspace(flat.min(), flat.max(), clusters)
    for _ in range(rounds):
        codes = np.searchsorted((centres[1:] + centres[:-1]) / 2, flat)
        counts = np.bincount(codes, minlength=clusters)
        moved = np.where(counts, np.bincount(codes, flat, clusters) / np.maximum(counts, 1), centres)
        if np.array_equal(moved, centres):
            break
        centres = moved
    codes = np.searchsorted((centres[1:] + centres[:-1]) / 2, flat)
    kept, codes = np.unique(codes, return_inverse=True)  # an empty cluster is no value
    return centres[kept].astype(values.dtype), codes.reshape(values.shape)


@dataclass
class OnGrid:
    """Weights are used as k-bit integers x a scale per output channel, activations as int8 (QAT).

    The slopes of what is rounded are those of what it was rounded from: the straight-through estimator
    (Bengio et al. 2013). Scales are chosen anew at every epoch; activations keep the grids given.
    """

    bits: int
    grids: Mapping[str, Grid]
    scales: Arrays = field(default_factory=dict)

    def epoch(self, trained: Arrays) -> None:
        self.scales = weight_scales(trained, self.bits)

    def step(self, trained: Arrays, done: float) -> None:
        """Nothing."""

    def used(self, trained: Arrays) -> Arrays:
        rounded = rounded_weights(trained, self.scales, self.bits)
        return bias_on_grid(rounded, self.scales, self.grids)

    def pulled(self, slopes: Arrays) -> Arrays:
        return slopes
