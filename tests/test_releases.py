"""One runtime file, several releases: named with @, listed, and refused by name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from preflash import cli
from preflash.devices.catalog import load_runtime, load_target
from preflash.errors import RuntimeFileInvalid, RuntimeUnknown
from preflash.graphs.build import GraphBuilder
from preflash.graphs.ir import ModelGraph
from preflash.graphs.tflite.write import write_tflite
from preflash.graphs.zoo import build
from preflash.reports.listing import render_runtime, render_runtimes
from preflash.simulator.estimate import Basis
from preflash.simulator.flash import code_bytes, raw_weight_bytes
from preflash.simulator.releases import TERMS, fitted_figures, op_terms
from preflash.simulator.simulate import simulate

FILE = Path(load_runtime.__code__.co_filename).parent / "runtimes" / "x-cube-ai.toml"


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("x-cube-ai@8.1", "8.1"), ("x-cube-ai@8.0.1", "8.1"), ("X_CUBE_AI@7.3.0", "7.3"),
        ("x-cube-ai@2.0", "10.0"), ("x-cube-ai@7.1.0", "7.1"), ("x-cube-ai@10.2", "9.0"),
        ("x-cube-ai@11.0", "3.0"), ("x-cube-ai", "3.0"), ("x-cube-ai@ 8.1", "8.1"),
    ],
)  # fmt: skip
def test_a_release_goes_by_each_of_its_numbers(name: str, version: str) -> None:
    runtime = load_runtime(name)
    assert runtime.version == version
    assert runtime.release is not None and runtime.release.version == version
    assert runtime.label == f"x-cube-ai@{version}"


@pytest.mark.parametrize("number", ["6", "9", "8", "", "8.1.0.0", "newest", "8.1" * 40])
def test_an_unknown_release_says_which_there_are(number: str) -> None:
    with pytest.raises(RuntimeUnknown, match=r"known: x-cube-ai@7\.1, x-cube-ai@7\.3, x-cube-ai@8\.1"):
        load_runtime(f"x-cube-ai@{number}")


def test_a_runtime_of_one_version_has_no_releases() -> None:
    assert load_runtime("tflm-cmsis-nn").label == "tflm-cmsis-nn"
    with pytest.raises(RuntimeUnknown, match="leave @1 out"):
        load_runtime("tflm-cmsis-nn@1")
    with pytest.raises(RuntimeUnknown, match="no runtime is called"):
        load_runtime("nothing@1")


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('version = "3.0"\nkernel', 'version = "4.0"\nkernel', "version must be that of a release"),
        ('also = ["7.3.0"]', 'also = ["8.1"]', "two releases have the same number"),
        ('overlap_convolutions = "first"', 'overlap_convolutions = "some"', "overlap_convolutions"),
        ("overlap_expansion = 2.0", "overlap_expansion = -1", "overlap_expansion"),
        ('overlap_limit = "512 KiB"', 'overlap_limit = "0 B"', "overlap_limit"),
        ('also = ["8.0.1", "8.1.0"]', 'also = ["eight"]', "also"),
        ('kernels_like = "7.3"', 'kernels_like = "7.4"', "release 8.1 is said to be like 7.4"),
        ('kernels_like = "7.3"', 'kernels_like = "8.1"', "release 8.1 is said to be like 8.1"),
        ('memory_like = "10.0"', 'memory_like = "11"', "release 9.0 is said to be like 11"),
    ],
)
def test_a_release_that_says_nonsense_is_a_fault(tmp_path: Path, old: str, new: str, fault: str) -> None:
    text = FILE.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "own.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(RuntimeFileInvalid, match=fault):
        load_runtime(path)


def test_the_planner_of_x_cube_ai_needs_a_release(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(FILE.read_text(encoding="utf-8").split("[[release]]")[0], encoding="utf-8")
    with pytest.raises(RuntimeFileInvalid, match="needs a"):
        load_runtime(path)


def test_the_list_and_the_page_of_a_runtime_show_its_releases() -> None:
    assert "@7.1, @7.3, @8.1, @9.0, @10.0, @3.0" in render_runtimes([load_runtime("x-cube-ai")])
    page = render_runtime(load_runtime("x-cube-ai@8.1"))
    assert "version 8.1" in page
    assert "release x-cube-ai@10.0  [estimate]" in page
    assert re.search(r"overlap limit +512\.0 KiB", page)


def test_the_estimate_names_the_release_and_what_it_took_for_granted() -> None:
    estimate = simulate(build("vww01"), load_target("nucleo-h743zi", "x-cube-ai@8.1"))
    assert estimate.target.runtime == "x-cube-ai@8.1"
    assert any("X-CUBE-AI 8.1" in a.text and a.value == "8.1" for a in estimate.assumptions)
    for name in ("ram_bytes", "flash_bytes", "arena_min_bytes", "latency_s"):
        metric = estimate.metric(name)
        assert metric.basis is Basis.CALIBRATED, name
        assert metric.lo is not None and metric.value is not None and metric.hi is not None
        assert metric.lo < metric.value < metric.hi


@pytest.mark.parametrize(("release", "like"), [("7.1", "7.3"), ("9.0", "10.0")])
def test_a_release_without_rows_of_its_own_has_the_ram_and_flash_of_the_one_it_is_like(
    release: str, like: str
) -> None:
    graph = build("ic01")
    own, other = (
        simulate(graph, load_target("nucleo-h743zi", f"x-cube-ai@{number}")) for number in (release, like)
    )
    assert load_runtime(f"x-cube-ai@{release}").memory_version == like
    assert own.metric("flash_bytes").value == other.metric("flash_bytes").value
    assert own.metric("ram_bytes").value == other.metric("ram_bytes").value
    assert own.metric("latency_s").value != other.metric("latency_s").value


def test_the_command_line_takes_a_release(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "kws.tflite"
    path.write_bytes(write_tflite(build("kws01")))
    assert cli.run(["check", str(path), "-d", "nucleo-h743zi", "-r", "x-cube-ai@8.1"]) == 0
    assert "x-cube-ai@8.1" in capsys.readouterr().out
    assert cli.run(["check", str(path), "-d", "nucleo-h743zi", "-r", "x-cube-ai@6"]) == 3
    assert "x-cube-ai@8.1" in capsys.readouterr().err
    assert cli.run(["runtime", "show", "x-cube-ai@7.3"]) == 0
    assert "version 7.3" in capsys.readouterr().out


def dense_and_conv() -> ModelGraph:
    b = GraphBuilder("two")
    x = b.conv(b.input((1, 4, 4, 3)), 8, (3, 3))
    return b.finish([b.softmax(b.fully_connected(b.reshape(x, (1, 128)), 5))])


def test_weights_and_biases_are_stored_as_they_are_and_nothing_else() -> None:
    """8 x 27 + 8 x 4 and 5 x 128 + 5 x 4; the int32 shape of RESHAPE is not kept."""
    assert raw_weight_bytes(dense_and_conv()) == 8 * 27 + 8 * 4 + 5 * 128 + 5 * 4


def test_the_terms_count_ops_and_scales() -> None:
    """A scale per channel of the convolution, one of the dense op; RESHAPE and SOFTMAX do not count."""
    terms = op_terms(dense_and_conv())
    assert terms == {"fixed": 1, "planned_bytes": 0, "matrix_ops": 2, "other_ops": 0, "channels": 8 + 1}
    assert op_terms(build("ic01"))["other_ops"] == 3  # the additions


def test_code_is_the_sum_of_its_terms() -> None:
    graph, target = build("ic01"), load_target("nucleo-h743zi", "x-cube-ai@10.0")
    fitted, terms = fitted_figures()["10.0", "code"], op_terms(graph)
    by_hand = sum(fitted.coefficients.get(term, 0.0) * terms[term] for term in TERMS)
    assert code_bytes(graph, target).value == round(by_hand)


def test_code_on_another_core_than_st_measured_is_analytic() -> None:
    graph = build("ic01")
    here, there = (
        code_bytes(graph, load_target(board, "x-cube-ai@8.1")) for board in ("nucleo-h743zi", "nucleo-l4r5zi")
    )
    assert (here.basis, there.basis) == (Basis.CALIBRATED, Basis.ANALYTIC)
    assert here.value == there.value
    assert "not of this core" in there.source


def test_every_release_has_every_figure_and_none_is_negative() -> None:
    releases = load_runtime("x-cube-ai").releases
    versions = {load_runtime(f"x-cube-ai@{release.version}").memory_version for release in releases}
    assert versions == {release.version for release in releases if release.memory_like is None}
    assert set(fitted_figures()) == {(v, f) for v in versions for f in ("activations", "runtime_ram", "code")}
    for (_, figure), fitted in fitted_figures().items():
        assert all(value >= 0 for value in fitted.coefficients.values())
        assert figure != "activations" or fitted.coefficients["planned_bytes"] >= 1
