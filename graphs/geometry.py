"""What a windowed op does to its shapes: the one place that computes padding and output extents."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum


class Padding(str, Enum):
    SAME = "same"
    VALID = "valid"


@dataclass(frozen=True, slots=True)
class Window:
    """A kernel sliding along one axis: out = f(in), and where it starts.

    `pad_before` is the zeros in front, `pad_total` in front and behind; the odd one goes behind.
    """

    extent_in: int
    extent_out: int
    kernel: int
    stride: int
    dilation: int
    pad_before: int
    pad_total: int


def slide(extent_in: int, *, kernel: int, stride: int, dilation: int, padding: Padding) -> Window:
    """The window of one axis.

    out = ceil(in / S) for SAME, ceil((in - (K-1)*D) / S) for VALID;
    pad_total = max((out-1)*S + (K-1)*D + 1 - in, 0), pad_before = floor(pad_total / 2)
    (TFLite's padding rule; specs/tflm_memory.md, notation).

    >>> slide(96, kernel=3, stride=2, dilation=1, padding=Padding.SAME)
    Window(extent_in=96, extent_out=48, kernel=3, stride=2, dilation=1, pad_before=0, pad_total=1)
    """
    reach = (kernel - 1) * dilation
    span = extent_in if padding is Padding.SAME else extent_in - reach
    extent_out = max(0, -(-span // stride))
    pad_total = max((extent_out - 1) * stride + reach + 1 - extent_in, 0)
    return Window(extent_in, extent_out, kernel, stride, dilation, pad_total // 2, pad_total)


def repadded(window: Window, before: int, behind: int) -> Window:
    """The same window over the same extent with this padding: out = ceil((in + pads - (K-1)*D) / S).

    >>> repadded(slide(5, kernel=3, stride=2, dilation=1, padding=Padding.SAME), 1, 0).extent_out
    2
    """
    reach = (window.kernel - 1) * window.dilation
    span = window.extent_in + before + behind - reach
    extent_out = max(0, -(-span // window.stride))
    return replace(window, extent_out=extent_out, pad_before=before, pad_total=before + behind)


def taps_inside(window: Window) -> int:
    """(output position, kernel tap) pairs that fall inside the input; the rest reads padding.

    >>> taps_inside(slide(3, kernel=3, stride=1, dilation=1, padding=Padding.SAME))
    7
    """
    if window.extent_out < window.kernel:
        return sum(_taps_at(window, position) for position in range(window.extent_out))
    inside = 0
    for tap in range(window.kernel):
        shift = tap * window.dilation - window.pad_before
        # 0 <= position * stride + shift < extent_in
        first = max(0, -(shift // window.stride))
        last = min(window.extent_out - 1, (window.extent_in - 1 - shift) // window.stride)
        inside += max(0, last - first + 1)
    return inside


def _taps_at(window: Window, position: int) -> int:
    """Taps of one output position that fall inside the input."""
    start = position * window.stride - window.pad_before
    first = max(0, -(start // window.dilation))
    last = min(window.kernel - 1, (window.extent_in - 1 - start) // window.dilation)
    return max(0, last - first + 1)
