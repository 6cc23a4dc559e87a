"""What is wrong with a device or runtime file, in plain words: one line per fault, all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

_MOST_SHOWN = 40
_MEANING = {
    "missing": "is missing",
    "string_type": "must be text in quotes",
    "string_too_short": "must not be empty",
    "string_too_long": "is too long (at most {max_length} characters)",
    "string_pattern_mismatch": "must be lower case letters, digits and . _ + -, first a letter or digit",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "model_type": "must be a table",
    "too_short": "needs at least {min_length} entries",
    "too_long": "has too many entries (at most {max_length})",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
}


def plain_faults(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """Each fault as "memory[1].size: what is wrong (given ...)", in the order of the file's fields."""
    errors: list[dict[str, Any]] = [dict(fault) for fault in error.errors(include_url=False)]
    places = [tuple(fault["loc"]) for fault in errors]
    faulty_within = {place[:end] for place in places for end in range(len(place))}
    real = [f for f in errors if f["type"] != "too_short" or tuple(f["loc"]) not in faulty_within]
    return list(dict.fromkeys(line for fault in real for line in _sentence(fault, model)))


def shortened(faults: Iterable[str]) -> list[str]:
    """At most forty faults and how many more there are."""
    listed = list(faults)
    if len(listed) <= _MOST_SHOWN:
        return listed
    return [*listed[:_MOST_SHOWN], f"and {len(listed) - _MOST_SHOWN} more faults"]


def closest(word: str, known: Iterable[str]) -> str:
    """The known word that looks most like this one; "" if none does.

    >>> closest("sise", ["size", "kind"])
    'size'
    """
    import difflib

    found = difflib.get_close_matches(word[:64], list(known), n=1, cutoff=0.6)
    return found[0] if found else ""


def dotted(loc: Sequence[int | str]) -> str:
    """A field path as it is said.

    >>> dotted(("memory", 1, "access", "bandwidth"))
    'memory[1].access.bandwidth'
    """
    text = ""
    for step in loc:
        text += f"[{step}]" if isinstance(step, int) else f".{_shown_key(step)}"
    return text.removeprefix(".")


def _sentence(fault: dict[str, Any], model: type[BaseModel]) -> list[str]:
    loc, kind, context = tuple(fault["loc"]), fault["type"], fault.get("ctx", {})
    place = dotted(loc)
    if kind == "extra_forbidden":
        return [f"{place}: unknown key; {_key_advice(str(loc[-1]), _allowed_keys(model, loc[:-1]))}"]
    if kind == "missing":
        return [f"{place}: is missing"]
    if kind == "value_error":
        lines = str(context.get("error", fault["msg"])).split("\n")
        return [f"{place}: {line}" if place else line for line in lines]
    if kind == "literal_error":
        advice = _choice_advice(fault["input"], context)
        return [f"{place}: {_given(fault['input'])} is not allowed; {advice}"]
    meaning = _MEANING.get(kind)
    meaning = meaning.format(**context) if meaning else str(fault["msg"])
    return [f"{place}: {meaning}, given {_given(fault['input'])}"]


def _key_advice(key: str, allowed: Sequence[str]) -> str:
    guess = closest(key, allowed)
    return f"did you mean {guess!r}?" if guess else f"allowed here: {', '.join(allowed)}"


def _choice_advice(given: object, context: Mapping[str, Any]) -> str:
    expected = str(context.get("expected", ""))
    choices = [choice.strip("' ") for choice in expected.replace(" or ", ", ").split(",")]
    guess = closest(given, choices) if isinstance(given, str) else ""
    return f"did you mean {guess!r}?" if guess else f"allowed: {', '.join(choices)}"


def _allowed_keys(model: type[BaseModel], loc: Sequence[int | str]) -> list[str]:
    """The keys that the table at this place may have."""
    for step in loc:
        if isinstance(step, int):
            continue
        field = next((f for name, f in model.model_fields.items() if step in (f.alias, name)), None)
        inner = None if field is None else _block_in(field.annotation)
        if inner is None:
            return []
        model = inner
    return [field.alias or name for name, field in model.model_fields.items()]


def _block_in(annotation: Any) -> type[BaseModel] | None:
    """The model class inside tuple[...], X | None or Annotated[...]."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_block_in(part) for part in get_args(annotation))
    return next((block for block in found if block is not None), None)


def _given(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."


def _shown_key(key: str) -> str:
    plain = key.replace("-", "").replace("_", "").isalnum() and len(key) <= 64
    return key if plain else _given(key)
