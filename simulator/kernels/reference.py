"""Which family prices a reference kernel of TFLM: counted for int8 and float32, analytic for the rest."""

from __future__ import annotations

from typing import NamedTuple

from ..columns import KernelTable
from .price import Price, unpriced


class _Counted(NamedTuple):
    """The families of one op kind; "" where no kernel for those elements was counted.

    `wide` is for 16-bit elements: the int8 family where both are one template (of ADD and MUL both were
    counted and need the same). `broadcast` and `broadcast_floats` for operands of two shapes.
    """

    small: str
    floats: str = ""
    wide: str = ""
    broadcast: str = ""
    broadcast_floats: str = ""


_COUNTED = {
    "CONV_2D": _Counted("ref_conv_s8", "conv_f32"),
    "DEPTHWISE_CONV_2D": _Counted("ref_dw_s8", "depthwise_f32"),
    "FULLY_CONNECTED": _Counted("ref_fc_s8", "fully_connected_f32"),
    "AVERAGE_POOL_2D": _Counted("ref_avgpool_s8", "avgpool_f32"),
    "MAX_POOL_2D": _Counted("ref_maxpool_s8", "maxpool_f32"),
    "SOFTMAX": _Counted("ref_softmax_s8", "softmax_f32"),
    "LOG_SOFTMAX": _Counted("", "log_softmax_f32"),
    "ADD": _Counted("ref_add_s8", "add_f32", "add_s16_ref", "add_broadcast_s8", "mul_broadcast_f32"),
    "SUB": _Counted("sub_s8", "sub_f32", "sub_s8", "add_broadcast_s8", "mul_broadcast_f32"),
    "MUL": _Counted("mul_s8", "mul_f32", "mul_s16", "mul_broadcast_s8", "mul_broadcast_f32"),
    "DIV": _Counted("div_s8", "div_f32", "", "", "mul_broadcast_f32"),
    "SQUARED_DIFFERENCE": _Counted("sqd_s8", "sqd_f32", "sqd_s8", "sqd_broadcast_s8", "mul_broadcast_f32"),
    "MAXIMUM": _Counted("maximum_s8", "maximum_f32", "", "maximum_broadcast_s8"),
    "MINIMUM": _Counted("maximum_s8", "maximum_f32", "", "maximum_broadcast_s8"),
    "QUANTIZE": _Counted("requantize_s8", "quantize_f32", "requantize_s8"),
    "DEQUANTIZE": _Counted("dequantize_s8", "dequantize_s8", "dequantize_s8"),
    "LOGISTIC": _Counted("logistic_s8", "logistic_f32", "logistic_s16"),
    "TANH": _Counted("tanh_s8", "tanh_f32", "tanh_s16"),
    "HARD_SWISH": _Counted("hard_swish_s8", "hard_swish_f32"),
    "RELU": _Counted("relu_s8", "relu_f32", "relu_s8"),
    "RELU6": _Counted("relu6_s8", "relu6_f32", "relu6_s8"),
    "LEAKY_RELU": _Counted("leaky_relu_s8", "leaky_relu_f32", "leaky_relu_s8"),
    "PRELU": _Counted("prelu_s8"),
    "ABS": _Counted("", "abs_f32"),
    "NEG": _Counted("", "neg_f32"),
    "FLOOR": _Counted("", "floor_f32"),
    "CEIL": _Counted("", "floor_f32"),
    "SQUARE": _Counted("", "square_f32"),
    "EXP": _Counted("", "exp_f32"),
    "LOG": _Counted("", "log_f32"),
    "SIN": _Counted("", "sin_f32"),
    "COS": _Counted("", "sin_f32"),
    "SQRT": _Counted("", "sqrt_f32"),
    "RSQRT": _Counted("rsqrt_s8", "rsqrt_f32", "rsqrt_s8"),
    "ELU": _Counted("", "elu_f32"),
    "L2_NORMALIZATION": _Counted("l2_normalization_s8", "l2_normalization_f32"),
    "MEAN": _Counted("mean_s8", "mean_f32"),
    "SUM": _Counted("mean_s8", "mean_f32"),
    "REDUCE_MAX": _Counted("reduce_max_s8"),
    "REDUCE_MIN": _Counted("reduce_max_s8"),
    "ARG_MAX": _Counted("arg_max_s8"),
    "ARG_MIN": _Counted("arg_max_s8"),
    "RESIZE_BILINEAR": _Counted("resize_bilinear_s8", "resize_bilinear_f32"),
    "TRANSPOSE_CONV": _Counted("transpose_conv_s8", "transpose_conv_f32"),
    "BATCH_MATMUL": _Counted("batch_matmul_s8", "batch_matmul_f32"),
    "SVDF": _Counted("svdf_s8", "svdf_f32"),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _Counted("lstm_s8", "lstm_f32"),
}
# Kernels that move elements of any type: bytes and runs are counted, or elements one by one.
_MOVES = {
    "RESHAPE": "move", "SQUEEZE": "move", "EXPAND_DIMS": "move", "SHAPE": "move",
    "CONCATENATION": "concatenation", "GATHER": "gather", "GATHER_ND": "gather",
    "EMBEDDING_LOOKUP": "gather", "PACK": "split_s8",
    "UNPACK": "split_s8", "SPLIT": "split_s8", "SPLIT_V": "split_s8", "SLICE": "slice_s8", "PAD": "pad_s8",
    "PADV2": "pad_s8", "TRANSPOSE": "transpose_s8",
}  # fmt: skip
_FORMS = {
    "variable": "BITCAST ASSIGN_VARIABLE READ_VARIABLE",
    "copy": "BROADCAST_TO FILL ZEROS_LIKE DYNAMIC_UPDATE_SLICE REVERSE_V2",
    "index": "SPACE_TO_BATCH_ND BATCH_TO_SPACE_ND SPACE_TO_DEPTH DEPTH_TO_SPACE "
    "MIRROR_PAD BROADCAST_ARGS SELECT_V2 CAST TILE",
    "compare": "RELU_0_TO_1 RELU_N1_TO_1 ABS NEG EQUAL NOT_EQUAL GREATER GREATER_EQUAL LESS LESS_EQUAL "
    "LOGICAL_AND LOGICAL_OR LOGICAL_NOT CEIL FLOOR ROUND ADD_N CUMSUM PRELU MAXIMUM MINIMUM",
    "requantise2": "SQUARE",
    "divide": "DIV FLOOR_DIV FLOOR_MOD",
    "transcendental": "ELU EXP LOG SQRT SIN COS LOG_SOFTMAX",
    "reduce": "REDUCE_MAX REDUCE_MIN REDUCE_ALL ARG_MAX ARG_MIN L2_POOL_2D",
}
_FORM_OF = {kind: form for form, kinds in _FORMS.items() for kind in kinds.split()}
_FREE = frozenset({"CALL_ONCE", "VAR_HANDLE"})  # nothing but the interpreter's own work per inference
_SOFT_FLOAT = "floating point without an FPU: 60 to 150 instructions per operation"
_WIDE_INTEGER = "counted for int8 only"
# (value, low, high) against the int8 kernel, by element type of the data input
_INTEGER_FACTORS = {"uint8": (1.0, 0.9, 1.2), "int16": (1.3, 0.9, 2.5), "int4": (1.2, 0.9, 1.8)}
_FLOATS = frozenset({"float32", "float16", "float64"})
_MOVES_ONLY = frozenset({"variable", "copy", "index", "compare"})
# The interpreter's table of registered kinds that this file leaves without a price, and why.
UNPRICED = {
    "IF": "which of its graphs runs is known only when running",
    "WHILE": "how often its body runs is known only when running",
}


def reference_price(table: KernelTable, row: int, *, has_fpu: bool) -> Price:
    """The family of a row that runs TFLM's reference kernel."""
    op, data_type = table.ops[row], table.data_types[row]
    if op.kind in _FREE:
        return Price("variable", "no work of its own per inference", 0.0, 0.0, 0.0)
    if op.kind in UNPRICED:
        return unpriced(UNPRICED[op.kind])
    special = _special(table, row, has_fpu=has_fpu)
    if special is not None:
        return special
    counted, is_float = _COUNTED.get(op.kind, _Counted("")), data_type in _FLOATS
    if is_float or op.kind == "DEQUANTIZE":
        family = (table.is_broadcast[row] and counted.broadcast_floats) or counted.floats
        if family:
            return _as_built(family, has_fpu=has_fpu)
    else:
        price = _integer(counted, table, row)
        if price is not None:
            return price
    form = _FORM_OF.get(op.kind)
    if form is None:
        return unpriced(f"no cost model for {op.label}")
    if is_float and not has_fpu and form not in _MOVES_ONLY:
        return Price(form, _SOFT_FLOAT, 0.8, 4.0, 10.0)
    return Price(form)


def _as_built(family: str, *, has_fpu: bool) -> Price:
    return Price(family if has_fpu else f"{family}_soft")


def _special(table: KernelTable, row: int, *, has_fpu: bool) -> Price | None:
    """Kinds whose kernel does not follow from the element type alone."""
    kind, data_type = table.ops[row].kind, table.data_types[row]
    if kind in _MOVES:
        return Price(_MOVES[kind])
    if table.ops[row].label == "TFLM_DECODE":
        return Price(_decoding(table, row))
    if kind == "STRIDED_SLICE":
        single = table.copy_runs[row] > 1 and table.copy_runs[row] == table.out_elements[row]
        return Price("strided_slice_steps" if single else "strided_slice")
    if kind == "RESIZE_NEAREST_NEIGHBOR":
        return _as_built("resize_nearest_s8", has_fpu=has_fpu)
    if kind == "CAST" and (data_type in _FLOATS or table.out_bytes[row] == 4 * table.out_elements[row]):
        return _as_built("cast_f32_s32" if data_type in _FLOATS else "cast_s8_f32", has_fpu=has_fpu)
    if kind in _PICKS and data_type in _FLOATS and table.is_broadcast[row]:
        return Price(
            "maximum_broadcast_s8", "counted for int8, whose index arithmetic it shares", 0.9, 1.1, 2.5
        )
    if kind == "ELU" and data_type == "int8":
        return Price("maximum_s8", "one look-up in a table, priced as one comparison", 0.5, 0.7, 1.3)
    if kind == "MEAN" and data_type in _FLOATS:
        over_image = table.index_steps[row] == 4 * table.in_elements[row] and (
            table.axis_tests[row] == _TWO_OF_FOUR * table.in_elements[row]
        )
        return _as_built("mean_hw_f32" if over_image else "mean_f32", has_fpu=has_fpu)
    return None


def _decoding(table: KernelTable, row: int) -> str:
    """Indices of up to 4 bits into int8 are decoded 16 at a time; wider ones and other types one by one."""
    is_narrow = table.out_bytes[row] == table.out_elements[row]
    is_short = 8 * table.weight_bytes[row] < _FIVE_BITS * table.out_elements[row]
    return "lut_decode" if is_narrow and is_short else "lut_decode_any"


_FIVE_BITS = 5  # indices and tables
_PICKS = frozenset({"MAXIMUM", "MINIMUM"})
_TWO_OF_FOUR = 7  # comparisons per element with two reduced axes of four: 4 x 2 - 1


def _integer(counted: _Counted, table: KernelTable, row: int) -> Price | None:
    data_type, weight_type = table.data_types[row], table.weight_types[row]
    family = counted.broadcast if table.is_broadcast[row] and counted.broadcast else counted.small
    if data_type == "int16" and counted.wide and not table.is_broadcast[row]:
        return Price(counted.wide)
    if not family:
        return None
    if data_type == "int8" and weight_type in ("int8", ""):
        return Price(family)
    kind = "int4" if weight_type == "int4" else data_type
    factors = _INTEGER_FACTORS.get(kind)
    if factors is None:
        return Price(family, f"{_WIDE_INTEGER}, not for {kind}", 0.7, 1.5, 4.0)
    value, lo, hi = factors
    return Price(family, f"{_WIDE_INTEGER}, not for {kind}", lo, value, hi)
