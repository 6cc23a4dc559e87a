"""Where do finished points go? One SQLite file: a tile is in it as a whole or not at all."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from ....errors import StoreInvalid
from ...interval import BY_WEAKNESS
from ...variant_study import Quality
from ..run.tile import TileResult
from ..table import TargetRow, VariantRow
from .layout import (
    APPLICATION_ID,
    CREATE,
    LAYOUT_VERSION,
    POINT_COLUMNS,
    PRICED,
    QUALITY_COLUMNS,
    TARGET_COLUMNS,
    VARIANT_COLUMNS,
    insert,
)
from .lease import Lease

_SLOTS = {name: number for number, name in enumerate(POINT_COLUMNS)}
_CACHE_KIB = 65536
_PATIENCE_S = 60
# A variant that was made stands above one that a tile lost with its workers.
_ADD_VARIANT = insert("variant", VARIANT_COLUMNS, verb="INSERT") + (
    " ON CONFLICT (number) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in VARIANT_COLUMNS[1:])
    + " WHERE variant.sha256 = '' AND excluded.sha256 <> ''"
)


class Store:
    """A store that this process alone writes to; others may read it."""

    def __init__(self, path: Path, *, is_new: bool) -> None:
        """Raises: StoreInUse, StoreInvalid."""
        self.path, self._is_new = path, is_new
        self._lease = Lease(path)
        self._texts: dict[str, int] = {}
        try:
            self._connection = sqlite3.connect(path, isolation_level=None, timeout=_PATIENCE_S)
        except BaseException:
            self._lease.release()
            raise
        try:
            is_empty = is_new or _is_empty(self._connection)
            if not is_empty:
                checked(self._connection, path)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            if is_empty:
                self._create()
            self._texts = self._known_texts()
        except sqlite3.Error as error:
            self._drop()
            raise StoreInvalid(f"no store can be made of it: {error}", where=str(path)[:200]) from error
        except BaseException:
            self._drop()
            raise

    def close(self) -> None:
        """One file is left: what SQLite wrote beside it goes into it; none, if it was made for nothing."""
        is_for_nothing = False
        with suppress(sqlite3.Error):
            is_for_nothing = self._is_new and not self.finished_tiles()
        with suppress(sqlite3.Error):  # somebody reads; the last reader takes the log in
            self._connection.execute("PRAGMA busy_timeout = 0")
            self._connection.execute("PRAGMA journal_mode = DELETE")
        self._connection.close()
        if is_for_nothing:
            with suppress(OSError):
                self.path.unlink()
        self._lease.release()

    def _drop(self) -> None:
        self._connection.close()
        self._lease.release()

    @property
    def facts(self) -> dict[str, str]:
        return dict(self._connection.execute("SELECT name, value FROM fact"))

    def state(self, facts: Mapping[str, str]) -> None:
        """What the store says of itself; later words replace earlier ones."""
        with self._all_or_nothing():
            self._connection.executemany("INSERT OR REPLACE INTO fact VALUES (?, ?)", facts.items())

    def begin(self, facts: Mapping[str, str], targets: Iterable[tuple[TargetRow, str]]) -> None:
        """What the sweep is, and all targets of the grid, each with its runtime's kernel set."""
        rows = [(*(getattr(row, name) for name in TARGET_COLUMNS[:-1]), kernels) for row, kernels in targets]
        with self._all_or_nothing():
            self._connection.executemany(insert("target", TARGET_COLUMNS), rows)
            self._connection.executemany("INSERT OR REPLACE INTO fact VALUES (?, ?)", facts.items())

    def finished_tiles(self) -> set[int]:
        return {number for (number,) in self._connection.execute("SELECT number FROM tile")}

    def finished_points(self) -> int:
        (count,) = self._connection.execute("SELECT coalesce(sum(points), 0) FROM tile").fetchone()
        return int(count)

    def add(self, result: TileResult, target_count: int) -> None:
        """Every point of a tile, and that it is finished; a tile that is there already changes nothing."""
        with self._all_or_nothing():
            done = self._connection.execute("SELECT 1 FROM tile WHERE number = ?", (result.tile.number,))
            if done.fetchone():
                return
            self._connection.executemany(_ADD_VARIANT, map(_variant, result.variants))
            qualities = [_quality(*key, one) for key, one in result.qualities.items()]
            self._connection.executemany(insert("quality", QUALITY_COLUMNS), qualities)
            points = self._points(result, target_count)
            self._connection.executemany(insert("point", POINT_COLUMNS, verb="INSERT"), points)
            done_row = result.tile.number, len(result.tile)
            self._connection.execute("INSERT INTO tile VALUES (?, ?)", done_row)

    def _points(self, result: TileResult, target_count: int) -> Iterator[tuple[object, ...]]:
        """A row per point: variant by variant, so that keys rise."""
        tile = result.tile
        width = tile.right - tile.left
        columns: list[list[object]] = [[] for _ in POINT_COLUMNS]
        variants = [number for number in range(tile.first, tile.last) for _ in range(width)]
        targets = list(range(tile.left, tile.right)) * (tile.last - tile.first)
        columns[0] = [v * target_count + t for v, t in zip(variants, targets, strict=True)]
        columns[1], columns[2] = list(variants), list(targets)
        columns[3] = result.word.ravel().tolist()
        columns[4] = self._coded(result.limiting.ravel().tolist())
        columns[5] = self._coded(result.reason.ravel().tolist())
        for name in PRICED:
            value, lo, hi, grade = result.figures[name]
            for end, values in (("", value), ("_lo", lo), ("_hi", hi), ("_grade", grade)):
                columns[_SLOTS[name + end]] = values.ravel().tolist()
        return zip(*columns, strict=True)

    def _coded(self, texts: list[str]) -> list[object]:
        """The number of each text; new ones are written first."""
        for text in set(texts):
            if text not in self._texts:
                row = self._connection.execute("INSERT INTO text (text) VALUES (?) RETURNING id", (text,))
                self._texts[text] = row.fetchone()[0]
        return [self._texts[text] for text in texts]

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            yield
            self._connection.execute("COMMIT")
        except BaseException:  # Ctrl-C may come before BEGIN and after COMMIT, too
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
                self._texts = self._known_texts()
            raise

    def _known_texts(self) -> dict[str, int]:
        return {text: key for key, text in self._connection.execute("SELECT id, text FROM text")}

    def _create(self) -> None:
        rows = [(grade, basis.value) for grade, basis in enumerate(BY_WEAKNESS)]
        self._connection.execute("BEGIN IMMEDIATE")
        for statement in CREATE.split(";"):
            self._connection.execute(statement)
        self._connection.executemany("INSERT INTO basis VALUES (?, ?)", rows)
        self._connection.execute("COMMIT")


def _is_empty(connection: sqlite3.Connection) -> bool:
    """Whether nothing was ever written to it: a run was stopped before it had made its tables."""
    (count,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    (mark,) = connection.execute("PRAGMA application_id").fetchone()
    return not count and not mark


def checked(connection: sqlite3.Connection, path: Path) -> None:
    """Whether that is a store of this layout.

    Raises:
        StoreInvalid: it is another file, or of another version.
    """
    where, fix = str(path)[:200], "give a file that `preflash sweep` wrote"
    try:
        (mark,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.Error as error:
        raise StoreInvalid(f"it is no store of a sweep: {error}", where=where, fix=fix) from error
    if mark != APPLICATION_ID:
        raise StoreInvalid("it is no store of a sweep", where=where, fix=fix)
    if version != LAYOUT_VERSION:
        what = f"its layout is version {version}, this preflash reads {LAYOUT_VERSION}"
        raise StoreInvalid(what, where=where, fix="run the sweep again")


def as_number(text: str) -> int | float | str:
    """The number that is written so, for conditions on it; any other text stays.

    >>> as_number("4"), as_number("0.5"), as_number("relu"), as_number("1e3")
    (4, 0.5, 'relu', '1e3')
    """
    for kind in (int, float):
        try:
            number = kind(text)
        except ValueError:
            continue
        if str(number) == text and math.isfinite(number):
            return number
    return text


def _variant(row: VariantRow) -> tuple[object, ...]:
    axes = {key: as_number(value) for key, value in row.axes.items()}
    notes = json.dumps(list(row.notes))
    written = {"axes": json.dumps(axes), "notes": notes, "retrain": int(row.retrain)}
    return tuple(written.get(name, getattr(row, name)) for name in VARIANT_COLUMNS)


def _quality(variant: int, kernels: str, one: Quality) -> tuple[object, ...]:
    return (variant, kernels, one.metric, one.value, one.lo, one.hi, one.count, one.change, one.change_text,
            one.reason)  # fmt: skip
