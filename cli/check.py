"""The verdict on a model and a board, and on a model that the package builds itself."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from .deliver import read_model, report, report_charts
from .options import (
    BAD_VERDICT,
    NOT_KNOWN,
    OK,
    ArenaSymbol,
    Battery,
    Board,
    Bootloader,
    Build,
    CalibrationFile,
    ChartForm,
    ChartFormat,
    Charts,
    Clock,
    Color,
    Colors,
    Deadline,
    Debug,
    Fail,
    FailOn,
    Firmware,
    Form,
    Format,
    Headroom,
    Known,
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

if TYPE_CHECKING:
    from ..simulator.estimate import Estimate

_FAILING = {
    FailOn.no: ("NO",),
    FailOn.risky: ("NO", "RISKY"),
    FailOn.tight: ("NO", "RISKY", "TIGHT"),
    FailOn.never: (),
}


def check(
    model: Model, device: Board, runtime: Runtime = None, clock: Clock = None, reserve: Reserve = None,
    limit: Limits = None,
    firmware: Firmware = None, map_file: MapFile = None, ld: LinkerScript = None,
    arena_symbol: ArenaSymbol = None, bootloader: Bootloader = None, ota_slots: OtaSlots = 1,
    deadline: Deadline = None, period: Period = None, battery: Battery = None, sleep: Sleep = None,
    scenario: ScenarioFile = None, headroom: Headroom = None, build: Build = None, place: Place = None,
    supply: Supply = None, calibration: CalibrationFile = None, threads: Threads = 1,
    fail_on: Fail = FailOn.risky, require_known: Known = False, _debug: Debug = False,
    form: Form = Format.text, output: Out = None, color: Colors = Color.auto,
    charts: Charts = None, chart_format: ChartForm = ChartFormat.svg,
) -> int:  # fmt: skip
    """The verdict on a model and a board: FITS, TIGHT, RISKY, NO or UNKNOWN, and why."""
    from ..simulator.advise import check as check_fit

    asked = Situation(
        device, runtime, clock, tuple(reserve or ()), deadline, headroom, period, battery, sleep, scenario,
        firmware=firmware,
        map_file=map_file, linker_script=ld, arena_symbol=arena_symbol, bootloader=bootloader,
        ota_slots=ota_slots, build=build, place=place, supply=supply, calibration=calibration,
        threads=threads, limit=tuple(limit or ()),
    )  # fmt: skip
    target, conditions = asked.read()
    estimate = check_fit(read_model(model), target, conditions)
    command = shlex.join(("preflash", "check", model, *asked.words()))
    report(estimate, form=form, output=output, color=color, command=command)
    report_charts(estimate, charts, chart_format, is_apart=form is Format.text or output is not None)
    return exit_code(estimate, fail_on=fail_on, require_known=require_known)


def demo(
    form: Form = Format.text, output: Out = None, color: Colors = Color.auto, _debug: Debug = False
) -> int:
    """Builds a keyword-spotting model in code and checks it on a NUCLEO-L4R5ZI."""
    from ..devices.catalog import load_target
    from ..graphs.zoo import build
    from ..simulator.advise import check as check_fit

    estimate = check_fit(build("kws01", dtype="int8"), load_target("nucleo-l4r5zi"))
    report(estimate, form=form, output=output, color=color, command="preflash demo")
    return exit_code(estimate, fail_on=FailOn.risky, require_known=False)


def exit_code(estimate: Estimate, *, fail_on: FailOn, require_known: bool) -> int:
    """1 for a verdict at or above `fail_on`; 4 where an unknown is not accepted, unless it is NO anyway."""
    from ..reports.sections import needed_unknowns

    word = estimate.verdict.word.value
    if require_known and word != "NO" and (word == "UNKNOWN" or needed_unknowns(estimate)):
        return NOT_KNOWN
    return BAD_VERDICT if word in _FAILING[fail_on] else OK
