"""Which published latencies of sparse networks are compared, and which network is each of?"""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from ...devices.catalog import load_target
from ...devices.target import Target
from ...devices.units import parse_s
from ...graphs.ir import ModelGraph, Tensor, WeightForm
from ...graphs.passes.fusion import fuse
from ...graphs.variants.weights import real_values, weights, with_tensors
from ...graphs.zoo import build

_DATA = Path(__file__).parents[1] / "data" / "measured" / "sparse.csv"
DENSE, SPARSE = "litert-builtin", "litert-xnnpack-sparse"  # what published rows were measured with


@dataclass(frozen=True, slots=True)
class SparseRow:
    """One published figure.

    Args:
        device: "" for a machine that is no board here.
        sparsity: zeros among the weights of 1x1 convolutions; 0 is a dense network.
        mflop: as printed: 2 per MAC, without the first convolution; None where it is not.
        role: "rates" of the pair that gives a machine its two rates; "" of the others.
        left_out: why the network cannot be built here; "" if it can.
    """

    device: str
    machine: str
    network: str
    sparsity: float
    mflop: float | None
    latency_s: float
    role: str
    source: str
    left_out: str

    @property
    def target(self) -> Target:
        return load_target(self.device, SPARSE if self.sparsity else DENSE)

    @property
    def graph(self) -> ModelGraph:
        """The network's kernels, random weights of its 1x1 convolutions set to zero."""
        return _kernels(self.network, self.sparsity)


def sparse_rows() -> tuple[SparseRow, ...]:
    """The rows whose networks can be built."""
    return tuple(row for row in all_sparse_rows() if not row.left_out)


@lru_cache(maxsize=1)
def all_sparse_rows() -> tuple[SparseRow, ...]:
    """Every row of the file."""
    with _DATA.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return tuple(
            SparseRow(
                r["device"], r["machine"], r["network"], float(r["sparsity"]),
                float(r["mflop"]) if r["mflop"] else None, parse_s(r["latency"]), r["role"], r["source"],
                r["left_out"],
            )
            for r in rows
        )  # fmt: skip


def randomly_pruned(graph: ModelGraph, sparsity: float, *, seed: int = 0) -> ModelGraph:
    """The graph with this share of the weights of each 1x1 convolution set to zero, anywhere."""
    chance = np.random.default_rng(seed)
    changed: dict[int, Tensor] = {}
    for weight in weights(graph):
        tensor = graph.tensors[weight.tensor]
        if weight.kind != "CONV_2D" or tensor.shape[1:3] != (1, 1):
            continue
        mask = np.ones(weight.count, dtype=bool)
        mask[chance.permutation(weight.count)[: round(sparsity * weight.count)]] = False
        mask = mask.reshape(tensor.shape)
        values = np.where(mask, real_values(tensor), np.float32(0))
        changed[tensor.index] = replace(tensor, data=values.tobytes(), form=WeightForm(mask=mask))
    return with_tensors(graph, changed)


@lru_cache(maxsize=32)
def _kernels(network: str, sparsity: float) -> ModelGraph:
    name, width = network.split()
    dense = build(name, dtype="float32", width=float(width))
    graph = randomly_pruned(dense, sparsity) if sparsity else dense
    return fuse(graph, ("pad-conv", "any-pad-conv")).graph
