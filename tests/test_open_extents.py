"""An extent that nobody knows makes a figure unknown: never negative, never a guess."""

from __future__ import annotations

import pytest
from cost_graphs import one_op, tensor
from preflash.devices.catalog import load_target
from preflash.graphs.geometry import Padding
from preflash.graphs.ir import DType, ModelGraph, Tensor
from preflash.graphs.ops import Conv2DAttributes
from preflash.simulator.simulate import simulate

SAME = Conv2DAttributes(Padding.SAME, 1, 1)


def open_convolution() -> ModelGraph:
    image = Tensor(0, "image", DType.INT8, (-1, 4, 4, 2))
    filters, result = tensor(1, (3, 3, 3, 2), constant=True), tensor(2, (1, 4, 4, 3))
    return one_op("CONV_2D", [image, filters, result], inputs=(0, 1), outputs=(2,), attributes=SAME)


@pytest.mark.parametrize("board", ["nucleo-l4r5zi", "ek-ra8d1", "esp32-s3", "stm32f030r8", "example-npu"])
def test_a_convolution_of_an_open_extent_has_unknown_figures_never_negative_ones(board: str) -> None:
    estimate = simulate(open_convolution(), load_target(board))
    for name in ("latency_s", "macs"):
        metric = estimate.metric(name)
        assert metric.value is None and metric.reason
        assert (metric.lo or 0) >= 0
    assert all((memory.traffic_bytes.lo or 0) >= 0 for memory in estimate.memories)


def test_a_convolution_without_operands_has_no_latency() -> None:
    graph = one_op("CONV_2D", [tensor(0, (1, 4, 4, 3))], inputs=(), outputs=(0,), attributes=SAME)
    assert simulate(graph, load_target("nucleo-l4r5zi")).metric("latency_s").value is None
