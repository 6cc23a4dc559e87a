"""How the stored values of a sparse constant map to its dense shape."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SparseDimension:
    """One dimension of a sparse tensor: dense with a length, or compressed (CSR) with two arrays."""

    is_dense: bool
    dense_length: int = 0
    segments: tuple[int, ...] = ()
    indices: tuple[int, ...] = ()
    segments_bits: int = 32
    indices_bits: int = 32


@dataclass(frozen=True, slots=True)
class Sparsity:
    """How the stored values of a sparse constant map to its dense shape (TFLite's format)."""

    traversal_order: tuple[int, ...]
    block_map: tuple[int, ...]
    dimensions: tuple[SparseDimension, ...]
