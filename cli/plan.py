"""The memory plan and what could be done about it: planners, another order, patches, placement."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import BudgetInvalid
from .deliver import deliver_text, read_model, report_charts, say_written
from .options import (
    OK,
    ArenaSymbol,
    Bootloader,
    Build,
    ChartForm,
    ChartFormat,
    Charts,
    Clock,
    Debug,
    Firmware,
    Form,
    Format,
    LinkerScript,
    MapFile,
    Model,
    OtaSlots,
    Out,
    Reserve,
    Runtime,
    ScenarioFile,
)
from .situation import Situation

if TYPE_CHECKING:
    from ..graphs.ir import ModelGraph
    from ..simulator.study import Asked, PlanStudy

DEFAULT_BOARD = "nucleo-l4r5zi"
DEFAULT_SOLVER, DEFAULT_SEARCH_S = "optimal", 10.0

_BoardOrNone = Annotated[
    str | None,
    typer.Option("--device", "-d", metavar="BOARD", help=f"A board; else planned as for {DEFAULT_BOARD}."),
]
_Solver = Annotated[str, typer.Option(metavar="NAME", help="optimal, best (no proof), or a planner.")]
_Seconds = Annotated[float, typer.Option(min=0.01, max=3600, help="How long the best plan is looked for.")]
_Reorder = Annotated[bool, typer.Option("--reorder", help="Another op order; -o OUT.tflite writes it.")]
_InPlace = Annotated[bool, typer.Option("--in-place", help="With --reorder: elementwise ops on their input.")]
_Patches = Annotated[str | None, typer.Option(metavar="auto|2x2", help="Run the first ops patch by patch.")]
_Budget = Annotated[str | None, typer.Option(metavar="64KiB", help="RAM that --patches auto must keep.")]
_Place = Annotated[
    str | None,
    typer.Option(metavar="auto|arena=dtcm,...", help="Search where things should lie, or say where."),
]
_Streamed = Annotated[bool, typer.Option("--input-streamed", help="With --patches: input comes in tiles.")]
_Offline = Annotated[
    bool, typer.Option("--offline-plan", help="The best layout as offsets in the model; -o OUT.tflite.")
]
_MODEL_SUFFIX = ".tflite"


def plan(
    model: Model, device: _BoardOrNone = None, runtime: Runtime = None, clock: Clock = None,
    solver: _Solver = DEFAULT_SOLVER, seconds: _Seconds = DEFAULT_SEARCH_S, reorder: _Reorder = False,
    in_place: _InPlace = False, offline_plan: _Offline = False, patches: _Patches = None,
    input_streamed: _Streamed = False, budget: _Budget = None, place: _Place = None, reserve: Reserve = None,
    firmware: Firmware = None, map_file: MapFile = None, ld: LinkerScript = None,
    arena_symbol: ArenaSymbol = None, bootloader: Bootloader = None, ota_slots: OtaSlots = 1,
    scenario: ScenarioFile = None, build: Build = None, form: Form = Format.text, output: Out = None,
    _debug: Debug = False, charts: Charts = None,
    chart_format: ChartForm = ChartFormat.svg,
) -> int:  # fmt: skip
    """Where everything lies in RAM, how far that is from the optimum, and what would need less."""
    from ..devices.units import parse_bytes
    from ..simulator.study import Asked, write_model

    said = Situation(
        device or DEFAULT_BOARD, runtime, clock, tuple(reserve or ()), firmware=firmware, map_file=map_file,
        linker_script=ld, arena_symbol=arena_symbol, bootloader=bootloader, ota_slots=ota_slots, build=build,
        place=place, scenario=scenario,
    )  # fmt: skip
    asked = Asked(
        solver, seconds, reorder=reorder or in_place, in_place=in_place, patches=patches or "",
        input_streamed=input_streamed, budget_bytes=None if budget is None else parse_bytes(budget),
        place=place == "auto", offline_plan=offline_plan,
    )  # fmt: skip
    wants_model = output is not None and output.suffix == _MODEL_SUFFIX
    _refuse_idle_options(asked, wants_model)
    graph = read_model(model)
    found = _study(graph, said, asked)
    if wants_model and output is not None:
        write_model(found, output)
        say_written(output)
    command = shlex.join(("preflash", "plan", model, *said.words(), *_words(asked)))
    page = None if wants_model else output
    _show(found, form, page, command=command, is_assumed=device is None)
    report_charts(found.estimate, charts, chart_format, is_apart=form is Format.text or page is not None)
    return OK


def _refuse_idle_options(asked: Asked, wants_model: bool) -> None:
    """An option that would change nothing is an error."""
    if not asked.patches and (asked.budget_bytes is not None or asked.input_streamed):
        raise BudgetInvalid("--budget and --input-streamed are for patches", fix="add --patches auto")
    if wants_model and not (asked.reorder or asked.offline_plan):
        fix = "add --reorder or --offline-plan"
        raise BudgetInvalid("-o with a .tflite writes a changed model", fix=fix)


def _study(graph: ModelGraph, said: Situation, asked: Asked) -> PlanStudy:
    from ..simulator.study import study

    target, conditions = (replace(said, place=None) if asked.place else said).read()
    return study(graph, target, conditions, asked=asked)


def _show(found: PlanStudy, form: Format, output: Path | None, *, command: str, is_assumed: bool) -> None:
    from ..reports.plan_report import render_study

    note = f"no board was given: planned as for {DEFAULT_BOARD}" if is_assumed else ""
    deliver_text(render_study(found, form.value, command=command, note=note), output)


def _words(asked: Asked) -> tuple[str, ...]:
    """What was looked into, as written."""
    flags = {"--reorder": asked.reorder and not asked.in_place, "--in-place": asked.in_place,
             "--input-streamed": asked.input_streamed, "--offline-plan": asked.offline_plan}  # fmt: skip
    patches = ("--patches", asked.patches) if asked.patches else ()
    budget = () if asked.budget_bytes is None else ("--budget", f"{asked.budget_bytes}B")
    solver = ("--solver", asked.solver) if asked.solver != DEFAULT_SOLVER else ()
    search = ("--seconds", f"{asked.search_s:g}") if asked.search_s != DEFAULT_SEARCH_S else ()
    return (*solver, *search, *(flag for flag, is_on in flags.items() if is_on), *patches, *budget)
