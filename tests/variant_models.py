"""Small networks and samples on which variants are tested."""

from __future__ import annotations

import numpy as np
from preflash.graphs.build import GraphBuilder
from preflash.graphs.ir import DType, ModelGraph, WeightForm
from preflash.graphs.ops import Activation, Conv2DAttributes
from preflash.graphs.variants.known import exact_values
from preflash.graphs.variants.weights import Selection, changed, chosen, with_tensors

RELU = Conv2DAttributes(fused_activation_function=Activation.RELU)


def network(dtype: DType = DType.FLOAT32, seed: int = 3) -> ModelGraph:
    """Four weight tensors: 3x3 convolution, depthwise, 1x1 convolution, fully connected."""
    b = GraphBuilder("small", dtype=dtype, seed=seed)
    x = b.conv(b.input((1, 8, 8, 3)), 8, (3, 3), RELU)
    x = b.conv(b.depthwise(x, (3, 3)), 16, (1, 1), RELU)
    return b.finish([b.fully_connected(b.reshape(x, (1, -1)), 10)])


def samples(count: int = 4, seed: int = 5) -> tuple[np.ndarray, ...]:
    """For `network`, as real numbers."""
    return (np.random.default_rng(seed).uniform(-1, 1, (count, 8, 8, 3)).astype(np.float32),)


def halved(graph: ModelGraph, selection: Selection | None = None) -> ModelGraph:
    """The smaller half of each chosen tensor pruned by magnitude."""
    done = []
    for one in chosen(graph, selection or Selection()):
        values = exact_values(graph.tensors[one.tensor])
        mask = np.abs(values) > np.median(np.abs(values))
        done.append(changed(graph.tensors[one.tensor], values * mask, WeightForm(mask=mask)))
    return with_tensors(graph, done)
