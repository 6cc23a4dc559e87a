"""The memory plan and what could be done about it: planners, another order, patches, placement."""

from __future__ import annotations

import shlex
from typing import Annotated

import typer

from ..errors import BudgetInvalid
from .deliver import deliver_text, read_model, say_written
from .options import OK, Build, Clock, Debug, Form, Format, Model, Out, Reserve, Runtime

DEFAULT_BOARD = "nucleo-l4r5zi"

_BoardOrNone = Annotated[
    str | None,
    typer.Option("--device", "-d", metavar="BOARD", help=f"A board; else planned as for {DEFAULT_BOARD}."),
]
_Solver = Annotated[str, typer.Option(metavar="NAME", help="optimal, best (no proof), or a planner.")]
_Seconds = Annotated[float, typer.Option(min=0.01, max=3600, help="How long the best plan is looked for.")]
_Reorder = Annotated[bool, typer.Option("--reorder", help="Another op order; -o OUT.tflite writes it.")]
_InPlace = Annotated[bool, typer.Option("--in-place", help="With --reorder: elementwise ops on their input.")]
_Patches = Annotated[str, typer.Option(metavar="auto|2x2", help="Run the first ops patch by patch.")]
_Place = Annotated[
    str, typer.Option(metavar="auto|arena=dtcm,...", help="Search where things should lie, or say where.")
]
_Streamed = Annotated[bool, typer.Option("--input-streamed", help="With --patches: input comes in tiles.")]


def plan(
    model: Model, device: _BoardOrNone = None, runtime: Runtime = None, clock: Clock = None,
    reserve: Reserve = None, solver: _Solver = "optimal", seconds: _Seconds = 10.0,
    build: Build = None, reorder: _Reorder = False, in_place: _InPlace = False, patches: _Patches = "",
    input_streamed: _Streamed = False, place: _Place = "", form: Form = Format.text, output: Out = None,
    _debug: Debug = False,
) -> int:  # fmt: skip
    """Where everything lies in RAM, how far that is from the optimum, and what would need less."""
    from ..devices.build import declared
    from ..devices.catalog import load_target
    from ..reports.plan_report import render_study
    from ..simulator.conditions import parse_conditions
    from ..simulator.placing.words import parse_placement
    from ..simulator.study import Asked, study, write_reordered

    target = declared(load_target(device or DEFAULT_BOARD, runtime, clock), build)
    if place not in ("", "auto"):
        target = target.placed(parse_placement(target, place))
    asked = Asked(solver, seconds, reorder or in_place, in_place, patches, input_streamed, place == "auto")
    graph = read_model(model)
    found = study(graph, target, parse_conditions(target, reserve=reserve), asked=asked)
    model_out = output if output is not None and output.suffix == ".tflite" else None
    if model_out is not None:
        if found.order is None:
            raise BudgetInvalid("-o with a .tflite writes the reordered model", fix="add --reorder")
        write_reordered(graph, found.order, model_out)
        say_written(model_out)
        output = None
    words = {"-d": device, "-r": runtime, "--clock": clock, "--reserve": reserve, "--build": build,
             "--patches": patches or None, "--place": place or None}  # fmt: skip
    flags = [f for f, on in (("--reorder", reorder), ("--in-place", in_place)) if on]
    given = [word for key, value in words.items() if value is not None for word in (key, value)]
    command = shlex.join(("preflash", "plan", model, *given, *flags))
    deliver_text(render_study(found, form.value, command=command), output)
    return OK
