"""Which JSON Schemas ship: of results, plans, accuracy, fragility; of every file that a user writes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import BaseModel

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
# As written in a file a quantity is text with a unit; a size may also be a whole number of bytes.
_SIZE: dict[str, Any] = {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string"}]}
_QUANTITY: dict[str, Any] = {"type": "string"}


def _result() -> dict[str, Any]:
    from .result_schema import RESULT_SCHEMA

    return RESULT_SCHEMA


def _plan() -> dict[str, Any]:
    from .plan_report import PLAN_SCHEMA

    return PLAN_SCHEMA


def _accuracy() -> dict[str, Any]:
    from .accuracy_schema import ACCURACY_SCHEMA

    return ACCURACY_SCHEMA


def _fragility() -> dict[str, Any]:
    from .fragility_schema import FRAGILITY_SCHEMA

    return FRAGILITY_SCHEMA


def _device() -> dict[str, Any]:
    from ..devices.spec import DeviceSpec

    return _of_file(DeviceSpec)


def _runtime() -> dict[str, Any]:
    from ..devices.runtime import RuntimeSpec

    return _of_file(RuntimeSpec)


def _recipe() -> dict[str, Any]:
    from ..graphs.variants.recipe import recipe_schema

    title = "preflash recipe: steps that make a variant of a model, or several recipes"
    return {"$schema": _DIALECT, "title": title, **recipe_schema()}


def _scenario() -> dict[str, Any]:
    from ..simulator.scenario import Scenario

    return _of_file(Scenario)


def _sweep() -> dict[str, Any]:
    from ..simulator.sweep.asked.scenario import SweepScenario

    return _of_file(SweepScenario)


def _of_file(model: type[BaseModel]) -> dict[str, Any]:
    """The schema of what stands in the file, before units are read."""
    from pydantic.json_schema import GenerateJsonSchema

    class AsWritten(GenerateJsonSchema):
        def function_before_schema(self, schema: Any) -> dict[str, Any]:
            read = super().function_before_schema(schema)
            written = {"integer": _SIZE, "number": _QUANTITY}.get(str(read.get("type")))
            return read if written is None else written

    return {"$schema": _DIALECT, **model.model_json_schema(schema_generator=AsWritten)}


def _sweep_report() -> dict[str, Any]:
    from .sweep_schema import SWEEP_SCHEMA

    return SWEEP_SCHEMA


SCHEMAS: dict[str, Callable[[], dict[str, Any]]] = {
    "result": _result, "plan": _plan, "device": _device, "runtime": _runtime, "scenario": _scenario,
    "sweep": _sweep, "sweep-report": _sweep_report, "recipe": _recipe, "accuracy": _accuracy,
    "fragility": _fragility,
}  # fmt: skip


def render_schema(name: str) -> str:
    """The schema of this name as JSON.

    Raises:
        KeyError: there is none.
    """
    return json.dumps(SCHEMAS[name](), indent=2) + "\n"
