"""What .tflite is the digits network: float, or int8 on the grids that it was trained for?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from grids import bias_scales, stored_weights
from network import PICTURE, STAGES, Array, Arrays, Grid, Stage, forward
from preflash.graphs.build import GraphBuilder
from preflash.graphs.ir import DType, ModelGraph, Quantization, WeightForm
from preflash.graphs.ops import (
    Activation,
    Conv2DAttributes,
    DepthwiseConv2DAttributes,
    FullyConnectedAttributes,
    OpAttributes,
    Pool2DAttributes,
)
from preflash.graphs.variants.weights import with_tensors

_KINDS = {
    "conv": "CONV_2D", "depthwise": "DEPTHWISE_CONV_2D", "dense": "FULLY_CONNECTED", "pool": "MAX_POOL_2D",
}  # fmt: skip


def float_model(arrays: Arrays, forms: Mapping[str, WeightForm] | None = None) -> ModelGraph:
    """The network with float32 constants, and what is known of them by name."""
    builder = GraphBuilder("digits", dtype=DType.FLOAT32)
    constants = {name: builder.constant(values, name=name) for name, values in arrays.items()}
    return _with_forms(_wired(builder, constants, {}), constants, forms or {})


def int8_model(arrays: Arrays, grids: Mapping[str, Grid], scales: Arrays, bits: int) -> ModelGraph:
    """The network with int8 weights on the k-bit grid, int32 biases and int8 activations.

    Args:
        arrays: the trained values, not yet rounded.
        scales: of weights, by name; they are rounded here as they were while training.
        bits: of weights; the file's metadata say so where it is less than int8's own.
    """
    builder = GraphBuilder("digits", dtype=DType.INT8)
    constants: dict[str, int] = {}
    before = "input"
    for stage in STAGES:
        if stage.shape:
            name, bias = f"{stage.name}/weights", f"{stage.name}/bias"
            stored = stored_weights(arrays[name], scales[name], bits).astype(np.int8)
            constants[name] = builder.constant(
                stored, name=name, quantization=_along(scales[name], stage.output_axis)
            )
            scale = bias_scales(grids[before], scales[name])
            stored = np.rint(arrays[bias] / scale).astype(np.int32)
            constants[bias] = builder.constant(stored, name=bias, quantization=_along(scale, 0))
        before = stage.name
    forms = {name: WeightForm(bits) for name in scales} if bits < 8 else {}
    return _with_forms(_wired(builder, constants, grids), constants, forms)


def _along(scales: Array, axis: int) -> Quantization:
    flat = scales.reshape(-1).astype(np.float32)
    return Quantization(flat, np.zeros(len(flat), np.int64), axis if len(flat) > 1 else 0)


def _on(grid: Grid | None) -> Quantization | None:
    if grid is None:
        return None
    return Quantization(np.array([grid.scale], np.float32), np.array([grid.zero_point], np.int64))


def _wired(builder: GraphBuilder, constants: Mapping[str, int], grids: Mapping[str, Grid]) -> ModelGraph:
    """The ops in the order of the stages; the softmax of training is left out: the largest logit wins."""
    zeros = {f"{s.name}/weights": np.zeros(s.shape) for s in STAGES if s.shape}
    zeros |= {f"{s.name}/bias": np.zeros(s.shape[s.output_axis]) for s in STAGES if s.shape}
    _, trace = forward(zeros, np.zeros((1, *PICTURE)))
    x = builder.input((1, *PICTURE), quantization=_on(grids.get("input")))
    for stage, _, _, _, y in trace:
        if stage.kind == "dense":
            x = builder.reshape(x, (1, stage.shape[1]))
        inputs = [x]
        if stage.shape:
            inputs += [constants[f"{stage.name}/weights"], constants[f"{stage.name}/bias"]]
        x = builder.tensor(y.shape, name=stage.name, quantization=_on(grids.get(stage.name)))
        builder.op(_KINDS[stage.kind], inputs, _attributes(stage), outputs=[x])
    return builder.finish([x])


def _attributes(stage: Stage) -> OpAttributes:
    activation = Activation.RELU if stage.is_rectified else Activation.NONE
    stride = stage.stride
    made: dict[str, OpAttributes] = {
        "conv": Conv2DAttributes(stride_w=stride, stride_h=stride, fused_activation_function=activation),
        "depthwise": DepthwiseConv2DAttributes(
            stride_w=stride, stride_h=stride, fused_activation_function=activation
        ),
        "dense": FullyConnectedAttributes(activation),
        "pool": Pool2DAttributes(stride_w=2, stride_h=2, filter_width=2, filter_height=2),
    }
    return made[stage.kind]


def _with_forms(
    graph: ModelGraph, constants: Mapping[str, int], forms: Mapping[str, WeightForm]
) -> ModelGraph:
    tensors = graph.main.tensors
    return with_tensors(graph, [replace(tensors[constants[name]], form=form) for name, form in forms.items()])
