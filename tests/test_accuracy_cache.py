"""What was run before: found by content, never trusted when damaged, safe with several writers, bounded."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from accuracy_models import classifier, inputs
from preflash.graphs.dtype import DType
from preflash.simulator.accuracy import cache as room
from preflash.simulator.accuracy.cache import Cache, array_key, content_key, default_folder
from preflash.simulator.accuracy.messages import Message
from preflash.simulator.accuracy.outputs import Way, model_of, outputs_of
from preflash.simulator.accuracy.samples import Samples

ENTRY = Message({"package": "p 1", "batch": 1}, (np.arange(6, dtype=np.int8).reshape(2, 3),))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PREFLASH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.exists() else []


def test_what_was_kept_is_found(folder: Path) -> None:
    cache = Cache(folder)
    cache.keep("a", ENTRY)
    found = cache.find("a")
    assert found is not None and found.words == ENTRY.words
    np.testing.assert_array_equal(found.arrays[0], ENTRY.arrays[0])
    assert cache.find("b") is None


def test_a_second_run_is_answered_from_the_cache(folder: Path) -> None:
    model, samples = model_of(classifier()), Samples((inputs(5)[:, None],))
    first, second = (outputs_of(model, samples, Way()) for _ in range(2))
    assert first.run_s > 0 and second.run_s == 0 and second.package == first.package
    np.testing.assert_array_equal(first.reals[0], second.reals[0])
    assert len(entries(folder)) == 1
    outputs_of(model, samples, replace(Way(), use_cache=False))
    assert len(entries(folder)) == 1


def test_another_model_other_samples_and_other_kernels_are_other_entries(folder: Path) -> None:
    model, samples = model_of(classifier()), Samples((inputs(3)[:, None],))
    outputs_of(model, samples, Way())
    outputs_of(model_of(classifier(DType.INT8)), samples, Way())
    outputs_of(model, Samples((inputs(3, seed=9)[:, None],)), Way())
    outputs_of(model, samples, Way(kernels="builtin"))
    assert len(entries(folder)) == 4


@pytest.mark.parametrize(
    "damage",
    [lambda b: b"", lambda b: b[:-1], lambda b: b[:40], lambda b: b + b"x", lambda b: bytes(len(b)),
     lambda b: b[:60] + bytes([b[60] ^ 1]) + b[61:], lambda b: b[:-3] + bytes([b[-3] ^ 255]) + b[-2:]],
)  # fmt: skip
def test_a_damaged_entry_is_run_again_and_replaced(folder: Path, damage) -> None:
    model, samples = model_of(classifier()), Samples((inputs(4)[:, None],))
    wanted = outputs_of(model, samples, Way())
    (path,) = entries(folder)
    path.write_bytes(damage(path.read_bytes()))
    found = outputs_of(model, samples, Way())
    assert found.run_s > 0
    np.testing.assert_array_equal(found.reals[0], wanted.reals[0])
    assert outputs_of(model, samples, Way()).run_s == 0


def test_an_entry_under_a_wrong_name_is_not_taken(folder: Path) -> None:
    cache = Cache(folder)
    cache.keep("a", ENTRY)
    (folder / "a.outputs").rename(folder / "b.outputs")
    assert cache.find("b") is None


def test_several_writers_leave_whole_entries(folder: Path) -> None:
    code = (
        "import sys; from pathlib import Path; import numpy as np\n"
        "from preflash.simulator.accuracy.cache import Cache\n"
        "from preflash.simulator.accuracy.messages import Message\n"
        "cache = Cache(Path(sys.argv[1]), 40_000)\n"
        "for i in range(60):\n"
        "    cache.keep(str(i % 5), Message({'n': 1}, (np.full(3000, i % 5, np.int8),)))\n"
        "    found = cache.find(str(i % 5))\n"
        "    assert found is None or (found.arrays[0] == i % 5).all()\n"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(folder)], stderr=subprocess.PIPE) for _ in range(3)
    ]
    assert [(one.communicate()[1], one.returncode) for one in running] == [(b"", 0)] * 3
    assert not [path for path in entries(folder) if path.suffix == ".part"]


def test_the_folder_stays_small_and_the_last_used_stays(folder: Path) -> None:
    cache = Cache(folder, 10_000)
    big = Message({}, (np.zeros(3000, np.int8),))
    for number, name in enumerate("abc"):
        cache.keep(name, big)
        os.utime(folder / f"{name}.outputs", (number, number))
    assert cache.find("a") is not None  # used just now
    cache.keep("d", big)
    assert {path.stem for path in entries(folder)} == {"a", "c", "d"}


def test_an_entry_too_large_for_the_cache_is_not_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_LARGEST_ENTRY_BYTES", 1000)
    Cache(folder).keep("a", Message({}, (np.zeros(3000, np.int8),)))
    assert entries(folder) == []


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = Cache(tmp_path / "file" / "cache")
    cache.keep("a", ENTRY)
    assert cache.find("a") is None
    Cache(None).keep("a", ENTRY)


def test_the_folder_is_where_the_user_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PREFLASH_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    assert default_folder() == tmp_path / "preflash"
    monkeypatch.setenv("PREFLASH_CACHE", str(tmp_path / "own"))
    assert default_folder() == tmp_path / "own"
    monkeypatch.setenv("PREFLASH_CACHE", "")
    assert default_folder() is None


def test_keys_tell_type_and_shape_apart() -> None:
    zeros = np.zeros(8, np.int8)
    others = [zeros.view(np.uint8), zeros.reshape(2, 4), zeros.view(np.int16), zeros[:7]]
    keys = {array_key(a) for a in (zeros, *others)}
    assert len(keys) == 5
    assert content_key(["a", "bc"], b"", []) != content_key(["ab", "c"], b"", [])
