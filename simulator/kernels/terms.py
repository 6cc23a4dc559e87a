"""What do kernels count: the loop counts of a kernel's structure, from its extents, as columns.

Definitions: specs/cmsis_nn_cost.md, "Terms used in kernel_fits.csv". K = k_h*k_w*channels of one filter.
"""

from __future__ import annotations

import numpy as np

from ..columns import Extents, Floats

TERMS = (
    "one", "pix", "out", "macs", "taps", "krow", "vpatch", "patches", "patchsat", "im2col", "m_pair", "m_odd",
    "wsum", "calls", "calls_oc", "kr4", "kr16", "oc1", "oc4", "ocr4", "ocr4t", "macs_lo", "macs_hi", "m512",
    "b4v", "b4o", "b1v", "b1o", "p4pix", "patch16", "oc4v", "oc1v", "g16", "vtapsg16", "d4t", "d4o", "d1t",
    "d1o", "el4", "el16", "weights", "rows", "row16", "win16", "p8in", "p8o", "p8v", "p1o", "p1v", "g8",
    "krow8", "vtapsg8",
)  # fmt: skip


# What is counted inside the innermost multiplication loops.
LOOP_TERMS = frozenset({
    "macs", "taps", "m_pair", "m_odd", "macs_lo", "macs_hi", "m512", "ocr4t", "b4v", "b1v", "oc4v", "oc1v",
    "vtapsg16", "d4t", "d1t",
})  # fmt: skip


def kernel_terms(e: Extents) -> Floats:
    """rows x TERMS: every loop count of every row, for one batch element."""
    pix, window = e.out_h * e.out_w, e.k_h * e.k_w
    depth = window * e.filter_c
    out, patches, vpatch = pix * e.out_c, pix * window, e.row_taps * e.col_taps
    columns = {
        "one": np.ones_like(pix), "pix": pix, "out": out, "macs": out * depth,
        "taps": vpatch * e.out_c * e.filter_c, "krow": e.row_taps * e.out_w * e.out_c, "vpatch": vpatch,
        "patches": patches, "patchsat": out * window, "im2col": patches * e.in_c,
        "kr4": out * (depth % 4), "kr16": out * (depth % 16), "oc1": e.out_c % 4, "oc4": e.out_c // 4,
        "ocr4": pix * (e.out_c % 4), "ocr4t": vpatch * (e.out_c % 4),
        "macs_lo": out * np.minimum(depth, 512), "macs_hi": out * np.maximum(depth - 512, 0),
        "m512": out * np.where(depth > 512, depth, 0),
    }  # fmt: skip
    columns.update(_gemm_terms(e, pix, depth))
    columns.update(_group_terms(e, pix, window))
    columns.update(_vector_terms(e, pix, depth))
    return np.stack([columns[name] for name in TERMS], axis=1)


def _gemm_terms(e: Extents, pix: Floats, depth: Floats) -> dict[str, Floats]:
    """Pixels go through the matrix product in pairs (fours, with Helium); a strided 1x1 calls it per row."""
    strided = (e.k_h == 1) & (e.k_w == 1) & ((e.stride_h > 1) | (e.stride_w > 1))
    calls = np.where(strided, e.out_h, 1.0)
    per_call = np.where(strided, e.out_w, pix)
    pairs, fours, rest = per_call // 2 * 2, per_call // 4, per_call % 4
    blocks16 = np.ceil(depth / 16)
    return {
        "calls": calls, "calls_oc": calls * e.out_c, "wsum": calls * e.out_c * depth,
        "m_pair": calls * pairs * e.out_c * depth, "m_odd": calls * (per_call % 2) * e.out_c * depth,
        "p4pix": calls * fours, "b4o": calls * fours * e.out_c, "b4v": calls * fours * e.out_c * blocks16,
        "b1o": calls * rest * e.out_c, "b1v": calls * rest * e.out_c * blocks16,
        "oc4v": e.out_c // 4 * blocks16, "oc1v": e.out_c % 4 * blocks16,
    }  # fmt: skip


def _group_terms(e: Extents, pix: Floats, window: Floats) -> dict[str, Floats]:
    """Helium handles channels in groups of 4 or 16, depthwise pixels in fours."""
    groups4, groups16 = np.ceil(e.out_c / 4), np.ceil(e.out_c / 16)
    elements = pix * e.out_c
    return {
        "patch16": pix * window * np.ceil(e.in_c / 16), "g16": pix * groups16,
        "vtapsg16": e.row_taps * e.col_taps * groups16,
        "d4t": pix // 4 * groups4 * window, "d4o": pix // 4 * groups4,
        "d1t": pix % 4 * groups4 * window, "d1o": pix % 4 * groups4,
        "el4": np.ceil(elements / 4), "el16": np.ceil(elements / 16),
    }  # fmt: skip


def _vector_terms(e: Extents, pix: Floats, depth: Floats) -> dict[str, Floats]:
    """ESP-NN's vectors of 8 and 16: pixels in eights, dot products in blocks of 16, channels in eights."""
    out, eights, left = pix * e.out_c, pix // 8, pix % 8
    blocks8, groups8 = np.ceil(depth / 8), np.ceil(e.out_c / 8)
    return {
        "weights": e.out_c * depth, "rows": out * e.k_h, "win16": out * np.ceil(depth / 16),
        "row16": out * e.k_h * np.ceil(e.k_w * e.filter_c / 16), "p8in": eights * np.ceil(e.in_c / 8),
        "p8o": eights * e.out_c, "p8v": eights * e.out_c * blocks8, "p1o": left * e.out_c,
        "p1v": left * e.out_c * blocks8, "g8": pix * groups8, "krow8": e.row_taps * e.out_w * groups8,
        "vtapsg8": e.row_taps * e.col_taps * groups8,
    }  # fmt: skip
