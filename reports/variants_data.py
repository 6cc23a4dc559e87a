"""What does a study of variants say: the table's rows, who beats whom, and what needs saying."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from ..simulator.estimate import Estimate, Metric
from ..simulator.variant_study import Variant, VariantStudy
from . import format as shown
from .blocks import Block, Cell

_TARGET_METRICS = ("ram_bytes", "flash_bytes", "latency_s", "energy_j")
_HEADS = {"ram_bytes": "RAM", "flash_bytes": "flash", "latency_s": "latency", "energy_j": "energy"}
_QUIET = frozenset({"PF203", "PF210", "PF305"})  # said of every variant alike; the check says them


@dataclass(frozen=True, slots=True)
class Point:
    """One variant in a chart: place in the study, figures with their ends; None is unknown."""

    variant: int
    x: Metric
    y: float
    y_lo: float
    y_hi: float
    is_best: bool


def study_blocks(study: VariantStudy) -> tuple[Block, ...]:
    """The table of variants, one of figures per target, what was not made, what needs saying."""
    blocks = [variants_block(study)]
    blocks += [target_block(study, number) for number in range(len(study.targets))]
    blocks.append(storage_block(study))
    failed = [v for v in study.variants if v.error]
    if failed:
        rows = tuple((v.name, v.text, v.error) for v in failed)
        blocks.append(Block("Not made", (), ("variant", "recipe", "why"), rows))
    notes = tuple((v.name, note) for v in study.variants for note in v.notes)
    if notes:
        blocks.append(Block("How they were made", (), ("variant", "note"), notes))
    said = finding_rows(study)
    if said:
        blocks.append(Block("What needs saying", (), ("rule", "variants", "where", "what"), said))
    return tuple(blocks)


def variants_block(study: VariantStudy) -> Block:
    """Accuracy and size of every variant; what no target changes."""
    measured = any(v.quality is not None for v in study.variants)
    metric = next((v.quality.metric for v in study.variants if v.quality and v.quality.metric), "")
    columns = ["variant", "zeros", "bits", "file", "gzip"]
    if measured:
        columns += [metric or "accuracy", "95 %", "change"]
    rows = tuple(_variant_row(v, measured) for v in study.variants if not v.error)
    return Block("Variants", tuple(_samples_sentences(study)), tuple(columns), rows)


def target_block(study: VariantStudy, number: int) -> Block:
    """RAM, flash, latency and energy of every variant on one target."""
    measured = study.baseline.quality is not None
    columns = ["variant", "verdict", "accuracy"] if measured else ["variant", "verdict"]
    for name in _TARGET_METRICS:
        columns += [_HEADS[name], "p10–p90"] if name in ("latency_s", "energy_j") else [_HEADS[name]]
    rows = tuple(
        (v.name, v.estimates[number].verdict.word.value, *_accuracy(v, number),
         *_figures(v.estimates[number]))
        for v in study.variants if not v.error
    )  # fmt: skip
    target = study.targets[number]
    return Block(f"{target.device.title} with {target.runtime.label}", (), tuple(columns), rows)


def storage_block(study: VariantStudy) -> Block:
    """What the weights of every variant take as stored, and in the smallest encoding of each tensor."""
    rows: list[tuple[Cell, ...]] = []
    for variant in study.variants:
        if variant.error:
            continue
        raw = sum(one.raw_bytes for one in variant.storage)
        least = sum(one.smallest_bytes.value or 0.0 for one in variant.storage)
        words = Counter(one.smallest for one in variant.storage)
        used = ", ".join(f"{word} x{count}" for word, count in words.most_common())
        part = shown.percent(least / raw) if raw else "-"
        rows.append((variant.name, raw, round(least), part, used))
    sentence = "Whether a target decodes an encoding is said where its flash is; a plain .tflite stores raw."
    columns = ("variant", "raw B", "smallest B", "of raw", "encodings (tensors)")
    return Block("Weights in the smallest encoding of each tensor", (sentence,), columns, tuple(rows))


def finding_rows(study: VariantStudy) -> tuple[tuple[Cell, ...], ...]:
    """Findings of variants that the model as it is does not have: (rule, variants, where, what).

    A row per rule, in the words of the first variant and target that it holds for.
    """
    known = [{(f.rule, f.message) for f in e.findings} for e in study.baseline.estimates]
    found: dict[str, tuple[str, list[str], list[str]]] = {}
    for variant in study.variants[1:]:
        for estimate, before, target in zip(variant.estimates, known, study.targets, strict=False):
            for finding in estimate.findings:
                if finding.rule not in _QUIET and (finding.rule, finding.message) not in before:
                    said = found.setdefault(finding.rule, (finding.message, [], []))
                    said[1].append(variant.name)
                    said[2].append(f"{target.device.name} {target.runtime.label}")
    return tuple(
        (rule, _named(names), _everywhere(list(dict.fromkeys(where)), len(study.targets)), message)
        for rule, (message, names, where) in found.items()
    )


def _named(names: list[str]) -> str:
    """The first by name and how many more; what is said is said of the first."""
    distinct = list(dict.fromkeys(names))
    more = len(distinct) - 1
    return f"{distinct[0]}, likewise {more} more" if more else distinct[0]


def _everywhere(where: list[str], of: int) -> str:
    return "all" if len(where) == of > 1 else ", ".join(where)


def points(study: VariantStudy, number: int, metric: str) -> tuple[Point, ...]:
    """Measured accuracy against a figure of one target; the best are those that no other beats in both."""
    found: list[Point] = []
    for place, variant in enumerate(study.variants):
        quality = variant.qualities[number] if variant.qualities else None
        if quality is None or quality.value is None:
            continue
        x = variant.estimates[number].metric(metric)
        if x.value is not None:
            lo = quality.value if quality.lo is None else quality.lo
            hi = quality.value if quality.hi is None else quality.hi
            found.append(Point(place, x, quality.value, lo, hi, False))
    return tuple(
        Point(p.variant, p.x, p.y, p.y_lo, p.y_hi, not any(_beats(other, p) for other in found))
        for p in found
    )


def _beats(one: Point, other: Point) -> bool:
    """No worse in both, better in one."""
    assert one.x.value is not None and other.x.value is not None
    no_worse = one.x.value <= other.x.value and one.y >= other.y
    return no_worse and (one.x.value < other.x.value or one.y > other.y)


def _variant_row(variant: Variant, measured: bool) -> tuple[Cell, ...]:
    row: list[Cell] = [
        variant.name, shown.percent(variant.sparsity), f"{variant.bits:.4g}",
        shown.memory(len(variant.file)), shown.memory(variant.gzip_bytes),
    ]  # fmt: skip
    if not measured:
        return tuple(row)
    quality = variant.quality
    if quality is None or quality.value is None:
        return (*row, "unknown", "", "" if quality is None else quality.reason)
    spread = "" if quality.lo is None or quality.hi is None else _range(quality.lo, quality.hi)
    return (*row, shown.percent(quality.value), spread, quality.change_text)


def _accuracy(variant: Variant, number: int) -> tuple[Cell, ...]:
    """Of one target; nothing where no samples were given."""
    if not variant.qualities:
        return ()
    value = variant.qualities[number].value
    return (shown.UNKNOWN if value is None else shown.percent(value),)


def _range(lo: float, hi: float) -> str:
    return f"{100 * lo:.1f}–{100 * hi:.1f} %"


def _figures(estimate: Estimate) -> Iterator[Cell]:
    for name in _TARGET_METRICS:
        metric = estimate.metric(name)
        yield shown.UNKNOWN if metric.value is None else shown.amount(metric.value, metric.unit)
        if name in ("latency_s", "energy_j"):
            yield shown.interval(metric.lo, metric.hi, metric.unit)


def _samples_sentences(study: VariantStudy) -> Iterator[str]:
    quality = study.baseline.quality
    if quality is None:
        yield "Accuracy was not measured: no samples were given (--data)."
    elif quality.count:
        yield f"Measured on {quality.count:,} samples with {quality.kernels} kernels."
