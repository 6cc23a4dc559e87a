"""Latency on phones and Cortex-A boards against what others published: SA-06, SA-07, SA-13 and the table."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from statistics import median
from types import ModuleType

import numpy as np
import pytest
from preflash import cli
from preflash.errors import FactsNotFound
from preflash.simulator.kernels.xnnpack_data import coefficients
from preflash.simulator.validate.phone_claims import (
    DENSE,
    dense_s,
    eight_bit_speed_ups_of_2018,
    eight_bit_speed_ups_of_2019,
    latency_s,
    pruning_speed_up,
)
from preflash.simulator.validate.phone_rows import all_phone_rows, phone_rows
from preflash.simulator.validate.phones import by_macs, errors, phone_tables, phones_table, quantile
from shared_data import shared_csv

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


def test_every_claim_of_the_table_is_met() -> None:
    table = phones_table()
    assert [claim for claim in table.claims if claim.is_met is False] == []
    assert len(table.rows) == 15


def test_every_row_is_compared_or_left_out_for_a_stated_reason() -> None:
    left = [row for row in all_phone_rows() if row.left_out]
    assert len(phone_rows()) + len(left) == len(all_phone_rows())
    assert len(phone_rows()) >= 170
    assert all(row.source for row in all_phone_rows())


def test_half_the_macs_by_pruning_gain_less_than_two_on_a_phone() -> None:
    """SA-06: 569 M / 285 M = 2.00; measured 1.81 to 1.95."""
    assert 1.75 <= pruning_speed_up() <= 1.95


def test_eight_bits_gain_2_2_to_3_7_with_the_tensorflow_lite_of_2018() -> None:
    """SA-07: PocketFlow's three phones, MobileNetV1 and V2; the spec gives one decimal."""
    ratios = [round(ratio, 1) for ratio in eight_bit_speed_ups_of_2018()]
    assert min(ratios) >= 2.2 and max(ratios) <= 3.7


def test_eight_bits_gain_less_with_the_tensorflow_lite_of_2019() -> None:
    """SA-07: hosted models on a Pixel 3, 4 threads: 1.31 to 1.88, median 1.72; V1 1.0 24.0 to 13.0 ms."""
    ratios = eight_bit_speed_ups_of_2019()
    assert min(ratios) == pytest.approx(1.31, rel=0.1)
    assert max(ratios) == pytest.approx(1.88, rel=0.1)
    assert median(ratios) == pytest.approx(1.72, rel=0.05)
    for dtype, published_ms in (("float32", 24.0), ("int8", 13.0)):
        ours = latency_s("mobilenet-v1", "pixel-3", "litert-builtin", dtype=dtype, threads=4)
        assert ours * 1e3 == pytest.approx(published_ms, rel=0.1)


@pytest.mark.parametrize("device", sorted(DENSE))
def test_the_dense_column_of_fast_sparse_convnets(device: str) -> None:
    """SA-13: width 0.75 from 1.0 within 10 %; both from the model alone within 20 %."""
    assert dense_s(device) * 1e3 == pytest.approx(DENSE[device][1], rel=0.1)
    for width, published_ms in zip((1.0, 0.75), DENSE[device], strict=True):
        ours = latency_s("mobilenet-v1", device, "litert-builtin", width=width)
        assert ours * 1e3 == pytest.approx(published_ms, rel=0.2)


def test_raspberry_pi_rows_are_within_20_percent() -> None:
    rows = [row for row in phone_rows() if row.device.startswith("raspberry")]
    assert len(rows) >= 30
    assert errors(rows)[-1] <= 0.2


def test_the_kernels_explain_what_macs_alone_do_not() -> None:
    rows = list(phone_rows())
    assert median(errors(rows)) <= 0.04
    assert quantile(errors(rows), 0.9) <= 0.1
    assert median(by_macs(rows)) >= 0.1


def test_the_rows_are_those_of_the_facts() -> None:
    source = "google/XNNPACK:README.md"
    facts = {float(row["value"]) for row in shared_csv("measured_other.csv") if row["source"] == source}
    rows = [row for row in all_phone_rows() if row.source == "google/XNNPACK:README.md 2020-03-27"]
    assert len(rows) == 24
    assert all(round(row.latency_s * 1e3, 6) in facts for row in rows)


def test_another_table_is_refused() -> None:
    with pytest.raises(FactsNotFound, match="no table"):
        phone_tables(only=("arenas",))


def test_the_command_prints_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["validate", "phones"]) == 0
    assert "SA-06" in capsys.readouterr().out


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def test_the_shipped_coefficients_are_those_of_the_script() -> None:
    fit = script("xnnpack_model")
    points = [fit.point_of(row) for row in phone_rows()]
    model = fit.fit(points, fit.ncnn_gains())
    shipped = coefficients()
    costs = [key for key in model.index if key[0] not in ("rate", "thread_efficiency")]
    assert len(costs) > 60
    for key in costs:
        assert shipped[key] == pytest.approx(float(np.exp(model.x[model.index[key]])), rel=0.02), key
