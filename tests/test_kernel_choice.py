"""Which kernel runs an op: specs/tflm_memory.md section 8, one row per rule."""

from __future__ import annotations

import pytest
from memory_models import (
    BUILDS,
    DSP,
    REFERENCE,
    conv,
    depthwise,
    fully_connected,
    one_op,
    t,
    transpose_conv,
)
from preflash.devices.target import KernelBuild
from preflash.errors import ShapeInvalid
from preflash.graphs.geometry import Padding
from preflash.graphs.ir import ModelGraph
from preflash.simulator.kernel_choice import KernelChoice, choose_kernel
from preflash.simulator.operands import dims_of, odd_pad_1xn, pads_1xn


def chosen(graph: ModelGraph, build: KernelBuild) -> KernelChoice:
    return choose_kernel(graph.main, graph.ops[0], build)


CMSIS = [
    ("a 1x1 with stride 1", conv((8, 8, 16), (1, 1, 8)), "conv_1x1_fast conv_1x1_fast conv_1x1_fast"),
    ("a 1x1 with stride 2", conv((8, 8, 16), (1, 1, 8), stride=(2, 2)),
     "conv_1x1_strided conv_1x1_strided conv_1x1_strided"),
    ("a grouped 1x1", conv((8, 8, 16), (1, 1, 8), groups=2), "conv_im2col conv_im2col conv_im2col"),
    ("a 3x3", conv((8, 8, 16), (3, 3, 8)), "conv_im2col conv_im2col conv_im2col"),
    ("a 1x3 over one row", conv((1, 32, 4), (1, 3, 8)), "conv_1xn conv_1xn conv_1xn"),
    ("a 1x3 whose row is not a multiple of 4", conv((1, 32, 3), (1, 3, 8)),
     "conv_im2col conv_im2col conv_im2col"),
    # Wout = 2, Pw = 4 both sides: 4 + 4 ragged columns are more than the row has
    ("a 1x9 over two columns", conv((1, 2, 4), (1, 9, 8)), "conv_1xn conv_1xn conv_im2col"),
    ("an int4 1x1", conv((8, 8, 16), (1, 1, 8), weights="int4"),
     "conv_1x1_fast_s4 conv_1x1_fast_s4 conv_1x1_fast_s4"),
    ("an int4 strided 1x1", conv((8, 8, 16), (1, 1, 8), weights="int4", stride=(1, 2)),
     "conv_1x1_strided_s4 conv_1x1_strided_s4 conv_1x1_strided_s4"),
    ("an int4 3x3", conv((8, 8, 16), (3, 3, 8), weights="int4"),
     "conv_im2col_s4 conv_im2col_s4 conv_im2col_s4"),
    ("int16 with int64 bias", conv((8, 8, 16), (1, 1, 8), dtype="int16", bias="int64"),
     "conv_s16 conv_s16 conv_s16"),
    ("int16 with int32 bias", conv((8, 8, 16), (1, 1, 8), dtype="int16"),
     "conv_s16_ref conv_s16_ref conv_s16_ref"),
    ("a float convolution", conv((8, 8, 16), (3, 3, 8), dtype="float32", weights="float32"), "ref ref ref"),
    ("depthwise 3x3", depthwise((8, 8, 16), (3, 3)), "dw_3x3 dw_3x3 dw_opt"),
    ("depthwise 5x5", depthwise((8, 8, 16), (5, 5)), "dw_generic dw_opt dw_opt"),
    ("depthwise 3x3, batch 2", depthwise((8, 8, 16), (3, 3), batch=2), "dw_generic dw_generic dw_generic"),
    ("depthwise, dilated", depthwise((8, 8, 16), (3, 3), dilation=2), "dw_generic dw_generic dw_generic"),
    ("depthwise, multiplier 4", depthwise((8, 8, 8), (3, 3), multiplier=4), "dw_mult4 dw_mult4 dw_mult4"),
    ("depthwise, multiplier 2", depthwise((8, 8, 8), (3, 3), multiplier=2),
     "dw_generic dw_generic dw_generic"),
    ("depthwise over one channel", depthwise((8, 8, 1), (3, 3), multiplier=8),
     "dw_mult4 dw_mult4 dw_as_conv"),
    ("int4 depthwise", depthwise((8, 8, 16), (3, 3), weights="int4"), "dw_opt_s4 dw_opt_s4 dw_opt_s4"),
    ("int4 depthwise, multiplier 2", depthwise((8, 8, 8), (3, 3), multiplier=2, weights="int4"),
     "dw_generic_s4 dw_generic_s4 dw_generic_s4"),
    ("int16 depthwise", depthwise((8, 8, 16), (3, 3), dtype="int16"), "dw_s16 dw_s16 dw_s16"),
    ("per-tensor fully connected", fully_connected(1, 64, 10), "fc fc fc"),
    ("per-channel fully connected", fully_connected(1, 64, 10, scales=10),
     "fc_per_channel fc_per_channel fc_per_channel"),
    ("fully connected over rank 3", fully_connected(6, 64, 10, out=(1, 6, 10)),
     "fc_as_conv_1x1 fc_as_conv_1x1 fc_as_conv_1x1"),
    ("rank 3 with an odd depth", fully_connected(6, 63, 10, out=(1, 6, 10)), "fc fc fc"),
    ("int4 fully connected", fully_connected(1, 64, 10, weights="int4"), "fc_s4 fc_s4 fc_s4"),
    ("int16 fully connected", fully_connected(1, 64, 10, dtype="int16"), "fc_s16 fc_s16 fc_s16"),
    ("transpose conv of 32 channels", transpose_conv((4, 4, 32), (3, 3, 8)),
     "transpose_conv_as_conv transpose_conv_as_conv transpose_conv_as_conv"),
    ("transpose conv of 16 channels", transpose_conv((4, 4, 16), (3, 3, 8)),
     "transpose_conv_direct transpose_conv_direct transpose_conv_direct"),
    ("transpose conv with stride 3", transpose_conv((4, 4, 32), (3, 3, 8), stride=3),
     "transpose_conv_direct transpose_conv_direct transpose_conv_direct"),
    ("int16 transpose conv", transpose_conv((4, 4, 32), (3, 3, 8), dtype="int16"), "ref ref ref"),
    ("an addition", one_op("ADD", [t(1, 4, 4, 8), t(1, 4, 4, 8)], t(1, 4, 4, 8)), "add add add"),
    ("an addition that broadcasts", one_op("ADD", [t(1, 4, 4, 8), t(1, 1, 1, 8)], t(1, 4, 4, 8)),
     "ref ref ref"),
    ("a mean", one_op("MEAN", [t(1, 4, 4, 8), t(2, dtype="int32", constant=True)], t(1, 8)), "ref ref ref"),
]  # fmt: skip


@pytest.mark.parametrize(("graph", "routes"), [row[1:] for row in CMSIS], ids=[row[0] for row in CMSIS])
def test_cmsis_nn_takes_the_kernel_of_the_rule(graph: ModelGraph, routes: str) -> None:
    """Columns: plain C, DSP, MVE."""
    assert [chosen(graph, BUILDS[f]).route for f in ("c", "dsp", "mve")] == routes.split()


ESP = [
    ("a 1x1", conv((8, 8, 16), (1, 1, 8)), "esp_conv_1x1 esp_conv_1x1 esp_conv_generic"),
    ("a 3x3 over 3 channels", conv((8, 8, 3), (3, 3, 8)), "esp_conv_im2col esp_conv_im2col esp_conv_generic"),
    ("a padded 3x3", conv((8, 8, 16), (3, 3, 8)), "esp_conv_padded esp_conv_im2col esp_conv_generic"),
    ("an unpadded 3x3", conv((8, 8, 16), (3, 3, 8), padding=Padding.VALID),
     "esp_conv_padded esp_conv_padded esp_conv_generic"),
    ("a grouped conv", conv((8, 8, 16), (3, 3, 8), groups=2),
     "esp_conv_generic esp_conv_generic esp_conv_generic"),
    ("a dilated conv", conv((8, 8, 16), (3, 3, 8), dilation=2), "ref ref ref"),
    ("an int16 conv", conv((8, 8, 16), (3, 3, 8), dtype="int16"), "ref ref ref"),
    ("depthwise of 16 channels", depthwise((8, 8, 16), (3, 3)), "esp_dw_simd esp_dw_simd esp_dw_generic"),
    ("depthwise of 5 channels", depthwise((8, 8, 5), (3, 3)), "esp_dw_simd esp_dw_generic esp_dw_generic"),
    ("depthwise of 2 channels", depthwise((8, 8, 2), (3, 3)), "esp_dw_generic esp_dw_generic esp_dw_generic"),
    ("depthwise, multiplier 4", depthwise((8, 8, 2), (3, 3), multiplier=4),
     "esp_dw_simd esp_dw_generic esp_dw_generic"),
    ("fully connected", fully_connected(1, 64, 10), "esp_fc esp_fc esp_fc"),
    ("softmax", one_op("SOFTMAX", [t(1, 10)], t(1, 10)), "esp_softmax esp_softmax esp_softmax"),
    ("softmax to int16", one_op("SOFTMAX", [t(1, 10)], t(1, 10, dtype="int16")), "ref ref ref"),
    ("padding", one_op("PAD", [t(1, 4), t(2, 2, dtype="int32", constant=True)], t(1, 6)), "ref ref ref"),
]  # fmt: skip


@pytest.mark.parametrize(("graph", "routes"), [row[1:] for row in ESP], ids=[row[0] for row in ESP])
def test_esp_nn_takes_the_kernel_of_the_rule(graph: ModelGraph, routes: str) -> None:
    """Columns: S3, P4, generic."""
    assert [chosen(graph, BUILDS[f]).route for f in ("s3", "p4", "generic")] == routes.split()


def test_a_reference_kernel_in_a_library_build_says_why() -> None:
    mean = one_op("MEAN", [t(1, 4, 4, 8), t(2, dtype="int32", constant=True)], t(1, 8))
    assert chosen(mean, DSP) == KernelChoice("reference", "ref", "CMSIS-NN has no kernel for MEAN")
    floats = conv((8, 8, 4), (3, 3, 8), dtype="float32", weights="float32")
    assert "CONV_2D kernel for float32 x float32" in chosen(floats, DSP).why
    dilated = conv((8, 8, 4), (3, 3, 8), dilation=2)
    assert "dilation" in chosen(dilated, BUILDS["s3"]).why


def test_a_reference_build_runs_reference_kernels_without_excuse() -> None:
    assert chosen(conv((8, 8, 4), (3, 3, 8)), REFERENCE) == KernelChoice("reference", "ref")


def test_a_vendor_library_is_named_not_guessed() -> None:
    choice = chosen(conv((8, 8, 4), (3, 3, 8)), KernelBuild("accelerator", "", "none"))
    assert (choice.library, choice.route) == ("accelerator", "vendor")
    assert "not public" in choice.why


@pytest.mark.parametrize("flavour", ["c", "dsp", "mve"])
def test_the_kernel_of_cmsis_nn_for_the_same_op_stands_for_that_of_st(flavour: str) -> None:
    for graph in (conv((8, 8, 4), (3, 3, 8)), conv((8, 8, 4), (1, 1, 8)), conv((1, 30, 8), (1, 3, 8))):
        ours = chosen(graph, KernelBuild("cmsis-nn", flavour, "arm32-short-enum"))
        assert chosen(graph, KernelBuild("x-cube-ai", flavour, "none")) == KernelChoice("x-cube-ai", ours.route)
    mean = one_op("MEAN", [t(1, 4, 4, 8), t(2, dtype="int32", constant=True)], t(1, 8))
    assert chosen(mean, KernelBuild("x-cube-ai", flavour, "none")) == KernelChoice("x-cube-ai", "ref")


@pytest.mark.parametrize(
    ("width", "kernel", "stride", "expected"),
    [
        (32, 3, 1, (1, 1, 0)),  # total pad 2: 1 before, 1 behind
        (32, 4, 1, (1, 2, 1)),  # total 3: 1 before, 2 behind
        (33, 1, 2, (0, 0, 0)),  # 17 outputs reach the last column
        (32, 1, 2, (0, 1, -1)),  # (16-1)*2 + 1 - 32 = -1: one column is left over
    ],
)
def test_1xn_counts_ragged_columns_at_both_ends(
    width: int, kernel: int, stride: int, expected: tuple[int, int, int]
) -> None:
    graph = conv((1, width, 4), (1, kernel, 8), stride=(1, stride))
    dims = dims_of(graph.main, graph.ops[0])
    assert dims is not None
    assert (*pads_1xn(dims), odd_pad_1xn(dims)) == expected


def test_a_window_that_does_not_move_is_refused_by_name() -> None:
    graph = conv((8, 8, 4), (3, 3, 8), stride=(1, 1))
    still = graph.ops[0]
    object.__setattr__(still.attributes, "stride_w", 0)
    with pytest.raises(ShapeInvalid, match="CONV_2D 0: the window does not move"):
        dims_of(graph.main, still)
