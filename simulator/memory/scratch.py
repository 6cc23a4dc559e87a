"""How much scratch does each op request, with the kernels of this build? One table per kernel library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...graphs.ir import Op, Subgraph
from . import scratch_cmsis_nn, scratch_esp_nn, scratch_reference
from .scratch_reference import Rule

if TYPE_CHECKING:
    from ...devices.target import KernelBuild

_RULES: dict[str, dict[str, Rule]] = {
    "reference": scratch_reference.RULES,
    "cmsis-nn": scratch_reference.RULES | scratch_cmsis_nn.RULES,
    "esp-nn": scratch_reference.RULES | scratch_esp_nn.RULES,
}


def scratch_requests(subgraph: Subgraph, op: Op, build: KernelBuild) -> tuple[int, ...]:
    """The bytes of each request, in the order that the op's Prepare makes them; () for none."""
    label = op.custom_code if op.kind == "CUSTOM" else op.kind
    rule = _RULES[build.library].get(label)
    return tuple(rule(subgraph, op, build)) if rule is not None else ()
