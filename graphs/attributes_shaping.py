"""What the ops that move, slice, resize or convert elements carry besides tensors.

Fields are those of the schema, in its order; import the classes from graphs/ops.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .ir import DType
from .ops import OpAttributes


@dataclass(frozen=True, slots=True)
class SqueezeAttributes(OpAttributes):
    schema: ClassVar[str] = "SqueezeOptions"
    squeeze_dims: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class StridedSliceAttributes(OpAttributes):
    schema: ClassVar[str] = "StridedSliceOptions"
    begin_mask: int = 0
    end_mask: int = 0
    ellipsis_mask: int = 0
    new_axis_mask: int = 0
    shrink_axis_mask: int = 0
    offset: bool = False


@dataclass(frozen=True, slots=True)
class SplitAttributes(OpAttributes):
    schema: ClassVar[str] = "SplitOptions"
    num_splits: int = 0


@dataclass(frozen=True, slots=True)
class SplitVAttributes(OpAttributes):
    schema: ClassVar[str] = "SplitVOptions"
    num_splits: int = 0


@dataclass(frozen=True, slots=True)
class PackAttributes(OpAttributes):
    schema: ClassVar[str] = "PackOptions"
    values_count: int = 0
    axis: int = 0


@dataclass(frozen=True, slots=True)
class UnpackAttributes(OpAttributes):
    schema: ClassVar[str] = "UnpackOptions"
    num: int = 0
    axis: int = 0


@dataclass(frozen=True, slots=True)
class GatherAttributes(OpAttributes):
    schema: ClassVar[str] = "GatherOptions"
    axis: int = 0
    batch_dims: int = 0


@dataclass(frozen=True, slots=True)
class SpaceToDepthAttributes(OpAttributes):
    schema: ClassVar[str] = "SpaceToDepthOptions"
    block_size: int = 0


@dataclass(frozen=True, slots=True)
class DepthToSpaceAttributes(OpAttributes):
    schema: ClassVar[str] = "DepthToSpaceOptions"
    block_size: int = 0


@dataclass(frozen=True, slots=True)
class ShapeAttributes(OpAttributes):
    schema: ClassVar[str] = "ShapeOptions"
    out_type: DType = DType.FLOAT32


@dataclass(frozen=True, slots=True)
class OneHotAttributes(OpAttributes):
    schema: ClassVar[str] = "OneHotOptions"
    axis: int = 0


@dataclass(frozen=True, slots=True)
class ReverseSequenceAttributes(OpAttributes):
    schema: ClassVar[str] = "ReverseSequenceOptions"
    seq_dim: int = 0
    batch_dim: int = 0


@dataclass(frozen=True, slots=True)
class MirrorPadAttributes(OpAttributes):
    schema: ClassVar[str] = "MirrorPadOptions"
    mode: int = 0


@dataclass(frozen=True, slots=True)
class ResizeBilinearAttributes(OpAttributes):
    schema: ClassVar[str] = "ResizeBilinearOptions"
    align_corners: bool = False
    half_pixel_centers: bool = False


@dataclass(frozen=True, slots=True)
class ResizeNearestNeighborAttributes(OpAttributes):
    schema: ClassVar[str] = "ResizeNearestNeighborOptions"
    align_corners: bool = False
    half_pixel_centers: bool = False


@dataclass(frozen=True, slots=True)
class CastAttributes(OpAttributes):
    schema: ClassVar[str] = "CastOptions"
    in_data_type: DType = DType.FLOAT32
    out_data_type: DType = DType.FLOAT32


@dataclass(frozen=True, slots=True)
class UniqueAttributes(OpAttributes):
    schema: ClassVar[str] = "UniqueOptions"
    idx_out_type: DType = DType.INT32


@dataclass(frozen=True, slots=True)
class ArgMaxAttributes(OpAttributes):
    schema: ClassVar[str] = "ArgMaxOptions"
    output_type: DType = DType.FLOAT32


@dataclass(frozen=True, slots=True)
class ArgMinAttributes(OpAttributes):
    schema: ClassVar[str] = "ArgMinOptions"
    output_type: DType = DType.FLOAT32


@dataclass(frozen=True, slots=True)
class SparseToDenseAttributes(OpAttributes):
    schema: ClassVar[str] = "SparseToDenseOptions"
    validate_indices: bool = False
