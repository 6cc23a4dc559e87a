"""What the options of each op hold in a .tflite: the tables of the options unions that have fields.

The notation is that of schema.py; names are those of the attribute classes in graphs/ops.py.
"""

OPTIONS = {
    "AddOptions": "fused_activation_function:activation pot_scale_int16:bool=1",
    "ArgMaxOptions": "output_type:dtype",
    "ArgMinOptions": "output_type:dtype",
    "BatchMatMulOptions": "adj_x:bool adj_y:bool asymmetric_quantize_inputs:bool",
    "BidirectionalSequenceLSTMOptions": "fused_activation_function:activation cell_clip:f32 "
    "proj_clip:f32 merge_outputs:bool time_major:bool=1 "
    "asymmetric_quantize_inputs:bool",
    "BidirectionalSequenceRNNOptions": "time_major:bool fused_activation_function:activation "
    "merge_outputs:bool asymmetric_quantize_inputs:bool",
    "BucketizeOptions": "boundaries:[f32]",
    "CallOnceOptions": "init_subgraph_index:i32",
    "CallOptions": "subgraph:u32",
    "CastOptions": "in_data_type:dtype out_data_type:dtype",
    "ConcatEmbeddingsOptions": "num_channels:i32 num_columns_per_channel:[i32] "
    "embedding_dim_per_channel:[i32]",
    "ConcatenationOptions": "axis:i32 fused_activation_function:activation",
    "Conv2DOptions": "padding:padding stride_w:i32 stride_h:i32 fused_activation_function:activation "
    "dilation_w_factor:i32=1 dilation_h_factor:i32=1 quantized_bias_type:dtype",
    "Conv3DOptions": "padding:padding stride_d:i32 stride_w:i32 stride_h:i32 "
    "fused_activation_function:activation dilation_d_factor:i32=1 "
    "dilation_w_factor:i32=1 dilation_h_factor:i32=1",
    "CumsumOptions": "exclusive:bool reverse:bool",
    "DepthToSpaceOptions": "block_size:i32",
    "DepthwiseConv2DOptions": "padding:padding stride_w:i32 stride_h:i32 depth_multiplier:i32 "
    "fused_activation_function:activation dilation_w_factor:i32=1 "
    "dilation_h_factor:i32=1",
    "DivOptions": "fused_activation_function:activation",
    "EmbeddingLookupSparseOptions": "combiner:i8",
    "FakeQuantOptions": "min:f32 max:f32 num_bits:i32 narrow_range:bool",
    "FullyConnectedOptions": "fused_activation_function:activation weights_format:i8 keep_num_dims:bool "
    "asymmetric_quantize_inputs:bool quantized_bias_type:dtype",
    "GatherOptions": "axis:i32 batch_dims:i32",
    "GeluOptions": "approximate:bool",
    "HashtableOptions": "table_id:i32 key_dtype:dtype value_dtype:dtype",
    "IfOptions": "then_subgraph_index:i32 else_subgraph_index:i32",
    "L2NormOptions": "fused_activation_function:activation",
    "LSHProjectionOptions": "type:i8",
    "LSTMOptions": "fused_activation_function:activation cell_clip:f32 proj_clip:f32 kernel_type:i8 "
    "asymmetric_quantize_inputs:bool",
    "LeakyReluOptions": "alpha:f32",
    "LocalResponseNormalizationOptions": "radius:i32 bias:f32 alpha:f32 beta:f32",
    "MirrorPadOptions": "mode:i8",
    "MulOptions": "fused_activation_function:activation",
    "OneHotOptions": "axis:i32",
    "PackOptions": "values_count:i32 axis:i32",
    "Pool2DOptions": "padding:padding stride_w:i32 stride_h:i32 filter_width:i32 filter_height:i32 "
    "fused_activation_function:activation",
    "RNNOptions": "fused_activation_function:activation asymmetric_quantize_inputs:bool",
    "RandomOptions": "seed:i64 seed2:i64",
    "ReduceWindowOptions": "reduce_function:i32",
    "ReducerOptions": "keep_dims:bool",
    "ReshapeOptions": "new_shape:[i32]",
    "ResizeBilinearOptions": "-:i32 -:i32 align_corners:bool half_pixel_centers:bool",
    "ResizeNearestNeighborOptions": "align_corners:bool half_pixel_centers:bool",
    "ReverseSequenceOptions": "seq_dim:i32 batch_dim:i32",
    "SVDFOptions": "rank:i32 fused_activation_function:activation asymmetric_quantize_inputs:bool",
    "SequenceRNNOptions": "time_major:bool fused_activation_function:activation "
    "asymmetric_quantize_inputs:bool",
    "ShapeOptions": "out_type:dtype",
    "SkipGramOptions": "ngram_size:i32 max_skip_size:i32 include_all_ngrams:bool",
    "SoftmaxOptions": "beta:f32",
    "SpaceToDepthOptions": "block_size:i32",
    "SparseToDenseOptions": "validate_indices:bool",
    "SplitOptions": "num_splits:i32",
    "SplitVOptions": "num_splits:i32",
    "SqueezeOptions": "squeeze_dims:[i32]",
    "StableHLOCompositeOptions": "name:str decomposition_subgraph_index:i32 composite_attributes:[u8] "
    "composite_attributes_format:i8 version:i32",
    "StablehloBroadcastInDimOptions": "broadcast_dimensions:[i64]",
    "StablehloCompareOptions": "comparison_direction:u32 compare_type:u32",
    "StablehloConcatenateOptions": "dimension:i64",
    "StablehloConvolutionOptions": "window_strides:[i64] padding:[i64] lhs_dilation:[i64] "
    "rhs_dilation:[i64] window_reversal:[bool] input_batch_dimension:i64 "
    "input_feature_dimension:i64 input_spatial_dimensions:[i64] "
    "kernel_input_feature_dimension:i64 "
    "kernel_output_feature_dimension:i64 kernel_spatial_dimensions:[i64] "
    "output_batch_dimension:i64 output_feature_dimension:i64 "
    "output_spatial_dimensions:[i64] feature_group_count:i64 "
    "batch_group_count:i64 precision_config:[u32]",
    "StablehloCustomCallOptions": "call_target_name:str has_side_effect:bool backend_config:str "
    "api_version:i32 called_computations:[i32] custom_attributes:[u8]",
    "StablehloDotGeneralOptions": "lhs_batching_dimensions:[i64] rhs_batching_dimensions:[i64] "
    "lhs_contracting_dimensions:[i64] rhs_contracting_dimensions:[i64] "
    "precision_config:[u32]",
    "StablehloDynamicSliceOptions": "slice_sizes:[i64]",
    "StablehloGatherOptions": "offset_dims:[i64] collapsed_slice_dims:[i64] start_index_map:[i64] "
    "index_vector_dim:i64 slice_sizes:[i64] indices_are_sorted:bool",
    "StablehloIotaOptions": "iota_dimension:i64",
    "StablehloPadOptions": "edge_padding_low:[i64] edge_padding_high:[i64] interior_padding:[i64]",
    "StablehloReduceOptions": "dimensions:[i64] body_subgraph_index:i32",
    "StablehloReduceWindowOptions": "window_dimensions:[i64] window_strides:[i64] base_dilations:[i64] "
    "window_dilations:[i64] padding:[i64] body_subgraph_index:i32",
    "StablehloRngBitGeneratorOptions": "algorithm:i8",
    "StablehloScatterOptions": "indices_are_sorted:bool update_window_dims:[i64] "
    "inserted_window_dims:[i64] scatter_dims_to_operand_dims:[i64] "
    "index_vector_dim:i64 unique_indices:bool "
    "update_computation_subgraph_index:i32",
    "StablehloSliceOptions": "start_indices:[i64] limit_indices:[i64] strides:[i64]",
    "StablehloSortOptions": "dimension:i64 is_stable:bool comparator_subgraph_index:i32",
    "StablehloTransposeOptions": "permutation:[i64]",
    "StablehloWhileOptions": "cond_subgraph_index:i32 body_subgraph_index:i32",
    "StridedSliceOptions": "begin_mask:i32 end_mask:i32 ellipsis_mask:i32 new_axis_mask:i32 "
    "shrink_axis_mask:i32 offset:bool",
    "SubOptions": "fused_activation_function:activation pot_scale_int16:bool=1",
    "TransposeConvOptions": "padding:padding stride_w:i32 stride_h:i32 "
    "fused_activation_function:activation quantized_bias_type:dtype",
    "UnidirectionalSequenceLSTMOptions": "fused_activation_function:activation cell_clip:f32 "
    "proj_clip:f32 time_major:bool asymmetric_quantize_inputs:bool "
    "diagonal_recurrent_tensors:bool",
    "UniqueOptions": "idx_out_type:dtype=2",
    "UnpackOptions": "num:i32 axis:i32",
    "VarHandleOptions": "container:str shared_name:str",
    "WhileOptions": "cond_subgraph_index:i32 body_subgraph_index:i32",
}
