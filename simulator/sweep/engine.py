"""run_sweep: every point of a grid into a store, tile by tile, by whoever is free."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from time import perf_counter

from ...errors import PreflashError
from .asked.specs import Grid
from .run.making import row_of
from .run.pools import Pool, WorkerLost
from .run.sheet import Sheet
from .run.tile import Tile, TileResult, layout_of, tiles_of
from .store.store import Store

MOST_LOSSES = 2  # a tile that has cost so many workers is not tried again
Progress = Callable[[int, int, str], None]


@dataclass(slots=True)
class Outcome:
    """What a run did.

    Args:
        points, tiles: evaluated in this run and committed; `before` were there already.
        losses: how often a worker was lost.
        wall_s: from the first tile to the last commit.
    """

    points: int = 0
    tiles: int = 0
    before: int = 0
    losses: int = 0
    wall_s: float = 0.0
    lost: dict[int, int] = field(default_factory=dict)


def run_sweep(grid: Grid, store: Store, pool: Pool, *, progress: Progress | None = None) -> Outcome:
    """Evaluates what the store does not have yet; each result is committed before its worker gets a new tile.

    So a kill at any moment costs at most one tile per worker.
    """
    begin, outcome = perf_counter(), Outcome(before=store.finished_points())
    done = store.finished_tiles()
    queues = _by_chunk([tile for tile in tiles_of(grid, *layout_of(grid)) if tile.number not in done])
    busy: dict[int, Tile] = {}
    chunk_of: dict[int, int] = {}
    if progress is not None:
        progress(outcome.before, len(grid), "points")
    while queues or busy:
        for worker in range(pool.size):
            if worker not in busy and queues:
                busy[worker] = _next(queues, chunk_of, worker)
                pool.start(worker, busy[worker])
        worker, tile, result = pool.next_done()
        del busy[worker]
        if isinstance(result, WorkerLost):
            outcome.losses += 1
            outcome.lost[tile.number] = outcome.lost.get(tile.number, 0) + 1
            if outcome.lost[tile.number] <= MOST_LOSSES:
                queues.setdefault(tile.first, deque()).appendleft(tile)
                continue
            result = PreflashError(
                f"{outcome.lost[tile.number]} workers ended while they priced it: {result}"
            )
        if isinstance(result, Exception):
            result = _failed(grid, tile, result)
        store.add(result, len(grid.targets))
        outcome.points += len(tile)
        outcome.tiles += 1
        if progress is not None:
            progress(outcome.before + outcome.points, len(grid), "points")
    outcome.wall_s = perf_counter() - begin
    return outcome


def _by_chunk(tiles: list[Tile]) -> dict[int, deque[Tile]]:
    """first variant -> the tiles of its chunk that are left."""
    queues: dict[int, deque[Tile]] = {}
    for tile in tiles:
        queues.setdefault(tile.first, deque()).append(tile)
    return queues


def _next(queues: dict[int, deque[Tile]], chunk_of: dict[int, int], worker: int) -> Tile:
    """A tile of the chunk that this worker made, else of one nobody has, else of the one with most left."""
    chunk = chunk_of.get(worker)
    if chunk not in queues:
        others = {each for one, each in chunk_of.items() if one != worker}
        free = [each for each in queues if each not in others]
        chunk = min(free) if free else max(queues, key=lambda each: len(queues[each]))
        chunk_of[worker] = chunk
    queue = queues[chunk]
    tile = queue.popleft()
    if not queue:
        del queues[chunk]
    return tile


def _failed(grid: Grid, tile: Tile, error: Exception) -> TileResult:
    """Every point of a tile that could not be evaluated, with its error."""
    sheet = Sheet(tile.last - tile.first, tile.right - tile.left)
    text = str(error) if isinstance(error, PreflashError) else f"{type(error).__name__}: {error}"
    sheet.fail(slice(None), slice(None), text[:500])
    specs = grid.variants[tile.first : tile.last]
    rows = tuple(replace(row_of(spec), error=text[:500]) for spec in specs)
    return TileResult(tile, rows, {}, sheet.figures, sheet.word, sheet.limiting, sheet.reason)
