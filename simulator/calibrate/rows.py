"""What is a row of measurements, and how is a CSV of them read: columns by name, values with units.

network   a .tflite, or "zoo:kws01" (also with width, resolution, classes: "zoo:mobilenet-v1 0.25 96 5")
latency   of one inference, "99.81 ms"
device    a board of the catalogue or a device file; left out, the one given with -d
runtime   e.g. x-cube-ai@8.1; left out, the one given with -r or the device's default
clock     "120 MHz"; left out, the core's highest
flags     how the kernels are compiled: O2, O3, Os, mix; left out, as the runtime file says, "?" not known
place     where things lie, as --place takes it: "arena=sdram"
op        the op kind or index that the latency is of; left out, the whole network
source    where the figure is from
left_out  why the row is not to be used; left out, it is
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from ...devices.units import parse_hz, parse_s
from ...errors import MeasuredRowsInvalid, UnitInvalid

COLUMNS = (
    "device", "runtime", "network", "clock", "latency", "flags", "place", "op", "source", "left_out",
)  # fmt: skip
_NEEDED = ("network", "latency")
_LARGEST_FILE_BYTES = 8 << 20
_MOST_ROWS = 100_000
_FLAGS = {"": None, "O2": "O2", "O3": "O3", "Os": "Os", "mix": "Oscore+O2kernels", "?": ""}


@dataclass(frozen=True, slots=True)
class MeasuredRow:
    """One measured latency.

    Args:
        line: of the file, for messages.
        flags: of the compiler; None is as the runtime file says, "" is not known.
        clock_hz: None is the core's highest.
        left_out: why it is not used; "" if it is.
    """

    line: int
    device: str
    runtime: str
    network: str
    latency_s: float
    clock_hz: float | None = None
    flags: str | None = None
    place: str = ""
    op: str = ""
    source: str = ""
    left_out: str = ""

    @property
    def label(self) -> str:
        part = f" {self.op}" if self.op else ""
        return f"{self.device} {self.runtime or 'default runtime'} {self.network}{part}"


def read_rows(path: Path, *, device: str = "", runtime: str = "") -> tuple[MeasuredRow, ...]:
    """The rows of a CSV file; lines that begin with # are comments.

    Args:
        device, runtime: of rows that state none.

    Raises:
        MeasuredRowsInvalid: the file cannot be read or has faults; all of them are in `.faults`.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_FILE_BYTES + 1)
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise _unusable(path, f"cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise _unusable(path, f"not UTF-8 text: byte {error.start}") from error
    if len(content) > _LARGEST_FILE_BYTES:
        raise _unusable(path, "it is larger than 8 MiB")
    try:
        return _parsed(text, str(path), {"device": device, "runtime": runtime})
    except csv.Error as error:
        raise _unusable(path, f"not CSV text: {error}") from error


def _parsed(text: str, where: str, defaults: Mapping[str, str]) -> tuple[MeasuredRow, ...]:
    header, lines = _table(text)
    faults = _header_faults(header, defaults)
    rows: list[MeasuredRow] = []
    if not faults:
        for number, cells in lines:
            row = _row(number, header, cells, defaults)
            if isinstance(row, MeasuredRow):
                rows.append(row)
            else:
                faults += row
            if len(rows) > _MOST_ROWS:
                faults.append(f"more than {_MOST_ROWS} rows")
                break
        if not rows and not faults:
            faults.append("there are no rows")
    if faults:
        shown = [*faults[:20], *([f"and {len(faults) - 20} more"] if len(faults) > 20 else [])]
        fix = f"columns: {', '.join(COLUMNS)}; network and latency are needed"
        raise MeasuredRowsInvalid("measurements with faults", faults=shown, where=where, fix=fix)
    return tuple(rows)


def _table(text: str) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """The header, and (line number, cells) of all rows."""
    kept = [(n, line) for n, line in enumerate(text.splitlines(), 1) if line.strip() and line[0] != "#"]
    reader = csv.reader(io.StringIO("\n".join(line for _, line in kept)))
    header = [cell.strip() for cell in next(reader, [])]
    numbers = [n for n, _ in kept[1:]]
    return header, ((numbers[min(i, len(numbers) - 1)], cells) for i, cells in enumerate(reader))


def _header_faults(header: list[str], defaults: Mapping[str, str]) -> list[str]:
    faults = []
    for name in header:
        if name not in COLUMNS:
            near = get_close_matches(name, COLUMNS, 1)
            advice = f"; did you mean {near[0]}?" if near else ""
            faults.append(f"there is no column {name[:40]!r}{advice}")
    faults += [f"column {name!r} is missing" for name in _NEEDED if name not in header]
    if "device" not in header and not defaults["device"]:
        faults.append("column 'device' is missing: give it, or the board with -d")
    if len(set(header)) < len(header):
        faults.append("a column is there twice")
    return faults


def _row(
    line: int, header: list[str], cells: list[str], defaults: Mapping[str, str]
) -> MeasuredRow | list[str]:
    """The row, or its faults."""
    if len(cells) != len(header):
        return [f"line {line}: {len(cells)} values for {len(header)} columns"]
    given = {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
    text = {name: given.get(name) or defaults.get(name, "") for name in COLUMNS}
    faults = [f"line {line}: {name} is empty" for name in (*_NEEDED, "device") if not text[name]]
    latency_s = clock_hz = None
    try:
        latency_s = parse_s(text["latency"]) if text["latency"] else None
        clock_hz = parse_hz(text["clock"]) if text["clock"] else None
    except UnitInvalid as error:
        faults.append(f"line {line}: {error}")
    if latency_s is not None and not latency_s > 0:
        faults.append(f"line {line}: a latency of {text['latency']} is not above zero")
    if text["flags"] not in _FLAGS:
        faults.append(f"line {line}: flags {text['flags'][:20]!r}: one of O2, O3, Os, mix, ?")
    if faults or latency_s is None:
        return faults
    return MeasuredRow(
        line, text["device"], text["runtime"], text["network"], latency_s, clock_hz, _FLAGS[text["flags"]],
        text["place"], text["op"], text["source"], text["left_out"],
    )  # fmt: skip


def _unusable(path: Path, fault: str) -> MeasuredRowsInvalid:
    return MeasuredRowsInvalid(
        "the measurements cannot be used", faults=(fault,), where=str(path)[:200], fix="give a CSV text file"
    )
