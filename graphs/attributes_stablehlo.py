"""What the StableHLO ops carry besides tensors.

Fields are those of the schema, in its order; import the classes from graphs/ops.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .ops import OpAttributes


@dataclass(frozen=True, slots=True)
class StableHLOCompositeAttributes(OpAttributes):
    schema: ClassVar[str] = "StableHLOCompositeOptions"
    name: str = ""
    decomposition_subgraph_index: int = 0
    composite_attributes: bytes = b""
    composite_attributes_format: int = 0
    version: int = 0


@dataclass(frozen=True, slots=True)
class StablehloBroadcastInDimAttributes(OpAttributes):
    schema: ClassVar[str] = "StablehloBroadcastInDimOptions"
    broadcast_dimensions: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class StablehloCompareAttributes(OpAttributes):
    schema: ClassVar[str] = "StablehloCompareOptions"
    comparison_direction: int = 0
    compare_type: int = 0


@dataclass(frozen=True, slots=True)
class StablehloConcatenateAttributes(OpAttributes):
    schema: ClassVar[str] = "StablehloConcatenateOptions"
    dimension: int = 0


@dataclass(frozen=True, slots=True)
class StablehloConvolutionAttributes(OpAttributes):
    schema: ClassVar[str] = "StablehloConvolutionOptions"
    window_strides: tuple[int, ...] = ()
    padding: tuple[int, ...] = ()
    lhs_dilation: tuple[int, ...] = ()
    rhs_dilation: tuple[int, ...] = ()
    window_reversal: tuple[bool, ...] = ()
    input_batch_dimension: int = 0
    input_feature_dimension: int = 0
    input_spatial_dimensions: tuple[int, ...] = ()
    kernel_input_feature_dimension: int = 0
    kernel_output_feature_dimension: int = 0
    kernel_spatial_dimensions: tuple[int, ...] = ()
    output_batch_dimension: int = 0
    output_feature_dimension: int = 0
    output_spatial_dimensions: tuple[int, ...] = ()
    feature_group_count: int = 0
    batch_group_count: int = 0
    precision_config: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class StablehloCustomCallAttributes(OpAttributes):
    schema: ClassVar[str] = "StablehloCustomCallOptions"
    call_target_name: str = ""
    has_side_effect: bool = False
    backend_config: str = ""
    api_version: int = 0
    called_computations: tuple[int, ...] = ()
    custom_attributes: bytes = b""


@dataclass(frozen=True, slots=True)
class StablehloDotGeneralAttributes(OpAttributes):
    schema: ClassVar[str] = "StablehloDotGeneralOptions"
    lhs_batching_dimensions: tuple[int, ...] = ()
    rhs_batching_dimensions: tuple[int, ...] = ()
    lhs_contracting_dimensions: tuple[int, ...] = ()
    rhs_contracting_dimensions: tuple[int, ...] = ()
    precision_config: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class StablehloDynamicSliceAttributes(OpAttributes):
    schema: ClassVar[str] = "StablehloDynamicSliceOptions"
    slice_sizes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class StablehloGatherAttributes(OpAttributes):
    schema: ClassVar[str] = "StablehloGatherOptions"
    offset_dims: tuple[int, ...] = ()
    collapsed_slice_dims: tuple[int, ...] = ()
    start_index_map: tuple[int, ...] = ()
    index_vector_dim: int = 0
    slice_sizes: tuple[int, ...] = ()
    indices_are_sorted: bool = False


@dataclass(frozen=True, slots=True)
class StablehloIotaAttributes(OpAttributes):
    schema: ClassVar[str] = "StablehloIotaOptions"
    iota_dimension: int = 0


@dataclass(frozen=True, slots=True)
class StablehloPadAttributes(OpAttributes):
    schema: ClassVar[str] = "StablehloPadOptions"
    edge_padding_low: tuple[int, ...] = ()
    edge_padding_high: tuple[int, ...] = ()
    interior_padding: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class StablehloReduceAttributes(OpAttributes):
    schema: ClassVar[str] = "StablehloReduceOptions"
    dimensions: tuple[int, ...] = ()
    body_subgraph_index: int = 0


@dataclass(frozen=True, slots=True)
class StablehloReduceWindowAttributes(OpAttributes):
    schema: ClassVar[str] = "StablehloReduceWindowOptions"
    window_dimensions: tuple[int, ...] = ()
    window_strides: tuple[int, ...] = ()
    base_dilations: tuple[int, ...] = ()
    window_dilations: tuple[int, ...] = ()
    padding: tuple[int, ...] = ()
    body_subgraph_index: int = 0


@dataclass(frozen=True, slots=True)
class StablehloRngBitGeneratorAttributes(OpAttributes):
    schema: ClassVar[str] = "StablehloRngBitGeneratorOptions"
    algorithm: int = 0


@dataclass(frozen=True, slots=True)
class StablehloScatterAttributes(OpAttributes):
    schema: ClassVar[str] = "StablehloScatterOptions"
    indices_are_sorted: bool = False
    update_window_dims: tuple[int, ...] = ()
    inserted_window_dims: tuple[int, ...] = ()
    scatter_dims_to_operand_dims: tuple[int, ...] = ()
    index_vector_dim: int = 0
    unique_indices: bool = False
    update_computation_subgraph_index: int = 0


@dataclass(frozen=True, slots=True)
class StablehloSliceAttributes(OpAttributes):
    schema: ClassVar[str] = "StablehloSliceOptions"
    start_indices: tuple[int, ...] = ()
    limit_indices: tuple[int, ...] = ()
    strides: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class StablehloSortAttributes(OpAttributes):
    schema: ClassVar[str] = "StablehloSortOptions"
    dimension: int = 0
    is_stable: bool = False
    comparator_subgraph_index: int = 0


@dataclass(frozen=True, slots=True)
class StablehloTransposeAttributes(OpAttributes):
    schema: ClassVar[str] = "StablehloTransposeOptions"
    permutation: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class StablehloWhileAttributes(OpAttributes):
    schema: ClassVar[str] = "StablehloWhileOptions"
    cond_subgraph_index: int = 0
    body_subgraph_index: int = 0
