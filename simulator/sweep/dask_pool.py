"""Workers of a Dask cluster: the same tiles, the same results. Dask is an extra and imported only here."""

from __future__ import annotations

import hashlib
import pickle
from collections import OrderedDict
from typing import Any

from ...errors import PreflashError
from .pools import WorkerLost
from .specs import Grid
from .tile import Tile, TileResult, Worker

_NOT_THERE = "Dask is not installed"
_MOST_GRIDS = 2
_grids: OrderedDict[str, Worker] = OrderedDict()  # of a worker process: grid -> its Worker


class DaskPool:
    """A cluster of this machine with so many workers, or the one whose scheduler is at an address.

    The grid travels to every worker once, models in it; a data file for accuracy has to be readable there.
    """

    def __init__(self, grid: Grid, *, scheduler: str = "", workers: int = 0) -> None:
        """Raises: PreflashError: no Dask here, or no scheduler there."""
        distributed = _distributed()
        packed = pickle.dumps(grid)
        self._key = hashlib.sha256(packed).hexdigest()
        self._cluster: Any = None
        try:
            if not scheduler:
                self._cluster = distributed.LocalCluster(
                    n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None
                )
            self._client = distributed.Client(self._cluster or scheduler, timeout="15s", set_as_default=False)
        except (OSError, TimeoutError) as error:
            raise PreflashError(
                f"no Dask scheduler answers: {error}", where=scheduler, fix="check --scheduler"
            ) from error
        self._grid = self._client.scatter(packed, broadcast=True, hash=False)
        self._done = distributed.as_completed()
        self._out: dict[str, tuple[int, Tile]] = {}
        self._workers: list[str] = []
        self.size = self._await_workers(workers)

    def start(self, worker: int, tile: Tile) -> None:
        """Preferred where its neighbours were priced; another worker takes it where that one is gone."""
        here = self._client.scheduler_info(n_workers=-1)["workers"]
        gone = self._workers[worker] not in here
        if gone and here:
            self._workers[worker] = sorted(here)[worker % len(here)]
        future = self._client.submit(
            _evaluate, self._key, self._grid, tile, pure=False, retries=3,
            workers=[self._workers[worker]], allow_other_workers=True,
        )  # fmt: skip
        self._out[future.key] = worker, tile
        self._done.add(future)

    def next_done(self) -> tuple[int, Tile, TileResult | Exception]:
        future = next(self._done)
        worker, tile = self._out.pop(future.key)
        try:
            result: TileResult = future.result()
        except Exception as error:
            lost = type(error).__name__ in ("KilledWorker", "CancelledError", "FutureCancelledError")
            return worker, tile, WorkerLost(str(error)) if lost else error
        finally:
            future.release()
        return worker, tile, result

    def close(self) -> None:
        self._client.close()
        if self._cluster is not None:
            self._cluster.close()

    def _await_workers(self, wanted: int) -> int:
        """One tile per thread of the cluster."""
        self._client.wait_for_workers(max(1, wanted), timeout=60)
        here: dict[str, Any] = self._client.scheduler_info(n_workers=-1)["workers"]
        self._workers = [name for name in sorted(here) for _ in range(here[name]["nthreads"])]
        return len(self._workers)


def _evaluate(key: str, packed: bytes, tile: Tile) -> TileResult:
    """One tile, in a worker of the cluster."""
    if key not in _grids:
        while len(_grids) >= _MOST_GRIDS:
            _grids.popitem(last=False)
        _grids[key] = Worker(pickle.loads(packed))
    return _grids[key].evaluate(tile)


def _distributed() -> Any:
    try:
        import distributed
    except ImportError as error:
        raise PreflashError(_NOT_THERE, fix="pip install 'preflash[dask]'") from error
    return distributed
