"""How are a sweep's points named: figure, variant, target, and the command that makes one again."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from decimal import Decimal

import numpy as np

from ..simulator.sweep.table import UNITS, WORDS, SweepTable, TargetRow, VariantRow
from . import format as shown
from .sweep_again import again, plain_number, size_word, unit_word

HEADS = {
    "arena_bytes": "arena", "ram_bytes": "RAM", "flash_bytes": "flash", "latency_s": "latency",
    "energy_j": "energy", "accuracy": "accuracy",
}  # fmt: skip
LETTERS = dict(zip(WORDS, "FTRUNE", strict=True))
_TIMES = (("latency_s", "--deadline"), ("period_s", "--period"))
_LIMITS: tuple[tuple[str, str, Callable[[float], str]], ...] = (
    ("ram_bytes", "ram", size_word), ("flash_bytes", "flash", size_word),
    ("energy_j", "energy", lambda value: unit_word(value, "J")),
)  # fmt: skip
_AS_IT_IS = "as it is"
_LONGEST_STEM = 60


def amount(figure: str, value: float | None) -> str:
    """A figure in its unit; accuracy in percent.

    >>> amount("latency_s", 0.0841), amount("accuracy", 0.917), amount("ram_bytes", None)
    ('84.1 ms', '91.7 %', 'unknown')
    """
    if value is None or np.isnan(value):
        return shown.UNKNOWN
    return shown.percent(value) if UNITS[figure] == "fraction" else shown.amount(value, UNITS[figure])


def told_apart(figure: str, values: Sequence[float]) -> tuple[str, ...]:
    """Figures as texts; with more digits where different ones would read the same.

    >>> told_apart("ram_bytes", (25486, 25520)), told_apart("latency_s", (0.01, 0.02))
    (('25,486 B', '25,520 B'), ('10.0 ms', '20.0 ms'))
    """
    texts = tuple(amount(figure, value) for value in values)
    if len(set(texts)) == len(set(values)):
        return texts
    if UNITS[figure] == "B":
        return tuple(shown.exact_bytes(value) for value in values)
    return tuple(f"{value:.6g} {UNITS[figure]}" for value in values)


def figure_text(table: SweepTable, figure: str, point: int) -> str:
    """A point's figure; what is left of it where it is unknown."""
    column = table.figures[figure]
    value, lo = column.value[point], column.lo[point]
    if np.isnan(value) and not np.isnan(lo) and lo > 0:
        return f"≥ {amount(figure, lo)}"
    return amount(figure, float(value))


def spread_text(table: SweepTable, figure: str, point: int) -> str:
    """p10 to p90 of a point's figure; "" where there is none or it is the value itself."""
    column = table.figures[figure]
    lo, hi = float(column.lo[point]), float(column.hi[point])
    if np.isnan(lo) or np.isnan(hi) or lo == hi:
        return ""
    return f"{amount(figure, lo)} to {amount(figure, hi)}"


def variant_label(table: SweepTable, point: int) -> str:
    row: VariantRow = table.variants[table.variant[point]]
    return row.label


def target_label(table: SweepTable, point: int) -> str:
    row: TargetRow = table.targets[table.target[point]]
    return row.label


def target_words(target: TargetRow, limits: dict[str, float], facts: dict[str, str] | None = None) -> str:
    """The options of check that say target, limits and conditions again; behind # what none of them says.

    Args:
        facts: of the store, whose scenario says the rest; without them it is target and limits alone.
    """
    held = again(facts or {})
    clock = f"{plain_number(Decimal(repr(target.clock_hz)).scaleb(-6))}MHz" if target.clock_hz > 0 else ""
    said = (
        ("-d", held.board(target)), ("-r", held.runtime(target)), ("--clock", clock),
        ("--place", target.place), ("--supply", target.supply),
        *((option, unit_word(limits[key], "s")) for key, option in _TIMES if key in limits),
        *(("--limit", f"{name}={written(limits[key])}") for key, name, written in _LIMITS if key in limits),
    )  # fmt: skip
    words = (*(word for option, value in said if value for word in (option, value)), *held.conditions)
    return shown.clean(shlex.join(words)) + _remark(target, limits, held.left)


def making_words(table: SweepTable, variant: VariantRow, target: TargetRow) -> str:
    """The options of variants that say again what steps have: a board, and samples with its kernels."""
    held = again(table.facts)
    if not held.data or not _has_samples(table, variant):
        return shown.clean(shlex.join(("-d", held.board(target), *held.seed)))
    first = next((row for row in table.targets if row.device_sha256 and not row.npu), target)
    board = ("-d", held.board(first), "-r", held.runtime(first))
    return shown.clean(shlex.join((*board, *held.data, *held.seed)))


def command(table: SweepTable, point: int) -> str:
    """The command line that checks this point again; a recipe's model is made first."""
    variant, target = table.variants[table.variant[point]], table.targets[table.target[point]]
    words = target_words(target, table.limits, table.facts)
    model = shlex.quote(shown.clean(model_word(table, variant)))
    if variant.text == _AS_IT_IS:
        return f"preflash check {model} {words}"
    recipe = shlex.quote(shown.clean(variant.text))
    make = f"preflash variants {model} --recipe {recipe} {making_words(table, variant, target)} -o variants"
    return f"{make} && preflash check variants/{file_name(variant)} {words}"


def _has_samples(table: SweepTable, variant: VariantRow) -> bool:
    """Whether the samples go with its model: something of it is measured, or nothing could have been."""
    could = [
        place for place, row in enumerate(table.variants)
        if row.model_sha256 == variant.model_sha256 and not row.retrain and not row.error
    ]  # fmt: skip
    points = np.isin(table.variant, could)
    return not points.any() or not np.isnan(table.figures["accuracy"].value[points]).all()


def model_word(table: SweepTable, variant: VariantRow) -> str:
    """A network of the zoo as it is, a file from where the sweep was started."""
    source = variant.source or variant.model
    return source if source.startswith("zoo:") else again(table.facts).path(source)


def _remark(target: TargetRow, limits: dict[str, float], left: tuple[str, ...]) -> str:
    """What check cannot be told, behind the sign of a comment; "" if nothing."""
    accuracy = ("the limit of accuracy is not checked",) if "accuracy" in limits else ()
    core = (f"the core alone, without {shown.clean(target.npu)}",) if target.npu else ()
    remarks = (*left, *accuracy, *core)
    return f"  # {'; '.join(remarks)}" if remarks else ""


def file_name(variant: VariantRow) -> str:
    """What `preflash variants` calls the variant's file when its recipe is given in words."""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", variant.text).strip("-.")[:_LONGEST_STEM] or "variant"
    return f"{stem}.tflite"


def figure_names(table: SweepTable) -> tuple[str, ...]:
    """The figures that any point has, as a reader expects them; the arena only where RAM is unknown."""
    known = [name for name, column in table.figures.items() if not np.isnan(column.value).all()]
    return tuple(name for name in known if name != "arena_bytes" or "ram_bytes" not in known)
