"""Do variants cost what was published? One table of the comparisons, run by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from ...errors import FactsNotFound
from .deep_compression import deep_compression_table, published_rows
from .downloads import downloads_table
from .facts import find_facts
from .lut_arena import lut_arena_table
from .sparse_speed import rates_table, sparse_table
from .table import Claim, ValidationTable
from .variant_sizes import sizes_table

_TABLES: dict[str, Callable[[Path | None], ValidationTable]] = {
    "sizes": lambda _: sizes_table(),
    "deep-compression": lambda _: deep_compression_table(),
    "published-accuracy": lambda _: accuracy_table(),
    "downloads": lambda folder: downloads_table(find_facts(folder)),
    "lut-arena": lambda folder: lut_arena_table(find_facts(folder)),
    "sparse": lambda _: sparse_table(),
    "sparse-rates": lambda _: rates_table(),
}
_OF_QAT = {"mobilenet-v1": 1.30, "ds-cnn-l": 0.24}  # SA-27: points that training with quantization gains


def variant_tables(
    folder: Path | None = None, *, only: tuple[str, ...] | None = None
) -> tuple[ValidationTable, ...]:
    """All comparisons, or those named.

    Args:
        folder: holds facts/ and models/; None is PREFLASH_SHARED, else ../shared. Some tables need none.

    Raises:
        FactsNotFound: there is no such table, or no such folder for one that needs it.
    """
    strangers = [name for name in only or () if name not in _TABLES]
    if strangers:
        raise FactsNotFound(f"there is no table {strangers[0]!r}", fix=f"known: {', '.join(_TABLES)}")
    return tuple(_TABLES[name](folder) for name in (only or _TABLES))


def accuracy_table() -> ValidationTable:
    """SA-09 and SA-27: published accuracies, quoted; nothing here predicts an accuracy."""
    rows = published_rows("accuracy.csv")
    return ValidationTable(
        "published-accuracy", "top-1 accuracy in percent as others published it: quoted, never predicted",
        ("set", "network", "variant", "accuracy %"),
        tuple((row["set"], row["network"], row["variant"], float(row["accuracy_pct"])) for row in rows),
        tuple(_claims(rows)),
    )  # fmt: skip


def _claims(rows: list[dict[str, str]]) -> Iterator[Claim]:
    found = {(row["network"], row["variant"]): float(row["accuracy_pct"]) for row in rows}
    pruned = dict.fromkeys(row["network"] for row in rows if row["set"] == "pruning")
    orders = [[found[network, one] for one in ("dense", "random 50 %", "2:4")] for network in pruned]
    ordered = [one == sorted(one, reverse=True) for one in orders]
    yield Claim("SA-09: dense >= random 50 % >= 2:4 for every network (quoted)",
                f"{sum(ordered)} of {len(ordered)}", all(ordered))  # fmt: skip
    for network, points in _OF_QAT.items():
        gain = found[network, "qat"] - found[network, "ptq"]
        yield Claim(f"SA-27: {network}: training with quantization gains {points:+.2f} points (quoted)",
                    f"{gain:+.2f}", abs(gain - points) < 0.005)  # fmt: skip
