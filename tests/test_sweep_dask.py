"""Workers of a Dask cluster give the same points, also where one of them is killed."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("distributed") is None, reason="distributed is not installed"
    ),
    pytest.mark.skipif(sys.platform != "linux", reason="kills processes and looks for them in /proc"),
]


class Cluster:
    """A scheduler and workers, each a process of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parts: list[subprocess.Popen[bytes]] = []
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        port = self.address.rpartition(":")[2]
        self.scheduler = self._begin("scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard")

    def add_worker(self) -> subprocess.Popen[bytes]:
        return self._begin("worker", self.address, "--no-nanny", "--nthreads", "1", "--no-dashboard")

    def end(self) -> None:
        for part in self._parts:
            part.kill()
            part.wait()

    def _begin(self, what: str, *words: str) -> subprocess.Popen[bytes]:
        here = os.pathsep.join([str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])])
        argv = [sys.executable, "-m", f"distributed.cli.dask_{what}", *words]
        with (self._folder / f"{what}-{len(self._parts)}.log").open("wb") as log:
            part = subprocess.Popen(
                argv, stdout=log, stderr=log, cwd=self._folder, env=os.environ | {"PYTHONPATH": here}
            )
        self._parts.append(part)
        return part


@contextmanager
def cluster_with(workers: int, folder: Path) -> Iterator[tuple[Cluster, list[subprocess.Popen[bytes]]]]:
    cluster = Cluster(folder)
    try:
        yield cluster, [cluster.add_worker() for _ in range(workers)]
    finally:
        cluster.end()


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written_scenario(tmp_path_factory.mktemp("dask"))


@pytest.fixture(scope="module")
def here(scenario: Path) -> str:
    """The points as one process of this machine prices them."""
    store = scenario.with_name("here.sweep")
    assert finished("sweep", scenario, "--store", store, "-j", 1)[0] == 0
    return exported(store)


def test_two_processes_give_the_same_bytes(scenario: Path, here: str, tmp_path: Path) -> None:
    store = tmp_path / "two.sweep"
    assert finished("sweep", scenario, "--store", store, "-j", 2)[0] == 0
    assert exported(store) == here


def test_a_cluster_that_loses_a_worker_gives_the_same_bytes(
    scenario: Path, here: str, tmp_path: Path
) -> None:
    store = tmp_path / "cluster.sweep"
    with cluster_with(2, tmp_path) as (cluster, workers):
        run = started("sweep", scenario, "--store", store, "--scheduler", cluster.address)
        wait_for_tiles(store, 3, run)
        workers[0].kill()
        assert len(tiles_in(store)) < 20, "killed before the end"
        out, err = run.communicate(timeout=100)
    assert (run.returncode, err) == (0, f"preflash: wrote {store}\n")
    assert out.startswith("kills") and exported(store) == here


def test_a_worker_that_comes_for_one_that_is_gone_takes_over(
    scenario: Path, here: str, tmp_path: Path
) -> None:
    """The grid was on the lost worker alone."""
    store = tmp_path / "alone.sweep"
    with cluster_with(1, tmp_path) as (cluster, workers):
        run = started("sweep", scenario, "--store", store, "--scheduler", cluster.address)
        wait_for_tiles(store, 3, run)
        workers[0].kill()
        cluster.add_worker()
        _, err = run.communicate(timeout=100)
    assert (run.returncode, err) == (0, f"preflash: wrote {store}\n")
    assert exported(store) == here


def test_a_scheduler_that_is_gone_is_one_line_and_resume_goes_on(
    scenario: Path, here: str, tmp_path: Path
) -> None:
    store = tmp_path / "gone.sweep"
    with cluster_with(1, tmp_path) as (cluster, _):
        run = started("sweep", scenario, "--store", store, "--scheduler", cluster.address)
        wait_for_tiles(store, 3, run)
        cluster.scheduler.kill()
        _, err = run.communicate(timeout=100)
    assert run.returncode == 3 and err.count("\n") == 1 and "the Dask scheduler is gone" in err
    assert finished("sweep", scenario, "--store", store, "-j", 2, "--resume")[0] == 0
    assert exported(store) == here


def test_a_cluster_of_this_machine_gives_the_same_bytes_and_no_noise_where_a_worker_is_killed(
    scenario: Path, here: str, tmp_path: Path
) -> None:
    store = tmp_path / "local.sweep"
    run = started("sweep", scenario, "--store", store, "--workers", 2)
    wait_for_tiles(store, 2, run)
    os.kill(workers_of(run.pid)[0], signal.SIGKILL)
    out, err = run.communicate(timeout=100)
    assert (run.returncode, err) == (0, f"preflash: wrote {store}\n") and out.startswith("kills")
    assert exported(store) == here


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGKILL])
def test_workers_of_this_machine_end_with_the_sweep(
    sign: signal.Signals, scenario: Path, tmp_path: Path
) -> None:
    store = tmp_path / "ended.sweep"
    run = started("sweep", scenario, "--store", store, "--workers", 2)
    wait_for_tiles(store, 2, run)
    if sign == signal.SIGKILL:
        end_with(run, sign, whole_group=False)
    else:
        os.killpg(run.pid, sign)
        _, err = run.communicate(timeout=60)
        assert run.returncode == 130 and err.splitlines()[0].endswith("go on with --resume")
        assert "Traceback" not in err and len(err.splitlines()) <= 2
    assert left_after(run.pid, 10) == {}


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("tcp://127.0.0.1:9", "Timed out"),
        ("nowhere", "missing port"),
        ("http://x:1", "unknown address scheme"),
    ],
)
def test_an_address_where_nobody_answers_is_one_line(
    address: str, says: str, scenario: Path, tmp_path: Path
) -> None:
    store, begin = tmp_path / "none.sweep", time.monotonic()
    code, out, err = finished("sweep", scenario, "--store", store, "--scheduler", address)
    assert (code, out, err.count("\n")) == (3, "", 1) and says in err and "check --scheduler" in err
    assert time.monotonic() - begin < 25 and not store.exists(), "no store is left of nothing"
