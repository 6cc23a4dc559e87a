"""How does a study of a model's accuracy read: a terminal's text, or JSON?"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable
from typing import Any

from .. import __version__
from ..simulator.accuracy.differences import PairedDifference
from ..simulator.accuracy.divergence import Divergence, TensorDivergence
from ..simulator.accuracy.intervals import CONFIDENCE
from ..simulator.accuracy.measure import Accuracy
from ..simulator.accuracy.outputs import Model
from ..simulator.accuracy.study import AccuracyStudy
from . import format as shown
from .accuracy_schema import SCHEMA_ID
from .blocks import WIDTH, Block, block_lines
from .data import dump
from .output import utc_now

_LABEL_WIDTH = 12
_NAME_WIDTH = 40


def render_accuracy(found: AccuracyStudy, form: str, *, command: str = "", runtime: str = "") -> str:
    """The study as text: `form` is text or json; `runtime` is the one whose kernels were asked for."""
    return _FORMS[form](found, command, runtime)


def difference_sentence(found: PairedDifference, unit: str) -> str:
    """ "-0.4 points (-1.2 to +0.4), not significant at n = 1,000 (p = 0.42)"."""
    said = "significant" if found.is_significant else "not significant"
    bounds = f"{signed(found.lo, unit)} to {signed(found.hi, unit)}"
    word = {"share": " points"}.get(unit, "")
    return (
        f"{signed(found.value, unit)}{word} ({bounds}), {said} at n = {shown.count(found.n)} "
        f"({_probability(found.p)})"
    )


def signed(value: float, unit: str) -> str:
    """A difference with its sign: points of a share, else a plain number."""
    if not math.isfinite(value):
        return shown.UNKNOWN
    if unit == "share":
        return f"{value * 100:+.1f}"
    return f"{value:+.4f}" if unit == "auc" else f"{value:+.3g}"


def figure_text(value: float, unit: str) -> str:
    """A share in percent, an AUC with four digits, else a plain number."""
    if not math.isfinite(value):
        return shown.UNKNOWN
    if unit == "share":
        return shown.percent(value)
    return f"{value:.4f}" if unit == "auc" else f"{value:.4g}"


def decibels(ratio_db: float) -> str:
    """A ratio in dB; "equal" where nothing differs."""
    return "equal" if ratio_db == math.inf else f"{ratio_db:.1f} dB"


def _text(found: AccuracyStudy, _command: str, runtime: str) -> str:
    as_runtime = f" for {runtime}" if runtime else ""
    lines = [
        _row("model", f"{_model_name(found.model)}"),
        _row("data", f"{found.samples.name}, {shown.count(len(found.samples))} samples"),
        _row("kernels", f"{found.kernels.name} of {found.package}{as_runtime}"),
        *_wrapped(f"{found.kernels.basis}: {found.kernels.why}"),
        "",
    ]
    if found.accuracy is not None:
        lines.append(_figure_row(found.accuracy.metric.name, found.accuracy))
        lines += _bound_rows(found)
    if found.baseline is not None:
        if found.baseline_accuracy is not None:
            name = f"  {_model_name(found.baseline)}"
            lines.append(_figure_row("baseline", found.baseline_accuracy) + name)
        else:
            lines.append(_row("baseline", _model_name(found.baseline)))
    if found.difference is not None and found.accuracy is not None:
        lines.append(_row("difference", difference_sentence(found.difference, found.accuracy.metric.unit)))
    if found.agreement is not None:
        one = found.agreement
        if found.model.graph.tensors[found.model.graph.outputs[0]].element_count > 1:
            bounds = shown.interval(one.lo, one.hi, "1")
            lines.append(
                _row("agreement", f"{shown.percent(one.value)}  {bounds}  same class (Wilson, 95 %)")
            )
        ratios = ", ".join(decibels(ratio_db) for ratio_db in one.sqnr_db) or shown.UNKNOWN
        lines.append(_row("output SQNR", ratios))
    if found.divergence is not None:
        lines += ["", *block_lines(divergence_block(found.divergence))]
    lines += [f"note: {shown.clean(note)}" for note in found.notes]
    return "\n".join(lines) + "\n"


def divergence_block(found: Divergence) -> Block:
    """Per matched tensor its SQNR, and where the models begin to differ."""
    first = found.first
    said = (
        f"No op's output is below {found.below_db:g} dB." if first is None
        else f"First below {found.below_db:g} dB: op {first.op} {first.kind}, {decibels(first.sqnr_db)}."
    )  # fmt: skip
    rows = tuple(_tensor_row(tensor, found.below_db) for tensor in found.tensors)
    left = ", ".join(str(op) for op in found.unmatched)
    return Block(
        f"Divergence from the baseline along the graph ({found.samples} samples, {found.kernels} kernels)",
        (said,), ("op", "kind", "SQNR", "largest error", "", "tensor"), rows,
        (f"No counterpart in the baseline: op {left}.",) if left else (),
    )  # fmt: skip


def _tensor_row(tensor: TensorDivergence, below_db: float) -> tuple[str | int | float, ...]:
    mark = "diverges" if tensor.sqnr_db < below_db else ""
    name = shown.short(shown.clean(tensor.name), _NAME_WIDTH)
    return tensor.op, tensor.kind, decibels(tensor.sqnr_db), tensor.largest_error, mark, name


def _bound_rows(found: AccuracyStudy) -> list[str]:
    """Whether what was asked for is kept."""
    if found.accuracy is None or found.bound is None:
        return []
    asked = figure_text(found.bound, found.accuracy.metric.unit)
    said = "at least" if found.accuracy.metric.is_higher_better else "at most"
    return [_row("", f"{said} {asked} was asked for: {'kept' if found.is_kept else 'MISSED'}")]


def _wrapped(text: str) -> list[str]:
    margin = " " * (_LABEL_WIDTH + 3)
    return textwrap.wrap(shown.clean(text), WIDTH, initial_indent=margin, subsequent_indent=margin)


def _row(label: str, text: str) -> str:
    return f"  {label:<{_LABEL_WIDTH}} {shown.clean(text)}".rstrip()


def _figure_row(label: str, one: Accuracy) -> str:
    unit = one.metric.unit
    bounds = f"{figure_text(one.lo, unit)} to {figure_text(one.hi, unit)}"
    return _row(label, f"{figure_text(one.value, unit)}  {bounds}  ({one.method}; n = {shown.count(one.n)})")


def _probability(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"


def _model_name(model: Model) -> str:
    return model.graph.name or "model"


def _json(found: AccuracyStudy, command: str, runtime: str) -> str:
    along, base = found.divergence, found.baseline
    return dump({
        "schema": SCHEMA_ID,
        "tool": {"name": "preflash", "version": __version__},
        "created": utc_now(),
        "command": command,
        "model": _model_data(found.model),
        "data": {
            "name": shown.clean(found.samples.name), "samples": len(found.samples),
            "has_labels": found.samples.labels is not None,
        },
        "kernels": {
            "name": found.kernels.name, "package": found.package, "runtime": runtime,
            "basis": found.kernels.basis.value, "why": found.kernels.why,
        },
        "accuracy": _figure_data(found.accuracy),
        "bound": None if found.bound is None else {"value": found.bound, "is_kept": found.is_kept},
        "baseline": None if base is None else {
            "model": _model_data(base), "accuracy": _figure_data(found.baseline_accuracy)
        },
        "difference": _difference_data(found.difference),
        "agreement": None if found.agreement is None else {
            "value": found.agreement.value, "lo": found.agreement.lo, "hi": found.agreement.hi,
            "n": found.agreement.n, "output_sqnr_db": [_finite(r) for r in found.agreement.sqnr_db],
        },
        "divergence": None if along is None else {
            "samples": along.samples, "kernels": along.kernels, "below_db": along.below_db,
            "first_op": None if along.first is None else along.first.op,
            "unmatched_ops": list(along.unmatched),
        },
        "tensors": [] if along is None else [_tensor_data(tensor) for tensor in along.tensors],
        "notes": [shown.clean(note) for note in found.notes],
    })  # fmt: skip


def _model_data(model: Model) -> dict[str, Any]:
    return {"name": shown.clean(model.graph.name), "sha256": model.key, "file_bytes": len(model.content)}


def _figure_data(one: Accuracy | None) -> dict[str, Any] | None:
    return None if one is None else {
        "metric": one.metric.name, "value": one.value, "lo": _finite(one.lo), "hi": _finite(one.hi),
        "confidence": CONFIDENCE, "n": one.n, "method": one.method,
        "is_higher_better": one.metric.is_higher_better,
    }  # fmt: skip


def _difference_data(one: PairedDifference | None) -> dict[str, Any] | None:
    return None if one is None else {
        "value": one.value, "lo": _finite(one.lo), "hi": _finite(one.hi), "p": one.p, "n": one.n,
        "is_significant": one.is_significant, "gained": one.gained, "lost": one.lost, "method": one.method,
    }  # fmt: skip


def _tensor_data(tensor: TensorDivergence) -> dict[str, Any]:
    return {
        "op": tensor.op, "kind": shown.clean(tensor.kind), "name": shown.clean(tensor.name),
        "baseline_name": shown.clean(tensor.baseline_name), "sqnr_db": _finite(tensor.sqnr_db),
        "largest_error": tensor.largest_error,
    }  # fmt: skip


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


_FORMS: dict[str, Callable[[AccuracyStudy, str, str], str]] = {"text": _text, "json": _json}
