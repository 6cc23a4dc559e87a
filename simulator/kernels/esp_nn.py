"""Which family prices an ESP-NN kernel: counted plain C, or cycles published for the SIMD kernels."""

from __future__ import annotations

from ..columns import KernelTable
from .price import Price, unpriced

# Routes that run plain C (counted on RV32IMC).
_PLAIN = {
    "esp_fc": "esp_fc_s8",
    "esp_avg_pool": "esp_avgpool_s8",
    "esp_max_pool": "esp_maxpool_s8",
    "esp_add": "esp_add_s8",
    "esp_softmax": "esp_softmax_s8",
}
# Routes of the S3 and P4 flavours (published ticks).
_SIMD = {
    "esp_conv_1x1": "esp_conv_1x1",
    "esp_dw_simd": "esp_dw",
    "esp_fc": "esp_fc",
    "esp_avg_pool": "esp_avgpool",
    "esp_max_pool": "esp_maxpool",
    "esp_add": "esp_add",
    "esp_mul": "esp_mul",
    "esp_softmax": "esp_softmax",
}
_MUL = Price("esp_add_s8", "counted for addition only: multiplication costs less", 0.3, 0.45, 1.0)


def esp_price(table: KernelTable, row: int, *, simd: bool) -> tuple[Price, bool]:
    """The family of a row with a route of ESP-NN, and whether its figures are cycles (SIMD kernels)."""
    route = table.choices[row].route
    if simd:
        if route in ("esp_conv_im2col", "esp_conv_padded"):
            narrow = table.extents.in_c[row] * table.extents.k_w[row] < 16
            return Price("esp_conv_narrow" if narrow else "esp_conv_wide"), True
        if route in _SIMD:
            return Price(_SIMD[route]), True
    return _plain(table, row, route), False


def _plain(table: KernelTable, row: int, route: str) -> Price:
    e = table.extents
    if route == "esp_conv_generic" or route.startswith("esp_conv"):
        return Price("esp_conv1x1_s8" if e.k_h[row] == 1 and e.k_w[row] == 1 else "esp_conv_s8")
    if route.startswith("esp_dw"):
        return Price("esp_dw_s8" if table.depth_multipliers[row] == 1 else "esp_dw_chmult_s8")
    if route == "esp_mul":
        return _MUL
    family = _PLAIN.get(route)
    return Price(family) if family else unpriced(f"no instruction counts for {route}")
