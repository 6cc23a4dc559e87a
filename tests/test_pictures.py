"""The charts as files: complete, the same bytes each time, and deaf to what a model's names say."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from estimates import estimate, op, refused, unpriced
from preflash import cli
from preflash.graphs.tflite.write import write_tflite
from preflash.graphs.zoo import build
from preflash.reports.draw import draw
from preflash.reports.palette import HATCHED, colour
from preflash.reports.picture import Picture
from preflash.reports.picture_files import write_pictures
from preflash.reports.pictures import pictures
from preflash.simulator.estimate import Estimate, Word

HOSTILE = "</svg><script>alert(1)</script>\"'& $\\frac{x}$ \u202e \x1b[2J 模型"
_HOSTILE_OPS = tuple(op(i, HOSTILE, name=HOSTILE) for i in range(6))
EXAMPLES = {
    **{word.value: estimate(word) for word in Word},
    "unpriced": unpriced(),
    "refused": refused(),
    "hostile": replace(estimate(name=HOSTILE, op_names=(HOSTILE,) * 6), ops=_HOSTILE_OPS),
    "one op": estimate(op_count=1),
    "many ops": estimate(op_count=150),
    "no op": replace(estimate(), ops=(), plan=None),
}
NAMES = (
    "summary", "memory-flash", "memory-sram", "ram-timeline", "latency-by-bound",
    "latency-in-order-by-bound", "latency-by-kind", "latency-in-order-by-kind", "latency-by-basis",
    "latency-in-order-by-basis", "roofline",
)  # fmt: skip
Captured = pytest.CaptureFixture[str]


def _named(example: Estimate, name: str) -> Picture:
    return next(picture for picture in pictures(example) if picture.name == name)


def test_every_chart_of_the_report_is_a_picture() -> None:
    assert tuple(picture.name for picture in pictures(estimate())) == NAMES


@pytest.mark.parametrize("name", ["NO", "unpriced", "hostile", "no op"])
def test_every_picture_is_well_formed_svg(name: str) -> None:
    for picture in pictures(EXAMPLES[name]):
        if picture.name.startswith("latency") and not picture.name.endswith("kind"):
            continue  # the other views differ in colours only
        root = ElementTree.fromstring(draw(picture, "svg"))
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert not root.findall(".//{http://www.w3.org/2000/svg}script")


@pytest.mark.parametrize("name", EXAMPLES)
def test_everything_lies_inside_the_drawing(name: str) -> None:
    for picture in pictures(EXAMPLES[name]):
        for mark in picture.marks:
            assert min(mark.x, mark.y, mark.w, mark.h) >= 0, picture.name
            assert mark.x + mark.w <= 100.02 and mark.y + mark.h <= 100.02, picture.name
        for x, y in (point for stroke in picture.strokes for point in stroke.points):
            assert 0 <= x <= 100 and 0 <= y <= 100, picture.name


def test_hostile_names_are_text_without_controls() -> None:
    for name in ("summary", "ram-timeline", "latency-by-kind", "roofline"):
        content = draw(_named(EXAMPLES["hostile"], name), "svg").decode()
        assert "<script" not in content and "\x1b" not in content and "\u202e" not in content
    bars = draw(_named(EXAMPLES["hostile"], "latency-by-kind"), "svg").decode()
    assert "&lt;/svg&gt;&lt;script&gt;" in bars


@pytest.mark.parametrize("form", ["svg", "png"])
def test_equal_pictures_give_equal_bytes(form: str) -> None:
    for name in ("summary", "latency-by-bound", "roofline"):
        assert draw(_named(estimate(), name), form) == draw(_named(estimate(), name), form)


def test_a_file_carries_no_date() -> None:
    assert not re.search(rb"20[0-9]{2}-[0-9]{2}|<dc:date>", draw(_named(estimate(), "summary"), "svg"))


def test_the_machine_s_settings_do_not_change_a_picture(tmp_path: Path) -> None:
    (tmp_path / "matplotlibrc").write_text("axes.facecolor: red\nfont.size: 30\nsvg.fonttype: path\n")
    code = (
        "import sys; sys.path[:0] = sys.argv[1:]; from estimates import estimate;"
        "from preflash.reports.draw import draw; from preflash.reports.pictures import pictures;"
        "sys.stdout.buffer.write(draw(pictures(estimate())[0], 'svg'))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(Path(__file__).parent)],
        cwd=tmp_path,
        capture_output=True,
        check=True,
    )
    assert run.stdout == draw(pictures(estimate())[0], "svg")


def test_a_picture_of_100_ops_is_a_png_of_moderate_size() -> None:
    content = draw(_named(estimate(op_count=100), "latency-by-kind"), "png")
    assert content.startswith(b"\x89PNG") and len(content) < 300_000


def test_bars_of_a_picture_are_those_of_the_page() -> None:
    # 1, 2, 3 ms, each +-15 %: the axis ends at 3.45 ms
    picture = _named(estimate(op_count=3), "latency-by-bound")
    assert [mark.w for mark in picture.marks] == [86.96, 57.97, 28.99]
    assert [mark.kind for mark in picture.marks] == ["s2", "s1", "s0"]
    assert [text for _, text in picture.y_ticks] == ["2 CONV_2D", "1 DEPTHWISE_CONV_2D", "0 CONV_2D"]
    assert [words.text for words in picture.words] == ["3.00 ms", "2.00 ms", "1.00 ms"]


def test_an_op_without_a_price_is_hatched_in_a_picture() -> None:
    kinds = [mark.kind for mark in _named(unpriced(), "latency-by-kind").marks]
    assert kinds.count("sn") == 1
    assert colour("sn") == HATCHED


def test_a_picture_has_the_colours_of_the_page() -> None:
    assert colour("s0").startswith("#") and colour("s0") != colour("s1")
    assert colour("used NO") != colour("used FITS") == colour("used")
    assert len({colour(f"f-{kind}") for kind in ("weights", "code", "arena_head", "arena_tail")}) == 4


def test_without_a_price_or_a_plan_only_memories_and_summary_are_drawn() -> None:
    example = replace(estimate(), ops=(op(0, "CONV_2D", priced=False),), plan=None)
    assert [picture.name for picture in pictures(example)] == ["summary", "memory-flash", "memory-sram"]


def test_files_are_written_into_a_folder_that_is_made(tmp_path: Path) -> None:
    paths = write_pictures(estimate(), tmp_path / "new" / "charts", "svg")
    assert [path.name for path in paths] == [f"{name}.svg" for name in NAMES]
    assert all(path.stat().st_size > 1000 for path in paths)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "kws.tflite"
    path.write_bytes(write_tflite(build("kws01", dtype="int8")))
    return path


@pytest.mark.parametrize("command", ["check", "plan"])
def test_a_command_lists_the_files_behind_its_report(
    command: str, model: Path, tmp_path: Path, capsys: Captured
) -> None:
    words = [command, str(model), "-d", "nucleo-l4r5zi", "--charts", str(tmp_path), "--chart-format", "png"]
    assert cli.run(words) == 0
    listed = [Path(line) for line in capsys.readouterr().out.splitlines() if line.endswith(".png")]
    assert set(listed) == set(tmp_path.iterdir()) and len(listed) >= 10


def test_json_on_stdout_stays_whole(model: Path, tmp_path: Path, capsys: Captured) -> None:
    assert cli.run(["check", str(model), "-d", "nucleo-l4r5zi", "-f", "json", "--charts", str(tmp_path)]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("{") and out.endswith("}\n")
    assert err.count("preflash: wrote ") == len(list(tmp_path.iterdir()))


def test_a_file_in_place_of_the_folder_is_an_error_in_one_line(
    model: Path, tmp_path: Path, capsys: Captured
) -> None:
    taken = tmp_path / "taken"
    taken.write_text("mine", encoding="utf-8")
    assert cli.run(["check", str(model), "-d", "nucleo-l4r5zi", "--charts", str(taken)]) == 3
    assert capsys.readouterr().err == f"preflash: error: {taken}: File exists\n"
    assert taken.read_text(encoding="utf-8") == "mine"
