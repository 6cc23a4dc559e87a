"""Is what another order of the ops promises kept by the written file? Real models and generated cells."""

from __future__ import annotations

from collections.abc import Iterator

from ...devices.target import KernelBuild
from ...errors import PreflashError
from ...graphs.cells import branches_by_breadth, darts_cells, nasnet_cells, randomly_wired
from ...graphs.ir import ModelGraph
from ...graphs.reorder import reordered
from ...graphs.tflite.read import parse_tflite, read_tflite
from ...graphs.tflite.write import write_tflite
from ..memory.order.study import OrderStudy, study_order
from ..memory.plan import plan_tflm
from .facts import Facts
from .outputs import compare_outputs
from .table import Claim, ValidationTable

_BUILD = KernelBuild("cmsis-nn", "dsp", "arm32-short-enum")
_SOURCES = ("tflm_arena.csv", "tflm_arena_synthetic.csv")
_COLUMNS = (
    "graph", "ops", "peak_before_bytes", "peak_bytes", "bound_bytes", "arena_before_bytes", "promised_bytes",
    "written_bytes", "outputs",
)  # fmt: skip


def order_table(facts: Facts) -> ValidationTable:
    """Per graph that gains: live sums, the arena before, as promised and of the written file; its outputs."""
    rows, left_out = [], []
    studied = proved = worse = 0
    for graph in _graphs(facts):
        try:
            study = study_order(graph, lambda one: plan_tflm(one, _BUILD))
        except PreflashError as refusal:
            left_out.append(str(refusal))
            continue
        studied += 1
        proved += bool(study.live.proof)
        worse += study.gained_bytes < 0
        if study.gained_bytes:
            rows.append(_row(graph, study))
    kept, same = sum(row[6] == row[7] for row in rows), sum(row[8] == "identical" for row in rows)
    runs = sum(row[8] != "refused" for row in rows)  # this interpreter may refuse the model as it was
    return ValidationTable(
        "order", "Order of the ops: arena promised against predicted on the written file, graphs that gain",
        _COLUMNS, tuple(rows),
        (
            Claim("the written file needs the promised arena", f"{kept} of {len(rows)}", kept == len(rows)),
            Claim("outputs are the same to the bit", f"{same} of {runs} that run here", same == runs > 0),
            Claim("no order is worse than the given one", f"{worse} of {studied} worse", worse == 0),
            Claim("the smallest live sum is proved", f"{proved} of {studied}", proved == studied),
        ),
        tuple(left_out),
    )  # fmt: skip


def _graphs(facts: Facts) -> Iterator[ModelGraph]:
    for name in _SOURCES:
        for row in facts.rows(name):
            if row.get("loads_host", "yes") == "yes":
                yield read_tflite(facts.path("models", row["file"]))
    yield from (nasnet_cells(3), darts_cells(3), branches_by_breadth(), randomly_wired(12), randomly_wired())


def _row(graph: ModelGraph, study: OrderStudy) -> tuple[str | int, ...]:
    written = write_tflite(reordered(graph, study.order))
    arena_bytes = plan_tflm(parse_tflite(written), _BUILD).min_bytes
    return (
        graph.name, len(graph.ops), study.peak_before_bytes, study.live.peak_bytes,
        study.live.lower_bound_bytes, study.arena_before_bytes, study.arena_after_bytes, arena_bytes,
        compare_outputs(write_tflite(graph), written),
    )  # fmt: skip
