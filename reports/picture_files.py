"""Which files do the charts of a report become: one per chart, in a folder that is made if need be."""

from __future__ import annotations

from pathlib import Path

from ..simulator.estimate import Estimate
from .draw import draw
from .output import write_whole
from .pictures import pictures


def write_pictures(estimate: Estimate, folder: Path, form: str = "svg") -> tuple[Path, ...]:
    """Writes every chart and says where: `form` is svg or png. Equal estimates give equal bytes.

    Raises:
        OSError: the folder or a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for picture in pictures(estimate):
        path = folder / f"{picture.name}.{form}"
        write_whole(path, draw(picture, form))
        written.append(path)
    return tuple(written)
