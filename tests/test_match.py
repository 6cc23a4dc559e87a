"""Which board runs a model: every target with the verdict of simulate, what fits first."""

from __future__ import annotations

import csv
import io
import json
import shlex
from functools import cache
from pathlib import Path

import pytest
from preflash import cli
from preflash.devices import catalog
from preflash.graphs.zoo import build
from preflash.simulator.estimate import Word
from preflash.simulator.scenario import Said, conditions_of
from preflash.simulator.simulate import simulate
from preflash.simulator.sweep.asked.targets import board_targets
from preflash.simulator.sweep.match import ORDERS, Match, match

Captured = pytest.CaptureFixture[str]
SAID = Said(("ram=20KiB",), "30 ms", "20%", limit=("energy=3mJ",))


@cache
def found(order: str = "latency") -> tuple[Match, ...]:
    return match(build("kws01"), board_targets(), said=SAID, order=order)


def test_every_board_with_every_runtime_that_fits_it_is_there_once() -> None:
    names = [(one.target.device.name, one.target.runtime.label) for one in found()]
    assert len(set(names)) == len(names) == len(board_targets()) > 200
    assert len({one.word for one in found()}) >= 3


@pytest.mark.parametrize("order", ORDERS)
def test_verdicts_come_first_then_the_figure_asked_for_and_the_unknown_last(order: str) -> None:
    assert {id(one.target) for one in found(order)} != set()
    severities = [one.word.severity for one in found(order)]
    assert severities == sorted(severities)
    name = {"latency": "latency_s", "energy": "energy_j", "ram": "ram_bytes", "flash": "flash_bytes"}[order]
    for word in Word:
        values = [getattr(one, name).value for one in found(order) if one.word is word]
        known = [value for value in values if value is not None]
        assert values == sorted(known) + [None] * (len(values) - len(known))


def test_a_match_is_what_simulate_says() -> None:
    for one in found()[::9]:
        estimate = simulate(build("kws01"), one.target, conditions_of(one.target, None, SAID))
        assert (one.word, one.limiting) == (estimate.verdict.word, estimate.verdict.limiting)
        for name in ("latency_s", "energy_j", "ram_bytes", "flash_bytes"):
            mine, theirs = getattr(one, name), estimate.metric(name)
            for a, b in ((mine.value, theirs.value), (mine.lo, theirs.lo), (mine.hi, theirs.hi)):
                assert a == b or a == pytest.approx(b, rel=1e-12)


def test_a_reservation_that_a_board_cannot_meet_is_a_no_with_its_reason() -> None:
    targets = board_targets(("nucleo-l4r5zi", "raspberry-pi-4b"), ("default",))
    matches = match(build("kws01"), targets, said=Said(("ram=1MiB",)))
    by_name = {one.target.device.name: one for one in matches}
    assert by_name["nucleo-l4r5zi"].word is Word.NO and "reserved" in by_name["nucleo-l4r5zi"].reason
    assert by_name["raspberry-pi-4b"].word is not Word.NO


# on the command line


def said(captured: Captured, *words: object) -> tuple[int, str, str]:
    code = cli.run(["match", *map(str, words)])
    out, err = captured.readouterr()
    return code, out, err


def test_all_forms_list_the_same_targets(tmp_path: Path, capsys: Captured) -> None:
    words = ("zoo:kws01", "-d", "nucleo-*", "-r", "default", "--deadline", "50ms")
    code, out, _ = said(capsys, *words, "-f", "json")
    listed = [(one["device"], one["runtime"]) for one in json.loads(out)["targets"]]
    rows = list(csv.DictReader(io.StringIO(said(capsys, *words, "-f", "csv")[1])))
    assert code == 0 and [(row["device"], row["runtime"]) for row in rows] == listed
    text = said(capsys, *words, "-n", 2)[1]
    assert f"and {len(listed) - 2} more targets" in text and listed[1][0] in text
    page = tmp_path / "m.csv"
    assert said(capsys, *words, "-f", "csv", "-o", page) == (0, "", f"preflash: wrote {page}\n")


def test_the_next_command_says_everything_again(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    step = "[[step]]\nname = 'mic'\nwhen = 'pre'\ntime = '30 ms'\n"
    (tmp_path / "s.toml").write_text(step, encoding="utf-8")
    shipped = Path(catalog.__file__).parent / "boards" / "nucleo-l4r5zi.toml"
    lines = shipped.read_text(encoding="utf-8").replace('"nucleo-l4r5zi"', '"mine"', 1).splitlines()
    own = "\n".join(line for line in lines if not line.startswith("aliases"))
    (tmp_path / "my board.toml").write_text(own, encoding="utf-8")
    words = ["zoo:kws01", "-d", "my board.toml", "-r", "tflm-cmsis-nn", "--scenario", "s.toml"]
    more = ["--reserve", "ram=600KiB", "--headroom", "50%", "--limit", "ram=300KiB", "--deadline", "200ms"]
    out = said(capsys, *words, *more)[1]
    next_words = shlex.split(out.splitlines()[-1].removeprefix("Next: "))
    assert set(words[1:] + more) <= set(next_words)
    assert cli.run([*next_words[1:], "-f", "json"]) == 0
    verdict = json.loads(capsys.readouterr().out)["verdict"]["word"]
    row = next(line for line in out.splitlines() if line.strip().startswith("mine"))
    assert verdict == "TIGHT" and verdict in row


def test_an_energy_limit_takes_boards_out(capsys: Captured) -> None:
    def words_with(*more: str) -> list[str]:
        targets = json.loads(said(capsys, "zoo:kws01", "-d", "nucleo-h743zi2", *more, "-f", "json")[1])
        return [one["verdict"] for one in targets["targets"]]

    assert "FITS" in words_with() and set(words_with("--energy", "1uJ")) <= {"NO", "UNKNOWN"}


def test_nothing_that_fits_is_exit_code_1(capsys: Captured) -> None:
    code, out, _ = said(capsys, "zoo:kws01", "-d", "nucleo-*", "--deadline", "1us")
    assert code == 1 and "FITS" not in out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("zoo:kws01", "-d", "nucleo-x"), "did you mean"),
        (("zoo:kws01", "-d", "zz*"), "no shipped board matches"),
        (("zoo:kws01", "-r", "tflm-cmsis"), "did you mean"),
        (("zoo:kws0",), "did you mean kws01"),
        (("none.tflite",), "none.tflite"),
        (("zoo:kws01", "--energy", "3"), "no unit"),
        (("zoo:kws01", "--deadline", "soon"), "soon"),
        (("zoo:kws01", "--limit", "speed=3"), "speed"),
        (("zoo:kws01", "--reserve", "ram"), "'ram' is no reservation"),
        (("zoo:kws01", "-d", "nucleo-u575zi", "--headroom", "many"), "headroom"),
    ],
)
def test_faults_are_one_line_and_exit_code_3(words: tuple[str, ...], says: str, capsys: Captured) -> None:
    code, out, err = said(capsys, *words)
    assert (code, out, err.count("\n")) == (3, "", 1) and says in err
