"""Which comparisons of RAM and flash are there? One table of them, run by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ...errors import FactsNotFound
from .arenas import arena_table
from .code_size import code_size_table
from .facts import Facts, find_facts
from .mcufit import mcufit_table
from .order import order_table
from .patches import patches_table
from .placements import placement_table
from .planners import hard_instances_table, tensor_plans_table
from .st_zoo import st_zoo_table
from .table import ValidationTable

_TABLES: dict[str, Callable[[Facts], ValidationTable]] = {
    "arenas": arena_table,
    "patches": patches_table,
    "x-cube-ai": st_zoo_table,
    "placements": placement_table,
    "order": order_table,
    "code-size": code_size_table,
    "minimalloc": hard_instances_table,
    "tensor-plans": tensor_plans_table,
    "mcufit": mcufit_table,
}


def memory_tables(
    folder: Path | None = None, *, only: tuple[str, ...] | None = None
) -> tuple[ValidationTable, ...]:
    """All comparisons, or those named.

    Args:
        folder: holds facts/ and models/; None is PREFLASH_SHARED, else ../shared.
        only: names of the tables; None is all.

    Raises:
        FactsNotFound: there is no such folder or no such table.
    """
    strangers = [name for name in only or () if name not in _TABLES]
    if strangers:
        raise FactsNotFound(f"there is no table {strangers[0]!r}", fix=f"known: {', '.join(_TABLES)}")
    facts = find_facts(folder)
    return tuple(_TABLES[name](facts) for name in (only or _TABLES))
