"""The traffic table: per op, memory and direction; the totals are those of the memories."""

from __future__ import annotations

from dataclasses import replace

import pytest
from estimates import estimate
from preflash.devices.catalog import load_target
from preflash.graphs.zoo import build
from preflash.reports.data import to_data
from preflash.reports.html import render_html
from preflash.reports.traffic_table import overlap_sentence, traffic_table
from preflash.simulator.estimate import Traffic
from preflash.simulator.simulate import simulate


def test_rows_add_to_the_totals() -> None:
    # 6 ops, each 256 B from flash; 2048 + 1024 B of sram, 512 of them again; the model has 2,656,768 MACs
    table = traffic_table(estimate())
    assert table.totals == {"flash": Traffic("flash", 1536, 0, 0), "sram": Traffic("sram", 12288, 6144, 3072)}
    assert table.bytes_per_mac["sram"] == pytest.approx(18432 / 2_656_768)
    assert table.all_bytes_per_mac == pytest.approx(19968 / 2_656_768)
    assert table.rows[0].bytes_per_mac == pytest.approx(3328 / 1000)


def test_an_op_without_macs_has_no_bytes_per_mac() -> None:
    base = estimate()
    table = traffic_table(replace(base, ops=(replace(base.ops[0], macs=0), replace(base.ops[1], macs=None))))
    assert [row.bytes_per_mac for row in table.rows] == [None, None]


def test_a_model_with_unknown_macs_has_no_bytes_per_mac() -> None:
    base = estimate()
    table = traffic_table(replace(base, model=replace(base.model, macs=None)))
    assert table.all_bytes_per_mac is None and set(table.bytes_per_mac.values()) == {None}


def test_totals_are_what_the_memories_report() -> None:
    real = simulate(build("ic01", dtype="int8"), load_target("stm32h747i-disco"))
    totals = traffic_table(real).totals
    for memory in real.memories:
        if memory.name in totals:
            t = totals[memory.name]
            assert (t.read_bytes, t.write_bytes) == (memory.read_bytes, memory.write_bytes)
    assert totals == {t.memory: t for t in real.fusion_traffic.after}


@pytest.mark.parametrize(
    ("library", "words"), [("cmsis-nn", "nothing overlaps"), ("accelerator", "the slower of work and")]
)
def test_the_page_and_the_json_state_what_overlaps(library: str, words: str) -> None:
    base = estimate()
    example = replace(base, target=replace(base.target, kernel_library=library))
    sentence = overlap_sentence(example)
    assert words in sentence
    assert sentence in render_html(example)
    assert to_data(example)["traffic"]["overlap"] == sentence


def test_the_json_result_carries_what_the_charts_show() -> None:
    document = to_data(estimate())
    assert document["traffic"]["memories"][1] == {
        "memory": "sram", "read_bytes": 12288, "write_bytes": 6144, "repeated_bytes": 3072,
        "bytes_per_mac": pytest.approx(18432 / 2_656_768),
    }  # fmt: skip
    roofline = document["roofline"]
    assert roofline["reason"] == "" and [m["memory"] for m in roofline["memories"]] == ["flash"]
    assert [point["op"] for point in roofline["points"]] == [0, 1, 2, 3, 4, 5]
    assert roofline["core"]["op"] == 0
