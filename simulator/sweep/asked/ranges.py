"""Which values does an axis of a sweep take: a list, or from, to and step."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from itertools import product
from math import isfinite
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

MOST_VALUES = 10_000
_KEYS = {"from", "to", "step"}


def parse_values(given: object) -> tuple[str, ...]:
    """The values of an axis, as they are written into a recipe or read as a number.

    >>> parse_values([0.5, 1]), parse_values({"from": 0.1, "to": 0.3, "step": 0.1}), parse_values(8)
    (('0.5', '1'), ('0.1', '0.2', '0.3'), ('8',))

    Raises:
        ValueError: what is wrong with it.
    """
    if isinstance(given, dict):
        return _stepped(given)
    values = given if isinstance(given, (list, tuple)) else [given]
    if not values or len(values) > MOST_VALUES:
        raise ValueError(f"an axis has 1 to {MOST_VALUES:,} values")
    if not all(isinstance(value, (str, int, float)) for value in values):
        raise ValueError("write numbers or texts: [0.5, 1.0], or { from = 0.1, to = 0.9, step = 0.1 }")
    return tuple(dict.fromkeys(_written(value) for value in values))


def _stepped(given: dict[object, object]) -> tuple[str, ...]:
    """from, from + step, ... up to and with `to`; counted in decimals, so that 0.1 x 3 is 0.3."""
    ends = [given.get(key) for key in ("from", "to", "step")]
    numbers = [
        Decimal(str(end)) for end in ends if isinstance(end, (int, float)) and not isinstance(end, bool)
    ]
    if set(given) != _KEYS or len(numbers) != len(ends):
        raise ValueError("a range has three numbers: { from = 0.1, to = 0.9, step = 0.1 }")
    first, last, step = numbers
    if not all(number.is_finite() for number in numbers) or step <= 0 or last < first:
        raise ValueError("a range needs from <= to and a step above zero")
    count = int((last - first) / step) + 1
    if count > MOST_VALUES:
        raise ValueError(f"a range of {count:,} values; at most {MOST_VALUES:,}")
    return tuple(_written((first + number * step).normalize()) for number in range(count))


def _written(value: object) -> str:
    """As TOML and a recipe have it: true, 0.5, 10."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and isfinite(value):
        value = Decimal(repr(value)).normalize()
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


Values = Annotated[
    tuple[Annotated[str, Field(max_length=200)], ...],
    BeforeValidator(parse_values),
    WithJsonSchema({
        "anyOf": [
            {"type": ["number", "string", "boolean"]},
            {"type": "array", "items": {"type": ["number", "string", "boolean"]}, "minItems": 1},
            {
                "type": "object", "additionalProperties": False, "required": sorted(_KEYS),
                "properties": {key: {"type": "number"} for key in sorted(_KEYS)},
            },
        ]
    }),
]  # fmt: skip


def combinations(axes: dict[str, tuple[str, ...]]) -> Iterable[dict[str, str]]:
    """Every choice of one value per axis, the last axis fastest; {} once without axes."""
    for chosen in product(*axes.values()):
        yield dict(zip(axes, chosen, strict=True))
