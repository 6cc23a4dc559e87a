"""What colour has a mark outside the page? The one that the page's own style sheet gives it, in daylight."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

HATCHED = ""
_RULE = re.compile(r"([^{}]*)\{([^{}]*)\}")
_FILL = re.compile(r"(?:fill|stroke):\s*var\((--[\w-]+)\)")
_CLASS = re.compile(r"^\.([\w-]+)(?:\.([\w-]+))?$")
_VALUE = re.compile(r"(--[\w-]+):\s*(#[0-9a-fA-F]{6})")


def colour(kind: str) -> str:
    """The colour of a class of the sheet ("used NO": of two at once); `HATCHED` where none is plain."""
    return _fills().get(kind) or _fills().get(kind.split(" ")[0], HATCHED)


def variable(name: str) -> str:
    """The colour of one of the sheet's variables: "--ink"."""
    return _variables()[name]


@cache
def _sheet() -> str:
    text = files(__package__).joinpath("templates", "report.css").read_text(encoding="utf-8")
    return re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)


@cache
def _variables() -> dict[str, str]:
    """Those of the first block: the light theme."""
    return dict(_VALUE.findall(_sheet().split("}", 1)[0]))


@cache
def _fills() -> dict[str, str]:
    found: dict[str, str] = {}
    for selectors, body in _RULE.findall(_sheet()):
        fill = _FILL.search(body)
        for selector in selectors.split(","):
            named = _CLASS.match(selector.strip())
            if fill and named:
                found.setdefault(" ".join(part for part in named.groups() if part), variable(fill[1]))
    return found
