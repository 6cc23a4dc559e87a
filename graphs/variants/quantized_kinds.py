"""Which ops can run on integers, in tflite-runtime and in tflite-micro? Found by running one of each kind.

What tests/test_quantize_ops.py runs is what this table says: tflite-runtime 2.14 (reference kernels and
XNNPACK) and tflite-micro, against the real arithmetic of graphs/evaluate.py.
"""

from __future__ import annotations

from ..dtype import DType
from ..evaluate import BIASED
from ..ir import OPTIONAL, Op, Subgraph
from ..ops import Activation

# Kinds with integer kernels that are right in every interpreter which has the kind at all.
_INT8_AND_INT16 = """CONV_2D DEPTHWISE_CONV_2D FULLY_CONNECTED TRANSPOSE_CONV BATCH_MATMUL ADD SUB MUL MEAN
LEAKY_RELU RELU RELU6 ABS SOFTMAX LOGISTIC TANH AVERAGE_POOL_2D MAX_POOL_2D MAXIMUM MINIMUM RESHAPE SQUEEZE
EXPAND_DIMS PAD PADV2 TRANSPOSE STRIDED_SLICE SLICE SPLIT SPLIT_V CONCATENATION PACK UNPACK BROADCAST_TO
RESIZE_NEAREST_NEIGHBOR SHAPE"""
_INT8_ALONE = """SQUARED_DIFFERENCE PRELU HARD_SWISH ELU GELU RSQRT LOG_SOFTMAX L2_NORMALIZATION RELU_N1_TO_1
REDUCE_MAX REDUCE_MIN GATHER MIRROR_PAD RESIZE_BILINEAR SPACE_TO_DEPTH DEPTH_TO_SPACE SPACE_TO_BATCH_ND
BATCH_TO_SPACE_ND TILE ARG_MAX ARG_MIN"""
# Kinds whose integers mean real numbers in some file, but that are not made here.
_NEITHER = {
    "DIV": "tflite-runtime has no int8 kernel",
    "SUM": "tflite-runtime's reference kernel gives wrong int8 sums",
    "EXP": "tflite-micro has no int8 kernel",
    "SQRT": "neither interpreter has an int8 kernel",
    "NEG": "neither interpreter has an int8 kernel",
}
_BOTH = frozenset({DType.INT8, DType.INT16})

# kind -> the activations for which interpreters have kernels
QUANTIZED_KINDS: dict[str, frozenset[DType]] = {
    **dict.fromkeys(_INT8_AND_INT16.split(), _BOTH),
    **dict.fromkeys(_INT8_ALONE.split(), frozenset({DType.INT8})),
    **dict.fromkeys(_NEITHER, frozenset()),
}
# Kinds whose kernels unpack int4 weights: with int8 activations in both interpreters, with float ones in
# tflite-runtime. Others refuse them or, worse, read past their end: convolutions with float or int16
# activations load, run and give wrong numbers.
INT4_KINDS = {
    "int8": frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"}),
    "float": frozenset({"FULLY_CONNECTED"}),
    "int16": frozenset[str](),
}
# Kinds that take int8 weights beside float activations; tflite-micro has none.
HYBRID_KINDS = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"})


def float_reason(main: Subgraph, op: Op, dtype: DType) -> str:
    """Why an op of a float model stays float; "" where it can run on integers of that type."""
    kernels = QUANTIZED_KINDS.get(op.kind)
    if kernels is None:
        return "no conversion to integers is known for it"
    if dtype not in kernels:
        return _NEITHER.get(op.kind, f"the interpreters have no common {dtype} kernel")
    real = [t for t in (*op.inputs, *op.outputs) if t != OPTIONAL and main.tensors[t].dtype.is_float]
    if not real or any(main.tensors[t].dtype is not DType.FLOAT32 for t in real):
        return "it computes with no float32 numbers"
    if any(main.tensors[t].is_variable or main.tensors[t].sparsity is not None for t in real):
        return "it keeps a state, or its constants are stored sparse"
    if getattr(op.attributes, "fused_activation_function", 0) > Activation.RELU6:
        return "no integer kernel has its fused activation"
    if op.kind in BIASED:
        return _weight_reason(main, op)
    return ""


def _weight_reason(main: Subgraph, op: Op) -> str:
    _, weight, bias = BIASED[op.kind]
    constants = [op.inputs[i] for i in (weight, bias) if i < len(op.inputs) and op.inputs[i] != OPTIONAL]
    if not all(main.tensors[t].is_constant for t in constants):
        return "its weights are no constants"
    if getattr(op.attributes, "weights_format", 0):
        return "its weights are shuffled"
    return ""
