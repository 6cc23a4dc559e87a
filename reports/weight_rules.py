"""What do the rules on zeros, shared values and bits of the weights mean, and what to do about them?"""

from __future__ import annotations

from .rule import Rule

WEIGHT_RULES: tuple[Rule, ...] = (
    Rule(
        "PF414", "info", "zeros are multiplied like any weight",
        "Pruning made weights zero, or many are, but neither the kernels of this runtime nor the hardware "
        "skips them: the latency is that of the dense model. Zeros make a compressed file smaller, not this "
        "target faster.",
        "Remove whole channels instead, choose zeros that the hardware declares (2:4), or a runtime with "
        "sparse kernels: litert-xnnpack-sparse on Cortex-A.",
    ),
    Rule(
        "PF415", "info", "few bits or shared values gain no time",
        "Weights need fewer bits than their type has, or share a few values, but the kernels multiply whole "
        "bytes. On an NPU the weight stream may shrink; its MAC rate stays.",
        "Expect smaller storage where it is encoded, not less time.",
    ),
    Rule(
        "PF416", "warning", "sparse kernels need weights that are stored sparse",
        "This runtime runs the named 1x1 convolutions as sparse products only if the file stores their "
        "weights sparse (DENSIFY ops). The latency takes that for granted. An info where the file does.",
        "Convert the pruned model with TensorFlow Lite's EXPERIMENTAL_SPARSITY, or take the latency of "
        "litert-xnnpack.",
    ),
    Rule(
        "PF417", "info", "weights are unpacked as kernels run",
        "The runtime keeps weights of few bits packed and its kernels unpack them, on a core that multiplies "
        "whole bytes. It saves flash and takes more time.",
        "Keep int8 where time matters more than flash.",
    ),
    Rule(
        "PF602", "info", "sparsity hardware is used",
        "The zeros of the named ops are arranged as the accelerator's sparsity hardware wants them; the "
        "device file declares how much faster it multiplies then. The high end of the interval takes no "
        "gain.",
        "Nothing to do.",
    ),
)  # fmt: skip
