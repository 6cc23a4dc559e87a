"""What would it take to fit a smaller arena? Standard budgets downwards, and the measures that reach each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from ...devices.target import KernelBuild, Target
from ...errors import PlanInvalid
from ...graphs.ir import ModelGraph
from ..arena import Option as Option
from ..arena import Rung as Rung
from ..encodings.stored import as_stored
from .offline_plan import Layouter, with_best_offsets
from .plan import plan_ahead_of_time, plan_memory, plan_tflm

KIB = 1024
AS_IT_IS = "as it is"
_AHEAD_OF_TIME = "tflm-aot"
BUDGETS_BYTES = tuple(
    KIB * kib for kib in (4096, 2048, 1024, 768, 512, 384, 320, 256, 192, 128, 96, 64, 48, 32, 24, 16, 8, 4)
)


Measure = Callable[[ModelGraph, Target], "Option | tuple[str, int, str] | None"]


def ladder(
    graph: ModelGraph, target: Target, *, measures: Sequence[Measure] | None = None,
    budgets: Sequence[int] = BUDGETS_BYTES,
) -> tuple[Rung, ...]:  # fmt: skip
    """From the smallest budget that the model fits as it is, down to the last that some measure reaches.

    Args:
        measures: cheapest first; each is asked once, and one that gains nothing is left out.
            None is `standard_measures()`. The first says what the model needs as it is; a measure that does
            not apply answers None.
    """
    asked, graph = standard_measures() if measures is None else tuple(measures), as_stored(graph, target)
    options = _gaining([Option(*found) for m in asked if (found := m(graph, target)) is not None])
    if not options:
        return ()
    top = min((b for b in budgets if b >= options[0].arena_bytes), default=max(budgets, default=0))
    rungs = []
    for budget in sorted((b for b in budgets if b <= top), reverse=True):
        reaching = tuple(option for option in options if option.arena_bytes <= budget)
        if not reaching:
            break
        rungs.append(Rung(budget, reaching))
    return tuple(rungs)


def _gaining(options: list[Option]) -> list[Option]:
    """Without those that need no less than the first, or as much as one before them."""
    kept: list[Option] = []
    for option in options:
        if not kept or (
            option.arena_bytes < kept[0].arena_bytes
            and all(option.arena_bytes != earlier.arena_bytes for earlier in kept)
        ):
            kept.append(option)
    return kept


def standard_measures(layout: Layouter | None = None) -> tuple[Measure, ...]:
    """As is, the best offsets as an offline plan, reference kernels, both, and no interpreter."""
    return (
        as_is,
        partial(offline_plan, layout=layout),
        reference_kernels,
        partial(reference_kernels_offline, layout=layout),
        ahead_of_time,
    )


def as_is(graph: ModelGraph, target: Target) -> Option | None:
    """The arena of the target's own runtime and planner."""
    try:
        return Option(AS_IT_IS, plan_memory(graph, target).min_bytes, "nothing", target.runtime.name)
    except PlanInvalid:
        return None


def offline_plan(graph: ModelGraph, target: Target, *, layout: Layouter | None = None) -> Option | None:
    """TFLM follows the offsets written into the model; scratch it still places itself."""
    if not _runs_tflm(target):
        return None
    placed = with_best_offsets(graph, target.kernels, layout)
    plan = plan_tflm(placed, target.kernels)
    extra = "same time; the model grows by 4 B per tensor"
    return Option("a better placement, written into the model", plan.min_bytes, extra, target.runtime.name)


def reference_kernels(graph: ModelGraph, target: Target) -> Option | None:
    """The same core without its optimised kernels: no im2col scratch, and much slower."""
    if not _runs_tflm(target) or target.kernels.library == "reference":
        return None
    plan = plan_tflm(graph, _reference(target))
    return Option("reference kernels", plan.min_bytes, _SLOWER, "tflm-reference")


def reference_kernels_offline(
    graph: ModelGraph, target: Target, *, layout: Layouter | None = None
) -> Option | None:
    """Both: nothing but tensors in the head, so the offsets are the whole plan."""
    if not _runs_tflm(target) or target.kernels.library == "reference":
        return None
    build = _reference(target)
    plan = plan_tflm(with_best_offsets(graph, build, layout), build)
    return Option("reference kernels and a better placement", plan.min_bytes, _SLOWER, "tflm-reference")


def ahead_of_time(graph: ModelGraph, target: Target) -> Option | None:
    """Generated calls instead of an interpreter: no structs in RAM. An estimate, not replayed to the byte."""
    if not _runs_tflm(target) or not target.device.core.name.startswith("cortex-m"):
        return None
    plan = plan_ahead_of_time(graph, target.kernels)
    low, high = plan.tail_range_bytes or (plan.tail_bytes, plan.tail_bytes)
    spread = f"same time; another build flow; {plan.head_bytes + low:,} to {plan.head_bytes + high:,} B"
    return Option("no interpreter (ahead of time)", plan.head_bytes + high, spread, _AHEAD_OF_TIME)


_SLOWER = "slower: check the time with -r tflm-reference"


def _runs_tflm(target: Target) -> bool:
    return target.runtime.memory.persistent == "tflm"


def _reference(target: Target) -> KernelBuild:
    return replace(target.kernels, library="reference", flavour="", departures=())
