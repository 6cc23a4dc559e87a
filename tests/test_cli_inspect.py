"""What `preflash inspect` says of a model, without any device."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from preflash import cli
from preflash.graphs.zoo import build
from preflash.reports.inspection import inspect, render_inspection, render_inspection_json
from preflash.simulator.workload import op_macs
from shared_data import has_shared, shared_models

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def graph() -> object:
    return build("kws01", dtype="int8")


def test_kinds_add_up_to_the_whole(graph) -> None:  # type: ignore[no-untyped-def]
    facts = inspect(graph, ops=True)
    assert sum(row["count"] for row in facts["kinds"]) == facts["model"]["op_count"] == len(graph.ops)
    assert sum(row["macs"] for row in facts["kinds"]) == facts["macs"]
    assert facts["macs"] == sum(op_macs(graph.main, op) or 0 for op in graph.ops)
    assert [op["index"] for op in facts["ops"]] == list(range(len(graph.ops)))


def test_kinds_with_most_work_come_first(graph) -> None:  # type: ignore[no-untyped-def]
    work = [row["macs"] for row in inspect(graph)["kinds"]]
    assert work == sorted(work, reverse=True)


def test_quantization_counts_every_tensor_once(graph) -> None:  # type: ignore[no-untyped-def]
    types = inspect(graph)["quantization"]
    total = len(graph.tensors)
    assert sum(types["activations"].values()) + sum(types["constants"].values()) == total
    assert types["per_tensor"] + types["per_channel"] + types["not_quantized"] == total
    assert types["per_channel"] > 0


def test_lists_come_only_where_asked_for(graph) -> None:  # type: ignore[no-untyped-def]
    assert not {"ops", "tensors"} & set(inspect(graph))
    both = inspect(graph, ops=True, tensors=True)
    assert len(both["tensors"]) == len(graph.tensors)


@pytest.mark.skipif(not has_shared(), reason="no shared models")
@pytest.mark.parametrize(
    "path", [p for p in shared_models() if "synthetic" not in p.parts], ids=lambda p: p.stem
)
def test_every_real_model_can_be_inspected(path: Path, capsys: Captured) -> None:
    code = cli.run(["inspect", str(path), "--ops", "--tensors", "-f", "json"])
    captured = capsys.readouterr()
    if code == 3:
        assert captured.err.startswith("preflash: error: ") and captured.err.count("\n") == 1
        return
    document = json.loads(captured.out, parse_constant=lambda c: pytest.fail(c))
    assert (code, document["schema"]) == (0, "preflash/inspection/1")
    assert document["model"]["file_bytes"] == path.stat().st_size
    text = render_inspection(document)
    assert not set("\x1b\x07\r") & set(text)
    assert all(row["kind"][:14] in text for row in document["kinds"])


def test_the_text_names_the_work(graph) -> None:  # type: ignore[no-untyped-def]
    facts = inspect(graph, ops=True, tensors=True)
    text = render_inspection(facts)
    assert "MMAC" in text and "CONV_2D" in text and "per channel" in text
    assert json.loads(render_inspection_json(facts)) == json.loads(json.dumps(facts))
