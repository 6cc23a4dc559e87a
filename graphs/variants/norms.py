"""Which normalisations does a model have that are written in simple ops? Told by what they compute."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..ir import ModelGraph, Subgraph
from .regions import ELEMENTWISE, Reals, Region, computed, regions_ending_at

_REDUCERS = frozenset({"MEAN", "SUM"})
_COUNTED_ANEW = frozenset({"RESHAPE", "EXPAND_DIMS", "SQUEEZE"})  # Keras normalises rows of a reshaped tensor
_KINDS = ELEMENTWISE | _REDUCERS | _COUNTED_ANEW
_FLOAT_TOLERANCE, _INTEGER_TOLERANCE = 1e-3, 5e-2  # of the largest value; constants of integers are rounded
_MOST_ELEMENTS = 1 << 22


@dataclass(frozen=True, slots=True, eq=False)
class Norm:
    """y = gain * normalised(x) + shift over the last axis.

    Args:
        gain, shift: one number per channel.
    """

    word: str
    region: Region
    gain: Reals
    shift: Reals


def _centred(x: Reals) -> Reals:
    mean = x.mean(-1, keepdims=True)
    return np.asarray((x - mean) / np.sqrt(np.square(x - mean).mean(-1, keepdims=True)))


def _root_mean_square(x: Reals) -> Reals:
    return np.asarray(x / np.sqrt(np.square(x).mean(-1, keepdims=True)))


_NORMALISED: dict[str, Callable[[Reals], Reals]] = {
    "LayerNorm": _centred,
    "RMSNorm": _root_mean_square,
}


def norms(graph: ModelGraph) -> tuple[Norm, ...]:
    """All of the main subgraph, in execution order."""
    main, claimed, found = graph.main, set[int](), list[Norm]()
    for op in reversed(main.ops):
        if op.index in claimed or op.fused or len(op.outputs) != 1 or op.kind not in _KINDS - _REDUCERS:
            continue
        all_of_op = [one for r in regions_ending_at(main, op, _KINDS) if (one := _norm(main, r)) is not None]
        # a layer norm ends in the root mean square of what it has centred
        for one in sorted(all_of_op, key=lambda one: list(_NORMALISED).index(one.word))[:1]:
            found.append(one)
            claimed.update(one.region.ops)
    return tuple(reversed(found))


def _norm(main: Subgraph, region: Region) -> Norm | None:
    source, end = main.tensors[region.source], main.tensors[region.end]
    kinds = {main.ops[index].kind for index in region.ops}
    if (
        source.shape != end.shape
        or source.dtype is not end.dtype
        or not source.shape
        or not kinds & _REDUCERS
    ):
        return None
    channels, count = source.shape[-1], source.element_count
    if channels < 2 or not 0 < count < _MOST_ELEMENTS:
        return None
    samples = [_sample(source.shape, seed) for seed in range(3)]
    made = [computed(main, region, x) for x in samples]
    if any(y is None or y.shape != source.shape or not np.isfinite(y).all() for y in made):
        return None
    y = np.concatenate([np.reshape(one, (-1, channels)) for one in made if one is not None])
    x = np.concatenate([one.reshape(-1, channels) for one in samples])
    tolerance = _FLOAT_TOLERANCE if end.dtype.is_float else _INTEGER_TOLERANCE
    for word, normalised in _NORMALISED.items():
        fitted = _fitted(normalised(x), y, tolerance)
        if fitted is not None:
            return Norm(word, region, *fitted)
    return None


def _sample(shape: tuple[int, ...], seed: int) -> Reals:
    """Rows of different means and spreads, wide enough that no epsilon matters."""
    random = np.random.default_rng(seed)
    rows = (*shape[:-1], 1)
    spread, offset = random.uniform(20, 200, rows), random.normal(0, 100, rows)
    return np.asarray(random.standard_normal(shape) * spread + offset)


def _fitted(z: Reals, y: Reals, tolerance: float) -> tuple[Reals, Reals] | None:
    """(gain, shift) with y = gain * z + shift per channel; None where there are none."""
    centred = z - z.mean(0)
    gain = (centred * (y - y.mean(0))).sum(0) / np.maximum(np.square(centred).sum(0), 1e-30)
    shift = y.mean(0) - gain * z.mean(0)
    worst = np.abs(gain * z + shift - y).max()
    return (gain, shift) if np.abs(gain).max() > 0 and worst <= tolerance * np.abs(y).max() else None
