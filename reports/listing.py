"""What does the catalogue say of devices and runtimes: lists, and every number with its source."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..devices.runtime import RuntimeSpec
from ..devices.spec import DeviceSpec, MemorySpec
from . import format as shown


def render_devices(devices: Iterable[DeviceSpec]) -> str:
    """A line per device: name, core, clock, flash, RAM, default runtime."""
    rows = [_device_row(device) for device in devices]
    return _table(("device", "core", "clock", "flash", "RAM", "default runtime"), rows)


def _device_row(device: DeviceSpec) -> tuple[str, ...]:
    flash = [m for m in device.memories if m.is_nonvolatile]
    ram = [m for m in device.memories if m.is_core_ram]
    core = device.core
    name = core.name if core.count == 1 else f"{core.count}x {core.name}"
    return (
        device.name, name, shown.hertz(core.max_clock_hz), _sum(flash), _sum(ram), device.default_runtime
    )  # fmt: skip


def _sum(memories: list[MemorySpec]) -> str:
    return shown.memory(sum(m.size_bytes for m in memories)) if memories else "none"


def render_runtimes(runtimes: Iterable[RuntimeSpec]) -> str:
    """A line per runtime: name, version, kernels, ops, fusion rules."""
    rows = [
        (r.name, _versions(r), r.kernel_library, str(len(r.ops)), ", ".join(r.fusion) or "none")
        for r in runtimes
    ]
    return _table(("runtime", "version", "kernels", "ops", "fuses"), rows)


def _versions(runtime: RuntimeSpec) -> str:
    """Its version, or all its releases."""
    return ", ".join(f"@{release.version}" for release in runtime.releases) or runtime.version


def _table(titles: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    lines = (
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        for row in (titles, *rows)
    )
    return "".join(f"{line.rstrip()}\n" for line in lines)


def render_spec_json(spec: DeviceSpec | RuntimeSpec) -> str:
    """The specification as plain SI numbers, with all sources."""
    return json.dumps(spec.model_dump(mode="json"), indent=2, allow_nan=False) + "\n"


def render_device(device: DeviceSpec) -> str:
    """Every number of a device with its source and how far to trust it."""
    blocks: dict[str, Any] = device.model_dump(mode="json")
    heading = [f"{device.name}  {shown.clean(device.title)}  ({shown.clean(device.vendor)})"]
    if device.aliases:
        heading.append(f"  also called      {', '.join(device.aliases)}")
    if device.part:
        heading.append(f"  part             {shown.clean(device.part)}")
    heading.append(f"  default runtime  {device.default_runtime}")
    named = [("core", blocks["core"]), ("cache", blocks["cache"])]
    named += [(f"memory {m['name']}", m) for m in blocks["memories"]]
    named += [(f"reserved {r['name']}", r) for r in blocks["reserved"]]
    named += [(name, blocks[name]) for name in ("npu", "compression", "sparsity")]
    points = (blocks["power"] or {}).pop("points", ())
    named += [("power", blocks["power"]), *(("power point", point) for point in points)]
    lines = [line for name, block in named if block for line in ("", *_block(name, block))]
    notes = ["", f"notes: {shown.clean(device.notes)}"] if device.notes else []
    return "\n".join([*heading, *lines, *notes]) + "\n"


def render_runtime(runtime: RuntimeSpec) -> str:
    """What a runtime does, and every op it runs with versions and types."""
    blocks: dict[str, Any] = runtime.model_dump(mode="json")
    lines = [f"{runtime.name}  {shown.clean(runtime.title)}, version {shown.clean(runtime.version)}"]
    plain = {
        k: v
        for k, v in blocks.items()
        if not isinstance(v, dict) and k not in ("name", "title", "version", "ops", "releases")
    }
    lines += [
        f"  {key.replace('_', ' '):<18} {_value(key, value)}" for key, value in plain.items() if value != ""
    ]
    for name, block in blocks.items():
        if isinstance(block, dict):
            lines += ["", *_block(name, block)]
    for release in blocks["releases"]:
        lines += ["", *_block(f"release {runtime.name}@{release['version']}", release)]
    lines += ["", f"{len(runtime.ops)} ops"]
    lines += [
        f"  {shown.clean(op.op):<34} v{op.versions[0]}..{op.versions[1]:<3} {', '.join(op.types)}"
        for op in runtime.ops
    ]
    return "\n".join(lines) + "\n"


def _block(name: str, block: Mapping[str, Any]) -> list[str]:
    trust = f"  [{block['confidence']}]" if block.get("confidence") else ""
    lines = [f"{name}{trust}"]
    lines += [
        f"  {key:<30} {value}" for key, value in _flat(block) if key not in ("source", "confidence", "name")
    ]
    if block.get("source"):
        lines.append(f"  source: {shown.clean(block['source'])}")
    return lines


def _flat(block: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Names and shown values; blocks inside are named "access bandwidth"."""
    for key, value in block.items():
        name = f"{prefix}{_label(key)}"
        if isinstance(value, dict):
            yield from _flat(value, f"{name} ")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for item in value:
                yield name, ", ".join(f"{label} {text}" for label, text in _flat(item))
        elif value not in (None, "", []):
            yield name, _value(key, value)


# ending of a field's name -> the unit it is in
_UNITS = (
    ("_bytes_per_s", "B/s"), ("_macs_per_s", "MAC/s"), ("_w_per_hz", "W/Hz"), ("_j_per_mac", "J/MAC"),
    ("_bytes", "B"), ("_hz", "Hz"), ("_bits", "bit"), ("_w_lo", "W"), ("_w_hi", "W"),
    ("_a_lo", "A"), ("_a_hi", "A"), ("_w", "W"), ("_v", "V"), ("_a", "A"), ("_s", "s"), ("_j", "J"),
)  # fmt: skip


def _label(key: str) -> str:
    ending = next((ending for ending, _ in _UNITS if key.endswith(ending)), "")
    bound = ending.endswith(("_lo", "_hi"))
    trimmed = key.replace(ending[:3], "_") if bound else key.removesuffix(ending)
    return trimmed.replace("_", " ")


def _value(key: str, value: Any) -> str:
    unit = next((unit for ending, unit in _UNITS if key.endswith(ending)), None)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(shown.clean(str(item)) for item in value) or "none"
    if isinstance(value, int | float) and unit:
        return shown.amount(value, unit)
    return shown.clean(str(value))
