"""The page of a sweep: self-contained, readable without JavaScript, alive with it."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import shutil
import subprocess
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest
from preflash.reports.sweep_report import render_sweep
from preflash.reports.sweep_words import command
from sweep_tables import EXAMPLES, plain, table

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no chromium")
VOID = {"meta", "input", "br", "hr", "img", "link"}


class Page(HTMLParser):
    """The elements of a page, and whether they are properly nested."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.content: dict[str, list[str]] = {"script": [], "style": []}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
            self.content.get(tag, []).append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in self.content:
            self.content[self.open[-1]][-1] += data


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_page_is_well_formed_and_fetches_nothing(name: str) -> None:
    page = Page(render_sweep(EXAMPLES[name], "html", command="preflash report x"))
    assert not page.open
    for tag, attributes in page.elements:
        assert not {"src", "onclick", "onerror", "style"} & set(attributes), tag
        assert not (attributes.get("href") or "#").startswith(("http", "javascript")), tag
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_the_policy_names_exactly_these_scripts_and_styles() -> None:
    page = Page(render_sweep(table(21, 5), "html"))
    policy = next(a["content"] for t, a in page.elements if t == "meta" and "http-equiv" in a)
    code = [text for text in page.content["script"] if not text.lstrip().startswith("{")]
    for text in (*code, *page.content["style"]):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"sha256-{digest}" in policy


def test_the_page_carries_the_json_byte_for_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    page = Page(render_sweep(table(21, 5, hostile=True), "html", command="x"))
    (twin,) = [text for text in page.content["script"] if text.lstrip().startswith("{")]
    assert twin == render_sweep(table(21, 5, hostile=True), "json", command="x")


def test_without_javascript_every_section_is_there() -> None:
    text = render_sweep(table(63, 8), "html")
    body = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    for said in ("answer the question", "What answers it on each device", "What no other beats",
                 "What runs where", "What matters", "What a RAM budget buys",
                 "What each kind of compression gives up", "Failures and unknowns",
                 "Axes and method"):  # fmt: skip
        assert said in body
    assert body.count('class="whisker"') > 4
    assert '<td class="f-NO" title="NO · ' in body


def test_what_fails_to_fit_says_what_is_closest() -> None:
    assert "none; closest: ram:sram" in render_sweep(EXAMPLES["none fits"], "html")


def test_a_large_sweep_stays_small_and_says_what_it_left_out() -> None:
    text = render_sweep(table(300, 100), "html")
    assert len(text) < 6e6
    assert "every point is in the store sweeps/night.sqlite" in text


# a browser without a screen draws no frames of its own
STEPS = """
window.requestAnimationFrame = function (step) { return setTimeout(step, 16); };
var faults = [];
window.addEventListener("error", function (event) { faults.push(event.message); });
function said(name, value) { found[name] = value; }
var found = {};
function pointer(canvas, kind, x, y) {
  var r = canvas.getBoundingClientRect();
  var at = { clientX: r.left + x, clientY: r.top + y, bubbles: true };
  canvas.dispatchEvent(new PointerEvent(kind, at));
}
function drag(canvas, places) {
  places.forEach(function (p, k) { pointer(canvas, k === 0 ? "pointerdown" : "pointermove", p[0], p[1]); });
  var last = places[places.length - 1];
  pointer(canvas, "pointerup", last[0], last[1]);
}
function soon(step) { setTimeout(step, 60); }
function number(id) { return document.getElementById(id).textContent; }
function report() {
  found.faults = faults;
  var out = document.createElement("pre");
  out.id = "found"; out.textContent = JSON.stringify(found);
  document.body.appendChild(out);
}
function run(steps) {
  if (!steps.length) { report(); return; }
  try { steps[0](); } catch (fault) { faults.push(String(fault)); }
  soon(function () { run(steps.slice(1)); });
}
"""


def in_browser(tmp_path: Path, text: str, steps: str, fragment: str = "") -> dict[str, object]:
    """What the steps found in the page; the policy is taken out, as it would refuse the steps."""
    text = re.sub(r"<meta http-equiv.*?>", "", text)
    code = "<script>" + STEPS + "</script>"
    text = text.replace("</head>", code + "</head>", 1)
    text = text.replace("</body>", "<script>soon(function () { run([" + steps + "]); });</script></body>")
    path = tmp_path / "page.html"
    path.write_text(text, encoding="utf-8")
    assert CHROMIUM is not None
    run = subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=5000",
             "--allow-file-access-from-files",
         "--window-size=1200,2000", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom",
         f"{path.as_uri()}{fragment}"],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    match = re.search(r'<pre id="found">(.*?)</pre>', run.stdout, re.DOTALL)
    assert match, run.stderr[-2000:]
    found: dict[str, object] = json.loads(html.unescape(match[1]))
    return found


@needs_browser
def test_one_selection_goes_through_all_views(tmp_path: Path) -> None:
    sweep = table(63, 16)
    steps = """
    function () { said("all", number("shown")); said("dock", document.getElementById("picked").hidden); },
    function () {
      var canvas = document.querySelector("#scatter canvas"), w = canvas.clientWidth;
      drag(canvas, [[w * 0.3, 60], [w * 0.5, 200], [w * 0.6, 300]]);
    },
    function () {
      said("dragged", number("how-many")); said("shownDragged", number("shown"));
      said("address", location.hash);
      said("cellsOut", document.querySelectorAll("#matrix td.out").length);
      said("marksOut", document.querySelectorAll("[data-p].out").length);
      document.getElementById("clear").click();
    },
    function () { said("cleared", number("shown")); document.querySelector("#matrix tbody td").click(); },
    function () { said("cell", number("shown")); document.querySelector(".points tbody tr").click(); },
    function () {
      said("again", number("again"));
      said("chosen", document.querySelectorAll("tr.chosen").length);
      document.getElementById("clear").click();
      var words = document.getElementById("words");
      words.value = "esp32 NO"; words.dispatchEvent(new Event("input"));
    },
    function () {
      said("words", document.querySelector(".points tbody").innerText);
      document.getElementById("clear").click();
      var canvas = document.querySelector("#parallel canvas");
      drag(canvas, [[56, 50], [56, 120], [56, 180]]);
    },
    function () {
      said("brush", document.getElementById("chips").textContent);
      document.getElementById("clear").click();
      document.getElementById("lasso").checked = true;
      var canvas = document.querySelector("#scatter canvas"), w = canvas.clientWidth;
      drag(canvas, [[w * 0.2, 50], [w * 0.6, 60], [w * 0.7, 300], [w * 0.5, 350], [w * 0.2, 200]]);
    },
    function () {
      said("lasso", number("how-many")); said("lassoAddress", location.hash);
      ["x", "y"].forEach(function (id, k) {
        var select = document.getElementById(id);
        select.value = ["ram_bytes", "flash_bytes"][k]; select.dispatchEvent(new Event("change"));
      });
      var c = document.getElementById("c"); c.value = "axis device"; c.dispatchEvent(new Event("change"));
    },
    function () {
      said("legend", number("colours"));
      document.querySelectorAll(".points th button")[7].click();
    },
    function () { said("sorted", document.querySelectorAll('.points th[aria-sort="ascending"]').length); }
    """
    found = in_browser(tmp_path, render_sweep(sweep, "html"), steps)
    assert found["faults"] == []
    assert found["all"] == found["cleared"] == "1,008 of 1,008 points" and found["dock"] is True
    dragged = int(str(found["dragged"]).split()[0])
    assert 0 < dragged < 1008 and str(found["shownDragged"]).startswith(str(dragged))
    assert "b.latency_s=" in str(found["address"]) and "b.accuracy=" in str(found["address"])
    assert int(str(found["cellsOut"])) > 0 and int(str(found["marksOut"])) > 0
    assert found["cell"] == "3 of 1,008 points"  # a row is a recipe: three variants share it
    assert found["again"] == command(sweep, 0) and found["chosen"] == 1
    rows = str(found["words"]).strip().splitlines()
    assert rows and all("esp32" in row and "NO" in row for row in rows)
    assert "model" in str(found["brush"])
    assert 0 < int(str(found["lasso"]).split()[0]) < 1008 and "lasso=latency_s" in str(found["lassoAddress"])
    assert "nucleo-l4r5zi" in str(found["legend"]) and found["sorted"] == 1


@needs_browser
def test_the_address_brings_the_selection_back(tmp_path: Path) -> None:
    sweep = table(63, 16)
    steps = 'function () { said("many", number("how-many")); said("again", number("again")); }'
    text = render_sweep(sweep, "html")
    found = in_browser(tmp_path, text, steps, "#x=ram_bytes&y=latency_s&cell=2.0&point=32")
    assert found == {"many": "1 of 1,008 points", "again": command(sweep, 32), "faults": []}


@needs_browser
@pytest.mark.parametrize("name", [name for name in EXAMPLES if name != "small"])
def test_odd_sweeps_raise_no_error(tmp_path: Path, name: str) -> None:
    steps = """
    function () {
      var canvas = document.querySelector("#scatter canvas");
      if (canvas) { drag(canvas, [[90, 40], [200, 200]]); }
    },
    function () { var row = document.querySelector(".points tbody tr"); if (row) { row.click(); } },
    function () { said("images", document.images.length); document.getElementById("clear").click(); }
    """
    found = in_browser(tmp_path, render_sweep(EXAMPLES[name], "html"), steps)
    assert found == {"images": 0, "faults": []}


@needs_browser
def test_a_large_sweep_draws_its_grid(tmp_path: Path) -> None:
    steps = """
    function () {
      var canvas = document.querySelector("#scatter canvas"), pen = canvas.getContext("2d");
      var all = pen.getImageData(0, 0, canvas.width, canvas.height).data, seen = {};
      for (var i = 0; i < all.length; i += 4) { seen[all[i] + "," + all[i + 1] + "," + all[i + 2]] = 1; }
      said("colours", Object.keys(seen).length); said("shown", number("shown"));
    }"""
    found = in_browser(tmp_path, render_sweep(table(300, 100), "html"), steps)
    assert found["faults"] == [] and int(str(found["colours"])) > 20
    assert "given here points" in str(found["shown"])


@needs_browser
def test_a_phone_sees_no_page_wider_than_itself(tmp_path: Path) -> None:
    page = tmp_path / "inner.html"
    page.write_text(
        re.sub(r"<meta http-equiv.*?>", "", render_sweep(table(63, 16), "html")), encoding="utf-8"
    )
    outer = (
        "<html><head></head><body><iframe id=f width=390 height=800 src=inner.html></iframe></body></html>"
    )
    steps = """
    function () {}, function () {
      said("width", document.getElementById("f").contentDocument.documentElement.scrollWidth);
    }"""
    found = in_browser(tmp_path, outer, "function () {}," * 30 + steps)
    assert found["faults"] == []
    assert 300 < int(str(found["width"])) <= 390  # less its scroll bar


@needs_browser
@pytest.mark.parametrize(
    ("ram", "ticks"), [([100761.0], 1), ([100761.0, 100761.0], 1), ([100761.0, 100763.0], 2)]
)
def test_a_small_grid_repeats_no_label_of_its_axis(tmp_path: Path, ram: list[float], ticks: int) -> None:
    count = len(ram)
    sweep = plain("F" * count, ram_bytes=ram, latency_s=[1.0] * count)
    steps = """function () { said("up", document.querySelector("#scatter canvas").dataset.up); }"""
    found = in_browser(tmp_path, render_sweep(sweep, "html"), steps, "#x=latency_s&y=ram_bytes")
    texts = str(found["up"]).split("|")
    assert found["faults"] == [] and len(texts) == len(set(texts)) >= ticks


@needs_browser
def test_on_a_phone_each_figure_of_an_answer_has_its_own_line(tmp_path: Path) -> None:
    page = re.sub(r"<meta http-equiv.*?>", "", render_sweep(table(63, 16), "html"))
    (tmp_path / "inner.html").write_text(page, encoding="utf-8")
    frame = "<iframe id=f width=380 height=800 src=inner.html></iframe>"
    outer = f"<html><head></head><body>{frame}</body></html>"
    steps = """
    function () {
      var inner = document.getElementById("f").contentDocument, box = inner.querySelector(".answers");
      said("wider", box.scrollWidth - box.parentNode.clientWidth);
      var cells = inner.querySelectorAll(".answers tbody tr:first-child td"), tops = {};
      Array.prototype.forEach.call(cells, function (cell) { tops[cell.getBoundingClientRect().top] = 1; });
      said("lines", Object.keys(tops).length === cells.length);
    }"""
    found = in_browser(tmp_path, outer, "function () {}," * 30 + steps)
    assert found["faults"] == [] and found["lines"] is True
    assert int(str(found["wider"])) <= 0


def test_a_sweep_of_one_point_has_a_page() -> None:
    assert "1 point, 1 answers the question" in render_sweep(plain("F", ram_bytes=[1], latency_s=[1]), "html")


def test_a_hundred_thousand_points_take_seconds_and_little_room() -> None:
    sweep = table(1000, 100)
    start = time.perf_counter()
    text = render_sweep(sweep, "html")
    assert time.perf_counter() - start < 10  # half a second on a quiet core
    assert len(text) < 2e6
