"""The verdict on a model and a board, and on a model that the package builds itself."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from .deliver import read_model, report
from .options import (
    BAD_VERDICT,
    NOT_KNOWN,
    OK,
    Board,
    Build,
    Clock,
    Color,
    Colors,
    Deadline,
    Debug,
    Fail,
    FailOn,
    Form,
    Format,
    Headroom,
    Known,
    Model,
    Out,
    Reserve,
    Runtime,
)

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
    deadline: Deadline = None, headroom: Headroom = None, build: Build = None, fail_on: Fail = FailOn.risky,
    require_known: Known = False, _debug: Debug = False, form: Form = Format.text, output: Out = None,
    color: Colors = Color.auto,
) -> int:  # fmt: skip
    """The verdict on a model and a board: FITS, TIGHT, RISKY, NO or UNKNOWN, and why."""
    from ..devices.build import declared
    from ..devices.catalog import load_target
    from ..simulator.conditions import parse_conditions
    from ..simulator.simulate import simulate

    target = declared(load_target(device, runtime, clock), build)
    conditions = parse_conditions(target, reserve=reserve, deadline=deadline, headroom=headroom)
    estimate = simulate(read_model(model), target, conditions)
    options = {"-d": device, "-r": runtime, "--clock": clock, "--reserve": reserve, "--deadline": deadline,
               "--headroom": headroom, "--build": build}  # fmt: skip
    words = [word for key, value in options.items() if value is not None for word in (key, value)]
    command = shlex.join(("preflash", "check", model, *words))
    report(estimate, form=form, output=output, color=color, command=command)
    return exit_code(estimate, fail_on=fail_on, require_known=require_known)


def demo(
    form: Form = Format.text, output: Out = None, color: Colors = Color.auto, _debug: Debug = False
) -> int:
    """Builds a keyword-spotting model in code and checks it on a NUCLEO-L4R5ZI."""
    from ..devices.catalog import load_target
    from ..graphs.zoo import build
    from ..simulator.simulate import simulate

    estimate = simulate(build("kws01", dtype="int8"), load_target("nucleo-l4r5zi"))
    report(estimate, form=form, output=output, color=color, command="preflash demo")
    return exit_code(estimate, fail_on=FailOn.risky, require_known=False)


def exit_code(estimate: Estimate, *, fail_on: FailOn, require_known: bool) -> int:
    """1 for a verdict at or above `fail_on`; 4 where an unknown is not accepted, unless it is NO anyway."""
    from ..reports.sections import needed_unknowns

    word = estimate.verdict.word.value
    if require_known and word != "NO" and (word == "UNKNOWN" or needed_unknowns(estimate)):
        return NOT_KNOWN
    return BAD_VERDICT if word in _FAILING[fail_on] else OK
