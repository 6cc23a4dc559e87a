"""How does a study of variants read: text, JSON, CSV, one HTML page; and which files a folder of it holds."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .. import __version__
from ..simulator.encodings.rows import TensorEncodings
from ..simulator.variant_study import Variant, VariantStudy
from .blocks import block_lines
from .data import dump
from .format import clean
from .output import utc_now
from .variants_data import study_blocks

SCHEMA_ID = "preflash/variants/1"
_METRICS = ("arena_min_bytes", "ram_bytes", "flash_bytes", "latency_s", "energy_j")
_QUALITY = ("metric", "kernels", "value", "lo", "hi", "count", "change", "change_text", "reason")
_LONGEST_NAME = 60


def render_variants(study: VariantStudy, form: str, *, command: str = "") -> str:
    """The study as text: `form` is text, json, csv or html."""
    return _FORMS[form](study, command)


def write_folder(study: VariantStudy, folder: Path, *, command: str = "") -> tuple[Path, ...]:
    """Every variant as .tflite, the table as CSV and JSON, and the page; the paths written.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, variant in _file_names(study):
        (folder / name).write_bytes(variant.file)
        written.append(folder / name)
    for name, form in (("variants.csv", "csv"), ("variants.json", "json"), ("index.html", "html")):
        (folder / name).write_text(render_variants(study, form, command=command), encoding="utf-8")
        written.append(folder / name)
    return tuple(written)


def _file_names(study: VariantStudy) -> Iterator[tuple[str, Variant]]:
    """A safe and distinct name per variant that was made."""
    taken: set[str] = set()
    for variant in study.variants:
        if variant.error:
            continue
        stem = re.sub(r"[^A-Za-z0-9._-]+", "-", variant.name).strip("-.")[:_LONGEST_NAME] or "variant"
        name, number = stem, 1
        while name.lower() in taken:
            number += 1
            name = f"{stem}-{number}"
        taken.add(name.lower())
        yield f"{name}.tflite", variant


def _text(study: VariantStudy, command: str) -> str:
    lines = [clean(study.model)]
    for block in study_blocks(study):
        lines += ["", *block_lines(block)]
    if command:
        lines += ["", f"Next: {clean(command)} -o variants/"]
    return "\n".join(lines) + "\n"


def _json(study: VariantStudy, command: str) -> str:
    document: dict[str, Any] = {
        "schema": SCHEMA_ID,
        "tool": {"name": "preflash", "version": __version__},
        "created": utc_now(),
        "command": command,
        "model": study.model,
        "targets": [{"device": t.device.name, "runtime": t.runtime.label} for t in study.targets],
        "variants": [_record(variant) for variant in study.variants],
    }
    return dump(document)


def _record(variant: Variant) -> dict[str, Any]:
    return {
        "name": variant.name, "recipe": variant.text, "error": variant.error or None,
        "notes": [clean(note) for note in variant.notes],
        "file_bytes": len(variant.file), "gzip_bytes": variant.gzip_bytes,
        "storage": [_storage(one) for one in variant.storage],
        "weight_count": variant.weight_count, "sparsity": variant.sparsity, "bits": variant.bits,
        "targets": [
            {
                "verdict": e.verdict.word.value,
                "accuracy": {name: getattr(variant.qualities[place], name) for name in _QUALITY}
                if variant.qualities else None,
                "metrics": {name: _figure(e.metric(name)) for name in _METRICS},
                "findings": [{"rule": f.rule, "message": f.message} for f in e.findings],
            }
            for place, e in enumerate(variant.estimates)
        ],
    }  # fmt: skip


def _storage(one: TensorEncodings) -> dict[str, Any]:
    sizes = {word: size.value for word, size in one.sizes}
    return {"op": one.op, "kind": one.kind, "name": clean(one.name), "raw_bytes": one.raw_bytes,
            "bits": one.bits, "sparsity": one.sparsity, "codes": one.codes, "sizes": sizes}  # fmt: skip


def _figure(metric: Any) -> dict[str, Any]:
    return {
        "value": metric.value, "unit": metric.unit, "lo": metric.lo, "hi": metric.hi,
        "basis": metric.basis.value, "source": metric.source, "reason": metric.reason,
    }  # fmt: skip


def _csv(study: VariantStudy, _command: str) -> str:
    """A line per variant and target; unknown is empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    ends = [f"{name}{end}" for name in _METRICS for end in ("", "_lo", "_hi")]
    writer.writerow((
        "variant", "recipe", "device", "runtime", "verdict", "accuracy", "accuracy_lo", "accuracy_hi",
        "file_bytes", "gzip_bytes", "sparsity", "bits", *ends, "error",
    ))  # fmt: skip
    for variant in study.variants:
        sizes = (len(variant.file), variant.gzip_bytes, variant.sparsity, variant.bits)
        for place, target in enumerate(study.targets):
            figures: list[Any] = [""] * len(ends)
            accuracy: list[Any] = [""] * 3
            word = ""
            if variant.qualities:
                quality = variant.qualities[place]
                accuracy = [quality.value, quality.lo, quality.hi]
            if variant.estimates:
                estimate = variant.estimates[place]
                metrics = [estimate.metric(name) for name in _METRICS]
                figures = [value for m in metrics for value in (m.value, m.lo, m.hi)]
                word = estimate.verdict.word.value
            writer.writerow((
                variant.name, variant.text, target.device.name, target.runtime.label, word, *accuracy, *sizes,
                *figures, variant.error,
            ))  # fmt: skip
    return out.getvalue()


def _html(study: VariantStudy, command: str) -> str:
    from .variants_page import render_page

    return render_page(study, command=command, data=_json(study, command))


_FORMS: dict[str, Callable[[VariantStudy, str], str]] = {
    "text": _text, "json": _json, "csv": _csv, "html": _html,
}  # fmt: skip
