"""What the bytes of a .tflite mean: its tables, field by field, in the order of their slots.

One line per table: `name:type` or `name:type=default`. Types are scalars (i8 ... f32, bool, and the enums
dtype, padding, activation), `str`, `Table`, `[scalar]` (a tuple; bytes for u8), `<scalar>` (left in the
file, not walked), `[Table]`, `|Union` (its member code is the field before it, named `<name>_type`);
a field named `-` is a slot that the format gave up. Later slots than these are ignored, as the format
intends. Source: TFLite's schema, version 3; the tests hold it against the PyPI package `tflite`, and what
is newer than that package is marked.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from ..ir import DType
from .options import OPTIONS

IDENTIFIER = b"TFL3"
VERSION = 3

TABLES = {
    "Model": "version:u32 operator_codes:[OperatorCode] subgraphs:[SubGraph] description:str "
    "buffers:[Buffer] metadata_buffer:[i32] metadata:[Metadata] signature_defs:[SignatureDef]",
    "OperatorCode": "deprecated_builtin_code:i8 custom_code:str version:i32=1 builtin_code:i32",
    "SubGraph": "tensors:[Tensor] inputs:[i32] outputs:[i32] operators:[Operator] name:str "
    "debug_metadata_index:i32=-1",
    # external_buffer is newer than the package
    "Tensor": "shape:[i32] type:dtype buffer:u32 name:str quantization:QuantizationParameters "
    "is_variable:bool sparsity:SparsityParameters shape_signature:[i32] has_rank:bool "
    "variant_tensors:[VariantSubType] external_buffer:u32",
    "VariantSubType": "shape:[i32] type:dtype has_rank:bool",
    "QuantizationParameters": "min:<f32> max:<f32> scale:<f32> zero_point:<i64> details_type:u8 "
    "details:|QuantizationDetails quantized_dimension:i32",
    "CustomQuantization": "custom:[u8]",
    # newer than the package
    "BlockwiseQuantization": "scales:i32 zero_points:i32 block_size:i32",
    "SparsityParameters": "traversal_order:[i32] block_map:[i32] dim_metadata:[DimensionMetadata]",
    "DimensionMetadata": "format:i8 dense_size:i32 array_segments_type:u8 array_segments:|SparseIndexVector "
    "array_indices_type:u8 array_indices:|SparseIndexVector",
    "Int32Vector": "values:[i32]",
    "Uint16Vector": "values:[u16]",
    "Uint8Vector": "values:[u8]",
    "Operator": "opcode_index:u32 inputs:[i32] outputs:[i32] builtin_options_type:u8 "
    "builtin_options:|BuiltinOptions custom_options:[u8] custom_options_format:i8 "
    "mutating_variable_inputs:[bool] intermediates:[i32] large_custom_options_offset:u64 "
    "large_custom_options_size:u64 builtin_options_2_type:u8 builtin_options_2:|BuiltinOptions2 "
    "debug_metadata_index:i32=-1",
    "Buffer": "data:<u8> offset:u64 size:u64",
    "Metadata": "name:str buffer:u32",
    "SignatureDef": "inputs:[TensorMap] outputs:[TensorMap] signature_key:str -:str subgraph_index:u32",
    "TensorMap": "name:str tensor_index:u32",
}

_BUILTIN_OPTIONS = """
NONE Conv2D DepthwiseConv2D ConcatEmbeddings LSHProjection Pool2D SVDF RNN FullyConnected Softmax
Concatenation Add L2Norm LocalResponseNormalization LSTM ResizeBilinear Call Reshape SkipGram
SpaceToDepth EmbeddingLookupSparse Mul Pad Gather BatchToSpaceND SpaceToBatchND Transpose Reducer Sub
Div Squeeze SequenceRNN StridedSlice Exp TopKV2 Split LogSoftmax Cast Dequantize MaximumMinimum ArgMax
Less Neg PadV2 Greater GreaterEqual LessEqual Select Slice TransposeConv SparseToDense Tile ExpandDims
Equal NotEqual Shape Pow ArgMin FakeQuant Pack LogicalOr OneHot LogicalAnd LogicalNot Unpack FloorDiv
Square ZerosLike Fill BidirectionalSequenceLSTM BidirectionalSequenceRNN UnidirectionalSequenceLSTM
FloorMod Range ResizeNearestNeighbor LeakyRelu SquaredDifference MirrorPad Abs SplitV Unique ReverseV2
AddN GatherNd Cos Where Rank ReverseSequence MatrixDiag Quantize MatrixSetDiag HardSwish If While
DepthToSpace NonMaxSuppressionV4 NonMaxSuppressionV5 ScatterNd SelectV2 Densify SegmentSum BatchMatMul
Cumsum CallOnce BroadcastTo Rfft2d Conv3D Hashtable HashtableFind HashtableImport HashtableSize
VarHandle ReadVariable AssignVariable Random Bucketize Gelu DynamicUpdateSlice UnsortedSegmentProd
UnsortedSegmentMax UnsortedSegmentMin UnsortedSegmentSum ATan2 Sign Bitcast BitwiseXor RightShift
"""

_BUILTIN_OPTIONS_2 = """
NONE StablehloConcatenate StablehloBroadcastInDim StablehloSlice StablehloConvolution
StablehloCustomCall StablehloReduce StablehloScatter StablehloCompare StablehloDynamicSlice StablehloPad
StablehloIota StablehloDotGeneral StablehloReduceWindow StablehloSort StablehloWhile StablehloGather
StablehloTranspose Dilate StablehloRngBitGenerator ReduceWindow StableHLOComposite StablehloShiftLeft
"""


def _members(names: str) -> tuple[str, ...]:
    return tuple(name if name == "NONE" else f"{name}Options" for name in names.split())


# union -> its member tables by code; 0 is "nothing"
UNIONS = {
    "QuantizationDetails": ("NONE", "CustomQuantization", "BlockwiseQuantization"),
    "SparseIndexVector": ("NONE", "Int32Vector", "Uint16Vector", "Uint8Vector"),
    "BuiltinOptions": _members(_BUILTIN_OPTIONS),
    "BuiltinOptions2": _members(_BUILTIN_OPTIONS_2),
}

# Operator codes in order, from 0. The last is newer than the package.
_OPERATORS = """
ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE EMBEDDING_LOOKUP
FLOOR FULLY_CONNECTED HASHTABLE_LOOKUP L2_NORMALIZATION L2_POOL_2D LOCAL_RESPONSE_NORMALIZATION LOGISTIC
LSH_PROJECTION LSTM MAX_POOL_2D MUL RELU RELU_N1_TO_1 RELU6 RESHAPE RESIZE_BILINEAR RNN SOFTMAX
SPACE_TO_DEPTH SVDF TANH CONCAT_EMBEDDINGS SKIP_GRAM CALL CUSTOM EMBEDDING_LOOKUP_SPARSE PAD
UNIDIRECTIONAL_SEQUENCE_RNN GATHER BATCH_TO_SPACE_ND SPACE_TO_BATCH_ND TRANSPOSE MEAN SUB DIV SQUEEZE
UNIDIRECTIONAL_SEQUENCE_LSTM STRIDED_SLICE BIDIRECTIONAL_SEQUENCE_RNN EXP TOPK_V2 SPLIT LOG_SOFTMAX
DELEGATE BIDIRECTIONAL_SEQUENCE_LSTM CAST PRELU MAXIMUM ARG_MAX MINIMUM LESS NEG PADV2 GREATER
GREATER_EQUAL LESS_EQUAL SELECT SLICE SIN TRANSPOSE_CONV SPARSE_TO_DENSE TILE EXPAND_DIMS EQUAL
NOT_EQUAL LOG SUM SQRT RSQRT SHAPE POW ARG_MIN FAKE_QUANT REDUCE_PROD REDUCE_MAX PACK LOGICAL_OR ONE_HOT
LOGICAL_AND LOGICAL_NOT UNPACK REDUCE_MIN FLOOR_DIV REDUCE_ANY SQUARE ZEROS_LIKE FILL FLOOR_MOD RANGE
RESIZE_NEAREST_NEIGHBOR LEAKY_RELU SQUARED_DIFFERENCE MIRROR_PAD ABS SPLIT_V UNIQUE CEIL REVERSE_V2
ADD_N GATHER_ND COS WHERE RANK ELU REVERSE_SEQUENCE MATRIX_DIAG QUANTIZE MATRIX_SET_DIAG ROUND
HARD_SWISH IF WHILE NON_MAX_SUPPRESSION_V4 NON_MAX_SUPPRESSION_V5 SCATTER_ND SELECT_V2 DENSIFY
SEGMENT_SUM BATCH_MATMUL PLACEHOLDER_FOR_GREATER_OP_CODES CUMSUM CALL_ONCE BROADCAST_TO RFFT2D CONV_3D
IMAG REAL COMPLEX_ABS HASHTABLE HASHTABLE_FIND HASHTABLE_IMPORT HASHTABLE_SIZE REDUCE_ALL
CONV_3D_TRANSPOSE VAR_HANDLE READ_VARIABLE ASSIGN_VARIABLE BROADCAST_ARGS RANDOM_STANDARD_NORMAL
BUCKETIZE RANDOM_UNIFORM MULTINOMIAL GELU DYNAMIC_UPDATE_SLICE RELU_0_TO_1 UNSORTED_SEGMENT_PROD
UNSORTED_SEGMENT_MAX UNSORTED_SEGMENT_SUM ATAN2 UNSORTED_SEGMENT_MIN SIGN BITCAST BITWISE_XOR
RIGHT_SHIFT STABLEHLO_LOGISTIC STABLEHLO_ADD STABLEHLO_DIVIDE STABLEHLO_MULTIPLY STABLEHLO_MAXIMUM
STABLEHLO_RESHAPE STABLEHLO_CLAMP STABLEHLO_CONCATENATE STABLEHLO_BROADCAST_IN_DIM STABLEHLO_CONVOLUTION
STABLEHLO_SLICE STABLEHLO_CUSTOM_CALL STABLEHLO_REDUCE STABLEHLO_ABS STABLEHLO_AND STABLEHLO_COSINE
STABLEHLO_EXPONENTIAL STABLEHLO_FLOOR STABLEHLO_LOG STABLEHLO_MINIMUM STABLEHLO_NEGATE STABLEHLO_OR
STABLEHLO_POWER STABLEHLO_REMAINDER STABLEHLO_RSQRT STABLEHLO_SELECT STABLEHLO_SUBTRACT STABLEHLO_TANH
STABLEHLO_SCATTER STABLEHLO_COMPARE STABLEHLO_CONVERT STABLEHLO_DYNAMIC_SLICE
STABLEHLO_DYNAMIC_UPDATE_SLICE STABLEHLO_PAD STABLEHLO_IOTA STABLEHLO_DOT_GENERAL
STABLEHLO_REDUCE_WINDOW STABLEHLO_SORT STABLEHLO_WHILE STABLEHLO_GATHER STABLEHLO_TRANSPOSE DILATE
STABLEHLO_RNG_BIT_GENERATOR REDUCE_WINDOW STABLEHLO_COMPOSITE STABLEHLO_SHIFT_LEFT STABLEHLO_CBRT
STABLEHLO_CASE
"""
OPERATORS = tuple(_OPERATORS.split())

# Tensor types in order, from 0. Those after bfloat16 are newer than the package.
TENSOR_TYPES = (
    DType.FLOAT32, DType.FLOAT16, DType.INT32, DType.UINT8, DType.INT64, DType.STRING, DType.BOOL,
    DType.INT16, DType.COMPLEX64, DType.INT8, DType.FLOAT64, DType.COMPLEX128, DType.UINT64, DType.RESOURCE,
    DType.VARIANT, DType.UINT32, DType.UINT16, DType.INT4, DType.BFLOAT16, DType.INT2, DType.UINT4,
    DType.FLOAT8_E4M3FN, DType.FLOAT8_E5M2,
)  # fmt: skip

# scalar type -> how `struct` names it; the enums are stored as signed bytes
SCALARS = {
    "i8": "b", "u8": "B", "i16": "h", "u16": "H", "i32": "i", "u32": "I", "i64": "q", "u64": "Q", "f32": "f",
    "bool": "?", "dtype": "b", "padding": "b", "activation": "b",
}  # fmt: skip


class Field(NamedTuple):
    """One slot of a table; `form` is scalar, string, vector, bytes, view, table, tables, union or gone."""

    name: str
    form: str
    element: str  # the scalar type, table or union that it holds
    default: int = 0


_WHOLE = {"str": "string", "[u8]": "bytes"}
_FORMS = {"[": "vector", "<": "view", "|": "union"}


@cache
def fields_of(table: str) -> tuple[Field, ...]:
    """The slots of a table, in order."""
    text = TABLES[table] if table in TABLES else OPTIONS.get(table, "")
    return tuple(map(_field, text.split()))


def _field(word: str) -> Field:
    """
    >>> _field("dilation_w_factor:i32=1")
    Field(name='dilation_w_factor', form='scalar', element='i32', default=1)
    """
    name, _, rest = word.partition(":")
    kind, _, default = rest.partition("=")
    element = kind.strip("[]<>|")
    if name == "-":
        form = "gone"
    elif kind in _WHOLE:
        form = _WHOLE[kind]
    elif kind[0] in _FORMS:
        form = "tables" if kind[0] == "[" and element not in SCALARS else _FORMS[kind[0]]
    else:
        form = "scalar" if kind in SCALARS else "table"
    return Field(name, form, element, int(default or 0))


def operator_name(code: int) -> str:
    """The op kind of a builtin code; codes newer than this table keep their number.

    >>> operator_name(3), operator_name(9999)
    ('CONV_2D', 'BUILTIN_9999')
    """
    return OPERATORS[code] if 0 <= code < len(OPERATORS) else f"BUILTIN_{code}"


@cache
def operator_code(kind: str) -> int | None:
    """The builtin code of an op kind; None if there is no such kind."""
    if kind in OPERATORS:
        return OPERATORS.index(kind)
    number = kind.removeprefix("BUILTIN_")
    return int(number) if number != kind and number.isdecimal() else None
