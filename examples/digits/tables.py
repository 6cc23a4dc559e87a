"""What do the rows of all seeds say: one table per question, as Markdown."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from experiments import BITS, CLUSTERS, SPARSITIES, Row

_ZEROS = tuple(f"{sparsity:.0%} zeros" for sparsity in SPARSITIES)


@dataclass(frozen=True)
class Question:
    """Techniques side by side at several settings; `pair` is whose difference (second - first) answers."""

    title: str
    settings: tuple[str, ...]
    techniques: tuple[str, ...]
    pair: tuple[str, str] | None = None


QUESTIONS = (
    Question("Before anything is changed", ("dense",), ("trained", "trained longer", "L1-regularised")),
    Question("Pruned at once, or gradually?", _ZEROS, ("one-shot", "one-shot, fine-tuned", "gradual"),
             ("one-shot, fine-tuned", "gradual")),
    Question("Pruned by magnitude alone, or after an L1-regularised training?", _ZEROS,
             ("one-shot", "L1-regularised", "one-shot, fine-tuned", "L1-regularised, fine-tuned"),
             ("one-shot, fine-tuned", "L1-regularised, fine-tuned")),
    Question("Weights of few bits: after training, or while training?", tuple(f"{b} bits" for b in BITS),
             ("post-training", "quantization-aware"), ("post-training", "quantization-aware")),
    Question("Shared values: found by k-means, or trained on?", tuple(f"{c} values" for c in CLUSTERS),
             ("k-means", "centroids trained"), ("k-means", "centroids trained")),
)  # fmt: skip


def write_rows(rows: Iterable[Row], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("setting", "technique", "seed", "accuracy"))
        writer.writerows((r.setting, r.technique, r.seed, f"{r.accuracy:.6f}") for r in rows)


def read_rows(path: Path) -> list[Row]:
    with path.open(newline="", encoding="utf-8") as file:
        return [
            Row(r["setting"], r["technique"], int(r["seed"]), float(r["accuracy"]))
            for r in csv.DictReader(file)
        ]


def tables(rows: Sequence[Row]) -> str:
    """All questions, answered in percent: mean ± standard deviation over the seeds (n - 1)."""
    found: dict[tuple[str, str], dict[int, float]] = {}
    for row in rows:
        found.setdefault((row.setting, row.technique), {})[row.seed] = 100 * row.accuracy
    return "\n\n".join(_table(question, found) for question in QUESTIONS)


def _table(question: Question, found: dict[tuple[str, str], dict[int, float]]) -> str:
    head = ["", *question.techniques]
    if question.pair:
        head.append(f"{question.pair[1]} − {question.pair[0]}")
    lines = [f"**{question.title}**", "", _line(head), _line(["---", *["---:"] * (len(head) - 1)])]
    for setting in question.settings:
        cells = [spread(list(found[setting, one].values())) for one in question.techniques]
        if question.pair:
            earlier, later = (found[setting, one] for one in question.pair)
            cells.append(spread([later[seed] - earlier[seed] for seed in sorted(later)], sign="+"))
        lines.append(_line([setting, *cells]))
    return "\n".join(lines)


def spread(values: Sequence[float], *, sign: str = "") -> str:
    """Mean ± standard deviation.

    >>> spread([97.0, 98.0, 99.0])
    '98.0 ± 1.0'
    """
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    return f"{np.mean(values):{sign}.1f} ± {deviation:.1f}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
