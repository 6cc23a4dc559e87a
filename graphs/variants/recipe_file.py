"""Which recipes does a TOML file hold: one, or several in [[recipe]] tables?"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from ...errors import RecipeInvalid
from .recipe import Recipe, recipe_of

_LARGEST_FILE_BYTES = 1 << 20
_MOST_RECIPES = 10_000


def load_recipes(path: str | os.PathLike[str]) -> tuple[Recipe, ...]:
    """The recipes of a file, in order.

    One: `name`, and its steps in [[step]] tables, the kind in `do`, or as text in `steps`. Several: the same
    in [[recipe]] tables.

    Raises:
        RecipeInvalid: the file cannot be read or has faults; all of them are in `.faults`.
    """
    where, record = os.fspath(path)[:200], _record(path)
    if "recipe" not in record:
        return (recipe_of(record, where=where, default_name=Path(path).stem[:80] or "recipe"),)
    entries = record["recipe"]
    others = [key for key in record if key != "recipe"]
    if others or not isinstance(entries, list) or len(entries) > _MOST_RECIPES:
        faults = [f"{key}: belongs into a [[recipe]]" for key in others] or ["recipe: tables, [[recipe]]"]
        raise RecipeInvalid("recipes with faults", faults=faults, where=where, fix="preflash schema recipe")
    found, faults = [], []
    for number, entry in enumerate(entries):
        name = f"recipe {number + 1}"
        try:
            found.append(recipe_of(entry if isinstance(entry, dict) else {"?": entry}, default_name=name))
        except RecipeInvalid as error:
            faults += [f"{name}: {fault}" for fault in error.faults]
    if faults:
        raise RecipeInvalid("recipes with faults", faults=faults, where=where, fix="preflash schema recipe")
    return tuple(found)


def _record(path: str | os.PathLike[str]) -> dict[str, Any]:
    where = os.fspath(path)[:200]
    try:
        with Path(path).open("rb") as file:
            content = file.read(_LARGEST_FILE_BYTES + 1)
        if len(content) > _LARGEST_FILE_BYTES:
            raise _unusable(where, "it is larger than 1 MiB")
        return tomllib.loads(content.decode("utf-8"))
    except OSError as error:
        raise _unusable(where, f"cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise _unusable(where, f"TOML syntax: {error}") from error


def _unusable(where: str, fault: str) -> RecipeInvalid:
    return RecipeInvalid(
        "the recipe cannot be used", faults=[fault], where=where, fix="preflash schema recipe"
    )
