"""A point of a sweep is what simulate says of that file on that target; what fails, fails alone."""

from __future__ import annotations

import weakref
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from preflash.devices.catalog import load_target
from preflash.graphs.ir import ModelGraph
from preflash.graphs.tflite.read import parse_tflite
from preflash.graphs.tflite.write import write_tflite
from preflash.graphs.variants.given import Given
from preflash.graphs.variants.recipe import parse_recipe
from preflash.graphs.zoo import build
from preflash.simulator.accuracy.kernels import kernels_for
from preflash.simulator.estimate import Conditions, Reservation
from preflash.simulator.simulate import simulate
from preflash.simulator.sweep import engine
from preflash.simulator.sweep.asked.grid import grid_of
from preflash.simulator.sweep.asked.scenario import read_sweep
from preflash.simulator.sweep.asked.specs import Grid, TargetSpec, VariantSpec
from preflash.simulator.sweep.engine import run_sweep
from preflash.simulator.sweep.run import tile
from preflash.simulator.sweep.run.pools import Here, WorkerLost
from preflash.simulator.sweep.run.tile import Tile, TileResult, Worker, tiles_of
from preflash.simulator.sweep.store.identity import kernels_of, target_row
from preflash.simulator.sweep.store.reading import read_store
from preflash.simulator.sweep.store.store import Store
from preflash.simulator.sweep.table import WORDS, SweepTable
from preflash.simulator.variant_study import Quality

SCENARIO = """
name = "points"
seed = 3
[[model]]
zoo = "kws01"
over = { width = [0.5, 1.0] }
[[model]]
name = "file"
file = "person.tflite"
over = { width = [1, 0.5] }
[[recipe]]
steps = "prune sparsity={s}"
over = { s = [0.5, 0.8] }
[[recipe]]
name = "4 bits"
steps = "quantize-weights bits=4"
[[recipe]]
steps = "cluster clusters=16 | prune sparsity=0.3"
[[recipe]]
name = "not for int8"
steps = "quantize"
[targets]
boards = ["nucleo-l4r5zi", "nucleo-h743zi2", "esp32-s3-devkitc-1", "nucleo-u575zi", "alif-e1"]
runtimes = ["default", "tflm-reference", "x-cube-ai@8.1"]
clocks = ["max", "50%", "80 MHz"]
place = ["own", "arena=dtcm"]
supply = ["own", "3 V"]
npu = ["none", "ethos-u55-128:shared-sram"]
[constraints]
deadline = "40 ms"
period = "50 ms"
flash = "150 KiB"
energy = "5 mJ"
headroom = "20%"
[[constraints.reserve]]
name = "camera"
memory = "ram"
size = "500 KiB"
"""
METRICS = {"latency_s": "latency_s", "energy_j": "energy_j", "arena_bytes": "arena_min_bytes",
           "ram_bytes": "ram_bytes", "flash_bytes": "flash_bytes"}  # fmt: skip


class Swept(NamedTuple):
    grid: Grid
    table: SweepTable
    files: dict[int, bytes]  # variant -> its .tflite, made here step by step


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Swept:
    folder = tmp_path_factory.mktemp("points")
    person = write_tflite(build("person-detect", width=0.25, resolution=48))
    (folder / "person.tflite").write_bytes(person)
    (folder / "points.toml").write_text(SCENARIO, encoding="utf-8")
    grid = grid_of(read_sweep(folder / "points.toml"), folder)
    table = table_of(grid, folder / "points.sweep", Here(grid))
    files = {}
    for spec in grid.variants:
        width = dict(spec.axes)["width"]
        graph = parse_tflite(person) if spec.model == "file" else build("kws01", width=float(width))
        if spec.name != "not for int8":
            files[spec.number] = file_of(graph, spec)
    return Swept(grid, table, files)


def file_of(graph: ModelGraph, spec: VariantSpec) -> bytes:
    return write_tflite(parse_recipe(spec.steps).apply(graph, Given(seed=3)) if spec.steps else graph)


def table_of(grid: Grid, path: Path, pool: Here) -> SweepTable:
    store = Store(path, is_new=True)
    store.begin({"points": str(len(grid))}, ((target_row(one), kernels_of(one)) for one in grid.targets))
    run_sweep(grid, store, pool)
    store.close()
    return read_store(path)


def priced(swept: Swept) -> list[TargetSpec]:
    return [spec for spec in swept.grid.targets if not spec.npu and not spec.error]


def test_the_grid_is_every_variant_on_every_target_that_goes_together(swept: Swept) -> None:
    assert len(swept.grid.variants) == 2 * 2 * 6 and len(swept.table) == len(swept.grid)
    assert len({(spec.device, spec.runtime) for spec in priced(swept)}) >= 6
    assert {spec.place for spec in swept.grid.targets} == {"", "arena=dtcm"}
    assert "placement arena=dtcm is not for the board" in swept.grid.left_out
    numbers = swept.table.variant * len(swept.grid.targets) + swept.table.target
    np.testing.assert_array_equal(numbers, np.arange(len(swept.grid)))


@pytest.mark.parametrize("nth", range(12))
def test_a_point_is_what_simulate_says_of_the_file(nth: int, swept: Swept) -> None:
    """A target of the grid's twelve in turn, with every variant that could be made."""
    specs = priced(swept)
    spec = specs[nth * len(specs) // 12]
    assert spec.target is not None
    for variant, file in swept.files.items():
        point = variant * len(swept.grid.targets) + spec.number
        estimate = simulate(parse_tflite(file), spec.target, spec.conditions)
        for name, metric in METRICS.items():
            found, wanted = swept.table.figures[name].at(point), estimate.metric(metric)
            ends = [(found.value, wanted.value), (found.lo, wanted.lo), (found.hi, wanted.hi)]
            assert all(a == b or a == pytest.approx(b, rel=1e-12) for a, b in ends), (name, found, wanted)
            assert found.basis is wanted.basis
        verdict = estimate.verdict
        limiting = swept.table.limits_named[swept.table.limiting[point]]
        assert (WORDS[swept.table.word[point]], limiting) == (verdict.word.value, verdict.limiting)


def test_verdicts_of_many_kinds_were_compared(swept: Swept) -> None:
    assert {WORDS[code] for code in set(swept.table.word.tolist())} >= {"FITS", "NO", "UNKNOWN", "ERROR"}


def test_a_recipe_that_a_model_does_not_allow_is_an_error_with_its_reason_and_the_others_go_on(
    swept: Swept,
) -> None:
    table = swept.table
    failed = [row.number for row in table.variants if row.error]
    assert failed == [spec.number for spec in swept.grid.variants if spec.name == "not for int8"]
    lost = np.isin(table.variant, failed)
    broken = np.array([bool(spec.error) for spec in swept.grid.targets])[table.target]
    assert ((table.word == WORDS.index("ERROR")) == (lost | broken)).all()
    assert all("samples" in table.texts[code] for code in set(table.reason[lost & ~broken].tolist()))
    assert np.isnan(table.figures["latency_s"].value[lost]).all()


def test_an_accelerator_that_nobody_can_price_is_unknown_with_a_reason(swept: Swept) -> None:
    table = swept.table
    npu = np.array([bool(spec.npu and not spec.error) for spec in swept.grid.targets])[table.target]
    fine = npu & (table.word != WORDS.index("ERROR"))
    assert fine.any() and (table.word[fine] == WORDS.index("UNKNOWN")).all()
    assert {table.texts[code] for code in table.reason[fine]} == {
        "no cost model for ethos-u55-128:shared-sram yet"
    }


def test_a_board_that_cannot_meet_a_reservation_is_an_error_with_its_reason(swept: Swept) -> None:
    broken = {spec.device for spec in swept.grid.targets if spec.error}
    assert "esp32-s3" in broken and "nucleo-u575zi" not in broken
    for row in swept.table.targets:
        assert bool(row.error) == (swept.grid.targets[row.number].error != "")
        assert not row.error or "reserved" in row.error


class StubBench:
    """Says how good a variant is by its number."""

    def __init__(self, says: dict[int, Quality], grid: Grid) -> None:
        self._says, self._number = says, iter(range(len(grid.variants)))

    def given(self, key: str, original: ModelGraph) -> Given:
        return Given()

    def qualities(self, key: str, original: ModelGraph, file: bytes) -> dict[str, Quality]:
        quality = self._says[next(self._number)]
        return {kernels_for(load_target("nucleo-u575zi").runtime).name: quality}

    untrained = qualities


@pytest.mark.parametrize(
    ("quality", "word", "reason"),
    [
        (Quality("accuracy", value=0.95, lo=0.92, hi=0.97), "FITS", ""),
        (Quality("accuracy", value=0.91, lo=0.88, hi=0.93), "RISKY", ""),
        (Quality("accuracy", value=0.85, lo=0.82, hi=0.87), "NO", ""),
        (Quality("accuracy", reason="labels are of other classes"), "UNKNOWN", "labels are of other classes"),
        (None, "UNKNOWN", "accuracy was not measured"),
    ],
)
def test_a_limit_on_accuracy_is_held_against_the_whole_interval(
    quality: Quality | None, word: str, reason: str
) -> None:
    """At least 0.9: surely, perhaps, surely not, not known, not measured."""
    spec = VariantSpec(0, "kws01", zoo="kws01")
    target = TargetSpec(0, load_target("nucleo-u575zi"), Conditions(), device="u", runtime="r")
    grid = Grid((spec,), (target,), {}, {}, {"accuracy": 0.9}, ())
    bench = None if quality is None else StubBench({0: quality}, grid)
    result = Worker(grid, _bench=[bench]).evaluate(Tile(0, 0, 1, 0, 1))
    assert (WORDS[result.word[0, 0]], result.reason[0, 0]) == (word, reason)
    assert result.limiting[0, 0] == ("accuracy" if word != "FITS" else result.limiting[0, 0])


def test_a_target_that_makes_pricing_fail_costs_its_own_points_only(
    swept: Swept, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid = replace(swept.grid, variants=swept.grid.variants[:2], targets=tuple(priced(swept)[:4]))
    whole = Worker(grid).evaluate(Tile(0, 0, 2, 0, 4))
    bad = grid.targets[2].target
    price = tile.price_points

    def failing(graphs: object, targets: list[object], *rest: object, **known: object) -> object:
        if bad in targets:
            raise ArithmeticError("out of range")
        return price(graphs, targets, *rest, **known)  # type: ignore[arg-type]

    monkeypatch.setattr(tile, "price_points", failing)
    result = Worker(grid).evaluate(Tile(0, 0, 2, 0, 4))
    assert list(result.reason[:, 2]) == ["ArithmeticError: out of range"] * 2
    for column in (0, 1, 3):
        assert (result.word[:, column] == whole.word[:, column]).all()
        latency_s = result.figures["latency_s"][0][:, column]
        np.testing.assert_allclose(latency_s, whole.figures["latency_s"][0][:, column], rtol=1e-12)


def test_results_are_held_no_longer_than_they_are_written(
    swept: Swept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "layout_of", lambda grid: (1, 4))
    alive: weakref.WeakSet[TileResult] = weakref.WeakSet()
    most = 0

    class Watched(Here):
        def next_done(self) -> tuple[int, Tile, TileResult | Exception]:
            nonlocal most
            worker, tile, result = super().next_done()
            alive.add(result)  # type: ignore[arg-type]
            most = max(most, len(alive))
            return worker, tile, result

    grid = replace(swept.grid, variants=swept.grid.variants[:4])
    table_of(grid, tmp_path / "stream.sweep", Watched(grid))
    assert len(list(tiles_of(grid, 1, 4))) > 20 and most <= 2


def test_a_tile_lost_with_its_workers_does_not_hide_what_its_variants_are(
    swept: Swept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first tile of a variant is lost; the second tells its size."""
    monkeypatch.setattr(engine, "layout_of", lambda grid: (1, 4))

    class Losing(Here):
        def next_done(self) -> tuple[int, Tile, TileResult | Exception]:
            worker, tile, result = super().next_done()
            return worker, tile, WorkerLost("gone") if tile.number == 0 else result

    grid = replace(swept.grid, variants=swept.grid.variants[:1], targets=swept.grid.targets[:8])
    table = table_of(grid, tmp_path / "losing.sweep", Losing(grid))
    assert [table.texts[code] for code in table.reason[:4]] == [
        "3 workers ended while they priced it: gone"
    ] * 4
    assert table.variants[0].error == "" and table.variants[0].file_bytes == len(swept.files[0])


def test_reservations_that_leave_room_are_conditions_of_each_board(swept: Swept) -> None:
    held = {spec.conditions.reservations for spec in priced(swept) if spec.device == "nucleo-u575zi"}
    ((camera,),) = held
    assert isinstance(camera, Reservation) and camera.size_bytes == 500 * 1024
