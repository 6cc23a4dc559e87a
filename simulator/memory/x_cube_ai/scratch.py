"""How much scratch does an X-CUBE-AI kernel ask for? Formulas over the kernel's shape.

Read off the arrays named *_scratch0 in network.c files that ST's tool generated for public models (X-CUBE-AI
5 to ST Edge AI 4). With depth k = Kh Kw Cin, n filters, c channels they hold to the byte for the 14 pointwise
(4k + 10n) and 13 depthwise kernels (c (3 Kh Kw + 10) + 1) of a MobileNetV1, for five other convolutions
(4k + n(2k + 14)), for three that work in blocks, and for four dense kernels (2k, and 10n more with a scale
per channel). The kernels called conv2d_deep_3x3 differ: 6720 B are asked for where this says 6144.
"""

from __future__ import annotations

from ....graphs.ir import Op, Subgraph
from ...operands import dims_of

# From this many bytes on a convolution works on blocks of filters and asks for 5120 + 32n.
_BLOCKED_FROM_BYTES = 6144
_BLOCK_BYTES, _BYTES_PER_FILTER = 5120, 32


def scratch_bytes(main: Subgraph, op: Op) -> int:
    """Bytes of an 8-bit kernel's own buffer while it runs; 0 for kinds that have none, and for others."""
    dims = dims_of(main, op)
    if dims is None or dims.weight_dtype is None or dims.input_dtype.bits != 8:
        return 0
    if op.kind == "DEPTHWISE_CONV_2D":
        return dims.out_c * (3 * dims.k_h * dims.k_w + 10) + 1
    if op.kind == "FULLY_CONNECTED":
        quantization = main.tensors[op.inputs[1]].quantization
        per_channel = quantization is not None and len(quantization.scales) > 1
        return 2 * dims.in_c + (10 * dims.out_c if per_channel else 0)
    if op.kind != "CONV_2D":
        return 0
    depth = dims.k_h * dims.k_w * dims.in_c
    if dims.k_h == dims.k_w == 1 and dims.rows.stride == dims.cols.stride == 1:
        return 4 * depth + 10 * dims.out_c
    plain = 4 * depth + dims.out_c * (2 * depth + 14)
    return plain if plain < _BLOCKED_FROM_BYTES else _BLOCK_BYTES + _BYTES_PER_FILTER * dims.out_c
