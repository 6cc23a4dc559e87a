"""How do words reach the library and the answer the user: models read, reports rendered and written."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .options import Color, Format

if TYPE_CHECKING:
    from ..graphs.ir import ModelGraph
    from ..simulator.estimate import Estimate


def read_model(model: str) -> ModelGraph:
    """The model of this file, or of stdin for "-"."""
    from ..graphs.tflite.read import parse_tflite, read_tflite

    if model != "-":
        return read_tflite(model)
    return parse_tflite(sys.stdin.buffer.read() if sys.stdin else b"", name="stdin")


def report(estimate: Estimate, *, form: Format, output: Path | None, color: Color, command: str) -> None:
    """The estimate in the asked form, printed or written."""
    from ..reports.output import wants_color
    from ..reports.render import render

    colored = color is Color.always if output else wants_color(color.value, sys.stdout)
    deliver_text(render(estimate, form.value, color=colored, command=command), output)


def deliver_text(text: str, output: Path | None) -> None:
    """Print the text, or write it and say so on stderr."""
    from ..reports.output import deliver

    deliver(text, output)
    if output is not None:
        say_written(output)


def say_written(path: Path) -> None:
    """One line on stderr that names the file."""
    if sys.stderr is not None:
        print(f"preflash: wrote {path}", file=sys.stderr)  # noqa: T201
