"""Sweeps: many variants on many targets into a store; questions to a store; which board runs a model."""

from __future__ import annotations

import gc
import os
import shlex
import sys
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .deliver import deliver_parts, deliver_text, read_model, say_written
from .options import BAD_VERDICT, OK, Deadline, Debug, Headroom, Limits, Model, Reserve, ScenarioFile

if TYPE_CHECKING:
    from ..devices.target import Target


class Sheet(str, Enum):
    text, json, csv = "text", "json", "csv"


class Page(str, Enum):
    text, json, csv, html = "text", "json", "csv", "html"


class Rows(str, Enum):
    text, json, csv, parquet = "text", "json", "csv", "parquet"


class Axis(str, Enum):
    ram, arena, flash, latency, energy, accuracy = "ram", "arena", "flash", "latency", "energy", "accuracy"


class Order(str, Enum):
    latency, energy, ram, flash = "latency", "energy", "ram", "flash"


_StorePath = Annotated[Path, typer.Argument(metavar="STORE", help="What preflash sweep wrote.")]
_Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write it there.")]
_MOST_SHOWN = 100


def sweep(
    scenario: Annotated[
        Path, typer.Argument(metavar="SCENARIO.toml", help="Models, recipes, targets, limits.")
    ],
    store: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Else the scenario's name with .sweep.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a store that is there.")] = False,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", metavar="N", min=1, help="Processes; else one per core.")
    ] = None,
    scheduler: Annotated[
        str, typer.Option(metavar="tcp://HOST:PORT", help="A Dask cluster's scheduler (extra dask).")
    ] = "",
    workers: Annotated[
        int, typer.Option(metavar="N", min=0, help="A Dask cluster of this machine with N workers.")
    ] = 0,
    limit: Annotated[int | None, typer.Option(metavar="N", min=1, help="The first N variants only.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE.html", help="The report.")
    ] = None,
    form: Annotated[Page, typer.Option("--format", "-f", help="What to print.")] = Page.text,
    _debug: Debug = False,
) -> int:  # fmt: skip
    """Every variant on every target of a scenario into one store; prints what came out."""
    from ..reports.sweep_report import render_sweep
    from ..simulator.sweep.session import Ways
    from ..simulator.sweep.session import sweep as run
    from ..simulator.sweep.store.reading import read_store
    from .progress import ProgressLine

    gc.enable()  # a check is too short for it
    path = store or scenario.parent / f"{scenario.stem}.sweep"
    _leave_whole(path, output)
    command = shlex.join(["preflash", "sweep", str(scenario), *(["--store", str(store)] if store else [])])
    line = ProgressLine()
    ways = Ways(jobs or os.cpu_count() or 1, scheduler, workers, resume, limit, line)
    try:
        run(scenario, path, ways, command=command)
    except KeyboardInterrupt:
        line.clear()
        if path.exists():
            _say(f"what is finished is in {path}: go on with --resume")
        raise
    finally:
        line.clear()
    say_written(path)
    table = read_store(path)
    if output is not None:
        deliver_text(render_sweep(table, "html", command=command), output)
    deliver_text(render_sweep(table, form.value, command=command), None)
    return OK if table.is_ok.any() else BAD_VERDICT


def report(
    store: _StorePath, output: _Output = None,
    form: Annotated[Page, typer.Option("--format", "-f", help="Of the report.")] = Page.html,
    _debug: Debug = False,
) -> int:  # fmt: skip
    """The report of a sweep: which board, which variant, what matters, what failed."""
    from ..reports.sweep_report import render_sweep
    from ..simulator.sweep.store.reading import read_store

    _leave_whole(store, output)
    table = read_store(store)
    deliver_text(render_sweep(table, form.value, command=table.facts.get("command", "")), output)
    return OK


def query(
    store: _StorePath,
    question: Annotated[
        str, typer.Argument(metavar="SQL", help="A condition, or SELECT ... FROM points.")
    ] = "",
    form: Annotated[Rows, typer.Option("--format", "-f", help="Of the rows.")] = Rows.text,
    output: _Output = None,
    most: Annotated[
        int | None, typer.Option("--most", "-n", metavar="N", min=1, help="Rows; as text at most 100.")
    ] = None,
    _debug: Debug = False,
) -> int:  # fmt: skip
    """Points of a store: "word = 'FITS' AND latency_s < 0.05 ORDER BY ram_bytes", or any SELECT."""
    from ..errors import BudgetInvalid
    from ..reports.answer_report import render_answer
    from ..simulator.sweep.store.export import write_parquet
    from ..simulator.sweep.store.query import all_points, ask

    _leave_whole(store, output)
    is_everything = not question.strip() and form in (Rows.csv, Rows.parquet)
    wanted = most if most is not None or form is not Rows.text else _MOST_SHOWN
    answer = all_points(store) if is_everything and most is None else ask(store, question, most=wanted)
    if form is Rows.parquet:
        if output is None:
            raise BudgetInvalid(
                "Parquet is not for a terminal", where="-f parquet", fix="give -o FILE.parquet"
            )
        write_parquet(answer, output)
        say_written(output)
    else:
        deliver_parts(render_answer(answer, form.value), output)
    return OK


def pareto(
    store: _StorePath,
    x: Annotated[Axis, typer.Option("-x", help="The first figure.")] = Axis.ram,
    y: Annotated[Axis, typer.Option("-y", help="The second figure.")] = Axis.latency,
    z: Annotated[Axis | None, typer.Option("-z", help="A third figure.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Points that do not fit as well.")] = False,
    form: Annotated[Sheet, typer.Option("--format", "-f", help="Of the points.")] = Sheet.text,
    output: _Output = None,
    _debug: Debug = False,
) -> int:  # fmt: skip
    """The points of a store that no other beats: most accuracy, least of everything else."""
    from ..errors import BudgetInvalid
    from ..reports.pareto_report import render_front
    from ..simulator.sweep.asked.scenario import FIGURE_OF
    from ..simulator.sweep.store.reading import read_store
    from ..simulator.sweep.study.pareto import front, surely_dominated

    _leave_whole(store, output)
    names = [axis.value for axis in (x, y, z) if axis is not None]
    twice = next((name for name in names if names.count(name) > 1), "")
    if twice:
        said = f"-x {x.value} -y {y.value}" + ("" if z is None else f" -z {z.value}")
        raise BudgetInvalid(f"{twice} is there twice", where=said, fix="a front is of different figures")
    axes = [(FIGURE_OF[name], "max" if name == "accuracy" else "min") for name in names]
    table = read_store(store)
    found = front(table, axes, only_ok=not everything)
    sure = surely_dominated(table, axes, only_ok=not everything)
    deliver_text(
        render_front(table, found, form.value, asked=table.is_ok | everything, sure=sure), output
    )
    return OK if len(found.best) else BAD_VERDICT


def match(
    model: Model,
    board: Annotated[
        list[str] | None,
        typer.Option("--device", "-d", metavar="BOARD", help='A board or "nucleo-*"; else all.'),
    ] = None,
    runtime: Annotated[
        list[str] | None,
        typer.Option("--runtime", "-r", metavar="RUNTIME", help="Else all that fit a board."),
    ] = None,
    deadline: Deadline = None,
    energy: Annotated[str | None, typer.Option(metavar="2mJ", help="What an inference may take.")] = None,
    limit: Limits = None, reserve: Reserve = None, headroom: Headroom = None, scenario: ScenarioFile = None,
    by: Annotated[Order, typer.Option(help="Sort what has the same verdict by this.")] = Order.latency,
    most: Annotated[int, typer.Option("--most", "-n", metavar="N", min=1, help="Rows of the text.")] = 30,
    everything: Annotated[bool, typer.Option("--all", help="All rows of the text.")] = False,
    form: Annotated[Sheet, typer.Option("--format", "-f", help="Of the table.")] = Sheet.text,
    output: _Output = None, _debug: Debug = False,
) -> int:  # fmt: skip
    """Which board? All boards and runtimes, what fits first, with the resource that limits."""
    from ..reports.match_report import render_matches
    from ..simulator.scenario import Said, read_scenario
    from ..simulator.sweep.asked.targets import board_targets
    from ..simulator.sweep.match import match as matched

    graph = read_model(model)
    limits = (*(limit or ()), *([f"energy={energy}"] if energy else []))
    said = Said(tuple(reserve or ()) or None, deadline, headroom, limit=limits or None)
    targets = board_targets(tuple(board or ("all",)), tuple(runtime or ("all",)))
    file = None if scenario is None else read_scenario(scenario)
    found = matched(graph, targets, scenario=file, said=said, order=by.value)
    words = ["preflash", "check", model, *(_target_words(found[0].target, board, runtime) if found else ())]
    options = [("--scenario", scenario), ("--deadline", deadline), ("--headroom", headroom)]
    options += [*(("--reserve", text) for text in reserve or ()), *(("--limit", text) for text in limits)]
    words += [w for option, value in options if value is not None for w in (option, value)]
    command, shown = shlex.join(words), None if everything else most
    deliver_text(render_matches(found, form.value, model=graph.name, command=command, most=shown), output)
    return OK if found and found[0].word.severity <= 1 else BAD_VERDICT


def _target_words(
    target: Target, boards: list[str] | None, runtimes: list[str] | None
) -> tuple[str, ...]:
    """-d and -r of a target; a file that was given is said as it was given."""
    from ..devices.catalog import load_device, load_runtime

    own = (path for path in boards or () if _is_file(path) and load_device(path) == target.unplaced.device)
    ways = (path for path in runtimes or () if _is_file(path) and load_runtime(path) == target.runtime)
    return "-d", next(own, target.device.name), "-r", next(ways, target.runtime.label)


def _is_file(word: str) -> bool:
    return word.endswith(".toml") or "/" in word


def _leave_whole(store: Path, output: Path | None) -> None:
    from ..errors import BudgetInvalid

    if output is not None and output.resolve() == store.resolve():
        raise BudgetInvalid("it would take the store's place", where=f"-o {output}", fix="give another file")


def _say(text: str) -> None:
    from ..reports.format import clean

    if sys.stderr is not None:
        print(f"preflash: {clean(text)}", file=sys.stderr)  # noqa: T201
