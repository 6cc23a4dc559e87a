"""What does the command line offer: words in, one library call, a report out, an exit code by the verdict."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import __version__
from .errors import PreflashError

if TYPE_CHECKING:
    from .graphs.ir import ModelGraph
    from .simulator.estimate import Estimate

OK, BAD_VERDICT, BAD_INPUT, NOT_KNOWN, INTERNAL, INTERRUPTED = 0, 1, 3, 4, 5, 130


class Format(str, Enum):
    text, json, html = "text", "json", "html"


class Plain(str, Enum):
    text, json = "text", "json"


class FailOn(str, Enum):
    no, risky, tight, never = "no", "risky", "tight", "never"


class Color(str, Enum):
    auto, always, never = "auto", "always", "never"


class SchemaName(str, Enum):
    result, device, runtime = "result", "device", "runtime"


_FAILING = {
    FailOn.no: ("NO",),
    FailOn.risky: ("NO", "RISKY"),
    FailOn.tight: ("NO", "RISKY", "TIGHT"),
    FailOn.never: (),
}

Model = Annotated[str, typer.Argument(metavar="MODEL", help="A .tflite file; - reads it from stdin.")]
Board = Annotated[
    str, typer.Option("--device", "-d", metavar="BOARD", help="A board's name, or a device .toml file.")
]
Runtime = Annotated[
    str | None,
    typer.Option("--runtime", "-r", metavar="RUNTIME", help="A name or a .toml; else the device's default."),
]
Clock = Annotated[str | None, typer.Option(metavar="64MHz", help="Core clock; else the highest.")]
Reserve = Annotated[str | None, typer.Option(metavar="ram=20KiB,flash=64KiB", help="Your firmware's share.")]
Deadline = Annotated[str | None, typer.Option(metavar="50ms", help="The time that one inference may take.")]
Headroom = Annotated[str | None, typer.Option(metavar="10%", help="With less free than this: TIGHT.")]
Fail = Annotated[FailOn, typer.Option("--fail-on", help="Exit 1 from this on; UNKNOWN does not count.")]
Known = Annotated[bool, typer.Option("--require-known", help="Exit 4 when a needed figure is unknown.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an internal error.")]
Form = Annotated[Format, typer.Option("--format", "-f", help="How to report.")]
PlainForm = Annotated[Plain, typer.Option("--format", "-f", help="How to report.")]
Out = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to a file.")]
Colors = Annotated[Color, typer.Option(help="Colour in text reports; auto respects NO_COLOR.")]


def _app(text: str) -> typer.Typer:
    return typer.Typer(
        help=text, rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False,
        no_args_is_help=True,
    )  # fmt: skip


app = _app("Does this model fit that device, how fast, at what energy: before anything is flashed.")
devices = _app("Boards that can be named with -d, and your own device files.")
runtimes = _app("Runtimes that can be named with -r.")
app.add_typer(devices, name="device")
app.add_typer(runtimes, name="runtime")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"preflash {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Does this model fit that device, before anything is flashed."""


@app.command()
def check(
    model: Model, device: Board, runtime: Runtime = None, clock: Clock = None, reserve: Reserve = None,
    deadline: Deadline = None, headroom: Headroom = None, fail_on: Fail = FailOn.risky,
    require_known: Known = False, _debug: Debug = False, form: Form = Format.text, output: Out = None,
    color: Colors = Color.auto,
) -> int:  # fmt: skip
    """The verdict on a model and a board: FITS, TIGHT, RISKY, NO or UNKNOWN, and why."""
    from .devices.catalog import load_target
    from .simulator.conditions import parse_conditions
    from .simulator.simulate import simulate

    target = load_target(device, runtime, clock)
    conditions = parse_conditions(target, reserve=reserve, deadline=deadline, headroom=headroom)
    estimate = simulate(_read(model), target, conditions)
    options = {"-d": device, "-r": runtime, "--clock": clock, "--reserve": reserve, "--deadline": deadline,
               "--headroom": headroom}  # fmt: skip
    words = [word for key, value in options.items() if value is not None for word in (key, value)]
    command = shlex.join(("preflash", "check", model, *words))
    _report(estimate, form=form, output=output, color=color, command=command)
    return exit_code(estimate, fail_on=fail_on, require_known=require_known)


@app.command()
def inspect(
    model: Model,
    ops: Annotated[bool, typer.Option("--ops", help="List every op.")] = False,
    tensors: Annotated[bool, typer.Option("--tensors", help="List every tensor.")] = False,
    form: PlainForm = Plain.text, output: Out = None, _debug: Debug = False,
) -> int:  # fmt: skip
    """What is in a model: ops, MACs, weights, quantization, signatures. Needs no device."""
    from .reports import inspection

    document = inspection.inspect(_read(model), ops=ops, tensors=tensors)
    render = inspection.render_inspection_json if form is Plain.json else inspection.render_inspection
    _print(render(document), output)
    return OK


@app.command()
def demo(
    form: Form = Format.text, output: Out = None, color: Colors = Color.auto, _debug: Debug = False
) -> int:
    """Builds a keyword-spotting model in code and checks it on a NUCLEO-L4R5ZI."""
    from .devices.catalog import load_target
    from .graphs.zoo import build
    from .simulator.simulate import simulate

    estimate = simulate(build("kws01", dtype="int8"), load_target("nucleo-l4r5zi"))
    _report(estimate, form=form, output=output, color=color, command="preflash demo")
    return exit_code(estimate, fail_on=FailOn.risky, require_known=False)


@app.command()
def explain(
    name: Annotated[
        str, typer.Argument(metavar="[RULE|METRIC]", help="PF203, ram_bytes; nothing lists all.")
    ] = "",
) -> int:
    """What a rule id or the name of a figure means."""
    from .reports.explain import explain as text_of
    from .reports.explain import render_topics

    _print(text_of(name) if name else render_topics(), None)
    return OK


@app.command()
def schema(name: Annotated[SchemaName, typer.Argument(help="Which schema.")] = SchemaName.result) -> int:
    """The JSON Schema of results, device files or runtime files."""
    from .reports.schema import render_schema

    _print(render_schema(name.value), None)
    return OK


@devices.command("list")
def device_list() -> int:
    """All boards: core, clock, flash, RAM, default runtime."""
    from .devices.catalog import device_names, load_device
    from .reports.listing import render_devices

    _print(render_devices(load_device(name) for name in device_names()), None)
    return OK


@devices.command("show")
def device_show(name: str, form: PlainForm = Plain.text) -> int:
    """Every number of a board with its source and confidence."""
    from .devices.catalog import load_device
    from .reports.listing import render_device, render_spec_json

    device = load_device(name)
    _print(render_spec_json(device) if form is Plain.json else render_device(device), None)
    return OK


@devices.command("validate")
def device_validate(files: Annotated[list[Path], typer.Argument(metavar="FILE...")]) -> int:
    """All faults of device files, one a line."""
    from .reports.validation import validate_device_files

    text, is_valid = validate_device_files(files)
    _print(text, None)
    return OK if is_valid else BAD_INPUT


@runtimes.command("list")
def runtime_list() -> int:
    """All runtimes: version, kernels, ops, fusion rules."""
    from .devices.catalog import load_runtime, runtime_names
    from .reports.listing import render_runtimes

    _print(render_runtimes(load_runtime(name) for name in runtime_names()), None)
    return OK


@runtimes.command("show")
def runtime_show(name: str, form: PlainForm = Plain.text) -> int:
    """What a runtime does, and every op it runs."""
    from .devices.catalog import load_runtime
    from .reports.listing import render_runtime, render_spec_json

    runtime = load_runtime(name)
    _print(render_spec_json(runtime) if form is Plain.json else render_runtime(runtime), None)
    return OK


def exit_code(estimate: Estimate, *, fail_on: FailOn, require_known: bool) -> int:
    """1 for a verdict at or above `fail_on`; 4 where an unknown is not accepted, unless it is NO anyway."""
    from .reports.sections import needed_unknowns

    word = estimate.verdict.word.value
    if require_known and word != "NO" and (word == "UNKNOWN" or needed_unknowns(estimate)):
        return NOT_KNOWN
    return BAD_VERDICT if word in _FAILING[fail_on] else OK


def _read(model: str) -> ModelGraph:
    from .graphs.tflite.read import parse_tflite, read_tflite

    if model != "-":
        return read_tflite(model)
    return parse_tflite(sys.stdin.buffer.read() if sys.stdin else b"", name="stdin")


def _report(estimate: Estimate, *, form: Format, output: Path | None, color: Color, command: str) -> None:
    from .reports.output import wants_color
    from .reports.render import render

    colored = color is Color.always if output else wants_color(color.value, sys.stdout)
    _print(render(estimate, form.value, color=colored, command=command), output)


def _print(text: str, output: Path | None) -> None:
    from .reports.output import deliver

    deliver(text, output)
    if output is not None and sys.stderr is not None:
        print(f"preflash: wrote {output}", file=sys.stderr)  # noqa: T201


def run(argv: Sequence[str]) -> int:
    """Runs the command; turns every error into one line on stderr and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        result = app(args=list(argv), prog_name="preflash", standalone_mode=False)
        return result if isinstance(result, int) else OK
    except PreflashError as error:
        return _fail(str(error), BAD_INPUT)
    except (KeyboardInterrupt, typer.Abort):
        return _fail("interrupted", INTERRUPTED)
    except OSError as error:
        place = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
        return _fail(f"{place}{error.strerror or error}", BAD_INPUT)
    except Exception as error:
        if hasattr(error, "show") and hasattr(error, "exit_code"):  # a usage error of typer: 2
            error.show()
            return int(error.exit_code)
        if "--debug" in argv:
            raise
        kind = type(error).__name__
        return _fail(f"internal error ({kind}: {error}); rerun with --debug for the traceback", INTERNAL)


def _fail(message: str, code: int) -> int:
    from .reports.format import clean

    if sys.stderr is not None:  # print takes None for stdout
        print(f"preflash: error: {clean(message)}", file=sys.stderr)  # noqa: T201
    return code
