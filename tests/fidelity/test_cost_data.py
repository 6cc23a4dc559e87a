"""The shipped cost data is what the scripts make from the facts."""

from __future__ import annotations

import csv
import importlib.util
from pathlib import Path
from types import ModuleType

import preflash
import pytest
from shared_data import shared_dir

ROOT = Path(preflash.__file__).parent


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def test_code_sizes_are_made_from_the_facts(tmp_path: Path) -> None:
    script("make_code_size_data").main(shared_dir() / "facts", tmp_path)
    made = sorted(path.name for path in tmp_path.iterdir())
    assert len(made) == 9
    for name in made:
        assert (tmp_path / name).read_text("utf-8") == (ROOT / "simulator" / "data" / name).read_text("utf-8")
        assert (tmp_path / name).stat().st_size < 60_000


def test_the_op_sets_are_recovered_from_the_facts(tmp_path: Path) -> None:
    pytest.importorskip("ortools", reason="the recovery is solved with ortools")
    script("recover_op_sets").main(shared_dir() / "facts", tmp_path)
    name = "code_size_op_sets.csv"
    made, shipped = rows(tmp_path / name), rows(ROOT / "simulator" / "data" / name)
    assert [row["op_set"] for row in made] == [row["op_set"] for row in shipped]
    twins = {"ARG_MIN": "ARG_MAX", "MINIMUM": "MAXIMUM"}  # equally large in every build
    for found, kept in zip(made, shipped, strict=True):
        one, other = ({twins.get(op, op) for op in row["ops"].split()} for row in (found, kept))
        assert one == other


def test_kernel_coefficients_are_made_from_the_facts(tmp_path: Path) -> None:
    """Fits of other numpy versions may differ in the last digits, not in terms or figures."""
    script("make_kernel_data").main(shared_dir() / "facts", tmp_path)
    name = "kernel_coefficients.csv"
    made, shipped = rows(tmp_path / name), rows(ROOT / "simulator" / "data" / name)
    keys = ("core", "family", "n", "term")
    assert [[row[key] for key in keys] for row in made] == [[row[key] for key in keys] for row in shipped]
    found, kept = ([float(row["coefficient"]) for row in part] for part in (made, shipped))
    assert found == pytest.approx(kept, rel=1e-3)
