"""Which format of a report is which function; each is imported when it is asked for."""

from __future__ import annotations

from collections.abc import Callable

from ..simulator.estimate import Estimate
from .output import utc_now


def render(estimate: Estimate, form: str, *, color: bool = False, command: str = "") -> str:
    """The report as text: `form` is text, json or html.

    Args:
        color: whether the terminal text carries colours.
        command: the command line that makes the report again.
    """
    return FORMS[form](estimate, color, command)


def _text(estimate: Estimate, color: bool, command: str) -> str:
    from .text import render_text

    return render_text(estimate, color=color, command=command)


def _json(estimate: Estimate, _: bool, command: str) -> str:
    from .data import render_json

    return render_json(estimate, command=command, created=utc_now())


def _html(estimate: Estimate, _: bool, command: str) -> str:
    from .html import render_html

    return render_html(estimate, command=command, created=utc_now())


FORMS: dict[str, Callable[[Estimate, bool, str], str]] = {"text": _text, "json": _json, "html": _html}
