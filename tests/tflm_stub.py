"""A tree of headers that stands in for TFLM's: enough to compile and run what the export writes.

The method names are those of tensorflow/lite/micro/micro_mutable_op_resolver.h, written down here apart from
the product's table; each call is recorded, and fails where TFLM's fails: registered twice, or resolver full.
"""

from __future__ import annotations

from pathlib import Path

_BUILTIN = """
Abs Add AddN ArgMax ArgMin AssignVariable AveragePool2D BatchMatMul BatchToSpaceNd BroadcastArgs BroadcastTo
CallOnce Cast Ceil Concatenation Conv2D Cos CumSum DepthToSpace DepthwiseConv2D Dequantize Div
DynamicUpdateSlice Elu EmbeddingLookup Equal Exp ExpandDims Fill Floor FloorDiv FloorMod FullyConnected Gather
GatherNd Greater GreaterEqual HardSwish If L2Normalization L2Pool2D LeakyRelu Less LessEqual Log LogicalAnd
LogicalNot LogicalOr Logistic LogSoftmax Maximum MaxPool2D MirrorPad Mean Minimum Mul Neg NotEqual Pack Pad
PadV2 Prelu Quantize ReadVariable ReduceAll ReduceMax ReduceMin Relu Relu6 Reshape ResizeBilinear
ResizeNearestNeighbor ReverseV2 Round Rsqrt SelectV2 Shape Sin Slice Softmax SpaceToBatchNd SpaceToDepth Split
SplitV Squeeze Sqrt Square SquaredDifference StridedSlice Sub Sum Svdf Tanh TransposeConv Transpose Unpack
UnidirectionalSequenceLSTM VarHandle While ZerosLike
"""
_CUSTOM = """
CircularBuffer Decode Delay DetectionPostprocess Energy EthosU FftAutoScale FilterBank FilterBankLog
FilterBankSquareRoot FilterBankSpectralSubtraction Framer Irfft OverlapAdd PCAN Rfft Stacker Window
"""
BUILTIN_METHODS, CUSTOM_METHODS = _BUILTIN.split(), _CUSTOM.split()
# header -> the registrations of one type that it declares in a CMSIS-NN build
NARROWER = {
    "add.h": ["ADD_INT8", "ADD_INT16"],
    "batch_matmul.h": ["BATCH_MATMUL_INT8", "BATCH_MATMUL_INT16"],
    "conv.h": ["CONV_2D_INT8", "CONV_2D_INT16", "CONV_2D_INT4"],
    "depthwise_conv.h": ["DEPTHWISE_CONV_2D_INT8", "DEPTHWISE_CONV_2D_INT16", "DEPTHWISE_CONV_2D_INT4"],
    "fully_connected.h": ["FULLY_CONNECTED_INT8", "FULLY_CONNECTED_INT16", "FULLY_CONNECTED_INT4"],
    "maximum_minimum.h": ["MAXIMUM_INT8", "MINIMUM_INT8"],
    "mul.h": ["MUL_INT8"],
    "pad.h": ["PAD_INT8"],
    "pooling.h": [
        "AVERAGE_POOL_2D_INT8", "AVERAGE_POOL_2D_INT16", "MAX_POOL_2D_INT8", "MAX_POOL_2D_INT16",
    ],
    "softmax.h": ["SOFTMAX_INT8", "SOFTMAX_INT8_INT16", "SOFTMAX_INT16"],
    "svdf.h": ["SVDF_INT8"],
    "transpose.h": ["TRANSPOSE_INT8"],
    "transpose_conv.h": ["TRANSPOSE_CONV_INT8"],
    "unidirectional_sequence_lstm.h": [
        "UNIDIRECTIONAL_SEQUENCE_LSTM_INT8", "UNIDIRECTIONAL_SEQUENCE_LSTM_INT16",
    ],
}  # fmt: skip

_COMMON = """#pragma once
enum TfLiteStatus { kTfLiteOk, kTfLiteError };
struct TFLMRegistration { const char* name; };
"""
_RESOLVER = """#pragma once
#include <cstring>
#include <string>
#include <vector>
#include "tensorflow/lite/c/common.h"
namespace tflite {
struct Calls {
  static std::vector<std::string>& made() { static std::vector<std::string> list; return list; }
};
template <unsigned int tOpCount>
class MicroMutableOpResolver {
 public:
%METHODS%
  TfLiteStatus AddCustom(const char* name, const TFLMRegistration* registration) {
    if (registration == nullptr) return kTfLiteError;
    return Record(std::string("AddCustom ") + name);
  }
  unsigned int GetRegistrationLength() { return length_; }
 private:
  TfLiteStatus Record(const std::string& call) {
    for (const auto& earlier : Calls::made()) if (earlier == call) return kTfLiteError;
    if (length_ >= tOpCount) return kTfLiteError;
    ++length_;
    Calls::made().push_back(call);
    return kTfLiteOk;
  }
  unsigned int length_ = 0;
};
}  // namespace tflite
"""
_ALLOCATOR = "#pragma once\nnamespace tflite { class MicroAllocator {}; }\n"
_RESOURCES = """#pragma once
#include "tensorflow/lite/micro/micro_allocator.h"
namespace tflite {
class MicroResourceVariables {
 public:
  static MicroResourceVariables* Create(MicroAllocator*, int num_variables) {
    static MicroResourceVariables made;
    made.count = num_variables;
    return &made;
  }
  int count = 0;
};
}  // namespace tflite
"""


def write_stub(folder: Path) -> None:
    """The headers under `folder`, to be given to a compiler with -I."""
    builtin = "\n".join(
        f'  TfLiteStatus Add{name}(const TFLMRegistration& registration = {{"all types"}}) '
        f'{{ return Record(std::string("Add{name} ") + registration.name); }}'
        for name in BUILTIN_METHODS
    )
    custom = "\n".join(
        f'  TfLiteStatus Add{name}() {{ return Record("Add{name}"); }}' for name in CUSTOM_METHODS
    )
    files = {
        "c/common.h": _COMMON,
        "micro/micro_mutable_op_resolver.h": _RESOLVER.replace("%METHODS%", f"{builtin}\n{custom}"),
        "micro/micro_allocator.h": _ALLOCATOR,
        "micro/micro_resource_variable.h": _RESOURCES,
    }
    for header, names in NARROWER.items():
        functions = "\n".join(
            f'inline TFLMRegistration Register_{n}() {{ return {{"{n}"}}; }}' for n in names
        )
        files[f"micro/kernels/{header}"] = (
            f'#pragma once\n#include "tensorflow/lite/c/common.h"\nnamespace tflite {{\n{functions}\n}}\n'
        )
    for name, text in files.items():
        path = folder / "tensorflow" / "lite" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
