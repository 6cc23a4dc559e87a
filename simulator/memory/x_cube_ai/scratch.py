"""How much scratch does an X-CUBE-AI kernel ask for? Formulas over the kernel's shape.

Read off network.c files that ST's tool generated for public models (X-CUBE-AI 5 to ST Edge AI 4): the arrays
named *_scratch0. They hold to the byte for the convolutions seen (depth k = Kh x Kw x Cin, n filters, c channels):
pointwise 4k + 10n (28 of 28), depthwise c(3 Kh Kw + 10) + 1 (14 of 14), other 4k + n(2k + 14) up to a limit; dense
2k, and 10n more with a scale per channel (5 of 5).
"""

from __future__ import annotations

from ....graphs.ir import Op, Subgraph
from ...operands import dims_of

# From this many bytes on the generic convolution works on blocks of filters; what it then asks for is 5120 + 32n.
_BLOCKED_FROM_BYTES = 6144
_BLOCK_BYTES, _BYTES_PER_FILTER = 5120, 32


def scratch_bytes(main: Subgraph, op: Op) -> int:
    """Bytes of the kernel's own buffer while it runs; 0 for kinds that have none."""
    dims = dims_of(main, op)
    if dims is None or dims.weight_dtype is None:
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
