"""What the less common arithmetic ops carry besides tensors.

Fields are those of the schema, in its order; import the classes from graphs/ops.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .geometry import Padding
from .ops import Activation, OpAttributes


@dataclass(frozen=True, slots=True)
class DivAttributes(OpAttributes):
    schema: ClassVar[str] = "DivOptions"
    fused_activation_function: Activation = Activation.NONE


@dataclass(frozen=True, slots=True)
class LeakyReluAttributes(OpAttributes):
    schema: ClassVar[str] = "LeakyReluOptions"
    alpha: float = 0.0


@dataclass(frozen=True, slots=True)
class GeluAttributes(OpAttributes):
    schema: ClassVar[str] = "GeluOptions"
    approximate: bool = False


@dataclass(frozen=True, slots=True)
class BatchMatMulAttributes(OpAttributes):
    schema: ClassVar[str] = "BatchMatMulOptions"
    adj_x: bool = False
    adj_y: bool = False
    asymmetric_quantize_inputs: bool = False


@dataclass(frozen=True, slots=True)
class CumsumAttributes(OpAttributes):
    schema: ClassVar[str] = "CumsumOptions"
    exclusive: bool = False
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class L2NormAttributes(OpAttributes):
    schema: ClassVar[str] = "L2NormOptions"
    fused_activation_function: Activation = Activation.NONE


@dataclass(frozen=True, slots=True)
class LocalResponseNormalizationAttributes(OpAttributes):
    schema: ClassVar[str] = "LocalResponseNormalizationOptions"
    radius: int = 0
    bias: float = 0.0
    alpha: float = 0.0
    beta: float = 0.0


@dataclass(frozen=True, slots=True)
class FakeQuantAttributes(OpAttributes):
    schema: ClassVar[str] = "FakeQuantOptions"
    min: float = 0.0
    max: float = 0.0
    num_bits: int = 0
    narrow_range: bool = False


@dataclass(frozen=True, slots=True)
class Conv3DAttributes(OpAttributes):
    schema: ClassVar[str] = "Conv3DOptions"
    padding: Padding = Padding.SAME
    stride_d: int = 0
    stride_w: int = 0
    stride_h: int = 0
    fused_activation_function: Activation = Activation.NONE
    dilation_d_factor: int = 1
    dilation_w_factor: int = 1
    dilation_h_factor: int = 1


@dataclass(frozen=True, slots=True)
class BucketizeAttributes(OpAttributes):
    schema: ClassVar[str] = "BucketizeOptions"
    boundaries: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class ReduceWindowAttributes(OpAttributes):
    schema: ClassVar[str] = "ReduceWindowOptions"
    reduce_function: int = 0


@dataclass(frozen=True, slots=True)
class RandomAttributes(OpAttributes):
    schema: ClassVar[str] = "RandomOptions"
    seed: int = 0
    seed2: int = 0
