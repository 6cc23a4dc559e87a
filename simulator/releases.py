"""What do ST's published figures say a release of X-CUBE-AI takes? Fitted terms with held-out spread."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from ..graphs.ir import ModelGraph
from .interval import Basis, Interval, unknown

_DATA = Path(__file__).with_name("data") / "x_cube_ai.csv"
_SOURCE = "fitted to facts/st_model_zoo.csv (ST, STM32H747), p10..p90 of networks left out of the fit"
TERMS = ("fixed", "planned_bytes", "matrix_ops", "other_ops", "channels")
_MATRIX = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"})
# what the tool folds into its neighbours, and what ends every classifier: that is in `fixed`
_FOLDED = frozenset({
    "RESHAPE", "SQUEEZE", "EXPAND_DIMS", "PAD", "RELU", "RELU6", "RELU_N1_TO_1", "LEAKY_RELU", "HARD_SWISH",
    "AVERAGE_POOL_2D", "MEAN", "SOFTMAX",
})  # fmt: skip


class Fitted(NamedTuple):
    """bytes = sum of coefficient x term; lo and hi are factors on it.

    Args:
        most_ratio: no row states more than this times the planned bytes; 0 where nothing is planned. A plan
            that passes the judge can be had, so the interval reaches down to it.
        left_out_median, left_out_p90: of |error| where a family is predicted from the other ones; fractions.
    """

    coefficients: Mapping[str, float]
    lo_ratio: float
    hi_ratio: float
    most_ratio: float
    left_out_median: float
    left_out_p90: float

    def interval(self, terms: Mapping[str, float], what: str) -> Interval:
        value = sum(coefficient * terms.get(term, 0.0) for term, coefficient in self.coefficients.items())
        planned = terms.get("planned_bytes", 0.0)
        value = min(value, self.most_ratio * planned) if self.most_ratio else value
        lo, hi = value * min(1.0, self.lo_ratio), value * max(1.0, self.hi_ratio)
        lo = min(lo, planned) if self.most_ratio else lo
        return Interval(round(value), int(lo), -int(-hi // 1), Basis.CALIBRATED, f"{what}: {_SOURCE}")


def release_figure(version: str, figure: str, terms: Mapping[str, float]) -> Interval:
    """activations, runtime_ram or code of this release for these terms; unknown if nothing was fitted."""
    fitted = fitted_figures().get((version, figure))
    if fitted is None:
        return unknown(f"no figures of ST for {figure} of release {version}")
    return fitted.interval(terms, f"{figure.replace('_', ' ')} of release {version}")


def op_terms(graph: ModelGraph) -> dict[str, float]:
    """fixed 1; matrix_ops with weights; other_ops that run; channels with a weight scale of their own."""
    terms = dict.fromkeys(TERMS, 0.0) | {"fixed": 1.0}
    for subgraph in graph.subgraphs:
        for op in (part for kernel in subgraph.ops for part in (kernel.fused or (kernel,))):
            if op.kind in _MATRIX:
                terms["matrix_ops"] += 1
                weight = subgraph.tensors[op.inputs[1]] if len(op.inputs) > 1 and op.inputs[1] >= 0 else None
                if weight is not None and weight.quantization is not None:
                    terms["channels"] += len(weight.quantization.scales)
            elif op.kind not in _FOLDED:
                terms["other_ops"] += 1
    return terms


@lru_cache(maxsize=1)
def fitted_figures() -> dict[tuple[str, str], Fitted]:
    """(version, figure) -> its terms."""
    with _DATA.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return {
            (row["version"], row["figure"]): Fitted(
                {term: float(row[term]) for term in TERMS if float(row[term])},
                float(row["lo_ratio"]), float(row["hi_ratio"]), float(row["most_ratio"]),
                float(row["left_out_median"]), float(row["left_out_p90"]),
            )
            for row in rows
        }  # fmt: skip
