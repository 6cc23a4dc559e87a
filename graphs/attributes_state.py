"""What the recurrent, stateful, embedding and table ops carry besides tensors.

Fields are those of the schema, in its order; import the classes from graphs/ops.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .ir import DType
from .ops import Activation, OpAttributes


@dataclass(frozen=True, slots=True)
class SVDFAttributes(OpAttributes):
    schema: ClassVar[str] = "SVDFOptions"
    rank: int = 0
    fused_activation_function: Activation = Activation.NONE
    asymmetric_quantize_inputs: bool = False


@dataclass(frozen=True, slots=True)
class RNNAttributes(OpAttributes):
    schema: ClassVar[str] = "RNNOptions"
    fused_activation_function: Activation = Activation.NONE
    asymmetric_quantize_inputs: bool = False


@dataclass(frozen=True, slots=True)
class SequenceRNNAttributes(OpAttributes):
    schema: ClassVar[str] = "SequenceRNNOptions"
    time_major: bool = False
    fused_activation_function: Activation = Activation.NONE
    asymmetric_quantize_inputs: bool = False


@dataclass(frozen=True, slots=True)
class BidirectionalSequenceRNNAttributes(OpAttributes):
    schema: ClassVar[str] = "BidirectionalSequenceRNNOptions"
    time_major: bool = False
    fused_activation_function: Activation = Activation.NONE
    merge_outputs: bool = False
    asymmetric_quantize_inputs: bool = False


@dataclass(frozen=True, slots=True)
class LSTMAttributes(OpAttributes):
    schema: ClassVar[str] = "LSTMOptions"
    fused_activation_function: Activation = Activation.NONE
    cell_clip: float = 0.0
    proj_clip: float = 0.0
    kernel_type: int = 0
    asymmetric_quantize_inputs: bool = False


@dataclass(frozen=True, slots=True)
class UnidirectionalSequenceLSTMAttributes(OpAttributes):
    schema: ClassVar[str] = "UnidirectionalSequenceLSTMOptions"
    fused_activation_function: Activation = Activation.NONE
    cell_clip: float = 0.0
    proj_clip: float = 0.0
    time_major: bool = False
    asymmetric_quantize_inputs: bool = False
    diagonal_recurrent_tensors: bool = False


@dataclass(frozen=True, slots=True)
class BidirectionalSequenceLSTMAttributes(OpAttributes):
    schema: ClassVar[str] = "BidirectionalSequenceLSTMOptions"
    fused_activation_function: Activation = Activation.NONE
    cell_clip: float = 0.0
    proj_clip: float = 0.0
    merge_outputs: bool = False
    time_major: bool = True
    asymmetric_quantize_inputs: bool = False


@dataclass(frozen=True, slots=True)
class VarHandleAttributes(OpAttributes):
    schema: ClassVar[str] = "VarHandleOptions"
    container: str = ""
    shared_name: str = ""


@dataclass(frozen=True, slots=True)
class HashtableAttributes(OpAttributes):
    schema: ClassVar[str] = "HashtableOptions"
    table_id: int = 0
    key_dtype: DType = DType.FLOAT32
    value_dtype: DType = DType.FLOAT32


@dataclass(frozen=True, slots=True)
class CallAttributes(OpAttributes):
    schema: ClassVar[str] = "CallOptions"
    subgraph: int = 0


@dataclass(frozen=True, slots=True)
class ConcatEmbeddingsAttributes(OpAttributes):
    schema: ClassVar[str] = "ConcatEmbeddingsOptions"
    num_channels: int = 0
    num_columns_per_channel: tuple[int, ...] = ()
    embedding_dim_per_channel: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class EmbeddingLookupSparseAttributes(OpAttributes):
    schema: ClassVar[str] = "EmbeddingLookupSparseOptions"
    combiner: int = 0


@dataclass(frozen=True, slots=True)
class LSHProjectionAttributes(OpAttributes):
    schema: ClassVar[str] = "LSHProjectionOptions"
    type: int = 0


@dataclass(frozen=True, slots=True)
class SkipGramAttributes(OpAttributes):
    schema: ClassVar[str] = "SkipGramOptions"
    ngram_size: int = 0
    max_skip_size: int = 0
    include_all_ngrams: bool = False
