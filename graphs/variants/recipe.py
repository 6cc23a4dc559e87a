"""What is a recipe: steps that change a model one after the other, written as text, as tables or in code.

Every step is a frozen dataclass; its fields are its options in all three forms.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from ...errors import RecipeInvalid
from ..ir import ModelGraph
from .given import Given, Step
from .steps import step_types

_KEYS = ("name", "step", "steps")
_LONGEST_NAME = 80
_CONFIG = ConfigDict(extra="forbid")
_adapters: dict[type[Any], TypeAdapter[Any]] = {}


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
        return self.changed(graph, given)[0]

    def changed(self, graph: ModelGraph, given: Given | None = None) -> tuple[ModelGraph, bool]:
        """The model after all steps, and whether one of them made a shape with untrained weights of it."""
        untrained = False
        for step in self.steps:
            before, graph = graph, step.apply(graph, given or Given())
            untrained = untrained or (needs_training(step) and graph is not before)
        return graph, untrained

    @property
    def text(self) -> str:
        """The steps as `parse_recipe` takes them."""
        return " | ".join(_step_text(step) for step in self.steps) or "as it is"


def needs_retraining(recipe: Recipe) -> bool:
    """Whether a step leaves a model of which shape and cost are right, but not the answers.

    >>> needs_retraining(parse_recipe("width multiplier=0.5")), needs_retraining(parse_recipe("quantize"))
    (True, False)
    """
    return any(map(needs_training, recipe.steps))


def needs_training(step: Step) -> bool:
    """Whether what this step makes of a model is a shape only."""
    return bool(getattr(step, "retrain", False))


def recipe_of(record: Mapping[str, Any], *, where: str = "", default_name: str = "recipe") -> Recipe:
    """The recipe that a parsed TOML or JSON table states: a name, and steps as tables or as text.

    Raises:
        RecipeInvalid: with all faults.
    """
    faults = [f"{key}: not known; known: {', '.join(_KEYS)}" for key in record if key not in _KEYS]
    name, entries, text = record.get("name", default_name), record.get("step", []), record.get("steps", "")
    if not isinstance(name, str) or not name.strip() or len(name) > _LONGEST_NAME:
        faults.append(f"name: a text of 1 to {_LONGEST_NAME} characters")
    if not isinstance(entries, list) or not isinstance(text, str) or (entries and text):
        faults.append('a list of tables [[step]], or steps = "prune sparsity=0.5 | quantize"')
        entries, text = [], ""
    elif text:
        entries = _entries(text, faults)
    steps = [_step(entry, f"step {number + 1}", faults) for number, entry in enumerate(entries)]
    if faults:
        raise RecipeInvalid("recipe with faults", faults=faults, where=where, fix="preflash schema recipe")
    return Recipe(name, tuple(step for step in steps if step is not None))


def parse_recipe(text: str, *, name: str = "") -> Recipe:
    """The recipe in words: `prune sparsity=0.5 granularity=2:4 | cluster clusters=16 | quantize`.

    Raises:
        RecipeInvalid: with all faults.
    """
    return recipe_of({"name": name or text.strip()[:_LONGEST_NAME] or "recipe", "steps": text or "|"})


def _entries(text: str, faults: list[str]) -> list[dict[str, Any]]:
    """The steps of a text as tables; its faults are appended."""
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
    return entries


def recipe_schema() -> dict[str, Any]:
    """JSON Schema of a recipe file; the steps' fields and words derive from their dataclasses."""
    kinds = []
    for word, kind in sorted(step_types().items()):
        one = _adapter(kind).json_schema()
        one.setdefault("properties", {})["do"] = {"const": word}
        one["required"] = ["do", *one.get("required", ())]
        kinds.append(one)
    members = {
        "name": {"type": "string", "minLength": 1, "maxLength": _LONGEST_NAME},
        "step": {"type": "array", "items": {"oneOf": kinds}},
        "steps": {"type": "string"},
    }
    one = {"type": "object", "properties": members, "additionalProperties": False}
    several = {"recipe": {"type": "array", "items": one}}
    return one | {"properties": members | several}


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
    """Made once for each kind of step: it takes a hundred times as long as to use it."""
    if kind not in _adapters:
        kind.__pydantic_config__ = _CONFIG  # unknown options are faults, not silence
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]


def _step_text(step: Any) -> str:
    words = [type(step).word]
    for one in fields(step):
        value = getattr(step, one.name)
        if value != one.default:
            shown = ",".join(map(str, value)) if isinstance(value, tuple) else value
            words.append(f"{one.name}={shown}")
    return " ".join(words)
