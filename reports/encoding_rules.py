"""What do the findings about encoded weights mean?"""

from __future__ import annotations

from .rule import Rule

ENCODING_RULES: tuple[Rule, ...] = (
    Rule(
        "PF611", "info", "zeros and shared values do not shrink this file",
        "Weights were pruned, clustered or have fewer bits than a byte, and this runtime stores every value "
        "as the .tflite does. Nothing on the target decodes a shorter form, so flash does not shrink.",
        "Choose a runtime that decodes weights (tflm-cmsis-nn-lut) or hardware that does; a compressed "
        "download shrinks in any case.",
    ),
    Rule(
        "PF612", "warning", "decoding weights takes RAM",
        "TFLM's weight compression decodes a whole tensor into the arena before each op that reads it, in "
        "every inference. Flash shrinks; the arena grows by about the largest compressed tensor, and time by "
        "a few cycles per weight.",
        "Compress only small tensors, or keep weights raw where RAM is short.",
    ),
)  # fmt: skip
