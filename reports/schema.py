"""Which JSON Schemas ship: of results, of device files, of runtime files."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any


def _result() -> dict[str, Any]:
    from .result_schema import RESULT_SCHEMA

    return RESULT_SCHEMA


def _device() -> dict[str, Any]:
    from ..devices.spec import DeviceSpec

    return DeviceSpec.model_json_schema(by_alias=True)


def _runtime() -> dict[str, Any]:
    from ..devices.runtime import RuntimeSpec

    return RuntimeSpec.model_json_schema(by_alias=True)


SCHEMAS: dict[str, Callable[[], dict[str, Any]]] = {"result": _result, "device": _device, "runtime": _runtime}


def render_schema(name: str) -> str:
    """The schema of this name as JSON.

    Raises:
        KeyError: there is none.
    """
    return json.dumps(SCHEMAS[name](), indent=2) + "\n"
