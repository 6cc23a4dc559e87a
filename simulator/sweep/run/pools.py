"""Who prices tiles: this process, or processes of this machine that each keep the models they made."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection, resource_tracker
from typing import Protocol

from ..asked.specs import Grid
from .tile import Tile, TileResult, Worker


class WorkerLost(Exception):
    """The process that had this tile is gone; somebody else may price it."""


class Pool(Protocol):
    """Workers with numbers from 0; each has at most one tile."""

    @property
    def size(self) -> int:
        """How many tiles may be out at once."""

    def start(self, worker: int, tile: Tile) -> None:
        """Hands the tile to this worker, which is free."""

    def next_done(self) -> tuple[int, Tile, TileResult | Exception]:
        """Waits for the next tile that is done, or that failed."""

    def close(self) -> None:
        """Ends all workers; what they work on is lost."""


class Here:
    """This process alone."""

    size = 1

    def __init__(self, grid: Grid) -> None:
        self._worker, self._tile = Worker(grid), Tile(0, 0, 0, 0, 0)

    def start(self, worker: int, tile: Tile) -> None:
        del worker
        self._tile = tile

    def next_done(self) -> tuple[int, Tile, TileResult | Exception]:
        return 0, self._tile, self._worker.evaluate(self._tile)

    def close(self) -> None:
        """Nothing to end."""


class Processes:
    """A process per worker, so that a tile goes to whoever has made its variants already."""

    def __init__(self, grid: Grid, size: int) -> None:
        self.size = size
        self._grid = grid
        self._pools = [self._new() for _ in range(size)]
        self._out: dict[Future[TileResult], tuple[int, Tile]] = {}

    def start(self, worker: int, tile: Tile) -> None:
        with without_ctrl_c():
            try:
                future = self._pools[worker].submit(evaluate, tile)
            except BrokenProcessPool:  # it was lost while it had nothing to do
                self._replace(worker)
                future = self._pools[worker].submit(evaluate, tile)
        self._out[future] = worker, tile

    def next_done(self) -> tuple[int, Tile, TileResult | Exception]:
        done, _ = wait(self._out, return_when=FIRST_COMPLETED)
        future = min(done, key=lambda one: self._out[one][1].number)
        worker, tile = self._out.pop(future)
        try:
            return worker, tile, future.result()
        except BrokenProcessPool as error:
            self._replace(worker)
            return worker, tile, WorkerLost(str(error))
        except Exception as error:
            return worker, tile, error

    def close(self) -> None:
        for pool in self._pools:
            for process in list((pool._processes or {}).values()):
                with contextlib.suppress(OSError, ValueError):
                    process.terminate()
            pool.shutdown(wait=True, cancel_futures=True)

    def _replace(self, worker: int) -> None:
        self._pools[worker].shutdown(wait=False)
        self._pools[worker] = self._new()

    def _new(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(1, mp_context=context, initializer=begin, initargs=(self._grid,))


@contextlib.contextmanager
def without_ctrl_c() -> Iterator[None]:
    """A process started meanwhile never gets Ctrl-C, not even before `begin`; this one does, right after.

    The mask is for the process that inherits it. A thread without it may still take the signal, for which
    Python would stop this one half way through, so that the new process finds half of what it is to read.
    """
    if not hasattr(signal, "pthread_sigmask") or threading.current_thread() is not threading.main_thread():
        yield
        return
    resource_tracker.ensure_running()  # it would let Ctrl-C through again when it starts
    came: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, _frame: came.append(number))
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        signal.signal(signal.SIGINT, handler or signal.SIG_DFL)
    if came:
        signal.raise_signal(signal.SIGINT)


_here: list[Worker] = []  # of a worker process: its one Worker


def begin(grid: Grid) -> None:
    """What a worker process does first: Ctrl-C is its parent's affair, and it ends when that is gone."""
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    _here[:] = [Worker(grid)]


def evaluate(tile: Tile) -> TileResult:
    """One tile, in a worker process."""
    return _here[0].evaluate(tile)


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)
