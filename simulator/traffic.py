"""How many bytes each kernel moves: weights and activations, with the re-reads its blocking causes.

A byte counts each time a kernel loads or stores it; reuse inside one block is free, caches are not looked at.
Blocking is that of the kernels' loops (CMSIS-NN 99f736a, tflite-micro 90b983c, ESP-NN d45b843):

  matrix product, plain C, DSP   2 pixels x 2 outputs: weights once per 2 pixels, inputs once per 2 outputs
  matrix product, Helium         4 pixels x 1 output: weights once per 4 pixels, inputs once per output
  im2col                         each window is copied once: to 16 bits in plain C and DSP, 8 bits with Helium
  fully connected                weights once per batch row, inputs once per 4 outputs
  depthwise, reference, ESP-NN   weights once per output pixel, inputs once per multiplication in the image
  1x1, ESP-NN on an S3           8 pixels x 1 output: weights once per 8 pixels, inputs once per output
  everything else                each byte of each operand once
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..devices.target import KernelBuild, Target
from .columns import Floats, KernelTable
from .estimate import Traffic


class Blocking(NamedTuple):
    """How a kernel's loops reuse what they load.

    Args:
        pixels: output pixels per pass over the weights; 0 is one pass in all.
        outputs: outputs per pass over the inputs; 0 is one pass in all.
        im2col_bytes: bytes per element of a window copied to scratch; 0 without a copy.
    """

    pixels: int
    outputs: int
    im2col_bytes: int = 0


_ONCE = Blocking(0, 0)
_EACH = Blocking(1, 1)
_GEMM = {"mve": Blocking(4, 1), "dsp": Blocking(2, 2), "c": Blocking(2, 2)}
_IM2COL = {"mve": Blocking(4, 1, 1), "dsp": Blocking(2, 2, 2), "c": Blocking(2, 2, 2)}
_GEMM_ROUTES = frozenset(
    {"conv_1x1_fast", "conv_1x1_strided", "conv_1x1_fast_s4", "conv_1x1_strided_s4", "fc_as_conv_1x1"}
)
_IM2COL_ROUTES = frozenset({"conv_1xn", "conv_im2col", "conv_im2col_s4", "conv_s16", "dw_as_conv"})
_EIGHT_PIXELS = Blocking(8, 1)  # ESP-NN's 1x1 kernel of the S3
_MATRIX_ROUTES = frozenset({"fc", "fc_per_channel", "fc_s16", "fc_s4", "esp_fc"})
_WINDOWED = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "AVERAGE_POOL_2D", "MAX_POOL_2D", "FULLY_CONNECTED"})
_ONE_CHANNEL = frozenset({"DEPTHWISE_CONV_2D", "AVERAGE_POOL_2D", "MAX_POOL_2D"})
_KNOWN_LOOPS = ("cmsis-nn", "esp-nn", "reference")


class TrafficColumns(NamedTuple):
    """Bytes per row: as the kernels move them, and `unique`: each byte once, the least possible."""

    weights_memory: str
    arena_memory: str
    weight_read_bytes: Floats
    arena_read_bytes: Floats
    arena_write_bytes: Floats
    weight_unique_bytes: Floats
    arena_unique_bytes: Floats

    @property
    def unique_bytes(self) -> Floats:
        return self.weight_unique_bytes + self.arena_unique_bytes

    def least_by_memory(self) -> dict[str, int]:
        """memory -> bytes if every kernel moved each byte of its tensors once."""
        weights, arena = int(self.weight_unique_bytes.sum()), int(self.arena_unique_bytes.sum())
        if self.weights_memory == self.arena_memory:
            return {self.weights_memory: weights + arena}
        return {self.weights_memory: weights, self.arena_memory: arena}

    def rows(self) -> list[tuple[Traffic, ...]]:
        """What each kernel moves, per memory."""
        columns = [column.tolist() for column in self._moved()]
        parts = [self._parts(*row) for row in zip(*columns, strict=True)]
        if self.weights_memory == self.arena_memory:
            return [(weights + arena,) for weights, arena in parts]
        return [tuple(p for p in pair if p.read_bytes or p.write_bytes) for pair in parts]

    def by_memory(self) -> tuple[Traffic, ...]:
        """What all kernels move, per memory."""
        weights, arena = self._parts(*(float(column.sum()) for column in self._moved()))
        return (weights + arena,) if self.weights_memory == self.arena_memory else (weights, arena)

    def _moved(self) -> tuple[Floats, ...]:
        """Columns: weights read, of them again; arena read, written, of them again.

        again = moved - unique; a filter whose taps partly hit nothing but padding is not read in full.
        """
        read, written = self.arena_read_bytes, self.arena_write_bytes
        again = np.maximum(self.weight_read_bytes - self.weight_unique_bytes, 0.0)
        again_arena = np.maximum(read + written - self.arena_unique_bytes, 0.0)
        return self.weight_read_bytes, again, read, written, again_arena

    def _parts(
        self, weights: float, again: float, read: float, written: float, again_arena: float
    ) -> tuple[Traffic, Traffic]:
        return (
            Traffic(self.weights_memory, int(weights), 0, int(again)),
            Traffic(self.arena_memory, int(read), int(written), int(again_arena)),
        )


class _Moved(NamedTuple):
    weight_read_bytes: Floats
    arena_read_bytes: Floats
    arena_write_bytes: Floats


def kernel_traffic(table: KernelTable, target: Target) -> TrafficColumns:
    """Bytes that each kernel moves between the core and the memories that hold weights and arena."""
    moved = _moved(table, target.kernels)
    homes = target.device.home_of("weights").name, target.device.home_of("arena").name
    return TrafficColumns(*homes, *moved, table.weight_bytes, table.in_bytes + table.out_bytes)


def _moved(table: KernelTable, build: KernelBuild) -> _Moved:
    """weights: filter x passes + the rest once; inputs: window x passes; scratch: written, then read."""
    key = f"traffic:{build}"
    if key not in table._cache:
        table._cache[key] = _count(table, build)
    moved: _Moved = table._cache[key]
    return moved


def _count(table: KernelTable, build: KernelBuild) -> _Moved:
    rules = np.array([_blocking(table, row, build) for row in range(len(table))], dtype=np.float64)
    pixels, outputs, scratch_bytes = rules.reshape(len(table), 3).T
    reads, copied_bytes = _activation_reads(table, outputs, scratch_bytes)
    weights = table.filter_bytes * _weight_passes(table, pixels) + (table.weight_bytes - table.filter_bytes)
    reads = np.rint(np.maximum(reads, table.operand_bytes))
    return _Moved(np.rint(weights), reads, table.out_bytes + copied_bytes)


def _activation_reads(table: KernelTable, outputs: Floats, scratch_bytes: Floats) -> tuple[Floats, Floats]:
    """Bytes read from the arena, scratch included, and bytes written to scratch."""
    e = table.extents
    in_image = e.row_taps * e.col_taps * e.batch  # (pixel, tap) pairs
    element_bytes = table.in_bytes / np.maximum(table.in_elements, 1)
    passes = np.where(outputs > 0, np.ceil(e.out_c / np.maximum(outputs, 1)), 0.0)
    single = np.array([op.kind in _ONE_CHANNEL for op in table.ops], dtype=bool)
    windows = np.where(single, in_image * e.out_c, in_image * e.filter_c * passes) * element_bytes
    copied_bytes = e.out_h * e.out_w * e.k_h * e.k_w * e.batch * e.in_c * scratch_bytes
    by_window = np.where(outputs > 0, windows, table.operand_bytes)
    by_copy = in_image * e.in_c * element_bytes + copied_bytes * passes
    return np.where(scratch_bytes > 0, by_copy, by_window), copied_bytes


def _weight_passes(table: KernelTable, pixels: Floats) -> Floats:
    """Passes over the filter: one per block of pixels, anew in every output row of a strided 1x1.

    Loops that visit single pixels skip taps outside the image. A filter without a window (LSTM, SVDF) is read
    for every multiplication.
    """
    e = table.extents
    by_row = np.array([choice.route.startswith("conv_1x1_strided") for choice in table.choices], dtype=bool)
    rows, per_row = np.where(by_row, e.out_h, 1.0), np.where(by_row, e.out_w, e.out_h * e.out_w)
    inside = e.row_taps * e.col_taps / np.maximum(e.out_h * e.out_w * e.k_h * e.k_w, 1)
    skipped = np.where(pixels == 1, inside, 1.0)
    blocks = e.batch * rows * np.ceil(per_row / np.maximum(pixels, 1)) * skipped
    each = np.maximum(1.0, np.nan_to_num(table.macs) / np.maximum(table.filter_elements, 1))
    loose = np.where(np.array(table.has_window, dtype=bool), 1.0, each)
    passes: Floats = np.where(pixels > 0, blocks, loose)
    return passes


def _blocking(table: KernelTable, row: int, build: KernelBuild) -> Blocking:
    choice, kind = table.choices[row], table.ops[row].kind
    if not table.has_window[row] or kind not in _WINDOWED or choice.library not in _KNOWN_LOOPS:
        return _ONCE
    if choice.route in _GEMM_ROUTES:
        return _GEMM[build.flavour or "c"]
    if choice.route in _IM2COL_ROUTES:
        return _IM2COL[build.flavour or "c"]
    if choice.route == "esp_conv_1x1" and build.flavour == "s3":
        return _EIGHT_PIXELS
    if choice.route in _MATRIX_ROUTES:
        return Blocking(1, 4)
    return _EACH
