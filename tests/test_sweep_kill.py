"""A sweep that is killed loses at most the tiles that were being evaluated, and ends the same."""

from __future__ import annotations

import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest
from sweep_runs import (
    end_with,
    exported,
    finished,
    left_after,
    started,
    tiles_in,
    wait_for_tiles,
    workers_of,
    written_scenario,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kills processes and looks for them in /proc")
KILLS = int(os.environ.get("PREFLASH_KILLS", "3"))  # 50 for the figures of a report
WORKERS, TILES, PAUSE_S = 2, 20, 0.05


class Whole(NamedTuple):
    """A run that nobody disturbed."""

    scenario: Path
    csv: str
    seconds: float


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    folder = tmp_path_factory.mktemp("whole")
    scenario, store = written_scenario(folder), folder / "whole.sweep"
    begin = time.monotonic()
    code, _, err = finished("sweep", scenario, "--store", store, "-j", WORKERS, pause_s=PAUSE_S)
    assert (code, err) == (0, f"preflash: wrote {store}\n")
    assert tiles_in(store) == set(range(TILES))
    return Whole(scenario, exported(store), time.monotonic() - begin)


@pytest.mark.parametrize("number", range(KILLS))
def test_after_a_kill_at_any_moment_resume_ends_with_the_same_points(
    number: int, whole: Whole, tmp_path: Path
) -> None:
    store, log = tmp_path / "killed.sweep", tmp_path / "log"
    log.touch()
    words = ("sweep", whole.scenario, "--store", store, "-j", WORKERS)
    run = started(*words, log=log, pause_s=PAUSE_S)
    moment = wait_for_a_moment(random.Random(number), run, log, whole.seconds)
    end_with(run, signal.SIGKILL, whole_group=number % 2 == 1)
    assert left_after(run.pid, 5) == {}, "workers end with the process that started them"
    committed = tiles_in(store)
    is_made = store.exists()
    code, _, err = finished(*words, *(["--resume"] if is_made else []), log=log)
    assert (code, err) == (0, f"preflash: wrote {store}\n")
    begun = Counter(map(int, log.read_text().split()))
    again = sum(begun.values()) - TILES
    print(f"kill {number}: {moment}, {len(committed)} of {TILES} tiles kept, {again} evaluated again")
    assert all(begun[tile] == 1 for tile in committed) and 0 <= again <= WORKERS
    assert_no_point_twice(store)
    assert exported(store) == whole.csv


def wait_for_a_moment(rng: random.Random, run: subprocess.Popen[str], log: Path, seconds: float) -> str:
    """Some while into the evaluation of any of the tiles; one time in four any time at all, also before."""
    count, delay_s = rng.randint(1, TILES), rng.uniform(0, 2 * PAUSE_S)
    if rng.random() < 0.25:
        count, delay_s = 0, rng.uniform(0, seconds)
    while run.poll() is None and len(log.read_text().split()) < count:
        time.sleep(0.002)
    time.sleep(delay_s)
    return f"{delay_s:.2f} s after the start" if not count else f"{1e3 * delay_s:.0f} ms into tile {count}"


def assert_no_point_twice(store: Path) -> None:
    with sqlite3.connect(store) as connection:
        points, places, planned = connection.execute(
            "SELECT count(*), count(DISTINCT variant * 1000000 + target), "
            "(SELECT value FROM fact WHERE name = 'points') FROM point"
        ).fetchone()
    connection.close()
    assert points == places == int(planned)


def test_a_killed_worker_costs_time_only(whole: Whole, tmp_path: Path) -> None:
    store, log = tmp_path / "worker.sweep", tmp_path / "log"
    run = started("sweep", whole.scenario, "--store", store, "-j", WORKERS, log=log, pause_s=PAUSE_S)
    wait_for_tiles(store, 5, run)
    os.kill(workers_of(run.pid)[0], signal.SIGKILL)
    _, err = run.communicate(timeout=60)
    assert (run.returncode, err) == (0, f"preflash: wrote {store}\n")
    assert len(log.read_text().split()) in (TILES, TILES + 1)
    assert exported(store) == whole.csv


def test_a_tile_that_ends_every_worker_is_given_up_and_the_others_go_on(whole: Whole, tmp_path: Path) -> None:
    store, log = tmp_path / "killer.sweep", tmp_path / "log"
    code, _, err = finished("sweep", whole.scenario, "--store", store, "-j", WORKERS, log=log, killer=3)
    assert (code, err) == (0, f"preflash: wrote {store}\n")
    assert Counter(log.read_text().split())["3"] == 3
    lines, wanted = exported(store).splitlines(), whole.csv.splitlines()
    lost = [line for line in lines if "3 workers ended while they priced it" in line]
    assert len(lost) == 4 and all(",ERROR," in line for line in lost)
    assert len([line for line in lines if line in set(wanted)]) == len(wanted) - 4


def test_ctrl_c_leaves_a_store_and_says_how_to_go_on(whole: Whole, tmp_path: Path) -> None:
    """As a terminal sends it: to the parent and to all workers."""
    store = tmp_path / "stopped.sweep"
    words = ("sweep", whole.scenario, "--store", store, "-j", WORKERS)
    run = started(*words, pause_s=PAUSE_S)
    wait_for_tiles(store, 4, run)
    os.killpg(run.pid, signal.SIGINT)
    out, err = run.communicate(timeout=30)
    assert (run.returncode, out) == (130, "")
    first, *others = err.splitlines()
    assert first == f"preflash: what is finished is in {store}: go on with --resume"
    assert others in ([], ["preflash: error: interrupted"])
    assert left_after(run.pid, 5) == {} and not store.with_name(store.name + "-wal").exists()
    code, state, _ = finished("query", store, "SELECT value FROM fact WHERE name = 'state'")
    assert code == 0 and "interrupted" in state
    assert finished(*words, "--resume")[0] == 0
    assert exported(store) == whole.csv


def test_ctrl_c_while_workers_start_is_as_quiet(whole: Whole, tmp_path: Path) -> None:
    for moment_s in (0.2, 0.4):
        run = started("sweep", whole.scenario, "--store", tmp_path / "early.sweep", "-j", WORKERS)
        until = time.monotonic() + 30
        while not workers_of(run.pid) and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(moment_s - 0.2)
        os.killpg(run.pid, signal.SIGINT)
        _, err = run.communicate(timeout=30)
        assert run.returncode == 130 and "Traceback" not in err
        (tmp_path / "early.sweep").unlink(missing_ok=True)


def test_while_one_sweep_writes_a_second_is_refused_and_readers_are_not(whole: Whole, tmp_path: Path) -> None:
    store = tmp_path / "busy.sweep"
    words = ("sweep", whole.scenario, "--store", store, "-j", WORKERS)
    run = started(*words, pause_s=2.0)
    wait_for_tiles(store, 2, run)
    code, out, err = finished(*words, "--resume")
    assert (code, out) == (3, "") and "another process works on this store" in err
    code, out, _ = finished("query", store, "SELECT count(*) AS points FROM points", "-f", "csv")
    assert code == 0 and re.fullmatch(r"points\n\d+\n", out)
    assert finished("report", store, "-f", "text")[0] == 0
    assert run.poll() is None
    end_with(run, signal.SIGKILL, whole_group=True)
