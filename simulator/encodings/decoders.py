"""Which encodings of weights does a target decode: its runtime, or hardware that its runtime drives?"""

from __future__ import annotations

from ...devices.target import Target
from ...graphs.encodings.lut import Lut
from ...graphs.encodings.values import values_of_tensor
from ...graphs.ir import Tensor
from .mlw import WORD as MLW
from .sizes import TFLM_LUT, Sizes, cheapest_word, tensor_sizes

Words = frozenset[str]
# CompressionSpec.scheme -> the encodings whose stream such hardware reads
_SCHEMES: dict[str, Words] = {
    "lut": frozenset({"lut", "lut-per-channel", "packed"}),
    "huffman": frozenset({"huffman"}),
    "run-length": frozenset({"relative-4", "relative-5", "relative-8"}),
    "bitmask": frozenset({"bitmask"}),
    "ethos-u-mlw": frozenset({MLW}),
}
_OF_RUNTIME: dict[str, Words] = {"raw": frozenset(), "tflm-lut": frozenset({TFLM_LUT})}


def decoded(target: Target) -> Words:
    """The words of all encodings that this target decodes beside raw values."""
    return _OF_RUNTIME[target.runtime.weights] | decoded_by_hardware(target)


def decoded_by_hardware(target: Target) -> Words:
    """What the device's decompressor and its N:M unit read, where the runtime drives the accelerator."""
    device, runtime = target.device, target.runtime
    if not runtime.requires_npu or device.npu is None or device.npu.name != runtime.requires_npu:
        return frozenset()
    words: Words = frozenset() if device.compression is None else _SCHEMES[device.compression.scheme]
    sparsity = device.sparsity
    if sparsity is not None and sparsity.pattern == "n:m":
        words |= {f"{sparsity.n}:{sparsity.m}"}
    return words


def table_entries(target: Target) -> int:
    """Values of a hardware table; 0 where it has none or nobody says."""
    compression = target.device.compression
    return 0 if compression is None or compression.codebook_entries is None else compression.codebook_entries


def stored_sizes(tensor: Tensor, kind: str, words: Words, *, entries: int = 0) -> Sizes:
    """Bytes of one tensor in what can be decoded, raw included.

    Args:
        entries: of a hardware table; encodings with longer tables are left out; 0 is any length.
    """
    sizes = tensor_sizes(tensor, kind, words)
    if not entries:
        return sizes
    return tuple(one for one in sizes if _codes(tensor, one[0]) <= entries)


def stored_word(tensor: Tensor, kind: str, target: Target | None) -> str:
    """The encoding in which the target stores this tensor."""
    words = frozenset() if target is None else decoded(target)
    if target is None or not words:
        return "raw"
    return cheapest_word(stored_sizes(tensor, kind, words, entries=table_entries(target)))


def _codes(tensor: Tensor, word: str) -> int:
    """Places of a table that the encoding needs: k-bit values are a table of 2^k; 0 for one without."""
    values = values_of_tensor(tensor) if word in _SCHEMES["lut"] else None
    if values is None:
        return 0
    if word == "packed":
        return 1 << values.bits
    return Lut(per_channel=word == "lut-per-channel").code_count(values)
