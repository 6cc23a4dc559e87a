"""How do words reach the library and the answer the user: models read, reports rendered and written."""

from __future__ import annotations

import errno
import hashlib
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from .options import ChartFormat, Color, Format

if TYPE_CHECKING:
    from ..graphs.ir import ModelGraph
    from ..simulator.estimate import Estimate


def read_model(model: str) -> ModelGraph:
    """The model of this file, of stdin for "-", or of the zoo for "zoo:kws01" and "zoo:kws01,width=0.5"."""
    from ..graphs.tflite.read import parse_tflite, read_tflite

    if model.startswith("zoo:"):
        from ..graphs.zoo.words import parse_reference

        return parse_reference(model.removeprefix("zoo:"))
    if model != "-":
        return read_tflite(model)
    return parse_tflite(sys.stdin.buffer.read() if sys.stdin else b"", name="stdin")


def read_content(model: str) -> tuple[ModelGraph, bytes]:
    """The model of this file, or of stdin for "-", with the bytes it was read from.

    Raises:
        ModelFileInvalid: the file changed between two readings.
    """
    from ..errors import ModelFileInvalid
    from ..graphs.tflite.read import parse_tflite, read_tflite

    if model.startswith("zoo:"):
        from ..graphs.tflite.write import write_tflite

        graph = read_model(model)
        return graph, write_tflite(graph)
    if model == "-":
        content = sys.stdin.buffer.read() if sys.stdin else b""
        return parse_tflite(content, name="stdin"), content
    graph, content = read_tflite(model), Path(model).read_bytes()
    if hashlib.sha256(content).hexdigest() != graph.sha256:
        raise ModelFileInvalid("the file changed while it was read", where=model, fix="try again")
    return graph, content


def report(estimate: Estimate, *, form: Format, output: Path | None, color: Color, command: str) -> None:
    """The estimate in the asked form, printed or written."""
    from ..reports.output import wants_color
    from ..reports.render import render

    colored = color is Color.always if output else wants_color(color.value, sys.stdout)
    deliver_text(render(estimate, form.value, color=colored, command=command), output)


def report_charts(estimate: Estimate, folder: Path | None, form: ChartFormat, *, is_apart: bool) -> None:
    """Every chart as a picture in the folder, if one is given; the files' names on stdout.

    Args:
        is_apart: whether stdout is free for names; else they go to stderr, so that JSON and HTML stay whole.
    """
    if folder is None:
        return
    from ..reports.output import deliver
    from ..reports.picture_files import write_pictures

    paths = write_pictures(estimate, folder, form.value)
    if is_apart:
        deliver("".join(f"{path}\n" for path in paths), None)
        return
    for path in paths:
        say_written(path)


def deliver_text(text: str, output: Path | None) -> None:
    """Print the text, or write it and say so on stderr."""
    from ..reports.output import deliver

    deliver(text, output)
    if output is not None:
        say_written(output)


def deliver_parts(parts: Iterable[str], output: Path | None) -> None:
    """Print a long text part by part, or write it and say so; a reader that stopped reading is no error."""
    from ..reports.output import quiet_stdout

    if output is not None:
        with output.open("w", encoding="utf-8", errors="replace", newline="") as file:
            file.writelines(parts)
        say_written(output)
        return
    if sys.stdout is None:
        raise OSError(errno.EBADF, "stdout is closed; give -o FILE")
    try:
        for part in parts:
            sys.stdout.write(part)
        sys.stdout.flush()
    except BrokenPipeError:
        quiet_stdout()


def say_written(path: Path) -> None:
    """One line on stderr that names the file."""
    if sys.stderr is not None:
        print(f"preflash: wrote {path}", file=sys.stderr)  # noqa: T201
