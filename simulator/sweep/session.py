"""sweep(scenario file) -> a store: made or gone on with, filled, and left saying how far it is."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ... import __version__
from ...errors import StoreInvalid
from .asked.grid import grid_of
from .asked.scenario import SweepScenario, read_sweep
from .asked.specs import Grid
from .engine import Outcome, Progress, run_sweep
from .run.pools import Here, Pool, Processes
from .run.quality import check_samples
from .run.tile import layout_of
from .store.identity import fingerprints, kernels_of, target_row
from .store.store import Store


@dataclass(frozen=True, slots=True)
class Ways:
    """How a sweep is run; none of it changes a figure.

    Args:
        jobs: processes of this machine; 1 is this process alone.
        scheduler: address of a Dask scheduler; workers: size of a Dask cluster made here.
        resume: goes on with a store that is there.
        limit: so many variants at most.
    """

    jobs: int = 1
    scheduler: str = ""
    workers: int = 0
    resume: bool = False
    limit: int | None = None
    progress: Progress | None = None


def sweep(path: Path, store_path: Path, ways: Ways | None = None, *, command: str = "") -> Outcome:
    """Evaluates every point of the scenario that the store does not have.

    Raises:
        ScenarioFileInvalid: the scenario has faults, or what it names.
        StoreInvalid: the store is there and `resume` was not said, or it is of another sweep.
        StoreInUse: another process works on it.
    """
    given = ways or Ways()
    scenario = read_sweep(path)
    grid = grid_of(scenario, path.resolve().parent, limit=given.limit)
    check_samples(grid)
    store = _opened(store_path, resume=given.resume)
    try:
        before_s = _begin(store, grid, _facts(scenario, grid, path, command))
        with _as_interrupted(store), _closing(pool_for(grid, given)) as pool:
            outcome = run_sweep(grid, store, pool, progress=given.progress)
        store.state({"state": "finished", "run_s": f"{before_s + outcome.wall_s:.3f}"})
    except sqlite3.Error as error:
        raise StoreInvalid(
            f"cannot be written: {error}", where=str(store_path)[:200], fix="is the disk full?"
        ) from error
    finally:
        store.close()
    return outcome


def pool_for(grid: Grid, ways: Ways) -> Pool:
    """This process for few points or one job, processes, or a Dask cluster."""
    if ways.scheduler or ways.workers:
        from .run.dask_pool import DaskPool

        return DaskPool(grid, scheduler=ways.scheduler, workers=ways.workers)
    chunk, width = layout_of(grid)
    tiles = -(-len(grid.variants) // chunk) * -(-len(grid.targets) // width)
    jobs = min(ways.jobs, tiles)
    return Here(grid) if jobs <= 1 else Processes(grid, jobs)


def _opened(path: Path, *, resume: bool) -> Store:
    where = str(path)[:200]
    is_there = path.exists() and path.stat().st_size > 0
    if is_there and not resume:
        fix = "--resume goes on with it; or give another --store"
        raise StoreInvalid("there is a store already", where=where, fix=fix)
    try:
        return Store(path, is_new=not is_there)
    except OSError as error:
        raise StoreInvalid(f"cannot be written: {error.strerror or error}", where=where) from error


def _begin(store: Store, grid: Grid, facts: dict[str, str]) -> float:
    """A new store says what it is of, one that is there has to agree; the seconds it took before."""
    held = store.facts
    if not held:
        store.begin(facts, ((target_row(spec), kernels_of(spec)) for spec in grid.targets))
        return 0.0
    try:
        before_s, marks = float(held["run_s"]), dict(json.loads(held["fingerprints"]))
    except (KeyError, ValueError, TypeError, RecursionError) as error:
        what, fix = f"it does not say what it is of: {error}", "start anew with another --store"
        raise StoreInvalid(what, where=str(store.path)[:200], fix=fix) from error
    changed = [part for part, mark in fingerprints(grid).items() if marks.get(part) != mark]
    if changed:
        raise StoreInvalid(
            f"it is of another sweep: {', '.join(changed)} changed since", where=str(store.path)[:200],
            fix="start anew with another --store, or put back what was changed (--limit too)",
        )  # fmt: skip
    store.state({"state": "started"})
    return before_s


def _facts(scenario: SweepScenario, grid: Grid, path: Path, command: str) -> dict[str, str]:
    return {
        "name": scenario.name, "question": scenario.question, "seed": str(grid.seed), "version": __version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"), "state": "started",
        "command": command, "scenario": path.read_text(encoding="utf-8"), "run_s": "0",
        "variants": str(len(grid.variants)), "targets": str(len(grid.targets)), "points": str(len(grid)),
        "limits": json.dumps(grid.limits), "objectives": json.dumps(grid.objectives),
        "left_out": json.dumps(grid.left_out), "fingerprints": json.dumps(fingerprints(grid)),
        "samples": "" if grid.samples is None else grid.samples.path,
    }  # fmt: skip


@contextmanager
def _as_interrupted(store: Store) -> Iterator[None]:
    """However the run ends early, the store says so."""
    try:
        yield
    except BaseException:
        store.state({"state": "interrupted"})
        raise


@contextmanager
def _closing(pool: Pool) -> Iterator[Pool]:
    try:
        yield pool
    finally:
        pool.close()
