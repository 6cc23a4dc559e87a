"""Scratch requests per op and kernel library, worked by hand from specs/tflm_memory.md sections 6 and 8."""

from __future__ import annotations

import pytest
from flatbuffers import flexbuffers
from memory_models import BUILDS, conv, depthwise, fully_connected, one_op, t, transpose_conv
from preflash.devices.target import KernelBuild
from preflash.graphs.geometry import Padding
from preflash.graphs.ir import ModelGraph, Tensor
from preflash.graphs.ops import BatchMatMulAttributes, SVDFAttributes
from preflash.simulator.memory.refusal import refusals
from preflash.simulator.memory.scratch import scratch_requests

Sizes = tuple[int, ...]
Row = tuple[str, ModelGraph, Sizes, Sizes, Sizes] | tuple[str, ModelGraph, Sizes, Sizes]


def requested(graph: ModelGraph, build: KernelBuild) -> tuple[int, ...]:
    return scratch_requests(graph.main, graph.ops[0], build)


def _options(**values: int) -> bytes:
    builder = flexbuffers.Builder()
    with builder.Map():
        for name, value in values.items():
            builder.Key(name)
            builder.Int(value)
    return bytes(builder.Finish())


def _lstm(dtype: str, cell: str) -> ModelGraph:
    """batch 2, 5 steps, 3 inputs, 8 states."""
    weights: list[Tensor | None] = [t(8, 3, dtype=dtype, constant=True) for _ in range(4)]
    recurrent: list[Tensor | None] = [t(8, 8, dtype=dtype, constant=True) for _ in range(4)]
    biases: list[Tensor | None] = [t(8, dtype="int32", constant=True) for _ in range(4)]
    state, memory = t(2, 8, dtype=dtype, variable=True), t(2, 8, dtype=cell, variable=True)
    data = t(2, 5, 3, dtype=dtype)
    inputs = [data, *weights, *recurrent, *[None] * 3, *biases, None, None, state, memory]
    return one_op("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, t(2, 5, 8, dtype=dtype))


def _svdf(dtype: str) -> ModelGraph:
    """batch 1, 8 filters of rank 2: 4 units."""
    inputs = [t(1, 3, dtype=dtype), t(8, 3, constant=True), t(8, 5, constant=True), None,
              t(1, 40, dtype=dtype, variable=True)]  # fmt: skip
    return one_op("SVDF", inputs, t(1, 4, dtype=dtype), SVDFAttributes(rank=2))


def _reduction(kind: str, dtype: str) -> ModelGraph:
    axes = t(2, dtype="int32", constant=True)
    return one_op(kind, [t(1, 4, 4, 8, dtype=dtype), axes], t(1, 8, dtype=dtype))


def _matmul() -> ModelGraph:
    return one_op("BATCH_MATMUL", [t(1, 4, 6), t(1, 6, 5)], t(1, 4, 5), BatchMatMulAttributes())


REFERENCE = [
    ("conv keeps nothing", conv((8, 8, 16), (3, 3, 8)), ()),
    ("an int4 filter is unpacked", conv((8, 8, 16), (3, 3, 8), weights="int4"), (8 * 9 * 16,)),
    ("int8 transpose conv: 8x8x8 outputs in int32", transpose_conv((4, 4, 32), (3, 3, 8)), (2048,)),
    ("int16 in int64", transpose_conv((4, 4, 32), (3, 3, 8), dtype="int16"), (4096,)),
    ("int8 SVDF", _svdf("int8"), (4 * 8, 4 * 4)),
    ("float SVDF", _svdf("float32"), (4 * 8,)),
    ("LSTM: four times batch x state x int16", _lstm("int8", "int16"), (32, 32, 32, 32)),
    ("int8 mean: 8 sums, 4 indices, 2 axes", _reduction("MEAN", "int8"), (32, 16, 8)),
    ("float mean", _reduction("MEAN", "float32"), (16, 8)),
    ("int16 sum", _reduction("SUM", "int16"), (32, 16, 8)),
    ("maximum", _reduction("REDUCE_MAX", "int8"), (16, 8)),
    ("a pointer per input", one_op("ADD_N", [t(8), t(8), t(8)], t(8)), (12,)),
    ("mirror pad",
     one_op("MIRROR_PAD", [t(1, 2, 2, 1), t(4, 2, dtype="int32", constant=True)], t(1, 4, 4, 1)), (16, 16)),
    ("an FFT of 512 int16",
     one_op("CUSTOM:SignalRfft", [t(1, 480, dtype="int16")], t(1, 514, dtype="int16"),
            custom_options=_options(fft_length=512)), (1024,)),
    # B = 10 boxes, K = 3 scores each, M = 5 detections, N = 2 classes
    ("detection post-processing",
     one_op("CUSTOM:TFLite_Detection_PostProcess",
            [t(1, 10, 4), t(1, 10, 3), t(10, 4, constant=True)], t(1, 5, 4),
            custom_options=_options(max_detections=5, num_classes=2)),
     (10, 160, 120, 40, 40, 200, 200, 40, 200, 200, 200)),
    ("another op keeps nothing", one_op("RELU", [t(8)], t(8)), ()),
]  # fmt: skip


@pytest.mark.parametrize(
    ("graph", "sizes"), [row[1:] for row in REFERENCE], ids=[row[0] for row in REFERENCE]
)
def test_reference_kernels_request(graph: ModelGraph, sizes: tuple[int, ...]) -> None:
    assert requested(graph, BUILDS["ref"]) == sizes


CMSIS = [
    ("a 1x1 needs nothing", conv((8, 8, 16), (1, 1, 8)), (), (), ()),
    # K = 27: two int16 columns of 28; on MVE four int8 columns of 32
    ("3x3 over 3 channels", conv((8, 8, 3), (3, 3, 8)), (112,), (112,), (128,)),
    ("a grouped 3x3 counts all channels", conv((8, 8, 4), (3, 3, 8), groups=2), (144,), (144,), (192,)),
    ("int4 asks as int8 does", conv((8, 8, 3), (3, 3, 8), weights="int4"), (112,), (112,), (128,)),
    # Pw = 1, a = 0: max(3*4 + 4, 2*4 + 4)
    ("1x3 over a row", conv((1, 32, 4), (1, 3, 8)), (48,), (48,), (16,)),
    # Pw = 1, a = 1, 2 ragged columns on the right: max(4*4 + 4, 3*4 + 2*4)
    ("1x4 over a row", conv((1, 32, 4), (1, 4, 8)), (64,), (64,), (20,)),
    ("int16: K = 144", conv((8, 8, 16), (3, 3, 8), dtype="int16"), (576,), (576,), (1152,)),
    ("int16 1x1 too", conv((8, 8, 16), (1, 1, 8), dtype="int16"), (64,), (64,), (128,)),
    ("float", conv((8, 8, 16), (3, 3, 8), dtype="float32", weights="float32"), (), (), ()),
    ("depthwise 3x3", depthwise((8, 8, 16), (3, 3)), (), (), (4 * 124 * 9,)),
    ("depthwise 5x5", depthwise((8, 8, 16), (5, 5)), (), (2 * 16 * 25,), (4 * 124 * 25,)),
    ("depthwise, multiplier 2", depthwise((8, 8, 8), (3, 3), multiplier=2), (), (), ()),
    ("depthwise, dilated", depthwise((8, 8, 16), (5, 5), dilation=2), (), (), ()),
    ("int4 depthwise 3x3", depthwise((8, 8, 16), (3, 3), weights="int4"), (288,), (288,), (4464,)),
    ("int16 depthwise", depthwise((8, 8, 16), (5, 5), dtype="int16"), (), (), ()),
    # MVE turns one channel into a convolution: 4*up(9, 16), and the filter's 8*9 bytes
    ("depthwise over one channel", depthwise((8, 8, 1), (3, 3), multiplier=8), (), (), (64 + 72,)),
    ("fully connected", fully_connected(1, 64, 10), (), (), ()),
    ("fully connected over rank 3", fully_connected(6, 64, 10, out=(1, 6, 10)), (80,), (80,), (80,)),
    ("per-channel over rank 3", fully_connected(6, 64, 10, out=(1, 6, 10), scales=10), (), (), ()),
    ("a filter that is no constant", fully_connected(1, 64, 10, constant=False), (), (), (40,)),
    # K = 288: 4*288; reversed filter 288*8
    ("transpose conv as conv", transpose_conv((4, 4, 32), (3, 3, 8)), *[(1152, 2304)] * 3),
    # 4*8 * (3*2 + 3) * 3
    ("transpose conv", transpose_conv((4, 4, 16), (3, 3, 8)), (864, 0), (864, 0), (864, 0)),
    ("int16 transpose conv", transpose_conv((4, 4, 16), (3, 3, 8), dtype="int16"), (4096,), (4096,), (4096,)),
    ("average pool of 8 channels", one_op("AVERAGE_POOL_2D", [t(1, 4, 4, 8)], t(1, 2, 2, 8)), (), (32,), ()),
    ("float average pool",
     one_op("AVERAGE_POOL_2D", [t(1, 4, 4, 8, dtype="float32")], t(1, 2, 2, 8, dtype="float32")), (), (), ()),
    ("max pool", one_op("MAX_POOL_2D", [t(1, 4, 4, 8)], t(1, 2, 2, 8)), (), (), ()),
    ("int8 matrix product of 5 columns", _matmul(), (), (), (20,)),
    ("LSTM: three times", _lstm("int8", "int16"), (32,) * 3, (32,) * 3, (32,) * 3),
    ("float LSTM: the reference's four", _lstm("float32", "float32"), (64,) * 4, (64,) * 4, (64,) * 4),
    ("SVDF asks as the reference does", _svdf("int8"), (32, 16), (32, 16), (32, 16)),
    ("mean is the reference kernel", _reduction("MEAN", "int8"), (32, 16, 8), (32, 16, 8), (32, 16, 8)),
]  # fmt: skip


@pytest.mark.parametrize("row", CMSIS, ids=[row[0] for row in CMSIS])
def test_cmsis_nn_requests(row: Row) -> None:
    """Columns: plain C, DSP, MVE."""
    _, graph, *wanted = row
    assert [requested(graph, BUILDS[f]) for f in ("c", "dsp", "mve")] == wanted


ESP = [
    # S3: 16*8 + 16*16 + 64; P4: 32 instead of 64
    ("1x1 of 16 channels", conv((8, 8, 16), (1, 1, 8)), (448,), (416,)),
    # S3: 64*8 + 8*8 + 16*8 + 64; P4: 20*8 + 64
    ("1x1 of 3 channels", conv((8, 8, 3), (1, 1, 8)), (768,), (224,)),
    # S3: 4*8 + 16 + 8*32 + 16 + 32 + 64; P4: 32 + 27 + 32
    ("3x3 of 3 channels", conv((8, 8, 3), (3, 3, 8)), (416,), (91,)),
    # S3: 10*10*16 twice + 9*16*8 + 48*3*8 + 64 + 32; P4: 32 + 144 + 32
    ("padded 3x3 of 16 channels", conv((8, 8, 16), (3, 3, 8)), (5600,), (208,)),
    # S3: 1152 + 1152 + 64 + 32, and r = 6 + 2 - 8 = 0; P4: 1152 + 32 + 32
    ("unpadded 3x3 of 16 channels", conv((8, 8, 16), (3, 3, 8), padding=Padding.VALID), (2400,), (1216,)),
    # window 9 < 16. S3: 1152 + 16*3*8 + 64 + 32; P4: 32 + 9*16*8 + 64*16 + 32
    ("unpadded 3x3 of one channel", conv((8, 8, 1), (3, 3, 8), padding=Padding.VALID), (1632,), (2240,)),
    # S3: 100 + 1152 + 384 + 100 + 64 + 32; P4: 100 + 1152 + 32 + 32
    ("padded 3x3 of one channel", conv((8, 8, 1), (3, 3, 8)), (1832,), (1316,)),
    # P4: rows of 202*16 = 3232, 7 output rows a tile: 11*3232 + 1152 + 32 + 32
    ("a large padded 3x3", conv((200, 200, 1), (3, 3, 8)), (2 * 202 * 202 + 1152 + 384 + 96,), (36768,)),
    ("int4 unpacks first", conv((8, 8, 16), (1, 1, 8), weights="int4"), (128, 448), (128, 416)),
    ("dilation does not matter", conv((8, 8, 3), (3, 3, 8), dilation=2), (416,), (91,)),
    # 144 + 16 + 10*10*16
    ("depthwise 3x3 of 16 channels", depthwise((8, 8, 16), (3, 3)), (1760,), ()),
    # 6 + 2 - 8 = 0 columns beyond the image: the filter and 16
    ("unpadded", depthwise((8, 8, 16), (3, 3), padding=Padding.VALID), (160,), ()),
    # 4*2 + 2 - 9 = 1 column beyond: 144 + 16 + 10*10*16
    ("unpadded, stride 2", depthwise((9, 9, 16), (3, 3), stride=2, padding=Padding.VALID), (1760,), ()),
    # the padded image 66*66*16 > 40960: rows of 66*3*16
    ("depthwise 3x3, large", depthwise((64, 64, 16), (3, 3)), (160 + 66 * 3 * 16,), ()),
    # n = 32: 9*32 + 12*12*32 + 8*8*32 + 64
    ("depthwise 3x3 of 24 channels", depthwise((8, 8, 24), (3, 3)), (7008,), ()),
    ("depthwise 3x3 of 8 channels", depthwise((8, 8, 8), (3, 3)), (2 * (72 + 512) + 32,), ()),
    ("depthwise 5x5", depthwise((8, 8, 16), (5, 5)), (2 * (400 + 1024) + 32,), ()),
    # 2*(400 + 65536) > 49152: 2*400 + 2*64*5*16 + 32
    ("depthwise 5x5, large", depthwise((64, 64, 16), (5, 5)), (11072,), ()),
    # n = 8: 144 + 1024 + 512 + 12*8 + 16
    ("depthwise of 5 channels", depthwise((8, 8, 5), (3, 3)), (1792,), ()),
    ("depthwise, multiplier 4", depthwise((8, 8, 2), (3, 3), multiplier=4), (2 * (72 + 128) + 32,), ()),
    ("depthwise of 2 channels", depthwise((8, 8, 2), (3, 3)), (32,), ()),
    ("softmax over 10 classes", one_op("SOFTMAX", [t(1, 10)], t(1, 10)), (40,), (40,)),
    ("softmax to int16", one_op("SOFTMAX", [t(1, 10)], t(1, 10, dtype="int16")), (), ()),
    ("int16 conv", conv((8, 8, 16), (3, 3, 8), dtype="int16"), (), ()),
    ("mean is the reference kernel", _reduction("MEAN", "int8"), (32, 16, 8), (32, 16, 8)),
]  # fmt: skip


@pytest.mark.parametrize("row", ESP, ids=[row[0] for row in ESP])
def test_esp_nn_requests(row: Row) -> None:
    """Columns: S3, P4."""
    _, graph, *wanted = row
    assert [requested(graph, BUILDS[f]) for f in ("s3", "p4")] == wanted


def test_generic_esp_nn_asks_for_softmax_alone() -> None:
    generic = BUILDS["generic"]
    assert requested(conv((8, 8, 16), (3, 3, 8)), generic) == ()
    assert requested(depthwise((8, 8, 16), (3, 3)), generic) == ()
    assert requested(one_op("SOFTMAX", [t(1, 10)], t(1, 10)), generic) == (40,)


def test_pointers_are_twice_as_long_on_a_64_bit_host() -> None:
    assert requested(one_op("ADD_N", [t(8), t(8)], t(8)), KernelBuild("reference", "", "host64")) == (16,)


def test_options_that_cannot_be_read_are_refused_by_name() -> None:
    graph = one_op("CUSTOM:SignalRfft", [t(1, 480, dtype="int16")], t(1, 514, dtype="int16"),
                   custom_options=b"\xff\x01garbage")  # fmt: skip
    assert refusals(graph) == ("SignalRfft 0: its option fft_length cannot be read",)
