"""What can be looked up: a model's contents, boards, runtimes, rules, schemas."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .deliver import deliver_text, read_model
from .options import BAD_INPUT, OK, Debug, Model, Out, Plain, PlainForm, SchemaName


def inspect(
    model: Model,
    ops: Annotated[bool, typer.Option("--ops", help="List every op.")] = False,
    tensors: Annotated[bool, typer.Option("--tensors", help="List every tensor.")] = False,
    form: PlainForm = Plain.text, output: Out = None, _debug: Debug = False,
) -> int:  # fmt: skip
    """What is in a model: ops, MACs, weights, quantization, signatures. Needs no device."""
    from ..reports import inspection

    document = inspection.inspect(read_model(model), ops=ops, tensors=tensors)
    render = inspection.render_inspection_json if form is Plain.json else inspection.render_inspection
    deliver_text(render(document), output)
    return OK


def explain(
    name: Annotated[
        str, typer.Argument(metavar="[RULE|METRIC]", help="PF203, ram_bytes; nothing lists all.")
    ] = "",
) -> int:
    """What a rule id or the name of a figure means."""
    from ..reports.explain import explain as text_of
    from ..reports.explain import render_topics

    deliver_text(text_of(name) if name else render_topics(), None)
    return OK


def schema(name: Annotated[SchemaName, typer.Argument(help="Which schema.")] = SchemaName.result) -> int:
    """The JSON Schema of results, plan studies, accuracy, fragility, device files or runtime files."""
    from ..reports.schema import render_schema

    deliver_text(render_schema(name.value), None)
    return OK


def device_list() -> int:
    """All boards: core, clock, flash, RAM, default runtime."""
    from ..devices.catalog import device_names, load_device
    from ..reports.listing import render_devices

    deliver_text(render_devices(load_device(name) for name in device_names()), None)
    return OK


def device_show(name: str, form: PlainForm = Plain.text) -> int:
    """Every number of a board with its source and confidence."""
    from ..devices.catalog import load_device
    from ..reports.listing import render_device, render_spec_json

    device = load_device(name)
    deliver_text(render_spec_json(device) if form is Plain.json else render_device(device), None)
    return OK


def device_validate(files: Annotated[list[Path], typer.Argument(metavar="FILE...")]) -> int:
    """All faults of device files, one a line."""
    from ..reports.validation import validate_device_files

    text, is_valid = validate_device_files(files)
    deliver_text(text, None)
    return OK if is_valid else BAD_INPUT


def runtime_list() -> int:
    """All runtimes: version, kernels, ops, fusion rules."""
    from ..devices.catalog import load_runtime, runtime_names
    from ..reports.listing import render_runtimes

    deliver_text(render_runtimes(load_runtime(name) for name in runtime_names()), None)
    return OK


def runtime_show(name: str, form: PlainForm = Plain.text) -> int:
    """What a runtime does, and every op it runs."""
    from ..devices.catalog import load_runtime
    from ..reports.listing import render_runtime, render_spec_json

    runtime = load_runtime(name)
    deliver_text(render_spec_json(runtime) if form is Plain.json else render_runtime(runtime), None)
    return OK
