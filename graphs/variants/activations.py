"""Which activation functions does a model have: fused, as an op, or written in several simple ops?

Several ops are told by what they compute on a grid of numbers, not by how they are arranged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import erf

import numpy as np

from ..ir import ModelGraph, Op, Subgraph
from ..ops import Activation
from .regions import ELEMENTWISE, Reals, Region, computed, reads_numbers_only, regions_ending_at

_GRID: Reals = np.linspace(-7.0, 7.0, 280)  # without zero
_FLOAT_TOLERANCE, _INTEGER_TOLERANCE = 2e-3, 4e-2  # constants of integer models are rounded


@dataclass(frozen=True, slots=True)
class Found:
    """An activation function of a model.

    Args:
        word: as recipes call it.
        region: the ops that compute it; None where it is fused.
        fused: the op that it is fused into; -1 where it is not.
    """

    word: str
    region: Region | None = None
    fused: int = -1


def _sigmoid(x: Reals) -> Reals:
    return np.asarray(1 / (1 + np.exp(-x)))


def _gelu(x: Reals) -> Reals:
    return np.array([0.5 * v * (1 + erf(v / np.sqrt(2))) for v in x])


_FUNCTIONS: dict[str, tuple[Callable[[Reals], Reals], ...]] = {
    "relu": (lambda x: np.maximum(x, 0),),
    "relu6": (lambda x: np.clip(x, 0, 6),),
    "hard-swish": (lambda x: x * np.clip(x + 3, 0, 6) / 6,),
    "hard-sigmoid": (lambda x: np.clip(x + 3, 0, 6) / 6, lambda x: np.clip(0.2 * x + 0.5, 0, 1)),
    "gelu": (_gelu, lambda x: x * _sigmoid(1.702 * x)),
    "swish": (lambda x: x * _sigmoid(x),),
    "sigmoid": (_sigmoid,),
    "tanh": (np.tanh,),
    "elu": (lambda x: np.where(x < 0, np.expm1(np.minimum(x, 0)), x),),
}
# Ops of which a fused activation is a thing of its own; those of LSTM and SVDF belong to the cell.
_CARRIERS = """CONV_2D DEPTHWISE_CONV_2D FULLY_CONNECTED TRANSPOSE_CONV ADD SUB MUL DIV CONCATENATION
AVERAGE_POOL_2D MAX_POOL_2D L2_POOL_2D L2_NORMALIZATION"""
_FUSED = {Activation.RELU: "relu", Activation.RELU6: "relu6", Activation.TANH: "tanh"}
WORDS = (*_FUNCTIONS, "leaky-relu", "prelu")


def activations(graph: ModelGraph) -> tuple[Found, ...]:
    """All of the main subgraph, in execution order; an op is part of one at most."""
    main, claimed, found = graph.main, set[int](), list[Found]()
    for op in reversed(main.ops):
        one = None if op.index in claimed or op.fused else _found_at(main, op)
        if one is None:
            continue
        found.append(one)
        claimed.update(one.region.ops if one.region else ())
    carriers = [op for op in main.ops if op.kind in _CARRIERS.split() and op.index not in claimed]
    for op in carriers:
        word = "" if op.fused else _FUSED.get(fused_in(op), "")
        found += [Found(word, fused=op.index)] if word else []
    return tuple(sorted(found, key=lambda one: one.region.ops[-1] if one.region else one.fused))


def fused_in(op: Op) -> Activation:
    """The activation that is fused into the op."""
    return Activation(getattr(op.attributes, "fused_activation_function", Activation.NONE))


def _found_at(main: Subgraph, op: Op) -> Found | None:
    """The activation that the op ends."""
    if len(op.outputs) != 1 or not op.inputs:
        return None
    if op.kind == "PRELU":
        return Found("prelu", Region(op.inputs[0], op.outputs[0], (op.index,)))
    if op.kind not in ELEMENTWISE:
        return None
    for region in _candidates(main, op):
        word = _word(main, region)
        if word:
            return Found(word, region)
    return None


def _candidates(main: Subgraph, op: Op) -> Iterator[Region]:
    for region in regions_ending_at(main, op, ELEMENTWISE):
        source, end = main.tensors[region.source], main.tensors[region.end]
        if source.shape == end.shape and source.dtype is end.dtype and reads_numbers_only(main, region):
            yield region


def _word(main: Subgraph, region: Region) -> str:
    """What the region computes; "" for what has no name here."""
    made = computed(main, region, _GRID)
    if made is None or made.size != _GRID.size or not np.isfinite(made).all():
        return ""
    y = made.reshape(-1)
    tolerance = _FLOAT_TOLERANCE if main.tensors[region.end].dtype.is_float else _INTEGER_TOLERANCE
    for word, functions in _FUNCTIONS.items():
        if any(np.allclose(y, function(_GRID), rtol=0, atol=tolerance) for function in functions):
            return word
    slope = y[0] / _GRID[0]
    leaky = np.where(_GRID < 0, slope * _GRID, _GRID)
    return "leaky-relu" if 0 < slope < 0.99 and np.allclose(y, leaky, rtol=0, atol=tolerance) else ""
