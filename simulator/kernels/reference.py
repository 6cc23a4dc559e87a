"""Which family prices a reference kernel of TFLM: measured for int8, an analytic form for the rest."""

from __future__ import annotations

from ..columns import KernelTable
from .price import Price, unpriced

_MEASURED = {
    "CONV_2D": "ref_conv_s8",
    "DEPTHWISE_CONV_2D": "ref_dw_s8",
    "FULLY_CONNECTED": "ref_fc_s8",
    "AVERAGE_POOL_2D": "ref_avgpool_s8",
    "MAX_POOL_2D": "ref_maxpool_s8",
    "ADD": "ref_add_s8",
    "SOFTMAX": "ref_softmax_s8",
}
_FORMS = {
    "move": "RESHAPE SQUEEZE EXPAND_DIMS BITCAST SHAPE ASSIGN_VARIABLE READ_VARIABLE",
    "copy": "CONCATENATION PACK UNPACK SLICE SPLIT SPLIT_V PAD PADV2 BROADCAST_TO FILL ZEROS_LIKE "
    "DYNAMIC_UPDATE_SLICE REVERSE_V2 EMBEDDING_LOOKUP GATHER GATHER_ND",
    "index": "STRIDED_SLICE TRANSPOSE SPACE_TO_BATCH_ND BATCH_TO_SPACE_ND SPACE_TO_DEPTH DEPTH_TO_SPACE "
    "MIRROR_PAD BROADCAST_ARGS SELECT_V2 CAST TILE",
    "compare": "RELU RELU6 RELU_0_TO_1 RELU_N1_TO_1 ABS NEG MAXIMUM MINIMUM EQUAL NOT_EQUAL GREATER "
    "GREATER_EQUAL LESS LESS_EQUAL LOGICAL_AND LOGICAL_OR LOGICAL_NOT CEIL FLOOR ROUND ADD_N CUMSUM",
    "requantise": "MUL SUB QUANTIZE DEQUANTIZE LEAKY_RELU PRELU",
    "requantise2": "HARD_SWISH SQUARED_DIFFERENCE SQUARE L2_NORMALIZATION",
    "divide": "DIV FLOOR_DIV FLOOR_MOD",
    "transcendental": "LOGISTIC TANH ELU EXP LOG SQRT RSQRT SIN COS LOG_SOFTMAX",
    "reduce": "MEAN SUM REDUCE_MAX REDUCE_MIN REDUCE_ALL ARG_MAX ARG_MIN L2_POOL_2D",
    "resize_nearest": "RESIZE_NEAREST_NEIGHBOR",
    "resize_bilinear": "RESIZE_BILINEAR",
    "matmul": "BATCH_MATMUL",
    "transpose_conv": "TRANSPOSE_CONV",
    "recurrent": "UNIDIRECTIONAL_SEQUENCE_LSTM",
    "svdf": "SVDF",
}
_FORM_OF = {kind: form for form, kinds in _FORMS.items() for kind in kinds.split()}
_FREE = frozenset({"CALL_ONCE", "VAR_HANDLE"})  # nothing but the interpreter's own work per inference
_SOFT_FLOAT = "floating point without an FPU: 60 to 150 instructions per operation"
_FLOAT = "counted for int8 only; floating point on an FPU"
_WIDE_INTEGER = "counted for int8 only"
# (value, low, high) against the int8 kernel, by element type of the data input
_INTEGER_FACTORS = {"uint8": (1.0, 0.9, 1.2), "int16": (1.3, 0.9, 2.5), "int4": (1.2, 0.9, 1.8)}
_MOVES_ONLY = frozenset({"move", "copy", "index", "compare"})


def reference_price(table: KernelTable, row: int, *, has_fpu: bool) -> Price:
    """The family of a row that runs TFLM's reference kernel."""
    op = table.ops[row]
    if op.kind in _FREE:
        return Price("move", "no work of its own per inference", 0.0, 0.0, 0.0)
    measured, form = _MEASURED.get(op.kind), _FORM_OF.get(op.kind)
    if measured is None and form is None:
        return unpriced(f"no cost model for {op.label}")
    data_type = table.data_types[row]
    is_float = data_type in ("float32", "float16", "float64") or _meets_float(table, row)
    if measured is not None:
        return _of_int8_counts(measured, data_type, table.weight_types[row], is_float, has_fpu)
    assert form is not None
    if is_float and not has_fpu and form not in _MOVES_ONLY:
        return Price(form, _SOFT_FLOAT, 0.8, 4.0, 10.0)
    return Price(form)


def _meets_float(table: KernelTable, row: int) -> bool:
    """DEQUANTIZE works in floating point whatever its input."""
    return table.ops[row].kind == "DEQUANTIZE"


def _of_int8_counts(family: str, data_type: str, weight_type: str, is_float: bool, has_fpu: bool) -> Price:
    if is_float:
        hard = Price(family, _FLOAT, 0.7, 1.0, 2.0)
        return hard if has_fpu else Price(family, _SOFT_FLOAT, 5.0, 12.0, 25.0)
    if data_type == "int8" and weight_type in ("int8", ""):
        return Price(family)
    kind = "int4" if weight_type == "int4" else data_type
    factors = _INTEGER_FACTORS.get(kind)
    if factors is None:
        return Price(family, f"{_WIDE_INTEGER}, not for {kind}", 0.7, 1.5, 4.0)
    value, lo, hi = factors
    return Price(family, f"{_WIDE_INTEGER}, not for {kind}", lo, value, hi)
