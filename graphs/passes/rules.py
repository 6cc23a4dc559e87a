"""Which ops a runtime may run as one kernel: the fusion rules, as data."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import UnsupportedOp

CONVOLUTIONS = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D"})
MATRIX_OPS = CONVOLUTIONS | {"FULLY_CONNECTED"}

# What each word of a chain stands for; fusion.py holds the condition that goes with the operand.
LINK_KINDS: dict[str, frozenset[str]] = {
    "activation": frozenset(
        {"RELU", "RELU6", "RELU_N1_TO_1", "LEAKY_RELU", "HARD_SWISH", "LOGISTIC", "TANH"}
    ),
    "bias": frozenset({"ADD", "SUB"}),  # by a constant vector, one value per channel
    "scale": frozenset({"MUL"}),  # by a constant vector, one value per channel
    "add": frozenset({"ADD"}),  # of another activation of the same shape
    "pool": frozenset({"AVERAGE_POOL_2D", "MAX_POOL_2D"}),
    "pad": frozenset({"PAD"}),  # in front of the anchor
}


@dataclass(frozen=True, slots=True)
class Link:
    """One step of a chain: a key of LINK_KINDS, and whether the chain also holds without it."""

    what: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class FusionRule:
    """One kernel that replaces several ops.

    Args:
        anchors: op kinds the chain hangs on; the kernel keeps the anchor's kind.
        chain: what follows the anchor (for "pad": precedes it), each reading the one before.
        stage: rules of one stage exclude each other, the longest match wins; stages follow each other, so a
            batch-norm may be followed by an activation.
        holds_for: the runtimes that really have this kernel.
        evidence: how that is known.
    """

    name: str
    anchors: frozenset[str]
    chain: tuple[Link, ...]
    stage: int
    holds_for: tuple[str, ...]
    evidence: str


_ACTIVATION = Link("activation", optional=True)
_BIAS = Link("bias", optional=True)
_TFLM_NOT = (
    "TFLM's kernels run one op of the file each, with the activation that the converter already fused."
)

RULES: tuple[FusionRule, ...] = (
    FusionRule(
        "pad-conv", CONVOLUTIONS, (Link("pad"),), 0,
        ("x-cube-ai", "example-accelerator", "litert-xnnpack", "litert-xnnpack-sparse", "cmsis-nn-uint8",
         "executorch-cmsis-nn"),
        "XNNPACK rewrites a constant PAD before a convolution into its padding (src/subgraph.c). A zero PAD "
        "that equals the padding of a SAME convolution needs no copy: the kernel skips the border "
        f"(virtual padding). {_TFLM_NOT}",
    ),
    FusionRule(
        "any-pad-conv", CONVOLUTIONS, (Link("pad"),), 0, ("litert-xnnpack", "litert-xnnpack-sparse"),
        "XNNPACK rewrites every constant zero PAD before a convolution that pads nothing itself into the "
        "convolution's padding, whatever its amounts (src/subgraph.c).",
    ),
    FusionRule(
        "conv-batch-norm", MATRIX_OPS, (_BIAS, Link("scale"), _BIAS), 1, ("x-cube-ai", "example-accelerator"),
        "w' = w * s, b' = b * s + t, done once when the model is compiled; the TFLite converter does it "
        f"already, so it applies to files exported without it. {_TFLM_NOT}",
    ),
    FusionRule(
        "bias-activation", MATRIX_OPS, (_BIAS, _ACTIVATION), 2, ("x-cube-ai", "example-accelerator"),
        "ST's analyze report lists non-linearities under the convolution or dense op that runs them. "
        f"{_TFLM_NOT}",
    ),
    FusionRule(
        "conv-add", CONVOLUTIONS, (_BIAS, Link("add"), _ACTIVATION), 2, ("example-accelerator",),
        "The residual is read while the accumulator is written back: declared for the example accelerator; "
        "no such kernel is listed by ST's tool, where eltwise ops stay kernels of their own.",
    ),
    FusionRule(
        "conv-pool", CONVOLUTIONS, (_BIAS, _ACTIVATION, Link("pool"), _ACTIVATION), 2,
        ("x-cube-ai", "example-accelerator"),
        f"ST's runtime has kernels for convolution, non-linearity and pooling in one. {_TFLM_NOT}",
    ),
    FusionRule(
        "conv-add-pool-relu", CONVOLUTIONS,
        (_BIAS, Link("add", optional=True), _ACTIVATION, Link("pool"), _ACTIVATION), 2,
        ("example-accelerator",),
        "The whole epilogue in one kernel, declared for the example accelerator.",
    ),
)  # fmt: skip
_BY_NAME = {rule.name: rule for rule in RULES}


def rules_named(names: tuple[str, ...]) -> tuple[FusionRule, ...]:
    """The rules of these names, in the order of RULES."""
    unknown = [name for name in names if name not in _BY_NAME]
    if unknown:
        raise UnsupportedOp(
            f"no fusion rule is called {', '.join(map(repr, unknown))}", where="fusion",
            fix=f"known rules: {', '.join(_BY_NAME)}",
        )  # fmt: skip
    return tuple(rule for rule in RULES if rule.name in names)
