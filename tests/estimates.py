"""Estimates made by hand, for tests of what is shown. The figures are invented but agree with each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from preflash.graphs.passes.effect import FusionEffect, FusionSide
from preflash.simulator.estimate import (
    Assumption,
    Basis,
    BudgetCheck,
    Conditions,
    Estimate,
    Finding,
    Interval,
    MemoryFit,
    MemoryPlan,
    MemoryUse,
    Metric,
    ModelFacts,
    OpEstimate,
    PlannedBuffer,
    Reservation,
    Severity,
    TargetFacts,
    Traffic,
    Verdict,
    Word,
    exact,
    unknown,
)

KIB = 1024
KINDS = ("CONV_2D", "DEPTHWISE_CONV_2D", "CONV_2D", "AVERAGE_POOL_2D", "FULLY_CONNECTED", "SOFTMAX")


def about(value: float, spread: float = 0.15, basis: Basis = Basis.CALIBRATED) -> Interval:
    """value ± spread."""
    return Interval(
        value, value * (1 - spread), value * (1 + spread), basis, "kernel fits, held-out residuals"
    )


def op(index: int, kind: str, *, name: str = "", macs: int | None = 1000, priced: bool = True) -> OpEstimate:
    cycles = about(100_000.0 * (index + 1)) if priced else unknown(f"no cost model for {kind}")
    latency = about(0.001 * (index + 1)) if priced else unknown(f"no cost model for {kind}")
    return OpEstimate(
        index=index,
        kind=kind,
        name=name or f"net/{kind.lower()}_{index}",
        fused=(),
        inputs=(f"t{index}",),
        outputs=(f"t{index + 1}",),
        output_shape=(1, 8, 8, 16),
        kernel="cmsis-nn conv_im2col" if priced else "",
        kernel_status="optimised" if priced else "unpriced",
        kernel_note="",
        macs=macs,
        weight_bytes=256,
        traffic=(Traffic("flash", 256, 0, 0), Traffic("sram", 2048, 1024, 512)),
        cycles=cycles,
        latency_s=latency,
        energy_j=unknown("no power figure for this board"),
        bound=("compute", "flash", "sram")[index % 3] if priced else "unknown",
        live_bytes=max(256, 3072 - 256 * index),
    )


def memories(arena_bytes: int, *, model_bytes: int, reserved_bytes: int) -> tuple[MemoryFit, ...]:
    reserved = (Reservation("application", "sram", reserved_bytes, "--reserve"),) if reserved_bytes else ()
    nothing = unknown("no deadline was given")
    return (
        MemoryFit(
            "flash", "flash", 512 * KIB, (),
            (
                MemoryUse("weights", exact(model_bytes, "the file")),
                MemoryUse("code", Interval(60_000, 59_700, 60_300, Basis.MEASURED, "linked firmwares")),
            ),
            1536, 0, exact(1536, "counted"), about(2.4e6), nothing,
            Interval(1.2e8, 1.2e8, 1.2e8, Basis.DATASHEET, "datasheet"),
        ),
        MemoryFit(
            "sram", "ram", 64 * KIB, reserved,
            (
                MemoryUse("arena_head", exact(arena_bytes - 4096, "tflm planner")),
                MemoryUse("arena_tail", exact(4096, "tflm planner")),
                MemoryUse("static", exact(1024, "linked firmwares")),
            ),
            12288, 6144, exact(18432, "counted"), about(9e6), nothing,
            unknown("the device file states no access speed for sram"),
        ),
    )  # fmt: skip


def plan(op_count: int, *, size_bytes: int = 2048, name: str = "") -> MemoryPlan:
    """A chain: each op reads the buffer that the one before it wrote; two places alternate."""
    buffers = [
        PlannedBuffer(name or f"t{i}", "tensor", 0, i, i - 1, size_bytes, max(0, i - 1), min(i, op_count - 1),
                      (i % 2) * size_bytes)
        for i in range(op_count + 1)
    ]  # fmt: skip
    buffers.append(PlannedBuffer("im2col of op 0", "scratch", 0, -1, 0, 512, 0, 0, 2 * size_bytes))
    head = 2 * size_bytes + 512
    return MemoryPlan(
        planner="tflm-greedy",
        buffers=tuple(buffers),
        head_bytes=head,
        tail_bytes=4096,
        used_bytes=head + 4096,
        min_bytes=head + 4096,
        clock_of_op=tuple(range(op_count)),
        live_bytes=tuple(head if i == 0 else 2 * size_bytes for i in range(op_count)),
        lower_bound_bytes=head,
        tail_items=(("eval tensors", 1024), ("op data", 3072)),
    )


def metrics(**changes: Interval) -> tuple[Metric, ...]:
    """All metrics in the contract's order; a keyword replaces one."""
    table: dict[str, tuple[str, Interval]] = {
        "arena_head_bytes": ("B", exact(4608, "tflm planner")),
        "arena_tail_bytes": ("B", exact(4096, "tflm planner")),
        "arena_used_bytes": ("B", exact(8704, "tflm planner")),
        "arena_min_bytes": ("B", exact(8704, "tflm planner")),
        "ram_bytes": ("B", exact(9728, "arena + static")),
        "flash_bytes": ("B", Interval(160_000, 159_700, 160_300, Basis.MEASURED, "model + linked firmwares")),
        "latency_s": ("s", about(0.084)),
        "energy_j": ("J", unknown("no power figure for this board")),
        "macs": ("MAC", exact(2_656_768, "counted from shapes")),
        "traffic_bytes": ("B", exact(19_968, "kernel structure")),
        "traffic_bytes.flash": ("B", exact(1536, "kernel structure")),
        "bandwidth_bytes_per_s": ("B/s", about(237_714.0)),
        "response_s": ("s", about(0.084)),
        "slack_s": ("s", about(0.036)),
        "cpu_load": ("1", unknown("no period was given")),
        "sleep_power_w": ("W", unknown("the sleep current of my-board is not known")),
        "period_energy_j": ("J", unknown("no period was given")),
        "average_power_w": ("W", unknown("no period was given")),
        "battery_days": ("d", unknown("no battery was given")),
        "crossover_period_s": ("s", unknown("no power figure for this board")),
    }
    return tuple(Metric.of(name, unit, changes.get(name, figure)) for name, (unit, figure) in table.items())


def budget(name: str, need: Interval, limit: float, word: Word, unit: str = "B") -> BudgetCheck:
    headroom = None if need.value is None else 1 - need.value / limit
    return BudgetCheck(name, unit, need, limit, word, headroom)


def findings() -> tuple[Finding, ...]:
    return (
        Finding("PF412", Severity.INFO, "op 4 FULLY_CONNECTED waits for weights from flash", (4,)),
        Finding("PF203", Severity.WARNING, "peak at op 0 CONV_2D: 4,608 B", (0,), fix="shrink the input"),
    )


def model_facts(name: str, op_count: int) -> ModelFacts:
    return ModelFacts(name, 100_000, "ab" * 32, op_count, 2_656_768, ("int8",), 80_000, 1)


TARGET = TargetFacts(
    "my-board", "My Board", "cortex-m4", 120e6, "tflm-cmsis-nn", "TFLM with CMSIS-NN", "cmsis-nn", True
)


def estimate(
    word: Word = Word.FITS,
    *,
    name: str = "kws",
    op_names: Sequence[str] = (),
    op_count: int = 6,
    deadline_s: float | None = 0.120,
) -> Estimate:
    """A whole answer with this verdict: RAM carries the word, everything else fits."""
    fits = memories(8704, model_bytes=100_000, reserved_bytes=20 * KIB)
    figures = metrics()
    ram = Interval(9728, 9728, 9728, Basis.EXACT, "arena + static")
    budgets = [
        budget(
            "flash:flash", Interval(160_000, 159_700, 160_300, Basis.MEASURED, "linked"), 512 * KIB, Word.FITS
        ),
        budget("ram:sram", ram, 44 * KIB, word),
    ]
    if deadline_s is not None:
        budgets.append(budget("latency", about(0.084), deadline_s, Word.FITS, "s"))
    ops = tuple(
        op(i, KINDS[i % len(KINDS)], name=op_names[i] if i < len(op_names) else "") for i in range(op_count)
    )
    return Estimate(
        model=model_facts(name, op_count),
        target=TARGET,
        verdict=Verdict(word, "ram:sram", f"ram:sram: {word.value.lower()}", tuple(budgets), ("PF203",)),
        metrics=figures,
        memories=fits,
        ops=ops,
        plan=plan(op_count, name=op_names[0] if op_names else ""),
        fusion=FusionEffect((), {}, FusionSide(op_count, 18_432, 4096), FusionSide(op_count, 18_432, 4096)),
        findings=findings(),
        assumptions=(Assumption("kernels are built with -O2", "-O2", "TFLM makefile", "primary"),),
        conditions=Conditions(deadline_s=deadline_s),
        passed=("every op is in the runtime's table",),
        timings_s={"plan": 0.0004, "cost": 0.0006},
    )


def unpriced() -> Estimate:
    """A custom op that nobody can price: latency is a lower bound, the memories fit."""
    base = estimate(Word.FITS, deadline_s=None)
    custom = op(2, "Mystery", macs=None, priced=False)
    figures = metrics(
        latency_s=unknown("no cost model for Mystery", at_least=0.05, source="kernel fits"),
        macs=unknown("MACs of Mystery unknown", at_least=1e6),
        bandwidth_bytes_per_s=unknown("latency unknown"),
    )
    found = Finding("PF401", Severity.WARNING, "op 2 Mystery has no cost model", (2,))
    return replace(
        base, ops=(*base.ops[:2], custom, *base.ops[3:]), metrics=figures, findings=(found, *base.findings)
    )


def refused() -> Estimate:
    """The runtime refuses the model: no plan, no figures, NO."""
    base = estimate(Word.NO, deadline_s=None)
    no_plan = unknown("the runtime refuses the model")
    figures = metrics(
        **{m.name: no_plan for m in base.metrics if m.name.startswith(("arena", "ram", "latency"))}
    )
    message = "tflm-cmsis-nn has no custom op 'Mystery' (version 1): op 2"
    verdict = Verdict(Word.NO, "runtime", message, (), ("PF101",))
    found = Finding("PF101", Severity.ERROR, message, (2,))
    return replace(base, verdict=verdict, metrics=figures, plan=None, findings=(found,))
