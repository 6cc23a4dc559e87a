"""Which kernel of the runtime's library runs this op: one table, read by scratch, code size and cycles.

Rules: specs/tflm_memory.md section 8 (CMSIS-NN 99f736a, ESP-NN d45b843c). Each rule is one function of
(subgraph, op, flavour); a kind without an entry runs TFLM's reference kernel.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from ..graphs.dims import OpDims
from ..graphs.ir import DType, Op, Subgraph
from .neon_routes import LIBRARIES, neon_route
from .operands import (
    as_int8,
    dims_of,
    fc_is_conv,
    is_1x1_unpadded,
    is_1xn,
    is_broadcast,
    is_depthwise_opt,
    operand,
    pads_1xn,
)

if TYPE_CHECKING:
    from ..devices.target import KernelBuild

I8, I16, I4 = DType.INT8, DType.INT16, DType.INT4


@dataclass(frozen=True, slots=True)
class KernelChoice:
    """The kernel of one op.

    Args:
        library: the library the kernel comes from ("cmsis-nn", "esp-nn", "reference"; else the vendor's).
        route: the rule that was taken, e.g. "conv_1x1_fast"; "ref" for a reference kernel.
        why: one sentence: why this kernel and not a faster one; "" for the expected one.
    """

    library: str
    route: str
    why: str = ""


Rule = Callable[[Subgraph, Op, str], KernelChoice]


def choose_kernel(subgraph: Subgraph, op: Op, build: KernelBuild) -> KernelChoice:
    """The kernel that this build of the library runs for the op."""
    library = build.library
    if library == "reference":
        return _REFERENCE
    if library == "x-cube-ai":
        return _stand_in(subgraph, op, build.flavour)
    rules = _RULES.get(library)
    if library in LIBRARIES:
        return KernelChoice(library, *neon_route(subgraph, op, build.flavour))
    if rules is None:
        return KernelChoice(library, "vendor", f"the kernels of {library} are not public")
    rule = rules.get(op.kind)
    if rule is None:
        return _reference(f"{_TITLE[library]} has no kernel for {op.label}")
    return rule(subgraph, op, build.flavour)


def _stand_in(subgraph: Subgraph, op: Op, flavour: str) -> KernelChoice:
    """ST's kernels are not public: CMSIS-NN's kernel of the same op, for int8, stands for one of them."""
    rule = _RULES["cmsis-nn"].get(op.kind)
    route = "ref" if rule is None else rule(as_int8(subgraph, op), op, flavour).route
    return KernelChoice("x-cube-ai", route)


_REFERENCE = KernelChoice("reference", "ref")
_TITLE = {"cmsis-nn": "CMSIS-NN", "esp-nn": "ESP-NN"}


def _reference(why: str) -> KernelChoice:
    return KernelChoice("reference", "ref", why)


def _wrong_types(library: str, op: Op, *dtypes: DType | None) -> KernelChoice:
    shown = " x ".join(str(dtype) for dtype in dtypes if dtype is not None)
    return _reference(f"{_TITLE[library]} has no {op.label} kernel for {shown}")


def _cmsis(*routes: str) -> dict[str, KernelChoice]:
    return {route: KernelChoice("cmsis-nn", route) for route in routes}


_CMSIS = _cmsis(
    "conv_1x1_fast", "conv_1x1_strided", "conv_1xn", "conv_im2col", "conv_s16",
    "conv_1x1_fast_s4", "conv_1x1_strided_s4", "conv_im2col_s4",
    "dw_as_conv", "dw_3x3", "dw_opt", "dw_mult4", "dw_s16", "dw_opt_s4",
    "fc_as_conv_1x1", "fc", "fc_per_channel", "fc_s16", "fc_s4",
    "transpose_conv_as_conv", "transpose_conv_direct",
)  # fmt: skip
_CONV_S16_REF = KernelChoice(
    "cmsis-nn", "conv_s16_ref", "an int16 convolution with an int32 bias runs the reference loop"
)
_1XN_GENERAL = KernelChoice("cmsis-nn", "conv_1xn", "without Helium the 1xN kernel runs the im2col code")
_DW_NO_DSP = KernelChoice("cmsis-nn", "dw_generic", "the optimised depthwise kernel needs the DSP extension")
_DW_BATCH = "only batch 1 has an optimised depthwise kernel"
_DW_DILATION = "dilation has no optimised depthwise kernel"
_DW_MULTIPLIER = "a channel multiplier that is not 1 or a multiple of 4 runs the generic loop"


def _conv_cmsis(subgraph: Subgraph, op: Op, flavour: str) -> KernelChoice:
    dims = dims_of(subgraph, op)
    if dims is None:
        return _reference("the extents of this convolution are not static")
    data, weight = dims.input_dtype, dims.weight_dtype
    if data is I16 and weight is I8:
        bias = operand(subgraph, op, 2)
        return _CONV_S16_REF if bias is not None and bias.dtype is DType.INT32 else _CMSIS["conv_s16"]
    if data is not I8 or weight not in (I8, I4):
        return _wrong_types("cmsis-nn", op, data, weight)
    if is_1x1_unpadded(dims) and not dims.has_dilation and dims.filter_c == dims.in_c:
        fast = dims.rows.stride == 1 and dims.cols.stride == 1
        route = "conv_1x1_fast" if fast else "conv_1x1_strided"
        return _CMSIS[route if weight is I8 else route + "_s4"]
    if weight is I4:
        return _CMSIS["conv_im2col_s4"]
    if is_1xn(dims):
        if flavour != "mve":
            return _1XN_GENERAL
        if sum(pads_1xn(dims)) <= dims.out_w:
            return _CMSIS["conv_1xn"]
    return _CMSIS["conv_im2col"]


def _depthwise_cmsis(subgraph: Subgraph, op: Op, flavour: str) -> KernelChoice:
    dims = dims_of(subgraph, op)
    if dims is None:
        return _reference("the extents of this convolution are not static")
    data, weight = dims.input_dtype, dims.weight_dtype
    if data is I16 and weight is I8:
        return _CMSIS["dw_s16"]
    if data is not I8 or weight not in (I8, I4):
        return _wrong_types("cmsis-nn", op, data, weight)
    optimised = is_depthwise_opt(dims)
    if weight is I4:
        generic = KernelChoice("cmsis-nn", "dw_generic_s4", "" if optimised else _why_generic(dims))
        return _CMSIS["dw_opt_s4"] if optimised else generic
    if flavour == "mve" and dims.in_c == 1 and dims.out_c > 1:
        return _CMSIS["dw_as_conv"]
    if optimised:
        small = dims.k_h == 3 and dims.k_w == 3 and dims.rows.pad_before <= 1 and dims.cols.pad_before <= 1
        if flavour != "mve" and small:
            return _CMSIS["dw_3x3"]
        return _DW_NO_DSP if flavour == "c" else _CMSIS["dw_opt"]
    if dims.depth_multiplier % 4 == 0 and dims.batch == 1 and not dims.has_dilation:
        return _CMSIS["dw_mult4"]
    return KernelChoice("cmsis-nn", "dw_generic", _why_generic(dims))


def _why_generic(dims: OpDims) -> str:
    return _DW_BATCH if dims.batch != 1 else _DW_DILATION if dims.has_dilation else _DW_MULTIPLIER


def _fully_connected_cmsis(subgraph: Subgraph, op: Op, _: str) -> KernelChoice:
    data, weight = operand(subgraph, op, 0), operand(subgraph, op, 1)
    if data is None or weight is None:
        return _reference("an input of this op is missing")
    if data.dtype is I16 and weight.dtype is I8:
        return _CMSIS["fc_s16"]
    if data.dtype is not I8 or weight.dtype not in (I8, I4):
        return _wrong_types("cmsis-nn", op, data.dtype, weight.dtype)
    if weight.dtype is I4:
        return _CMSIS["fc_s4"]
    if fc_is_conv(subgraph, op, weight):
        return _CMSIS["fc_as_conv_1x1"]
    per_channel = weight.quantization is not None and weight.quantization.is_per_channel
    return _CMSIS["fc_per_channel" if per_channel else "fc"]


def _transpose_conv_cmsis(subgraph: Subgraph, op: Op, _: str) -> KernelChoice:
    dims = dims_of(subgraph, op)
    if dims is None or dims.input_dtype is not I8 or dims.weight_dtype is not I8:
        types = (None, None) if dims is None else (dims.input_dtype, dims.weight_dtype)
        return _wrong_types("cmsis-nn", op, *types)
    if dims.rows.stride <= 2 and dims.cols.stride <= 2 and dims.in_c > 16:
        return _CMSIS["transpose_conv_as_conv"]
    return _CMSIS["transpose_conv_direct"]


def _by_type(library: str, **routes: str) -> Rule:
    """A rule that looks only at the first input's type: int8="avg_pool", int16="avg_pool_s16"."""
    choices = {DType(name): KernelChoice(library, route) for name, route in routes.items()}

    def rule(subgraph: Subgraph, op: Op, _: str) -> KernelChoice:
        data = operand(subgraph, op, 0)
        dtype = data.dtype if data is not None else None
        return choices.get(cast("DType", dtype)) or _wrong_types(library, op, dtype)

    return rule


def _elementwise(library: str, **routes: str) -> Rule:
    """As `_by_type`, but only without broadcasting."""
    by_type = _by_type(library, **routes)

    def rule(subgraph: Subgraph, op: Op, flavour: str) -> KernelChoice:
        choice = by_type(subgraph, op, flavour)
        if choice.route != "ref" and is_broadcast(subgraph, op):
            return _reference(f"{_TITLE[library]} does not broadcast in {op.label}")
        return choice

    return rule


_ESP_CONV = {
    route: KernelChoice("esp-nn", route)
    for route in ("esp_conv_1x1", "esp_conv_im2col", "esp_conv_padded", "esp_conv_generic")
}
_ESP_SOFTMAX = KernelChoice("esp-nn", "esp_softmax")
_ESP_DW_SIMD, _ESP_DW = KernelChoice("esp-nn", "esp_dw_simd"), KernelChoice("esp-nn", "esp_dw_generic")


def _conv_esp(subgraph: Subgraph, op: Op, flavour: str) -> KernelChoice:
    dims = dims_of(subgraph, op)
    refused = _esp_refuses(op, dims)
    if refused is not None or dims is None:
        return refused or _REFERENCE
    if flavour not in ("s3", "p4"):
        return _ESP_CONV["esp_conv_generic"]
    if dims.filter_c != dims.in_c:
        return KernelChoice("esp-nn", "esp_conv_generic", "grouped convolutions run the plain C loop")
    if is_1x1_unpadded(dims) and dims.rows.stride == 1 and dims.cols.stride == 1:
        return _ESP_CONV["esp_conv_1x1"]
    row = dims.k_w * dims.in_c
    few = row < 16 if flavour == "s3" else row < 16 or dims.has_padding
    im2col = few and row * dims.k_h >= 16
    return _ESP_CONV["esp_conv_im2col" if im2col else "esp_conv_padded"]


def _depthwise_esp(subgraph: Subgraph, op: Op, flavour: str) -> KernelChoice:
    dims = dims_of(subgraph, op)
    refused = _esp_refuses(op, dims)
    if refused is not None or dims is None:
        return refused or _REFERENCE
    m = dims.depth_multiplier
    simd = {"s3": (m == 1 and dims.in_c > 3) or m % 4 == 0, "p4": m == 1 and dims.in_c >= 8}
    if simd.get(flavour, False):
        return _ESP_DW_SIMD
    why = "too few channels or an odd channel multiplier for SIMD" if flavour in simd else ""
    return KernelChoice("esp-nn", "esp_dw_generic", why) if why else _ESP_DW


def _esp_refuses(op: Op, dims: OpDims | None) -> KernelChoice | None:
    if dims is None:
        return _reference("the extents of this convolution are not static")
    if dims.input_dtype is not I8 or dims.weight_dtype not in (I8, I4):
        return _wrong_types("esp-nn", op, dims.input_dtype, dims.weight_dtype)
    if dims.has_dilation:
        return _reference("dilation is not handled by ESP-NN")
    return None


def _softmax_esp(subgraph: Subgraph, op: Op, _: str) -> KernelChoice:
    data, out = operand(subgraph, op, 0), subgraph.tensors[op.outputs[0]] if op.outputs else None
    if data is None or out is None or data.dtype is not I8 or out.dtype is not I8:
        return _wrong_types("esp-nn", op, *(t.dtype for t in (data, out) if t is not None))
    return _ESP_SOFTMAX


_RULES: dict[str, dict[str, Rule]] = {
    "cmsis-nn": {
        "CONV_2D": _conv_cmsis,
        "DEPTHWISE_CONV_2D": _depthwise_cmsis,
        "FULLY_CONNECTED": _fully_connected_cmsis,
        "TRANSPOSE_CONV": _transpose_conv_cmsis,
        "AVERAGE_POOL_2D": _by_type("cmsis-nn", int8="avg_pool", int16="avg_pool_s16"),
        "MAX_POOL_2D": _by_type("cmsis-nn", int8="max_pool", int16="max_pool_s16"),
        "SOFTMAX": _by_type("cmsis-nn", int8="softmax", int16="softmax"),
        "SVDF": _by_type("cmsis-nn", int8="svdf"),
        "UNIDIRECTIONAL_SEQUENCE_LSTM": _by_type("cmsis-nn", int8="lstm", int16="lstm"),
        "BATCH_MATMUL": _by_type("cmsis-nn", int8="batch_matmul", int16="batch_matmul"),
        "ADD": _elementwise("cmsis-nn", int8="add", int16="add"),
        "MUL": _elementwise("cmsis-nn", int8="mul", int16="mul"),
        "PAD": _by_type("cmsis-nn", int8="pad"),
        "PADV2": _by_type("cmsis-nn", int8="pad"),
        "TRANSPOSE": _by_type("cmsis-nn", int8="transpose"),
        "MINIMUM": _by_type("cmsis-nn", int8="minimum_maximum"),
        "MAXIMUM": _by_type("cmsis-nn", int8="minimum_maximum"),
    },
    "esp-nn": {
        "CONV_2D": _conv_esp,
        "DEPTHWISE_CONV_2D": _depthwise_esp,
        "FULLY_CONNECTED": _by_type("esp-nn", int8="esp_fc"),
        "AVERAGE_POOL_2D": _by_type("esp-nn", int8="esp_avg_pool"),
        "MAX_POOL_2D": _by_type("esp-nn", int8="esp_max_pool"),
        "ADD": _elementwise("esp-nn", int8="esp_add"),
        "MUL": _elementwise("esp-nn", int8="esp_mul"),
        "SOFTMAX": _softmax_esp,
    },
}
