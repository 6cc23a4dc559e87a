"""How is a firmware file read that may be anything: bounded, never waiting, never executed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...errors import FirmwareFileInvalid


def read_bounded(name: str | os.PathLike[str], *, most_bytes: int, kind: str) -> bytes:
    """The bytes of a regular file.

    Args:
        kind: what the file should be, for the advice: "an ELF file".

    Raises:
        FirmwareFileInvalid: missing, no regular file, empty or larger than `most_bytes`.
    """
    path = Path(name)
    where = _shown(path)
    try:
        if path.is_dir():
            raise FirmwareFileInvalid("it is a directory", where=where, fix=f"give {kind} itself")
        if path.exists() and not path.is_file():
            raise FirmwareFileInvalid("it is no regular file", where=where, fix=f"give {kind}")
        with path.open("rb") as file:
            content = file.read(most_bytes + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise FirmwareFileInvalid(f"cannot be read: {reason}", where=where, fix="check the path") from error
    if not content:
        raise FirmwareFileInvalid("it is empty", where=where, fix=f"give {kind}")
    if len(content) > most_bytes:
        raise FirmwareFileInvalid(
            f"it is larger than {most_bytes >> 20} MiB", where=where, fix=f"give {kind}"
        )
    return content


@contextmanager
def faults_in(name: str | os.PathLike[str]) -> Iterator[None]:
    """Every FirmwareFileInvalid raised inside names this file, before the place in it."""
    try:
        yield
    except FirmwareFileInvalid as error:
        where = f"{_shown(name)}: {error.where}" if error.where else _shown(name)
        raise FirmwareFileInvalid(error.what, where=where, fix=error.fix) from error


def _shown(name: str | os.PathLike[str]) -> str:
    return str(name)[:200]
