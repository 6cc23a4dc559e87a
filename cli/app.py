"""Which commands are there, and what becomes of an error: one line on stderr and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from .. import __version__
from ..errors import PreflashError
from . import accuracy, calibrate, check, export, fragility, lookup, plan, sweep, validate, variants
from .options import BAD_INPUT, INTERNAL, INTERRUPTED, OK


def _app(text: str) -> typer.Typer:
    return typer.Typer(
        help=text, rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False,
        no_args_is_help=True,
    )  # fmt: skip


app = _app("Does this model fit that device, how fast, at what energy: before anything is flashed.")
_GROUPS = {
    "device": _app("Boards that can be named with -d, and your own device files."),
    "runtime": _app("Runtimes that can be named with -r."),
}
_COMMANDS: dict[str, Callable[..., int]] = {
    "check": check.check,
    "accuracy": accuracy.accuracy,
    "calibrate": calibrate.calibrate,
    "export": export.export,
    "fragility": fragility.fragility,
    "inspect": lookup.inspect,
    "match": sweep.match,
    "pareto": sweep.pareto,
    "plan": plan.plan,
    "query": sweep.query,
    "report": sweep.report,
    "sweep": sweep.sweep,
    "demo": check.demo,
    "explain": lookup.explain,
    "schema": lookup.schema,
    "validate": validate.validate,
    "variants": variants.variants,
}
_SUBCOMMANDS: dict[tuple[str, str], Callable[..., int]] = {
    ("device", "list"): lookup.device_list,
    ("device", "show"): lookup.device_show,
    ("device", "validate"): lookup.device_validate,
    ("runtime", "list"): lookup.runtime_list,
    ("runtime", "show"): lookup.runtime_show,
}
for _name, _command in _COMMANDS.items():
    app.command(_name)(_command)
for (_group, _name), _command in _SUBCOMMANDS.items():
    _GROUPS[_group].command(_name)(_command)
for _group, _commands in _GROUPS.items():
    app.add_typer(_commands, name=_group)


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
    from ..reports.format import clean

    if sys.stderr is not None:  # print takes None for stdout
        print(f"preflash: error: {clean(message)}", file=sys.stderr)  # noqa: T201
    return code
