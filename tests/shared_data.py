"""Where the tests find models and measured figures that are not part of the repository."""

from __future__ import annotations

import csv
import gzip
import os
from functools import cache
from pathlib import Path

import pytest

_DEFAULT = Path(__file__).resolve().parents[2] / "shared"


def shared_dir() -> Path:
    """The folder of shared models and facts; skips the test where there is none."""
    folder = Path(os.environ.get("PREFLASH_SHARED", _DEFAULT))
    if not (folder / "models").is_dir():
        pytest.skip(f"no shared models and facts at {folder}; set PREFLASH_SHARED")
    return folder


def has_shared() -> bool:
    """Whether the folder is there; for parametrising at collection time."""
    return (Path(os.environ.get("PREFLASH_SHARED", _DEFAULT)) / "models").is_dir()


def shared_models() -> list[Path]:
    """All .tflite files, real ones first, then synthetic; empty where the folder is absent."""
    if not has_shared():
        return []
    models = Path(os.environ.get("PREFLASH_SHARED", _DEFAULT)) / "models"
    return [*sorted(models.glob("*.tflite")), *sorted((models / "synthetic").glob("*.tflite"))]


@cache
def shared_csv(name: str) -> list[dict[str, str]]:
    """The rows of facts/<name> (.csv or .csv.gz)."""
    path = shared_dir() / "facts" / name
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
