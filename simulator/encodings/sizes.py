"""What does one weight tensor take in every encoding that somebody decodes?"""

from __future__ import annotations

from collections.abc import Collection

from ...graphs.encodings.bits import whole_bytes
from ...graphs.encodings.table import encodings_of
from ...graphs.encodings.tflm_lut import tflm_lut_bytes
from ...graphs.encodings.values import values_of_tensor
from ...graphs.ir import Tensor
from ..interval import Interval, exact
from .mlw import WORD as MLW
from .mlw import mlw_bits

TFLM_LUT = "tflm-lut"
Sizes = tuple[tuple[str, Interval], ...]  # word -> bytes
_COUNTED = "counted from the values; an encoder and its decoder agree with it"
_TFLM = "indices, header and tables as TFLM's tool lays them out"


def tensor_sizes(tensor: Tensor, kind: str, allowed: Collection[str] | None = None) -> Sizes:
    """Bytes in every legal encoding, raw first; those of Ethos-U's codec where its table reaches.

    Args:
        kind: of the op that reads the tensor.
        allowed: words; None is all.
    """
    found = [(one.word, exact(one.size_bytes, _COUNTED)) for one in encodings_of(tensor, allowed)]
    if allowed is None or TFLM_LUT in allowed:
        with_tables = tflm_lut_bytes(tensor)
        if with_tables is not None:
            found.append((TFLM_LUT, exact(with_tables, _TFLM)))
    if allowed is None or MLW in allowed:
        stream = _stream(tensor, kind)
        if stream is not None:
            found.append((MLW, stream))
    return tuple(found)


def cheapest_word(sizes: Sizes) -> str:
    """The encoding with the fewest bytes; of equal ones the first, so raw before others."""
    return min(sizes, key=lambda one: float("inf") if one[1].value is None else one[1].value)[0]


def _stream(tensor: Tensor, kind: str) -> Interval | None:
    values = values_of_tensor(tensor)
    bits = None if values is None else mlw_bits(values, is_depthwise=kind == "DEPTHWISE_CONV_2D")
    if bits is None or bits.value is None or bits.lo is None or bits.hi is None:
        return None
    value, lo, hi = (whole_bytes(int(end)) for end in (bits.value, bits.lo, bits.hi))
    return Interval(value, lo, hi, bits.basis, bits.source)
