"""What to paste into the firmware: arena, registrations and the model as C++ files."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from .options import OK, Board, Build, Debug, Model, Runtime

Folder = Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Folder to write to.")]


class Registrations(str, Enum):
    all, int8 = "all", "int8"


def export(
    model: Model, device: Board, runtime: Runtime = None,
    output: Folder = Path(),
    registered: Annotated[
        Registrations | None,
        typer.Option("--registrations", help="For all types, or for the model's own integer type (default)."),
    ] = None,
    build: Build = None, _debug: Debug = False,
) -> int:  # fmt: skip
    """Writes a C++ header (arena, op resolver) and the model as an array."""
    from ..devices.build import FirmwareBuild, declared, with_build
    from ..devices.catalog import load_target
    from ..reports.output import write_whole
    from ..simulator.export import export_firmware
    from .deliver import read_content, say_written

    target = declared(load_target(device, runtime), build)
    if registered is not None:
        target = with_build(target, FirmwareBuild(registrations=registered.value))
    graph, content = read_content(model)
    files = export_firmware(graph, target, content=content)
    output.mkdir(parents=True, exist_ok=True)
    for file in files:
        write_whole(output / file.name, file.text)
        say_written(output / file.name)
    return OK
