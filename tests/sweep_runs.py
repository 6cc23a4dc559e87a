"""Sweeps as processes of their own: many small tiles, a log of what was begun, and who is still alive."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from preflash.simulator.sweep.run import pools
from preflash.simulator.sweep.run.tile import Tile, TileResult
from preflash.simulator.sweep.store.export import csv_text
from preflash.simulator.sweep.store.query import all_points

SCENARIO = """\
name = "kills"
[[model]]
zoo = "kws01"
over = {{ width = [{widths}] }}
[[recipe]]
steps = "prune sparsity={{s}}"
over = {{ s = [0.5, 0.8] }}
[[recipe]]
steps = "quantize-weights bits=4"
[[recipe]]
steps = "cluster clusters=16"
[targets]
boards = ["nucleo-l4r5zi", "nucleo-h743zi2"]
runtimes = ["default", "x-cube-ai@8.1"]
clocks = ["max", "50%"]
[constraints]
deadline = "50 ms"
"""

# What is started instead of `python -m preflash`: tiles of one variant and four targets, by `oddly`; Ctrl-C
# as in a terminal, where a background job of a shell would have it ignored.
_RUNNER = """\
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from preflash import cli
from preflash.simulator.sweep.run import dask_pool, pools, tile
import sweep_runs
dask_pool._ANSWER_S = 4
tile._CHUNKS, tile._POINTS = 1000, 4
pools.evaluate = sweep_runs.oddly
sys.exit(cli.run(sys.argv[1:]))
"""
_LOG, _KILLER, _PAUSE = "SWEEP_RUNS_LOG", "SWEEP_RUNS_KILLER", "SWEEP_RUNS_PAUSE"


def oddly(tile: Tile) -> TileResult:
    """A tile in a worker process: written down, a while longer, and one may end its worker."""
    with Path(os.environ[_LOG]).open("a") as log:
        log.write(f"{tile.number}\n")
    if tile.number == int(os.environ[_KILLER]):
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(float(os.environ[_PAUSE]))
    return pools.evaluate(tile)


def written_scenario(folder: Path, *, widths: str = "0.25, 0.5") -> Path:
    path = folder / "kills.toml"
    path.write_text(SCENARIO.format(widths=widths), encoding="utf-8")
    return path


def started(
    *words: object, log: Path | str = os.devnull, killer: int = -1, pause_s: float = 0.0
) -> subprocess.Popen[str]:
    """`preflash` with these words, in small tiles and in a process group of its own."""
    here = os.pathsep.join([str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    own = {_LOG: str(log), _KILLER: str(killer), _PAUSE: str(pause_s), "PYTHONPATH": here}
    return subprocess.Popen(
        [sys.executable, "-c", _RUNNER, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True, env=os.environ | own,
    )  # fmt: skip


def finished(
    *words: object, log: Path | str = os.devnull, killer: int = -1, pause_s: float = 0.0
) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of it."""
    run = started(*words, log=log, killer=killer, pause_s=pause_s)
    out, err = run.communicate(timeout=120)
    return run.returncode, out, err


def end_with(run: subprocess.Popen[str], sign: int, *, whole_group: bool) -> None:
    """Sends the signal to the process, or to all of its group, and waits until the process is gone."""
    os.killpg(run.pid, sign) if whole_group else os.kill(run.pid, sign)
    run.communicate(timeout=60)


def group_of(leader: int) -> dict[int, str]:
    """pid -> command line of the processes of this group that are alive (Linux)."""
    found = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            state, _, group = (folder / "stat").read_text().rpartition(")")[2].split()[:3]
            words = (folder / "cmdline").read_text().replace("\0", " ")
        except OSError:
            continue
        if int(group) == leader and state not in "ZX":
            found[int(folder.name)] = words
    return found


def workers_of(leader: int) -> list[int]:
    """The worker processes of a run."""
    return [pid for pid, words in group_of(leader).items() if "spawn_main" in words]


def left_after(leader: int, seconds: float) -> dict[int, str]:
    """Who of the group is still alive after at most so many seconds."""
    until = time.monotonic() + seconds
    while (left := group_of(leader)) and time.monotonic() < until:
        time.sleep(0.05)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    return left


def tiles_in(store: Path) -> set[int]:
    """Numbers of the tiles that the store has; none where it is not even made."""
    if not store.exists():
        return set()
    connection = sqlite3.connect(store)
    try:
        return {number for (number,) in connection.execute("SELECT number FROM tile")}
    except sqlite3.OperationalError:
        return set()
    finally:
        connection.close()


def exported(store: Path) -> str:
    """Every point with every column, as `preflash query -f csv` has it."""
    return "".join(csv_text(all_points(store)))


def wait_for_tiles(store: Path, count: int, run: subprocess.Popen[str]) -> None:
    """Until the run has committed so many."""
    until = time.monotonic() + 60
    while len(tiles_in(store)) < count:
        assert run.poll() is None and time.monotonic() < until, "the run ended before"
        time.sleep(0.02)
