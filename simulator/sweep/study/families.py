"""What does each kind of compression give up for what it saves: accuracy against cost, per family."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...columns import Rows
from ..table import SweepTable, VariantRow
from .dominance import dominated

AS_IT_IS = "as it is"


@dataclass(frozen=True, slots=True)
class Curve:
    """One family of one model: its best points by rising cost, none beaten by another of the family.

    Args:
        target: position of the target that the costs are of.
        points: positions of points; `of` is how many the family has there.
    """

    model: str
    family: str
    target: int
    points: tuple[int, ...]
    of: int


def families(variants: Sequence[VariantRow]) -> list[str]:
    """Per variant the steps of its recipe without their options, and what was swept of the model's own shape.

    >>> families([VariantRow(0, "m", "r", "prune sparsity=0.5 | quantize", {"sparsity": "0.5"})])
    ['prune + quantize']
    """
    levels: dict[str, set[str]] = {}
    for variant in variants:
        for key, value in variant.axes.items():
            levels.setdefault(key, set()).add(value)
    return [_family(variant, [key for key in variant.axes if len(levels[key]) > 1]) for variant in variants]


def _family(variant: VariantRow, swept: list[str]) -> str:
    steps = [part.split()[0] for part in variant.text.split("|") if part.split()]
    steps = [] if variant.text == AS_IT_IS else steps
    shape = [key for key in swept if f"{key}=" not in variant.text and key not in ("recipe", "model")]
    return " + ".join(dict.fromkeys((*shape, *steps))) or AS_IT_IS


def curves(table: SweepTable, cost: str) -> tuple[Curve, ...]:
    """Per model, on the target where most of its points are measured and priced, a curve per family."""
    accuracy, price = table.figures["accuracy"].value, table.figures[cost].value
    known = np.flatnonzero(~np.isnan(accuracy) & ~np.isnan(price))
    models = list(dict.fromkeys(variant.model for variant in table.variants))
    family_names = families(table.variants)
    names = list(dict.fromkeys(family_names))
    model_of, family = (
        np.array(codes or [0], dtype=np.intp)
        for codes in ([models.index(v.model) for v in table.variants],
                      [names.index(name) for name in family_names])
    )  # fmt: skip
    found: list[Curve] = []
    for number, model in enumerate(models):
        place = known[model_of[table.variant[known]] == number]
        if not len(place):
            continue
        target = int(np.argmax(np.bincount(table.target[place], table.is_ok[place] + 1e-6)))
        place = place[table.target[place] == target]
        of_family = family[table.variant[place]]
        for code in np.unique(of_family):
            points = place[of_family == code]
            found.append(Curve(model, names[code], target, _best(table, cost, points), len(points)))
    return tuple(found)


def _best(table: SweepTable, cost: str, place: Rows) -> tuple[int, ...]:
    rows = np.stack([table.figures[cost].value[place], -table.figures["accuracy"].value[place]], axis=1)
    keep = ~dominated(rows, rows)
    order = np.argsort(rows[keep, 0], kind="stable")
    return tuple(int(point) for point in place[keep][order])
