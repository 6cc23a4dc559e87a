"""Which output channels have only zero weights, and what is left of the network without them?

A runtime that drops them computes a constant instead: the channel leaves its convolution, the depthwise
convolutions and poolings behind it, and the filters that read it. The result is for counting work: the
constants' share of later biases is not worked out, so it is not the graph that is run.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ..ir import OPTIONAL, ModelGraph, Op, Quantization, Subgraph, Tensor, wire
from ..kept import kept

_Mask = npt.NDArray[np.bool_]  # of the last dimension: True is a channel that is dropped
_PASSING = frozenset({
    "AVERAGE_POOL_2D", "MAX_POOL_2D", "MEAN", "PAD", "RELU", "RELU6", "RELU_N1_TO_1", "HARD_SWISH",
    "LEAKY_RELU", "QUANTIZE", "RESHAPE", "SQUEEZE",
})  # fmt: skip
_MULTIPLYING = frozenset({"CONV_2D", "FULLY_CONNECTED", "DEPTHWISE_CONV_2D"})


def without_dead_channels(graph: ModelGraph) -> ModelGraph:
    """The graph with all-zero channels cut out of shapes and filters; the same object if there are none."""
    return kept(graph, "live_channels", _cut)


def dead_channels(subgraph: Subgraph) -> dict[int, _Mask]:
    """activation -> its channels that nothing but constants would flow through."""
    dead: dict[int, _Mask] = {}
    for op in subgraph.ops:
        mask = _made_dead(subgraph, op, dead)
        if mask is not None and mask.any() and not mask.all():
            dead[op.outputs[0]] = mask
    if not dead:
        return {}
    while True:
        refused = [t for t in dead if not _is_droppable(subgraph, t, dead)]
        if not refused:
            return dead
        for tensor in refused:
            del dead[tensor]


def _cut(graph: ModelGraph) -> ModelGraph:
    main = graph.main
    dead = dead_channels(main)
    if not dead:
        return graph
    tensors = list(main.tensors)
    for t, mask in dead.items():
        shape = (*tensors[t].shape[:-1], int((~mask).sum()))
        tensors[t] = replace(tensors[t], shape=shape, shape_signature=())
    for op in main.ops:
        if op.kind in _MULTIPLYING:
            for position, cuts in enumerate(_filter_cuts(main, op, dead), 1):
                if cuts:
                    tensors[op.inputs[position]] = _sliced(main.tensors[op.inputs[position]], cuts)
    wired = wire(tensors, main.ops, inputs=main.inputs, outputs=main.outputs, name=main.name)
    return replace(graph.with_main(wired), file_bytes=graph.file_bytes, sha256=graph.sha256)


def _made_dead(subgraph: Subgraph, op: Op, dead: dict[int, _Mask]) -> _Mask | None:
    """The dead channels of an op's output, if all that reads it allows it."""
    if not op.outputs or not op.inputs:
        return None
    before = dead.get(op.inputs[0])
    if op.kind in _PASSING:
        same = subgraph.tensors[op.inputs[0]].shape[-1:] == subgraph.tensors[op.outputs[0]].shape[-1:]
        return before if same else None
    if op.kind == "DEPTHWISE_CONV_2D":
        return before
    if op.kind not in _MULTIPLYING or len(op.inputs) < 2:
        return None
    return _zero_channels(subgraph.tensors[op.inputs[1]])


def _zero_channels(weight: Tensor) -> _Mask | None:
    """Per output channel (dimension 0) whether its filter is zero; None for anything but constant int8."""
    if weight.data is None or str(weight.dtype) != "int8" or weight.sparsity or len(weight.shape) < 2:
        return None
    values = np.frombuffer(weight.data, dtype=np.int8).reshape(weight.shape)
    found: _Mask = ~values.any(axis=tuple(range(1, values.ndim)))
    return found


def _is_droppable(subgraph: Subgraph, tensor: int, dead: dict[int, _Mask]) -> bool:
    """Every reader must take fewer channels: a filter's rows, or an op that hands the same ones on."""
    mask = dead[tensor]
    producer = subgraph.producer_of.get(tensor)
    if producer is None or tensor in subgraph.outputs:
        return False
    if not _agrees_with_input(subgraph.ops[producer], mask, dead):
        return False
    readers = (subgraph.ops[reader] for reader in subgraph.consumers_of[tensor])
    return all(_takes(subgraph, reader, tensor, dead) for reader in readers)


def _agrees_with_input(op: Op, mask: _Mask, dead: dict[int, _Mask]) -> bool:
    """An op that keeps channels apart drops from its output what is dropped from its input."""
    if op.kind in ("CONV_2D", "FULLY_CONNECTED"):
        return True
    before = dead.get(op.inputs[0])
    return before is not None and np.array_equal(before, mask)


def _takes(subgraph: Subgraph, op: Op, tensor: int, dead: dict[int, _Mask]) -> bool:
    if op.inputs[0] != tensor or tensor in op.inputs[1:]:
        return False
    if op.kind in ("CONV_2D", "FULLY_CONNECTED"):
        depth = subgraph.tensors[op.inputs[1]].shape[-1]
        return subgraph.tensors[op.inputs[1]].data is not None and depth == len(dead[tensor])
    return (op.kind in _PASSING or op.kind == "DEPTHWISE_CONV_2D") and op.outputs[0] in dead


def _filter_cuts(subgraph: Subgraph, op: Op, dead: dict[int, _Mask]) -> tuple[dict[int, _Mask], ...]:
    """What is kept of filter and bias: axis -> mask."""
    before, after = dead.get(op.inputs[0]), dead.get(op.outputs[0])
    rank = len(subgraph.tensors[op.inputs[1]].shape)
    weight: dict[int, _Mask] = {}
    if op.kind == "DEPTHWISE_CONV_2D":
        if after is not None:
            weight[rank - 1] = ~after
    else:
        if after is not None:
            weight[0] = ~after
        if before is not None:
            weight[rank - 1] = ~before
    has_bias = len(op.inputs) > 2 and op.inputs[2] != OPTIONAL
    bias = {0: ~after} if has_bias and after is not None else {}
    return weight, bias


def _sliced(tensor: Tensor, cuts: dict[int, _Mask]) -> Tensor:
    """A constant with only the kept entries along these axes."""
    assert tensor.data is not None
    width = len(tensor.data) // max(1, tensor.element_count)
    values = np.frombuffer(tensor.data, dtype=np.dtype(f"V{width}")).reshape(tensor.shape)
    for axis, mask in cuts.items():
        values = np.compress(mask, values, axis=axis)
    quantization = tensor.quantization
    if quantization is not None and quantization.is_per_channel and quantization.axis in cuts:
        quantization = _sliced_quantization(quantization, cuts[quantization.axis])
    return replace(
        tensor, shape=values.shape, data=values.tobytes(), quantization=quantization, shape_signature=()
    )


def _sliced_quantization(quantization: Quantization, mask: _Mask) -> Quantization:
    return replace(quantization, scales=quantization.scales[mask], zero_points=quantization.zero_points[mask])
