"""Every rule and metric can be explained; a slip of the pen gets a hint."""

from __future__ import annotations

import re

import pytest
from estimates import estimate, refused, unpriced
from preflash.errors import PreflashError
from preflash.reports.explain import METRICS, explain, render_topics, topics
from preflash.reports.rules import RULES


@pytest.mark.parametrize("name", topics())
def test_a_topic_is_explained_in_lines_that_fit_a_terminal(name: str) -> None:
    text = explain(name)
    assert text.startswith(name)
    assert max(map(len, text.splitlines())) <= 80
    assert text.count("\n\n") == 2


def test_rule_ids_are_unique_and_sorted() -> None:
    ids = [rule.id for rule in RULES]
    assert ids == sorted(set(ids))
    assert all(re.fullmatch(r"PF\d{3}", i) for i in ids)
    assert {rule.severity for rule in RULES} <= {"error", "warning", "info"}


def test_every_metric_of_an_estimate_is_explained() -> None:
    for example in (estimate(), unpriced(), refused()):
        for metric in example.metrics:
            assert explain(metric.name).startswith(metric.name.split(".")[0])
            assert METRICS[metric.name.split(".")[0]][0] == metric.unit


def test_capitals_do_not_matter() -> None:
    assert explain("pf203") == explain("PF203")
    assert explain("RAM_BYTES") == explain("ram_bytes")


def test_a_metric_of_one_memory_names_it() -> None:
    assert "'sram'" in explain("traffic_bytes.sram")


@pytest.mark.parametrize(
    ("slip", "hint"),
    [("PF20", "PF20[1-9]"), ("PF999", "PF90[12]"), ("ram_byte", "ram_bytes"), ("latency", "latency_s")],
)
def test_a_slip_gets_a_hint(slip: str, hint: str) -> None:
    with pytest.raises(PreflashError, match=hint):
        explain(slip)


def test_nonsense_is_refused_with_the_way_to_the_list() -> None:
    with pytest.raises(PreflashError, match="lists all"):
        explain("☃" * 500)


def test_the_list_holds_every_topic() -> None:
    listed = render_topics()
    assert all(topic in listed for topic in topics())
