"""What each op kind carries besides tensors: typed attributes, named as in the TFLite schema.

`schema` is the options table of the .tflite format; reading and writing derive from the fields.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

from .geometry import Padding


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
class Conv2DAttributes(OpAttributes):
    schema: ClassVar[str] = "Conv2DOptions"
    padding: Padding = Padding.SAME
    stride_w: int = 1
    stride_h: int = 1
    fused_activation_function: Activation = Activation.NONE
    dilation_w_factor: int = 1
    dilation_h_factor: int = 1


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
