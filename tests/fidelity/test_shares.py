"""Are op kinds' shares within 5 points of measured ones, and does the table say what a fit has seen?"""

from __future__ import annotations

import csv
import importlib.util
from pathlib import Path
from types import ModuleType

import preflash
import pytest
from preflash.devices.catalog import load_target
from preflash.errors import FactsNotFound
from preflash.graphs.zoo import build
from preflash.simulator.kernels.class_cpi import class_cpi
from preflash.simulator.validate.facts import Facts
from preflash.simulator.validate.share_rows import op_rows, share, shares
from preflash.simulator.validate.shares import share_table, share_tables
from preflash.simulator.workload import compile_table
from shared_data import shared_dir

ROOT = Path(preflash.__file__).parent
MEASURED = ROOT / "simulator" / "data" / "measured"


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_boards_of_whose_ops_nothing_was_fitted_are_within_5_points() -> None:
    *_, last = share_table().claims
    assert last.is_met is True and "n = 3 boards" in last.reached


def test_sets_of_fewer_than_three_boards_are_reported_only() -> None:
    claims = share_table().claims[:-1]
    assert all(claim.is_met is None and "fewer than three boards" in claim.reached for claim in claims)
    assert sum("in sample" in claim.text for claim in claims) == 2


def test_every_measured_op_is_compared() -> None:
    found = shares()
    assert sum(each.ops for each in found.values()) == len(op_rows()) == 80
    for each in found.values():
        assert sum(share(each.ours, kind) for kind in each.ours) == pytest.approx(1)
        assert each.largest_points <= 5


def test_another_table_is_refused_with_the_known_one() -> None:
    with pytest.raises(FactsNotFound, match="nonsense"):
        share_tables(only=("nonsense",))


def test_depthwise_kernels_wait_on_a_cortex_m55_only() -> None:
    for board, slower in (("apollo510", True), ("ek-ra8d1", False), ("nucleo-h743zi", False)):
        target = load_target(board, "tflm-cmsis-nn")
        factors = class_cpi(compile_table(build("kws01"), target.kernels), target)
        assert factors[0] == 1 and bool(factors[1] > 1.05) is slower


def test_op_rows_are_made_from_the_facts(tmp_path: Path) -> None:
    script("make_op_rows").main(Facts(shared_dir()), tmp_path)
    for name in ("ops.csv", "retired.csv"):
        assert (tmp_path / name).read_text("utf-8") == (MEASURED / name).read_text("utf-8")


def test_what_depthwise_kernels_wait_is_made_from_the_rows(tmp_path: Path) -> None:
    made, kept = tmp_path / "class_cpi.csv", ROOT / "simulator" / "data" / "class_cpi.csv"
    script("fit_class_cpi").main(made)
    assert made.read_text("utf-8") == kept.read_text("utf-8")
    with kept.open(encoding="utf-8") as file:
        (row,) = csv.DictReader(line for line in file if not line.startswith("#"))
    assert (row["core"], row["class"]) == ("cortex-m55", "depthwise")
