"""What do my own measurements say of my board? Fits them and writes a calibration file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .deliver import deliver_text, say_written
from .options import OK, CalibrationFile, Debug, Plain, PlainForm


def calibrate(
    measured: Annotated[
        Path, typer.Argument(metavar="MEASURED.csv", help="network,latency[,device,runtime,clock,flags,...]")
    ],
    device: Annotated[
        str, typer.Option("--device", "-d", metavar="BOARD", help="Board of rows that name none.")
    ] = "",
    runtime: Annotated[
        str, typer.Option("--runtime", "-r", metavar="RUNTIME", help="Runtime of rows that name none.")
    ] = "",
    calibration: CalibrationFile = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the calibration here (TOML).")
    ] = None,
    form: PlainForm = Plain.text, _debug: Debug = False,
) -> int:  # fmt: skip
    """Fits a board to your own measured latencies: before, after, and a file for --calibration.

    Columns of the CSV: network (a .tflite or zoo:kws01) and latency ("12.3 ms"); device, runtime,
    clock, flags, place, op, source, left_out if you have them.
    """
    from ..devices.calibration import load_calibration, shipped_calibration
    from ..reports.tables import render_tables, render_tables_json
    from ..simulator.calibrate.own import fit_own
    from ..simulator.calibrate.rows import read_rows
    from ..simulator.calibrate.write import calibration_text
    from ..simulator.validate.data import own_table

    base = shipped_calibration()
    if calibration is not None:
        base = base.overlaid(load_calibration(calibration))
    fit = fit_own(read_rows(measured, device=device, runtime=runtime), folder=measured.parent, base=base)
    deliver_text((render_tables_json if form is Plain.json else render_tables)((own_table(fit),)), None)
    if output is not None:
        text = calibration_text(fit.calibration, f"Fitted by preflash calibrate to {measured.name}.")
        output.write_text(text, encoding="utf-8")
        say_written(output)
    return OK
