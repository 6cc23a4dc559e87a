"""Where do two models of the same network begin to differ? SQNR per tensor along the graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from math import inf, isnan, log10
from typing import Any

import numpy as np
import numpy.typing as npt

from ...graphs.ir import ModelGraph, Tensor
from .activations import keeping
from .cache import array_key
from .feeding import fed
from .intervals import wilson
from .measure import flat
from .messages import as_array
from .metrics import predicted
from .outputs import Model, Outputs, Way
from .samples import Samples, grid_of

DIVERGES_BELOW_DB = 10.0  # noise of a tenth of the power; a sound int8 model stays above
SAMPLES_KEPT = 32  # all tensors of both models are compared on so many
_MOVING = frozenset({"QUANTIZE", "DEQUANTIZE"})  # ops that one of the two models may have alone
_LEAST_SIGNAL = 1e-30

Array = npt.NDArray[Any]
Pairs = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class TensorDivergence:
    """How far a tensor is from the baseline's.

    Args:
        op: of the model; its output is compared.
        sqnr_db: 10 log10(Σ b² / Σ (a − b)²), b the baseline's real values; inf where all are equal.
        largest_error: |a − b| of real values.
    """

    op: int
    kind: str
    name: str
    baseline_name: str
    sqnr_db: float
    largest_error: float


@dataclass(frozen=True, slots=True)
class Divergence:
    """All matched tensors in the model's order.

    Args:
        unmatched: ops of the model whose output has no counterpart.
        below_db: from where on a tensor counts as diverging.
    """

    tensors: tuple[TensorDivergence, ...]
    unmatched: tuple[int, ...]
    samples: int
    kernels: str
    below_db: float = DIVERGES_BELOW_DB

    @property
    def first(self) -> TensorDivergence | None:
        """The first op whose output is further away than that; None where none is."""
        return next((t for t in self.tensors if t.sqnr_db < self.below_db), None)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How often two models choose the same class: a share with its Wilson interval, and SQNR per output."""

    value: float
    lo: float
    hi: float
    n: int
    sqnr_db: tuple[float, ...]


def agreement(one: Outputs, baseline: Outputs) -> Agreement:
    """Of two models' outputs for the same samples.

    A single output of a regression has no class: its agreement says little, its SQNR all.
    """
    same = predicted(flat(one.reals[0])) == predicted(flat(baseline.reals[0]))
    lo, hi = wilson(int(same.sum()), len(same))
    ratios = tuple(
        sqnr_db(float((b * b).sum()), float(((flat(a) - flat(b)) ** 2).sum()))
        for a, b in zip(one.reals, baseline.reals, strict=False)
        if a.size == b.size
    )
    return Agreement(float(same.mean()), lo, hi, len(same), ratios)


def sqnr_db(signal: float, noise: float) -> float:
    """10 log10(signal / noise) of two sums of squares.

    >>> sqnr_db(100.0, 1.0), sqnr_db(1.0, 0.0)
    (20.0, inf)
    """
    if isnan(signal) or isnan(noise):
        return float("nan")
    if noise == 0:
        return inf
    return 10 * log10(max(signal, _LEAST_SIGNAL) / noise)


def divergence(
    model: Model, baseline: Model, samples: Samples, way: Way, *, below_db: float = DIVERGES_BELOW_DB
) -> Divergence:
    """Both models on the first samples with all tensors kept, op by op.

    Raises:
        ModelError: the interpreter refuses one of them.
    """
    few = samples.first(SAMPLES_KEPT)
    pairs = matched(model.graph, baseline.graph)
    kernels = keeping(way.kernels)
    sums = _sums(model, baseline, few, replace(way, kernels=kernels), pairs)
    by_tensor = {t: op for op in model.graph.ops for t in op.outputs}
    found = []
    for (a, b), signal, noise, largest in zip(pairs, *sums, strict=True):
        if isnan(signal):
            continue
        op = by_tensor[a]
        names = model.graph.tensors[a].name, baseline.graph.tensors[b].name
        found.append(TensorDivergence(op.index, op.label, *names, sqnr_db(signal, noise), float(largest)))
    has_one = {t.op for t in found}
    unmatched = tuple(op.index for op in model.graph.ops if op.index not in has_one)
    return Divergence(tuple(found), unmatched, len(few), kernels, below_db)


def matched(model: ModelGraph, baseline: ModelGraph) -> Pairs:
    """Output tensors that stand for each other: of equal names first, then of ops in the same order.

    Only tensors of equal shapes are matched; between those the longest common runs of (kind, shape) count.
    """
    ones, others = _outputs(model), _outputs(baseline)
    named = {t.name: t for _, t in others if t.name}
    is_unique = len(named) == len(others) and len({t.name for _, t in ones}) == len(ones)
    pairs: dict[int, int] = {}
    if is_unique:
        pairs = {
            t.index: named[t.name].index
            for _, t in ones if t.name in named and _fits(t, named[t.name])
        }  # fmt: skip
    taken = set(pairs.values())
    left = [(kind, t) for kind, t in ones if t.index not in pairs]
    right = [(kind, t) for kind, t in others if t.index not in taken]
    keys = [[(kind, _extents(t)) for kind, t in side] for side in (left, right)]
    for a, b, size in SequenceMatcher(None, keys[0], keys[1], autojunk=False).get_matching_blocks():
        pairs |= {left[a + i][1].index: right[b + i][1].index for i in range(size)}
    return tuple((t.index, pairs[t.index]) for _, t in ones if t.index in pairs)


def _outputs(graph: ModelGraph) -> list[tuple[str, Tensor]]:
    """(kind, output) of the ops that compute something."""
    return [
        (op.label, graph.tensors[t]) for op in graph.ops if op.kind not in _MOVING for t in op.outputs
        if graph.tensors[t].dtype.is_float or grid_of(graph.tensors[t]) is not None
    ]  # fmt: skip


def _fits(one: Tensor, other: Tensor) -> bool:
    return _extents(one) == _extents(other)


def _extents(tensor: Tensor) -> tuple[int, ...]:
    return tuple(extent for extent in tensor.shape if extent != 1)


def _sums(model: Model, baseline: Model, samples: Samples, way: Way, pairs: Pairs) -> Sequence[Array]:
    """Per pair: Σ b², Σ (a − b)², max |a − b|."""
    inputs, others = fed(samples, model.graph), fed(samples, baseline.graph)
    keys = ["+".join(array_key(a) for a in arrays) for arrays in (inputs, others)]
    described = [
        [a, b, *_affine(model.graph.tensors[a]), *_affine(baseline.graph.tensors[b])] for a, b in pairs
    ]
    words = {
        "do": "diverge", "model": model.key, "baseline": baseline.key, "samples": keys[0],
        "baseline_samples": keys[1], "kernels": way.kernels, "pairs": described,
    }  # fmt: skip
    held = {
        model.key: [as_array(model.content)], baseline.key: [as_array(baseline.content)],
        keys[0]: inputs, keys[1]: others,
    }  # fmt: skip
    answer = way.child.ask(
        words, held, progress=lambda done, of: way.progress(done, of, "tensors of both models")
    )
    sums: Array = answer.arrays[0]
    return [np.asarray(row) for row in sums]


def _affine(tensor: Tensor) -> tuple[float, int]:
    """Scale and zero point of an activation; 1 and 0 of real numbers."""
    grid = None if tensor.dtype.is_float else grid_of(tensor)
    return (1.0, 0) if grid is None else (grid.scale, grid.zero_point)
