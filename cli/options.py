"""How is everything that a command takes spelled: options with their help, choices, exit codes."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

OK, BAD_VERDICT, BAD_INPUT, NOT_KNOWN, INTERNAL, INTERRUPTED = 0, 1, 3, 4, 5, 130


class Format(str, Enum):
    text, json, html = "text", "json", "html"


class Plain(str, Enum):
    text, json = "text", "json"


class ChartFormat(str, Enum):
    svg, png = "svg", "png"


class FailOn(str, Enum):
    no, risky, tight, never = "no", "risky", "tight", "never"


class Color(str, Enum):
    auto, always, never = "auto", "always", "never"


class SchemaName(str, Enum):
    result, plan, device, runtime = "result", "plan", "device", "runtime"
    scenario, sweep, recipe, accuracy, fragility = "scenario", "sweep", "recipe", "accuracy", "fragility"
    sweep_report = "sweep-report"


Model = Annotated[str, typer.Argument(metavar="MODEL", help="A .tflite file; - reads it from stdin.")]
Board = Annotated[
    str, typer.Option("--device", "-d", metavar="BOARD", help="A board's name, or a device .toml file.")
]
Runtime = Annotated[
    str | None,
    typer.Option("--runtime", "-r", metavar="RUNTIME", help="A name or a .toml; else the device's default."),
]
Clock = Annotated[str | None, typer.Option(metavar="64MHz", help="Core clock; else the highest.")]
Supply = Annotated[
    str | None,
    typer.Option(metavar="1.8V|3.3V smps", help="Supply and regulator for the energy; else the board's."),
]
CalibrationFile = Annotated[
    str | None,
    typer.Option("--calibration", metavar="FILE.toml", help="What preflash calibrate wrote for your board."),
]
Threads = Annotated[
    int, typer.Option(metavar="N", help="Cores that share the work, where the runtime has threads.")
]
Reserve = Annotated[
    list[str] | None,
    typer.Option(metavar="ram=20KiB,camera=150KiB@axi-sram", help="Your firmware's share; may be repeated."),
]
Limits = Annotated[
    list[str] | None,
    typer.Option(
        "--limit", metavar="ram=64KiB,energy=2mJ",
        help="What the model may take in all: ram, flash, energy; may be repeated.",
    ),
]  # fmt: skip
Deadline = Annotated[
    str | None, typer.Option(metavar="50ms", help="What inference and declared steps may take.")
]
Period = Annotated[str | None, typer.Option(metavar="1s", help="From one inference to the next.")]
Battery = Annotated[
    str | None, typer.Option(metavar="220mAh@3V,85%", help="For days of life; with the part that is usable.")
]
Sleep = Annotated[str | None, typer.Option(metavar="3uA@3V", help="What is drawn between inferences.")]
ScenarioFile = Annotated[
    str | None,
    typer.Option("--scenario", metavar="FILE.toml", help="Steps around the inference, deadline, ..."),
]
Headroom = Annotated[str | None, typer.Option(metavar="10%", help="With less free than this: TIGHT.")]
Build = Annotated[
    str | None,
    typer.Option(
        metavar="flags=Os,registrations=int8",
        help="How the firmware is built: flags, registrations, ndebug, libc, strings, debug-log.",
    ),
]
Place = Annotated[
    str | None,
    typer.Option(
        metavar="arena=dtcm,weights=copy:psram", help="Where things lie, if not where the board puts them."
    ),
]
Firmware = Annotated[
    str | None, typer.Option("--firmware", metavar="app.elf", help="What your firmware takes, from its ELF.")
]
MapFile = Annotated[
    str | None, typer.Option("--map", metavar="app.map", help="The same from GNU ld's map (-Wl,-Map).")
]
LinkerScript = Annotated[
    str | None, typer.Option("--ld", metavar="app.ld", help="Its MEMORY regions override the board's sizes.")
]
ArenaSymbol = Annotated[
    str | None, typer.Option("--arena-symbol", metavar="NAME", help="The tensor arena in ELF or map.")
]
Bootloader = Annotated[str | None, typer.Option(metavar="48KiB", help="The boot loader's share of flash.")]
OtaSlots = Annotated[
    int, typer.Option("--ota-slots", metavar="N", help="Images of firmware and model side by side.")
]
Fail = Annotated[FailOn, typer.Option("--fail-on", help="Exit 1 from this on; UNKNOWN does not count.")]
Known = Annotated[bool, typer.Option("--require-known", help="Exit 4 when a needed figure is unknown.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an internal error.")]
Form = Annotated[Format, typer.Option("--format", "-f", help="How to report.")]
PlainForm = Annotated[Plain, typer.Option("--format", "-f", help="How to report.")]
Out = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to a file.")]
Colors = Annotated[Color, typer.Option(help="Colour in text reports; auto respects NO_COLOR.")]
Charts = Annotated[
    Path | None, typer.Option("--charts", metavar="DIR", help="Write every chart of the report as a picture.")
]
ChartForm = Annotated[ChartFormat, typer.Option("--chart-format", help="The pictures' format.")]
