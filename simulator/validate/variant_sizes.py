"""Do sizes of pruned and shared weights come out as published? SA-08, SA-12, SA-23, SA-24 by the encoders."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...graphs.encodings.download import gzipped
from ...graphs.encodings.lut import Lut
from ...graphs.encodings.plain import Bitmask
from ...graphs.encodings.rates import clustered_share
from ...graphs.encodings.sparse import NOfM
from ...graphs.encodings.values import Values
from ...graphs.ir import ModelGraph
from ...graphs.variants.weights import Weight, weights
from ...graphs.zoo import build
from .table import Cell, Claim, ValidationTable

_SEED = 0
_PRUNED, _FLOAT_BITS = 0.9, 32
_PRINTED_SPARSE = {1.0: 1.48e6, 1.4: 2.28e6}  # arXiv 1911.09723: parameters of MobileNetV1 at 90 %
_PRINTED_DENSE = {0.75: 2.59e6, 1.0: 4.30e6}
_SHARES = {4: 0.75, 8: 0.625, 16: 0.5625}  # 2:4 against dense, by bits of a value
_TOLERANCE = 0.025
_CLUSTERS = 32
_CLUSTERED_MB = (2.65, 4.6)


def n_of_m_share(bits: int) -> float:
    """2:4 weights / dense, drawn and sized by the encoder: (N b + N ceil(log2 M)) / (M b)."""
    draw = np.random.default_rng(_SEED)
    drawn = draw.integers(1, 1 << bits, (1024, 4))
    rank = np.argsort(np.argsort(draw.random(drawn.shape), axis=1), axis=1)
    values = Values(np.where(rank < 2, drawn, 0).astype(np.uint32).reshape(64, 64), bits, bits)
    size = NOfM(2, 4).size_bits(values)
    assert size is not None
    return size / values.raw_bits


def dense_count(width: float) -> int:
    """Weights of MobileNetV1, biases left out."""
    return sum(one.count for one in weights(build("mobilenet-v1", dtype="float32", width=width)))


def sparse_count(width: float, sparsity: float = _PRUNED) -> float:
    """Weights of MobileNetV1 with sparse pointwise kernels, in words of 32 bits: values and their bitmask.

    The first convolution, depthwise kernels and the classifier stay dense (arXiv 1911.09723).
    """
    graph = build("mobilenet-v1", dtype="float32", width=width)
    draw = np.random.default_rng(_SEED)
    words = 0.0
    for one in weights(graph):
        if not _is_pointwise(graph, one):
            words += one.count
            continue
        kept = np.zeros(one.count, np.uint32)
        kept[draw.permutation(one.count)[: round(one.count * (1 - sparsity))]] = 1
        words += Bitmask().size_bits(Values(kept, _FLOAT_BITS, _FLOAT_BITS)) / _FLOAT_BITS
    return words


def _is_pointwise(graph: ModelGraph, weight: Weight) -> bool:
    shape = graph.tensors[weight.tensor].shape
    is_classifier = weight.op == weights(graph)[-1].op
    return weight.kind == "CONV_2D" and shape[1:3] == (1, 1) and not is_classifier


def clustered_bytes(codes: int = _CLUSTERS) -> tuple[float, int]:
    """(indices and codebooks, gzip of the values) of MobileNetV1 in float32, every tensor's values shared."""
    draw = np.random.default_rng(_SEED)
    bits, parts = 0, []
    for one in weights(build("mobilenet-v1", dtype="float32")):
        shared = draw.normal(0, 0.1, codes).astype(np.float32)[draw.integers(0, codes, one.count)]
        size = Lut().size_bits(Values(shared.view(np.uint32), _FLOAT_BITS, _FLOAT_BITS))
        assert size is not None
        bits += size
        parts.append(shared.tobytes())
    return bits / 8, len(gzipped(b"".join(parts)))


def sizes_table() -> ValidationTable:
    """The four checks."""
    rows: list[tuple[Cell, ...]] = [
        (f"2:4, {bits} bits: stored / dense", n_of_m_share(bits), share) for bits, share in _SHARES.items()
    ]
    rows += [
        (f"MobileNetV1 {width:g}, pointwise 90 % zero, with bitmask: M words",
         round(sparse_count(width) / 1e6, 3), printed / 1e6) for width, printed in _PRINTED_SPARSE.items()
    ]  # fmt: skip
    rows += [
        (f"MobileNetV1 {width:g}, dense: M weights", round(dense_count(width) / 1e6, 3), printed / 1e6)
        for width, printed in _PRINTED_DENSE.items()
    ]
    rows.append(("16 weights, 4 values of 32 bits: dense / stored", 1 / clustered_share(16, 4, 32), 3.2))
    indexed, zipped = clustered_bytes()
    rows += [
        (f"MobileNetV1, {_CLUSTERS} values per tensor: MB of indices and codebooks",
         round(indexed / 1e6, 2), None),
        (f"MobileNetV1, {_CLUSTERS} values per tensor: MB of gzip", round(zipped / 1e6, 2), 4.43),
    ]  # fmt: skip
    return ValidationTable(
        "sizes", "sizes of pruned and shared weights, as encoded, against published ones",
        ("what", "ours", "published"), tuple(rows), tuple(_claims(zipped)),
    )  # fmt: skip


def _claims(zipped: int) -> Iterator[Claim]:
    shares = [n_of_m_share(bits) for bits in _SHARES]
    yield Claim("SA-08: 2:4 takes .75, .625, .5625 of dense at 4, 8, 16 bits, exactly",
                ", ".join(f"{share:g}" for share in shares), shares == list(_SHARES.values()))  # fmt: skip
    counts = {width: sparse_count(width) for width in _PRINTED_SPARSE}
    yield Claim(
        "SA-12: parameters of sparse MobileNetV1 1.0 and 1.4, within 2.5 %",
        ", ".join(
            f"{count / 1e6:.3f} M ({count / _PRINTED_SPARSE[w] - 1:+.1%})" for w, count in counts.items()
        ),
        all(abs(count / _PRINTED_SPARSE[w] - 1) <= _TOLERANCE for w, count in counts.items()),
    )
    ratio = 1 / clustered_share(16, 4, 32)
    yield Claim("SA-23: 16 weights of 4 values shrink 3.2 times, exactly", f"{ratio:g}", ratio == 3.2)
    low, high = _CLUSTERED_MB
    yield Claim(f"SA-24: gzip of MobileNetV1 with 32 drawn values per tensor: {low}..{high} MB",
                f"{zipped / 1e6:.2f} MB", low <= zipped / 1e6 <= high)  # fmt: skip
