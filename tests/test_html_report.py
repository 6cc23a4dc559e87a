"""The page: self-contained, readable without JavaScript, and deaf to what a model's names say."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from html.parser import HTMLParser

import pytest
from estimates import estimate, memories, refused, unpriced
from preflash.reports.charts import Mark, bullet, capacity_mark, stack, timeline
from preflash.reports.data import render_json
from preflash.reports.html import render_html
from preflash.reports.sections import gauges, memory_segments, verdict_sentence
from preflash.simulator.estimate import Estimate, Word

HOSTILE = "</script></title><img src=x onerror=alert(1)>\"'&<svg onload=alert(2)>"
EXAMPLES = {
    **{word.value: estimate(word) for word in Word},
    "unpriced": unpriced(),
    "refused": refused(),
    "hostile": estimate(name=HOSTILE, op_names=(HOSTILE,) * 6),
    "one op": estimate(op_count=1),
}
VOID = {"meta", "input", "br", "hr", "img", "link"}


class Page(HTMLParser):
    """The elements of a page, and whether they are properly nested."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.scripts: dict[str, str] = {}
        self.styles: list[str] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        inside = self.open[-1] if self.open else ""
        if inside == "script":
            kind = self.elements[-1][1].get("type") or f"code{len(self.scripts)}"
            self.scripts[kind] = self.scripts.get(kind, "") + data
        elif inside == "style":
            self.styles.append(data)
        else:
            self.text.append(data)


def _page(example: Estimate) -> Page:
    return Page(render_html(example, command="preflash check x", created="2026-01-02T03:04:05Z"))


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_element_is_closed_in_order(name: str) -> None:
    page = _page(EXAMPLES[name])
    assert page.open == []
    assert {"table", "svg", "details", "summary", "h1", "h2"} <= {tag for tag, _ in page.elements}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_page_fetches_nothing(name: str) -> None:
    page = _page(EXAMPLES[name])
    assert not {tag for tag, _ in page.elements} & {
        "link",
        "img",
        "iframe",
        "object",
        "embed",
        "base",
        "form",
    }
    for tag, attributes in page.elements:
        for key in ("src", "href", "xlink:href", "action", "style"):
            assert (attributes.get(key) or "#").startswith("#"), (tag, attributes)
        assert not [key for key in attributes if key.startswith("on")]
    assert not re.search(r"url\((?!#)|@import", "".join(page.styles))


def _hashes(texts: list[str]) -> set[str]:
    return {f"'sha256-{base64.b64encode(hashlib.sha256(t.encode()).digest()).decode()}'" for t in texts}


def test_the_policy_names_exactly_the_scripts_and_styles_of_the_page() -> None:
    page = _page(estimate())
    policy = next(
        a["content"] for tag, a in page.elements if a.get("http-equiv") == "Content-Security-Policy"
    )
    rules = dict(rule.strip().split(" ", 1) for rule in (policy or "").split(";"))
    assert rules["default-src"] == "'none'"
    code = [text for kind, text in page.scripts.items() if kind != "application/json"]
    assert set(rules["script-src"].split()) == _hashes(code)
    assert set(rules["style-src"].split()) == _hashes(page.styles)
    assert len(code) == 2 and len(page.styles) == 1


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_page_carries_the_json_result_byte_for_byte(name: str) -> None:
    twin = _page(EXAMPLES[name]).scripts["application/json"]
    assert twin == render_json(EXAMPLES[name], command="preflash check x", created="2026-01-02T03:04:05Z")


def test_hostile_names_add_no_element() -> None:
    tame = EXAMPLES["FITS"]
    hostile, calm = _page(EXAMPLES["hostile"]), _page(tame)
    count = {page: Counter(tag for tag, _ in page.elements) for page in (hostile, calm)}
    assert count[hostile] == count[calm]
    assert HOSTILE in "".join(hostile.text)


def test_hostile_names_reach_titles_as_text() -> None:
    text = render_html(EXAMPLES["hostile"])
    assert "<img" not in text and "onload=alert(2)>" not in text.replace("&gt;", "&")


def test_a_page_of_100_ops_stays_below_600_kilobytes() -> None:
    wordy = tuple(f"model/block_{i}/batch_normalization/FusedBatchNorm;block_{i}/Conv2D" for i in range(100))
    assert len(render_html(estimate(op_count=100, op_names=wordy)).encode()) < 600_000


def test_findings_link_to_their_ops() -> None:
    page = _page(estimate())
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {(a.get("href") or "")[1:] for tag, a in page.elements if tag == "a"}
    assert targets == {"op-0", "op-4"}
    assert targets <= set(ids)


def test_the_theme_is_set_before_the_first_paint() -> None:
    text = render_html(estimate())
    assert text.index("preflash-theme") < text.index("<body>")


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_words_of_the_verdict_are_on_the_page(name: str) -> None:
    text = "".join(_page(EXAMPLES[name]).text)
    assert EXAMPLES[name].verdict.word.value in text and verdict_sentence(EXAMPLES[name]) in text
    for heading in ("What decides it", "Memory map", "Ops", "Assumptions", "Reproduce", "All figures"):
        assert heading in text


def _inside(mark: Mark) -> bool:
    return (
        min(mark.x, mark.y, mark.w, mark.h) >= 0 and mark.x + mark.w <= 100.02 and mark.y + mark.h <= 100.02
    )


def test_buffers_stand_where_the_plan_puts_them() -> None:
    example = estimate(op_count=4)
    assert example.plan is not None
    drawn = timeline(example.plan, example.ops)
    assert drawn is not None
    # top = head 4608 + tail 4096 = 8704; t0 has 2048 bytes at 0: h = 23.53 %, its lower edge at the bottom
    first = drawn.buffers[0]
    assert (first.x, first.w, first.h) == (0, 25, 23.53)
    assert first.y + first.h == pytest.approx(100)
    assert all(_inside(mark) for mark in drawn.buffers)
    assert drawn.head_y == pytest.approx(100 - 100 * 4608 / 8704, abs=0.01)
    assert drawn.ticks == ((12.5, 0), (37.5, 1), (62.5, 2), (87.5, 3))
    assert drawn.peak is not None and drawn.peak.ops == (0,)
    assert drawn.buffers[1].ops == (0, 1)


def test_a_stack_fills_its_bar() -> None:
    for memory in estimate().memories:
        marks = stack(memory_segments(memory), memory.capacity_bytes)
        assert marks[-1].kind == "free"
        assert sum(mark.w for mark in marks) == pytest.approx(100, abs=0.1)


def test_a_gauge_puts_the_budget_where_the_reserved_part_begins() -> None:
    ram = bullet(gauges(estimate())[0])
    assert ram is not None
    # 44 of 64 KiB are free to use: 68.75 %; 9728 B of 64 KiB: 14.84 %
    assert (ram.limit, ram.reserved_from, ram.reserved, ram.used) == (68.75, 68.75, 31.25, 14.84)


def test_what_does_not_fit_is_named_and_its_bar_runs_past_the_capacity() -> None:
    flash, _ = memories(8704, model_bytes=1024 * 1024 - 60_000, reserved_bytes=0)
    segments = memory_segments(flash)
    # 1 MiB of model and code in 512 KiB: 512 KiB are missing, and the capacity stands in the middle
    assert (segments[-1].kind, segments[-1].size_bytes) == ("missing", 512 * 1024)
    assert capacity_mark(segments, flash.capacity_bytes) == 50
    assert sum(mark.w for mark in stack(segments, flash.capacity_bytes)) == pytest.approx(100, abs=0.1)
