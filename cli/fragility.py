"""How much the verdict hangs on each assumption."""

from __future__ import annotations

import shlex
from typing import Annotated

import typer

from .deliver import deliver_text, read_model
from .options import (
    OK,
    ArenaSymbol,
    Battery,
    Board,
    Bootloader,
    Build,
    CalibrationFile,
    Clock,
    Deadline,
    Debug,
    Firmware,
    Headroom,
    Limits,
    LinkerScript,
    MapFile,
    Model,
    OtaSlots,
    Out,
    Period,
    Place,
    Reserve,
    Runtime,
    ScenarioFile,
    Sleep,
    Supply,
    Threads,
)
from .situation import Situation
from .variants import Table

_By = Annotated[str, typer.Option("--by", metavar="20%", help="How far each assumption is off.")]
_Form = Annotated[Table, typer.Option("--format", "-f", help="How to report.")]


def fragility(
    model: Model, device: Board, runtime: Runtime = None, by: _By = "20%", clock: Clock = None,
    reserve: Reserve = None, limit: Limits = None,
    firmware: Firmware = None, map_file: MapFile = None, ld: LinkerScript = None,
    arena_symbol: ArenaSymbol = None, bootloader: Bootloader = None, ota_slots: OtaSlots = 1,
    deadline: Deadline = None, period: Period = None, battery: Battery = None, sleep: Sleep = None,
    scenario: ScenarioFile = None, headroom: Headroom = None, build: Build = None, place: Place = None,
    supply: Supply = None, calibration: CalibrationFile = None, threads: Threads = 1, _debug: Debug = False,
    form: _Form = Table.text, output: Out = None,
) -> int:  # fmt: skip
    """Every assumption 20 % off, one at a time: what turns the verdict, and from where on."""
    from ..reports.fragility_report import render_fragility
    from ..simulator.fragility import fragility as study
    from ..simulator.fragility import parse_by

    asked = Situation(
        device, runtime, clock, tuple(reserve or ()), deadline, headroom, period, battery, sleep, scenario,
        firmware=firmware,
        map_file=map_file, linker_script=ld, arena_symbol=arena_symbol, bootloader=bootloader,
        ota_slots=ota_slots, build=build, place=place, supply=supply, calibration=calibration,
        threads=threads, limit=tuple(limit or ()),
    )  # fmt: skip
    part = parse_by(by)
    target, conditions = asked.read()
    found = study(read_model(model), target, conditions, by=part)
    command = shlex.join(("preflash", "fragility", model, *asked.words(), "--by", by))
    deliver_text(render_fragility(found, form.value, command=command), output)
    return OK
