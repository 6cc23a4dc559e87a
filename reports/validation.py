"""Which faults do device files have: all of them, a line each."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..devices.catalog import load_target
from ..errors import DeviceFileInvalid, PreflashError
from .format import clean


def validate_device_files(paths: Iterable[Path]) -> tuple[str, bool]:
    """The report, and whether all files are good. The default runtime must exist and go with the device."""
    lines, is_valid = [], True
    for path in paths:
        faults = _faults(path)
        is_valid = is_valid and not faults
        lines += [f"{clean(str(path))}: {clean(fault)}" for fault in faults] or [f"{clean(str(path))}: ok"]
    return "".join(f"{line}\n" for line in lines), is_valid


def _faults(path: Path) -> list[str]:
    try:
        load_target(path)
    except DeviceFileInvalid as error:
        return list(error.faults)
    except PreflashError as error:
        return [str(error)]
    return []
