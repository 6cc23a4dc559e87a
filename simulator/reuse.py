"""How many of the bytes that a kernel moves does a data cache let through to the memory behind it?

  no cache                                      every access
  the input's band and the filter fit           each byte once
  one block of windows fits                     each window once: inputs again where windows overlap
  nothing fits                                  every access
  a filter of F bytes, C bytes of W ways         each byte once, then min(F, (F - C) x (W + 1)) in each pass

The last: read from end to end again and again, a set with one line too many loses all its lines (least
recently used first), a set that holds its lines keeps them.

band = k_h rows of the input, window = k_h x k_w x input channels; a filter is read again after the windows of
one block. The interval: each byte once, to every access.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..devices.spec import DeviceSpec, MemorySpec
from .columns import Floats, KernelTable
from .traffic import TrafficColumns

_BLOCK_PIXELS = 4  # the largest block of the kernels' loops (traffic.py)


class Missed(NamedTuple):
    """Bytes per row that reach the memory: as taken, at least, at most."""

    value: Floats
    lo: Floats
    hi: Floats


def cache_bytes_before(device: DeviceSpec, memory: MemorySpec) -> int:
    """The data cache in front of a memory; tightly coupled memory has none."""
    if device.cache is None or memory.kind == "tcm":
        return 0
    return device.cache.data_bytes or device.cache.unified_bytes


def missed_activations(table: KernelTable, traffic: TrafficColumns, cache_bytes: int) -> Missed:
    """Bytes of activations and scratch that reach the memory of the arena."""
    each = traffic.arena_read_bytes + traffic.arena_write_bytes
    if not cache_bytes:
        return Missed(each, each, each)
    once = np.minimum(traffic.arena_unique_bytes, each)
    e = table.extents
    element_bytes = table.in_bytes / np.maximum(table.in_elements, 1)
    band = e.k_h * e.in_w * e.in_c * element_bytes
    windows = e.row_taps * e.col_taps * e.batch * e.in_c * element_bytes + table.out_bytes
    by_window = np.where(_block(table) <= cache_bytes, np.clip(windows, once, each), each)
    return Missed(np.where(band + table.filter_bytes <= cache_bytes, once, by_window), once, each)


def ways_before(device: DeviceSpec, memory: MemorySpec) -> int:
    """How many lines share a set of that cache; 0 if nobody says."""
    return device.cache.ways if device.cache is not None and memory.kind != "tcm" else 0


def missed_weights(table: KernelTable, traffic: TrafficColumns, cache_bytes: int, *, ways: int = 0) -> Missed:
    """Bytes of weights that reach their memory."""
    once, each = table.weight_bytes, traffic.weight_read_bytes
    if not cache_bytes:
        return Missed(each, each, each)
    least = np.minimum(once, each)
    if ways:
        again = np.clip((once - cache_bytes) * (ways + 1), 0.0, once) / np.maximum(once, 1)
        return Missed(least + (each - least) * again, least, each)
    fits = table.filter_bytes + _block(table) <= cache_bytes
    return Missed(np.where(fits, least, each), least, each)


def _block(table: KernelTable) -> Floats:
    """Bytes of the windows that one pass over the filter works on."""
    e = table.extents
    element_bytes = table.in_bytes / np.maximum(table.in_elements, 1)
    block: Floats = _BLOCK_PIXELS * e.k_h * e.k_w * e.in_c * element_bytes
    return block
