"""How accurate does each technique leave the digits network, for one seed?

Whatever is compared had the same number of epochs: a technique that trains gets `TUNING` after `TRAINING`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from export import float_model, int8_model
from grids import activation_grids
from holds import PRUNABLE, Clustered, OnGrid, Pruned, clustered, masked, masks_of
from network import Arrays, Grid, accuracy, fresh_arrays
from preflash.graphs.ir import ModelGraph, WeightForm
from training import FREE, Hold, Plan, load_digits, train

# Chosen from 0.05, 0.1, 0.2, 0.3 on the calibration pictures, seeds 0 and 1: the largest that costs at most
# about one point there.
_L1_DECAY = 0.2
TRAINING = Plan(epochs=40)
TUNING = Plan(epochs=20, rate=1e-3)
SPARSITIES = (0.5, 0.8, 0.9, 0.95)
BITS = (8, 4, 3, 2)
CLUSTERS = (16, 8, 4)


@dataclass(frozen=True)
class Row:
    """The accuracy on the test pictures, 0 to 1."""

    setting: str
    technique: str
    seed: int
    accuracy: float


@dataclass
class Study:
    """One seed: where the weights start and how the pictures are shuffled.

    Args:
        keeps_models: trained variants are put into `models` too.
    """

    seed: int
    training: Plan = TRAINING
    tuning: Plan = TUNING
    keeps_models: bool = False
    models: dict[str, ModelGraph] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.pictures, self.calibration, self.test = (
            load_digits(name) for name in ("train", "calibration", "test")
        )

    @cached_property
    def dense(self) -> Arrays:
        """The network trained without constraints."""
        return train(fresh_arrays(self.seed), self.pictures, self.training, seed=self.seed)

    def rows(self) -> Iterator[Row]:
        """Every technique at every setting."""
        for part in (self._baselines, self._pruned, self._regularised, self._clustered, self._quantized):
            yield from part()

    def tuned(self, start: Arrays, hold: Hold = FREE) -> Arrays:
        return train(start, self.pictures, self.tuning, seed=1000 + self.seed, hold=hold)

    def _row(self, setting: str, technique: str, arrays: Arrays, grids: dict[str, Grid] | None = None) -> Row:
        found = accuracy(arrays, self.test.pictures, self.test.labels, grids)
        return Row(setting, technique, self.seed, found)

    def _keep(self, name: str, graph: ModelGraph) -> None:
        if self.keeps_models:
            self.models[name] = graph

    def _baselines(self) -> Iterator[Row]:
        yield self._row("dense", "trained", self.dense)
        yield self._row("dense", "trained longer", self.tuned(self.dense))
        self._keep("float", float_model(self.dense))

    def _pruned(self) -> Iterator[Row]:
        for sparsity in SPARSITIES:
            setting = f"{sparsity:.0%} zeros"
            yield from self._one_shot(self.dense, sparsity, "one-shot")
            hold = Pruned(target=sparsity)
            gradual = self.tuned(self.dense, hold)
            _check_zeros(gradual, hold.masks, sparsity)
            yield self._row(setting, "gradual", gradual)
            forms = {name: WeightForm(mask=mask) for name, mask in hold.masks.items()}
            self._keep(f"gradual_{sparsity:.0%}".rstrip("%"), float_model(gradual, forms))

    def _one_shot(self, start: Arrays, sparsity: float, technique: str) -> Iterator[Row]:
        """Without and with training after it."""
        setting, masks = f"{sparsity:.0%} zeros", masks_of(start, sparsity)
        pruned = masked(start, masks)
        yield self._row(setting, technique, pruned)
        tuned = self.tuned(pruned, Pruned(masks))
        _check_zeros(tuned, masks, sparsity)
        yield self._row(setting, f"{technique}, fine-tuned", tuned)

    def _regularised(self) -> Iterator[Row]:
        plan = Plan(self.training.epochs, self.training.rate, self.training.batch, _L1_DECAY)
        start = train(fresh_arrays(self.seed), self.pictures, plan, seed=self.seed, norm=PRUNABLE)
        yield self._row("dense", "L1-regularised", start)
        for sparsity in SPARSITIES:
            yield from self._one_shot(start, sparsity, "L1-regularised")

    def _clustered(self) -> Iterator[Row]:
        for clusters in CLUSTERS:
            setting = f"{clusters} values"
            start, hold = clustered(self.dense, clusters)
            yield self._row(setting, "k-means", hold.used(start))
            tuned = self.tuned(start, hold)
            used = hold.used(tuned)
            _check_clusters(used, hold, clusters)
            yield self._row(setting, "centroids trained", used)
            forms = {
                name: WeightForm(codebook=tuned[name].astype(np.float64), assignment=codes.astype(np.uint16))
                for name, codes in hold.assignments.items()
            }
            self._keep(f"clustered_{clusters}", float_model(used, forms))

    def _quantized(self) -> Iterator[Row]:
        grids = activation_grids(self.dense, self.calibration.pictures)
        for bits in BITS:
            hold = OnGrid(bits, grids)
            hold.epoch(self.dense)
            yield self._row(f"{bits} bits", "post-training", hold.used(self.dense), grids)
            trained = self.tuned(self.dense, hold)
            hold.epoch(trained)
            yield self._row(f"{bits} bits", "quantization-aware", hold.used(trained), grids)
            self._keep(f"qat_{bits}", int8_model(trained, grids, hold.scales, bits))


def _check_zeros(arrays: Arrays, masks: Arrays, sparsity: float) -> None:
    for name in PRUNABLE:
        values, zeros = arrays[name], int(np.floor(sparsity * arrays[name].size + 0.5))
        if values[~masks[name]].any() or int((~masks[name]).sum()) != zeros:
            raise AssertionError(f"{name}: pruned weights came back")


def _check_clusters(arrays: Arrays, hold: Clustered, clusters: int) -> None:
    for name in hold.assignments:
        if len(np.unique(arrays[name])) > clusters:
            raise AssertionError(f"{name}: more than {clusters} values")
