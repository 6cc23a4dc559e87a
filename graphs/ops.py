"""What each op kind carries besides tensors: typed attributes, named as in the TFLite schema.

`schema` is the options table of the .tflite format; reading and writing derive from the fields. The
classes of less common ops live in attributes_*.py and are loaded on first use; import all of them from
here. An op whose file gives no options at all has `attributes=None`: runtimes then use zeros.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

from .geometry import Padding
from .ir import DType

if TYPE_CHECKING:
    from .attributes_arithmetic import *  # noqa: F403
    from .attributes_shaping import *  # noqa: F403
    from .attributes_stablehlo import *  # noqa: F403
    from .attributes_state import *  # noqa: F403


class Activation(IntEnum):
    """The activation fused into an op; values are TFLite's."""

    NONE = 0
    RELU = 1
    RELU_N1_TO_1 = 2
    RELU6 = 3
    TANH = 4
    SIGN_BIT = 5


@dataclass(frozen=True, slots=True)
class OpAttributes:
    """Base of all attributes. Fields are named and ordered as in the schema's options table."""

    schema: ClassVar[str] = ""


@dataclass(frozen=True, slots=True)
class EmptyAttributes(OpAttributes):
    """Options of the format that have no fields, e.g. `options="AbsOptions"`."""

    options: str = ""


@dataclass(frozen=True, slots=True)
class OpaqueAttributes(OpAttributes):
    """Options newer than this schema: their code in `union`; what they hold was not read."""

    union: str = ""
    code: int = 0


@dataclass(frozen=True, slots=True)
class Conv2DAttributes(OpAttributes):
    schema: ClassVar[str] = "Conv2DOptions"
    padding: Padding = Padding.SAME
    stride_w: int = 1
    stride_h: int = 1
    fused_activation_function: Activation = Activation.NONE
    dilation_w_factor: int = 1
    dilation_h_factor: int = 1
    quantized_bias_type: DType = DType.FLOAT32


@dataclass(frozen=True, slots=True)
class DepthwiseConv2DAttributes(OpAttributes):
    schema: ClassVar[str] = "DepthwiseConv2DOptions"
    padding: Padding = Padding.SAME
    stride_w: int = 1
    stride_h: int = 1
    depth_multiplier: int = 1
    fused_activation_function: Activation = Activation.NONE
    dilation_w_factor: int = 1
    dilation_h_factor: int = 1


@dataclass(frozen=True, slots=True)
class TransposeConvAttributes(OpAttributes):
    schema: ClassVar[str] = "TransposeConvOptions"
    padding: Padding = Padding.SAME
    stride_w: int = 1
    stride_h: int = 1
    fused_activation_function: Activation = Activation.NONE
    quantized_bias_type: DType = DType.FLOAT32


@dataclass(frozen=True, slots=True)
class Pool2DAttributes(OpAttributes):
    schema: ClassVar[str] = "Pool2DOptions"
    padding: Padding = Padding.VALID
    stride_w: int = 1
    stride_h: int = 1
    filter_width: int = 1
    filter_height: int = 1
    fused_activation_function: Activation = Activation.NONE


@dataclass(frozen=True, slots=True)
class FullyConnectedAttributes(OpAttributes):
    schema: ClassVar[str] = "FullyConnectedOptions"
    fused_activation_function: Activation = Activation.NONE
    weights_format: int = 0
    keep_num_dims: bool = False
    asymmetric_quantize_inputs: bool = False
    quantized_bias_type: DType = DType.FLOAT32


@dataclass(frozen=True, slots=True)
class AddAttributes(OpAttributes):
    schema: ClassVar[str] = "AddOptions"
    fused_activation_function: Activation = Activation.NONE
    pot_scale_int16: bool = True


@dataclass(frozen=True, slots=True)
class MulAttributes(OpAttributes):
    schema: ClassVar[str] = "MulOptions"
    fused_activation_function: Activation = Activation.NONE


@dataclass(frozen=True, slots=True)
class SubAttributes(OpAttributes):
    schema: ClassVar[str] = "SubOptions"
    fused_activation_function: Activation = Activation.NONE
    pot_scale_int16: bool = True


@dataclass(frozen=True, slots=True)
class IfAttributes(OpAttributes):
    schema: ClassVar[str] = "IfOptions"
    then_subgraph_index: int = 0
    else_subgraph_index: int = 0


@dataclass(frozen=True, slots=True)
class WhileAttributes(OpAttributes):
    schema: ClassVar[str] = "WhileOptions"
    cond_subgraph_index: int = 0
    body_subgraph_index: int = 0


@dataclass(frozen=True, slots=True)
class CallOnceAttributes(OpAttributes):
    schema: ClassVar[str] = "CallOnceOptions"
    init_subgraph_index: int = 0


@dataclass(frozen=True, slots=True)
class SoftmaxAttributes(OpAttributes):
    schema: ClassVar[str] = "SoftmaxOptions"
    beta: float = 1.0


@dataclass(frozen=True, slots=True)
class ReshapeAttributes(OpAttributes):
    schema: ClassVar[str] = "ReshapeOptions"
    new_shape: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ConcatenationAttributes(OpAttributes):
    schema: ClassVar[str] = "ConcatenationOptions"
    axis: int = 0
    fused_activation_function: Activation = Activation.NONE


@dataclass(frozen=True, slots=True)
class ReducerAttributes(OpAttributes):
    schema: ClassVar[str] = "ReducerOptions"
    keep_dims: bool = False


# attributes_<family>.py -> the options it covers; StableHLO is told by its name
_FAMILIES = {
    "shaping": "Squeeze StridedSlice Split SplitV Pack Unpack Gather SpaceToDepth DepthToSpace Shape OneHot "
    "ReverseSequence MirrorPad ResizeBilinear ResizeNearestNeighbor Cast Unique ArgMax ArgMin SparseToDense",
    "arithmetic": "Div LeakyRelu Gelu BatchMatMul Cumsum L2Norm LocalResponseNormalization FakeQuant Conv3D "
    "Bucketize ReduceWindow Random",
    "state": "SVDF RNN SequenceRNN BidirectionalSequenceRNN LSTM UnidirectionalSequenceLSTM "
    "BidirectionalSequenceLSTM VarHandle Hashtable Call ConcatEmbeddings EmbeddingLookupSparse LSHProjection "
    "SkipGram",
}


@cache
def attributes_class(schema: str) -> type[OpAttributes] | None:
    """The attributes of an options table; None if the table has no fields.

    >>> attributes_class("LSTMOptions").__name__, attributes_class("AbsOptions")
    ('LSTMAttributes', None)
    """
    stem = schema.removesuffix("Options")
    found = globals().get(f"{stem}Attributes") or _from_family(stem)
    return found if found is not None and found.schema == schema else None


def _from_family(stem: str) -> type[OpAttributes] | None:
    family = next((name for name, stems in _FAMILIES.items() if stem in stems.split()), "")
    if not family and stem.lower().startswith("stablehlo"):
        family = "stablehlo"
    if not family:
        return None
    module = import_module(f".attributes_{family}", __package__)
    return getattr(module, f"{stem}Attributes", None)


def __getattr__(name: str) -> Any:
    found = _from_family(name.removesuffix("Attributes")) if name.endswith("Attributes") else None
    if found is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return found
