"""How is a calibration written down: as TOML, the same text for the same figures."""

from __future__ import annotations

import json

from ...devices.calibration import Calibration
from ...devices.spec import Block

_TABLES = (
    ("core", "cores"), ("board", "boards"), ("build", "builds"), ("kernel", "kernels"), ("fetch", "fetches"),
    ("spread", "spreads"),
)  # fmt: skip


def calibration_text(calibration: Calibration, comment: str) -> str:
    """The file's text.

    Args:
        comment: its first lines, without the #.
    """
    lines = [f"# {line}" for line in comment.splitlines()]
    lines += [f"date = {_word(calibration.date)}", f"sources = {_word(list(calibration.sources))}"]
    for table, field in _TABLES:
        for entry in getattr(calibration, field):
            lines += ["", f"[[{table}]]", *_entry(entry)]
    return "\n".join(lines) + "\n"


def _entry(block: Block) -> list[str]:
    lines = []
    for name in type(block).model_fields:
        value = getattr(block, name)
        if name == "at_clock_hz":
            name, value = "at_clock", f"{value / 1e6:g} MHz"
        if value is not None:
            lines.append(f"{name} = {_word(value)}")
    return lines


def _word(value: object) -> str:
    """A TOML value; JSON writes strings, numbers and lists the same way."""
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
