"""Which measured kernel family prices a CMSIS-NN kernel: route and shape to family."""

from __future__ import annotations

from collections.abc import Callable

from ..columns import KernelTable
from .price import Price, unpriced

_WINDOWS = {(3, 3): "conv3x3_s8", (5, 5): "conv5x5_s8"}
_LIKE_CONV = "no counts for this kernel: priced as a convolution of the same multiplications"
_TRANSPOSED = "the kernel of fully connected ops; transposing an operand first was not counted"
_S4_SHAPE = "counted for 3x3 windows only"


def cmsis_price(table: KernelTable, row: int) -> Price:
    """The family of a row whose route is one of CMSIS-NN's."""
    rule = _RULES.get(table.choices[row].route)
    if rule is None:
        return unpriced(f"no instruction counts for {table.choices[row].route}")
    return rule(table, row)


def _always(family: str, reason: str = "", lo: float = 1.0, factor: float = 1.0, hi: float = 1.0) -> _Rule:
    price = Price(family, reason, lo, factor, hi)
    return lambda _table, _row: price


def _conv_1x1(table: KernelTable, row: int) -> Price:
    return Price("conv1x1_oddch_s8" if table.extents.in_c[row] % 4 else "conv1x1_s8")


def _conv_1x1_strided(table: KernelTable, row: int) -> Price:
    return Price("conv1x1_s8_all" if table.extents.in_c[row] % 4 else "conv1x1_s2_s8")


def _conv_im2col(table: KernelTable, row: int) -> Price:
    e = table.extents
    window, in_c = (int(e.k_h[row]), int(e.k_w[row])), int(e.in_c[row])
    if table.is_dilated[row]:
        return Price("conv_kxk_s8_all")
    if in_c < 4:
        return Price("conv_first_s8" if window[0] > 1 else "conv_kxk_s8_all")
    if in_c % 4:
        return Price("conv3x3_oddch_s8" if window == (3, 3) else "conv_kxk_s8_all")
    if window[0] == 1 or window[1] == 1:
        return Price("conv_nx1_s8" if window[1] == 1 else "conv_kxk_s8_all")
    return Price(_WINDOWS.get(window, "conv_kxk_s8_all"))


def _depthwise(table: KernelTable, row: int) -> Price:
    e = table.extents
    if (int(e.k_h[row]), int(e.k_w[row])) == (3, 3):
        return Price("dw3x3_oddch_s8" if e.out_c[row] % 4 else "dw3x3_s8")
    if e.k_w[row] == 1:
        return Price("dw_nx1_s8")
    named = {(5, 5): "dw5x5_s8", (7, 7): "dw7x7_s8"}.get((int(e.k_h[row]), int(e.k_w[row])))
    return Price(named or "dw_other_s8_all")


def _depthwise_generic(table: KernelTable, row: int) -> Price:
    if table.depth_multipliers[row] > 1:
        return Price("dw_chmult2_s8")
    if table.is_dilated[row] or table.extents.batch[row] > 1:
        return Price("arm_depthwise_conv_s8")
    return _depthwise(table, row)


def _depthwise_mult4(table: KernelTable, row: int) -> Price:
    return Price("dw_cin1_s8" if table.extents.in_c[row] == 1 else "dw_chmult4_s8")


def _fully_connected(table: KernelTable, row: int) -> Price:
    return Price("fc_odd_s8" if table.extents.in_c[row] % 4 else "fc_s8")


def _batch_matmul(table: KernelTable, row: int) -> Price:
    """arm_batch_matmul_s8 runs the fully connected kernel once per row of the left operand."""
    if table.data_types[row] == "int16":
        return Price("fc_s16", _TRANSPOSED, 0.9, 1.1, 2.0)
    return _fully_connected(table, row)._replace(reason=_TRANSPOSED, lo=0.95, factor=1.1, hi=1.7)


def _pool(kind: str) -> _Rule:
    def rule(table: KernelTable, row: int) -> Price:
        e = table.extents
        same = table.is_padded[row] and e.k_h[row] == 3 and e.k_w[row] == 3
        shape = "_same_s8" if same else "_s8_all" if table.is_padded[row] else "_s8"
        return Price(kind + shape)

    return rule


def _conv_s16(table: KernelTable, row: int) -> Price:
    e = table.extents
    if e.k_h[row] == 1 and e.k_w[row] == 1:
        return Price("conv1x1_s16")
    return Price("conv_first_s16" if e.in_c[row] < 4 else "conv3x3_s16")


def _by_type(int8: Price, int16: Price) -> _Rule:
    return lambda table, row: int16 if table.data_types[row] == "int16" else int8


_Rule = Callable[[KernelTable, int], Price]
_WIDER = "counted for int8 only: 16-bit elements cost as much or up to twice"

_RULES: dict[str, _Rule] = {
    "conv_1x1_fast": _conv_1x1,
    "conv_1x1_strided": _conv_1x1_strided,
    "conv_1xn": _always("conv_1xn_s8"),
    "conv_im2col": _conv_im2col,
    "conv_s16": _conv_s16,
    "conv_s16_ref": _always("ref_conv_s8", _WIDER, 0.9, 1.2, 2.5),
    "conv_1x1_fast_s4": _always("conv1x1_s4"),
    "conv_1x1_strided_s4": _always("conv1x1_s4", "counted for stride 1 only", 0.9, 1.0, 1.3),
    "conv_im2col_s4": _always("conv3x3_s4", _S4_SHAPE, 0.8, 1.0, 1.3),
    "dw_as_conv": _always("dw_cin1_s8"),
    "dw_3x3": _depthwise,
    "dw_opt": _depthwise,
    "dw_mult4": _depthwise_mult4,
    "dw_generic": _depthwise_generic,
    "dw_s16": _always("dw3x3_s16", "counted for 3x3 windows only", 0.8, 1.0, 1.5),
    "dw_opt_s4": _always("dw3x3_s4", _S4_SHAPE, 0.8, 1.0, 1.5),
    "dw_generic_s4": _always("arm_depthwise_conv_s8", "counted for 8-bit weights only", 0.9, 1.3, 2.0),
    "fc_as_conv_1x1": _conv_1x1,
    "fc": _fully_connected,
    "fc_per_channel": _always("fc_perch_s8"),
    "fc_s16": _always("fc_s16"),
    "fc_s4": _always("fc_s4"),
    "transpose_conv_as_conv": _always("cmsis_gemm", _LIKE_CONV, 1.0, 1.5, 3.0),
    "transpose_conv_direct": _always("cmsis_transpose_conv"),
    "avg_pool": _pool("avgpool"),
    "avg_pool_s16": _always("avgpool_s8_all", _WIDER, 0.8, 1.2, 2.0),
    "max_pool": _pool("maxpool"),
    "max_pool_s16": _always("maxpool_s8_all", _WIDER, 0.8, 1.2, 2.0),
    "softmax": _by_type(Price("softmax_s8"), Price("softmax_s8", _WIDER, 0.5, 1.0, 2.5)),
    "svdf": _always("cmsis_svdf"),
    "lstm": _by_type(Price("cmsis_lstm"), Price("cmsis_lstm", _WIDER, 0.8, 1.4, 2.5)),
    "batch_matmul": _batch_matmul,
    "add": _by_type(Price("add_s8"), Price("add_s16")),
    "mul": _by_type(Price("mul_s8"), Price("mul_s8", _WIDER, 0.8, 1.2, 2.0)),
    "pad": _always(
        "concatenation", "priced as the copies of its rows: the filling was not counted", 0.7, 1.3, 4.0
    ),
    "transpose": _always("cmsis_transpose_s8"),
    "minimum_maximum": _always("cmsis_minmax_s8"),
}
