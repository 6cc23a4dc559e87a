"""What is a recipe: steps that change a model one after the other, written as TOML, as text or in code.

Every step is a frozen dataclass; its fields are its options in all three forms.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from ...errors import RecipeInvalid
from ..ir import ModelGraph
from .given import Given, Step
from .steps import step_types

_LARGEST_FILE_BYTES = 1 << 20
_CONFIG = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class Recipe:
    """Steps in order; no steps is the model as it is."""

    name: str
    steps: tuple[Step, ...] = ()

    def apply(self, graph: ModelGraph, given: Given | None = None) -> ModelGraph:
        """The model after all steps.

        Raises:
            VariantInvalid, NeedsSamples: of a step; `where` says of which.
        """
        for step in self.steps:
            graph = step.apply(graph, given or Given())
        return graph

    @property
    def text(self) -> str:
        """The steps as `parse_recipe` takes them."""
        return " | ".join(_step_text(step) for step in self.steps) or "as it is"


def load_recipe(path: str | os.PathLike[str]) -> Recipe:
    """The recipe in a TOML file: `name = "..."` and one [[step]] table per step, its kind in `do`.

    Raises:
        RecipeInvalid: the file cannot be read or has faults; all of them are in `.faults`.
    """
    where = os.fspath(path)[:200]
    try:
        with Path(path).open("rb") as file:
            content = file.read(_LARGEST_FILE_BYTES + 1)
        if len(content) > _LARGEST_FILE_BYTES:
            raise RecipeInvalid("the recipe cannot be used", faults=["it is larger than 1 MiB"], where=where)
        record = tomllib.loads(content.decode("utf-8"))
    except OSError as error:
        faults = [f"cannot be read: {error.strerror or error}"]
        raise RecipeInvalid("the recipe cannot be used", faults=faults, where=where) from error
    except (ValueError, RecursionError) as error:
        faults = [f"TOML syntax: {error}"]
        raise RecipeInvalid("the recipe cannot be used", faults=faults, where=where) from error
    return recipe_of(record, where=where, default_name=Path(path).stem)


def recipe_of(record: Mapping[str, Any], *, where: str = "", default_name: str = "recipe") -> Recipe:
    """The recipe that a parsed TOML or JSON table states.

    Raises:
        RecipeInvalid: with all faults.
    """
    faults = [f"{key}: not known; known: name, step" for key in record if key not in ("name", "step")]
    name, entries = record.get("name", default_name), record.get("step", [])
    if not isinstance(name, str) or not name or len(name) > 80:
        faults.append("name: a text of 1 to 80 characters")
    if not isinstance(entries, list):
        faults.append("step: a list of tables, [[step]]")
        entries = []
    steps = []
    for number, entry in enumerate(entries):
        made = _step(entry, f"step {number + 1}", faults)
        if made is not None:
            steps.append(made)
    if faults:
        raise RecipeInvalid("recipe with faults", faults=faults, where=where, fix="preflash schema recipe")
    return Recipe(name, tuple(steps))


def parse_recipe(text: str, *, name: str = "") -> Recipe:
    """The recipe in words: `prune sparsity=0.5 granularity=2:4 | cluster clusters=16 | quantize`.

    Raises:
        RecipeInvalid: with all faults.
    """
    faults: list[str] = []
    entries = []
    for part in text.split("|"):
        words = part.split()
        if not words:
            faults.append("a step without a word")
            continue
        entry: dict[str, Any] = {"do": words[0]}
        for word in words[1:]:
            key, sign, value = word.partition("=")
            if not sign:
                faults.append(f"{word[:40]}: options are written key=value")
            entry[key] = tuple(value.split(",")) if "," in value else value
        entries.append(entry)
    if faults:
        raise RecipeInvalid("recipe with faults", faults=faults, fix="e.g. prune sparsity=0.5 | quantize")
    return recipe_of({"name": name or text.strip()[:80], "step": entries})


def recipe_schema() -> dict[str, Any]:
    """JSON Schema of a recipe file; the steps' fields and words derive from their dataclasses."""
    kinds = []
    for word, kind in sorted(step_types().items()):
        one = _adapter(kind).json_schema()
        one.setdefault("properties", {})["do"] = {"const": word}
        one["required"] = ["do", *one.get("required", ())]
        kinds.append(one)
    step = {"type": "array", "items": {"oneOf": kinds}}
    return {"type": "object", "properties": {"name": {"type": "string"}, "step": step},
            "additionalProperties": False}  # fmt: skip


def _step(entry: Any, place: str, faults: list[str]) -> Step | None:
    """The step of one table; its faults are appended."""
    kinds = step_types()
    word = entry.get("do") if isinstance(entry, dict) else None
    if not isinstance(word, str) or word not in kinds:
        faults.append(f"{place}: do = {str(word)[:40]!r} is not known; known: {', '.join(sorted(kinds))}")
        return None
    options = {key: value for key, value in entry.items() if key != "do"}
    for one in fields(kinds[word]):
        if str(one.type).startswith("tuple[") and isinstance(options.get(one.name), str):
            options[one.name] = (options[one.name],)
    try:
        made: Step = _adapter(kinds[word]).validate_python(options)
    except ValidationError as error:
        for fault in error.errors():
            at = ".".join(str(part) for part in fault["loc"]) or word
            faults.append(f"{place}, {word}: {at[:60]}: {fault['msg']}")
        return None
    except RecipeInvalid as error:
        faults.extend(f"{place}, {word}: {fault}" for fault in error.faults)
        return None
    return made


def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    kind.__pydantic_config__ = _CONFIG  # unknown options are faults, not silence
    return TypeAdapter(kind)


def _step_text(step: Any) -> str:
    words = [type(step).word]
    for one in fields(step):
        value = getattr(step, one.name)
        if value != one.default:
            shown = ",".join(map(str, value)) if isinstance(value, tuple) else value
            words.append(f"{one.name}={shown}")
    return " ".join(words)
