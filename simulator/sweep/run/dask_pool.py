"""Workers of a Dask cluster: the same tiles, the same results. Dask is an extra and imported only here."""

from __future__ import annotations

import hashlib
import logging
import pickle
import queue
import threading
import warnings
from collections import OrderedDict
from contextlib import suppress
from importlib import import_module
from time import monotonic
from typing import Any

from ....errors import PreflashError
from ..asked.specs import Grid
from .pools import WorkerLost, without_ctrl_c
from .tile import Tile, TileResult, Worker

_NOT_THERE = "Dask is not installed"
_MOST_GRIDS = 2
_ANSWER_S, _WORKERS_S, _LOOK_EVERY_S, _WITHOUT_WORKERS_S = 10, 60, 2.0, 60.0
_of_thread = threading.local()  # of a thread of a worker process: grid -> its Worker


class DaskPool:
    """A cluster of this machine with so many workers, or the one whose scheduler is at an address.

    The grid is a task of its own, models in it, so that the scheduler can hand it out again where the workers
    that had it are gone. A data file for accuracy has to be readable there.
    """

    def __init__(self, grid: Grid, *, scheduler: str = "", workers: int = 0) -> None:
        """Raises: PreflashError: no Dask here, no scheduler there, or no workers with this preflash."""
        distributed = _distributed()
        packed = pickle.dumps(grid)
        self._where = scheduler[:200]
        self._hash = hashlib.sha256(packed).hexdigest()
        self._client: Any = None
        self._cluster: Any = None
        self._out: dict[str, tuple[int, Tile, Any]] = {}
        self._done: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._alone_since_s: float | None = None
        try:
            self._connect(distributed, scheduler, workers)
            self._workers = self._await_workers(max(1, workers))
            self._check_versions()
            self._grid = self._sent(packed)
        except BaseException:
            self.close()
            raise
        self.size = len(self._workers)

    def start(self, worker: int, tile: Tile) -> None:
        """Preferred where its neighbours were priced; another worker takes it where that one is gone."""
        here = self._threads()
        if self._workers[worker] not in here and here:
            self._workers[worker] = sorted(here)[worker % len(here)]
        future = self._client.submit(
            _evaluate, self._hash, self._grid, tile, pure=False, workers=[self._workers[worker]],
            allow_other_workers=True,
        )  # fmt: skip
        self._out[future.key] = worker, tile, future
        future.add_done_callback(lambda one: self._done.put(one.key))

    def next_done(self) -> tuple[int, Tile, TileResult | Exception]:
        """Raises: PreflashError: the scheduler is gone, or all workers are and none comes."""
        key = self._next_key()
        worker, tile, future = self._out.pop(key)
        try:
            result: TileResult = future.result()
        except Exception as error:
            kind = type(error).__name__
            if kind == "KilledWorker":  # the scheduler has tried it on several
                what = f"{1 + self._failures_allowed()} workers ended while they priced it"
                return worker, tile, PreflashError(what)
            if kind in ("CancelledError", "FutureCancelledError"):
                self._threads()
                return worker, tile, WorkerLost(str(error))
            return worker, tile, error
        finally:
            future.release()
        return worker, tile, result

    def close(self) -> None:
        for part in (self._client, self._cluster):
            if part is not None:
                with suppress(Exception):
                    part.close(timeout=10)

    def _connect(self, distributed: Any, scheduler: str, workers: int) -> None:
        try:
            if scheduler:  # a client that fails over the address itself never closes
                distributed.comm.get_address_host_port(scheduler)
            else:
                with without_ctrl_c():
                    self._cluster = distributed.LocalCluster(
                        n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None,
                        silence_logs=logging.CRITICAL,
                    )  # fmt: skip
            self._client = distributed.Client(
                self._cluster or scheduler, timeout=f"{_ANSWER_S}s", set_as_default=False
            )
        except Exception as error:
            what = f"no Dask scheduler answers: {error or type(error).__name__}"
            raise PreflashError(what, where=self._where, fix="check --scheduler") from error

    def _await_workers(self, wanted: int) -> list[str]:
        """One tile per thread of the cluster: the address of its worker, for each."""
        try:
            self._client.wait_for_workers(wanted, timeout=_WORKERS_S)
        except Exception as error:
            what = f"no {wanted} Dask workers within {_WORKERS_S} s"
            raise PreflashError(what, where=self._where, fix="start dask worker, or ask for fewer") from error
        here = self._threads()
        return [name for name in sorted(here) for _ in range(max(1, here[name]))]

    def _sent(self, packed: bytes) -> Any:
        """The grid as a task; Dask warns of large ones, and it is meant to be large."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return self._client.submit(bytes, packed, key=f"preflash-grid-{self._hash}")

    def _check_versions(self) -> None:
        try:
            found = set(self._client.run(version).values())
        except Exception as error:
            what, fix = f"the Dask workers have no preflash that can be used: {error}", "install it there"
            raise PreflashError(what, where=self._where, fix=fix) from error
        others = sorted(str(one) for one in found if one != version())
        if others:
            what = f"the Dask workers have preflash {', '.join(others)}, here it is {version()}"
            raise PreflashError(what, where=self._where, fix="install the same everywhere")

    def _threads(self) -> dict[str, int]:
        """worker -> threads of those that are there now."""
        try:
            return dict(self._client.nthreads())
        except Exception as error:
            what = f"the Dask scheduler is gone: {error or type(error).__name__}"
            raise PreflashError(what, where=self._where, fix="start it, then go on with --resume") from error

    def _failures_allowed(self) -> int:
        import dask

        return int(dask.config.get("distributed.scheduler.allowed-failures", 3))

    def _next_key(self) -> str:
        """Of the next future that is done; looks now and then whether anybody is there to do it."""
        while True:
            try:
                return self._done.get(timeout=_LOOK_EVERY_S)
            except queue.Empty:
                if self._threads():
                    self._alone_since_s = None
                    continue
            self._alone_since_s = self._alone_since_s or monotonic()
            if monotonic() - self._alone_since_s > _WITHOUT_WORKERS_S:
                what = f"no Dask worker for {_WITHOUT_WORKERS_S:.0f} s"
                raise PreflashError(what, where=self._where, fix="start workers, then go on with --resume")


def version() -> str:
    """Of the preflash that is there: here, and asked of a worker of the cluster."""
    return str(import_module(__name__.partition(".")[0]).__version__)


def _evaluate(key: str, packed: bytes, tile: Tile) -> TileResult:
    """One tile, in a thread of a worker of the cluster; what a Worker keeps is not for two threads."""
    grids: OrderedDict[str, Worker] = _of_thread.__dict__.setdefault("grids", OrderedDict())
    if key not in grids:
        while len(grids) >= _MOST_GRIDS:
            grids.popitem(last=False)
        grids[key] = Worker(pickle.loads(packed))
    return grids[key].evaluate(tile)


def _distributed() -> Any:
    """Dask, without its log on stderr: what matters is said as an error."""
    try:
        import distributed
    except ImportError as error:
        raise PreflashError(_NOT_THERE, fix="pip install 'preflash[dask]'") from error
    for name in list(logging.root.manager.loggerDict):
        if name.split(".")[0] in ("distributed", "tornado"):  # each has a level of its own
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    return distributed
