"""Where are the measured figures and the real models? In a folder that is not part of the package."""

from __future__ import annotations

import csv
import gzip
import os
from dataclasses import dataclass
from pathlib import Path

from ...errors import FactsNotFound

VARIABLE, DEFAULT = "PREFLASH_SHARED", "../shared"


@dataclass(frozen=True, slots=True)
class Facts:
    """A folder with facts/*.csv and models/*.tflite."""

    folder: Path

    def rows(self, name: str) -> list[dict[str, str]]:
        """The rows of facts/<name> (.csv or .csv.gz).

        Raises:
            FactsNotFound: there is no such file.
        """
        path = self.path("facts", name)
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rt", newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def path(self, *parts: str) -> Path:
        """The path of a file in the folder.

        Raises:
            FactsNotFound: there is no such file.
        """
        path = self.folder.joinpath(*parts)
        if not path.is_file():
            raise FactsNotFound("no such file of measured figures", where=str(path), fix=f"set {VARIABLE}")
        return path


def find_facts(folder: Path | None = None) -> Facts:
    """The folder given, else that of PREFLASH_SHARED, else ../shared.

    Raises:
        FactsNotFound: it does not hold facts.
    """
    path = folder if folder is not None else Path(os.environ.get(VARIABLE, DEFAULT))
    if not (path / "facts").is_dir():
        fix = f"give --facts DIR or set {VARIABLE} to a folder with facts/ and models/"
        raise FactsNotFound("no measured figures here", where=str(path), fix=fix)
    return Facts(path)
