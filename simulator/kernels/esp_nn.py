"""Which family prices an ESP-NN kernel: counted plain C, or instructions of the SIMD loops of S3 and P4."""

from __future__ import annotations

from ..columns import KernelTable
from .price import Price, unpriced

# Routes that run the same plain C in every flavour without SIMD (counted on RV32IMC).
_PLAIN = {
    "esp_avg_pool": "esp_avgpool_s8",
    "esp_max_pool": "esp_maxpool_s8",
    "esp_add": "esp_add_s8",
    "esp_softmax": "esp_softmax_s8",
}
# Routes of the S3 and P4 flavours.
_SIMD = {
    "esp_conv_1x1": "esp_conv_1x1",
    "esp_conv_im2col": "esp_conv_window",
    "esp_conv_padded": "esp_conv_rows",
    "esp_fc": "esp_fc",
    "esp_avg_pool": "esp_avgpool",
    "esp_max_pool": "esp_maxpool",
    "esp_add": "esp_add",
    "esp_mul": "esp_mul",
    "esp_softmax": "esp_softmax",
}
_MUL = Price("esp_add_s8", "counted for addition only: multiplication costs less", 0.3, 0.45, 1.0)
# The published ticks and latencies of P4 are those of the plain C kernel; later sources have a SIMD loop.
_P4_DEPTHWISE = Price("esp_dw_s8", "as published: a later SIMD loop takes a third of the instructions", 0.3)


def esp_price(table: KernelTable, row: int, *, flavour: str) -> tuple[Price, bool]:
    """The family of a row with a route of ESP-NN, and whether it is one of the flavour's SIMD forms."""
    route = table.choices[row].route
    if flavour in ("s3", "p4"):
        if route in _SIMD:
            return Price(_SIMD[route]), True
        if route == "esp_dw_simd":
            return (_P4_DEPTHWISE, False) if flavour == "p4" else (Price(_s3_depthwise(table, row)), True)
    return _plain(table, row, "esp_ansi" if flavour == "ansi" else "esp"), False


def _s3_depthwise(table: KernelTable, row: int) -> str:
    """8-bit lanes for 3x3 windows of at least 12 channels; else 16-bit lanes (specs/tflm_memory.md 8.5)."""
    e = table.extents
    fits = e.k_h[row] == 3 and e.k_w[row] == 3 and e.in_c[row] % 8 == 0 and e.in_c[row] >= 12
    return "esp_dw_8bit" if fits and table.depth_multipliers[row] == 1 else "esp_dw_16bit"


def _plain(table: KernelTable, row: int, library: str) -> Price:
    """Plain C: "esp_ansi" is the simple loop, "esp" the generic one that is unrolled."""
    e, route = table.extents, table.choices[row].route
    if route.startswith("esp_conv"):
        return Price(f"{library}_conv1x1_s8" if e.k_h[row] == 1 and e.k_w[row] == 1 else f"{library}_conv_s8")
    if route.startswith("esp_dw"):
        return Price(f"{library}_dw_s8" if table.depth_multipliers[row] == 1 else f"{library}_dw_chmult_s8")
    if route == "esp_fc":
        return Price(f"{library}_fc_s8")
    if route == "esp_mul":
        return _MUL
    family = _PLAIN.get(route)
    return Price(family) if family else unpriced(f"no instruction counts for {route}")
