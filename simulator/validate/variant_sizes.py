"""Do sizes of pruned and shared weights come out as published? SA-08, SA-12, SA-23, SA-24 from the encoders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ...graphs.encodings.lut import Lut
from ...graphs.encodings.plain import Bitmask
from ...graphs.encodings.rates import clustered_share
from ...graphs.encodings.sparse import NOfM
from ...graphs.encodings.values import Values, values_of_tensor
from ...graphs.ir import ModelGraph
from ...graphs.variants.weights import Weight, weights
from ...graphs.zoo import build
from .table import Cell, Claim, ValidationTable

_SEED = 0
_PRUNED = 0.9
_PRINTED_SPARSE = {1.0: 1.48e6, 1.4: 2.28e6}  # arXiv 1911.09723, parameters of MobileNetV1 at 90 %
_SHARES = {4: 0.75, 8: 0.625, 16: 0.5625}  # 2:4, by bits of a value
_CLUSTERED_MB = (2.65, 4.6)  # SA-24: the ideal packing of all weights, and gzip's with what stays dense


def n_of_m_share(bits: int) -> float:
    """Stored / dense of drawn 2:4 weights, sized by the encoder."""
    draw = np.random.default_rng(_SEED)
    groups = np.zeros((64 * 16, 4), np.uint32)
    for place in range(2):
        groups[np.arange(len(groups)), draw.permuted(np.tile(np.arange(4), (len(groups), 1)), axis=1)[:, place]] = (
            draw.integers(1, 1 << bits, len(groups))
        )
    values = Values(_kept_two(groups).reshape(64, 64), bits, bits)
    size = NOfM(2, 4).size_bits(values)
    assert size is not None
    return size / values.raw_bits


def _kept_two(groups: np.ndarray[tuple[int, int], np.dtype[np.uint32]]) -> np.ndarray[tuple[int, int], np.dtype[np.uint32]]:
    """At most two of every four."""
    extra = np.cumsum(groups != 0, axis=1) > 2
    return np.where(extra, 0, groups).astype(np.uint32)
