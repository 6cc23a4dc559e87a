"""What the user should know beside the budgets: peaks, slow kernels, missing prices, idle hardware."""

from __future__ import annotations

from collections.abc import Sequence

from ..devices.spec import MemorySpec
from ..devices.target import Target
from ..graphs.ir import ModelGraph
from .columns import KernelTable
from .encodings.decoders import decoded_by_hardware
from .estimate import (
    BudgetCheck,
    Finding,
    Interval,
    MemoryFit,
    MemoryPlan,
    OpEstimate,
    Severity,
    Word,
    total,
)
from .flash import narrower_name, registration_saving_bytes, registrations, undeclared_ends

_SAVING_MIN_BYTES = 1024
_PEAK_MIN_SHARE = 0.5  # the peak op is worth naming if the head is at least this share of the arena


# which stage decides the smallest arena, in words
_STAGES = {
    "running": "head and tail decide",
    "planning": "the planner's own lists decide, before inputs and outputs exist",
    "preparing": "tensor structs that an op opens while it is prepared decide",
}
_SLOW_MIN_SHARE = 0.01  # an op below 1 % of the time is not worth a line


def plan_findings(plan: MemoryPlan | None, ops: Sequence[OpEstimate]) -> tuple[Finding, ...]:
    """What the arena's plan tells: the peak, planning's own need, defects met."""
    if plan is None:
        return ()
    found = [Finding("PF204", Severity.WARNING, warning) for warning in plan.warnings]
    peak = plan.peak_op
    if 0 <= peak < len(ops) and plan.head_bytes >= _PEAK_MIN_SHARE * plan.used_bytes:
        op = ops[peak]
        found.append(
            Finding(
                "PF203",
                Severity.INFO,
                f"RAM peak at op {peak} {op.kind}: {plan.live_bytes[peak]:,} B of activations and scratch "
                f"alive, {plan.tail_bytes:,} B persistent",
                (peak,),
                "smaller tensors around this op lower the arena",
            )
        )
    if plan.min_bytes > plan.used_bytes + 15:
        found.append(
            Finding(
                "PF202",
                Severity.INFO,
                f"the smallest arena that works is {plan.min_bytes:,} B, more than the "
                f"{plan.used_bytes:,} B that arena_used_bytes() prints: {_STAGES[plan.decided_by]}",
                fix=f"declare the arena with at least {plan.min_bytes} bytes, aligned to 16",
            )
        )
    return tuple(found)


def op_findings(ops: Sequence[OpEstimate]) -> tuple[Finding, ...]:
    """Ops without a price, and ops that run on the reference kernel though a library is there."""
    unpriced = [op for op in ops if op.latency_s.value is None]
    slow: dict[str, list[OpEstimate]] = {}
    whole_s = sum(op.latency_s.value or 0.0 for op in ops)
    for op in ops:
        share = (op.latency_s.value or 0.0) / whole_s if whole_s else 1.0
        if op.kernel_note and op.kernel_status == "reference" and share >= _SLOW_MIN_SHARE:
            slow.setdefault(op.kernel_note, []).append(op)
    found = [
        Finding(
            "PF401",
            Severity.WARNING,
            f"no cost model for {_names(unpriced)}: {unpriced[0].latency_s.reason}; latency is a lower bound",
            tuple(op.index for op in unpriced),
        )
    ] if unpriced else []  # fmt: skip
    found.extend(
        Finding("PF410", Severity.INFO, f"{_names(group)}: {why}", tuple(op.index for op in group))
        for why, group in slow.items()
    )
    return tuple(found)


def bound_findings(ops: Sequence[OpEstimate]) -> tuple[Finding, ...]:
    """Ops whose time a memory decides, not the core."""
    bound: dict[str, list[OpEstimate]] = {}
    whole_s = sum(op.latency_s.value or 0.0 for op in ops)
    for op in ops:
        share = (op.latency_s.value or 0.0) / whole_s if whole_s else 0.0
        if op.bound not in ("compute", "unknown") and share >= _SLOW_MIN_SHARE:
            bound.setdefault(op.bound, []).append(op)
    return tuple(
        Finding(
            "PF412",
            Severity.INFO,
            f"{memory}, not the core, decides the time of {_names(group)}",
            tuple(op.index for op in group),
            "fewer or smaller weights, or weights in a faster memory, help these ops most",
        )
        for memory, group in bound.items()
    )


def arena_home_findings(
    target: Target, budgets: Sequence[BudgetCheck], memories: Sequence[MemoryFit] = ()
) -> tuple[Finding, ...]:
    """Where the arena does not comfortably fit: which other RAM the device has, and whether one has room."""
    home = target.device.home_of("arena")
    short = any(b.name == f"ram:{home.name}" and b.word in (Word.NO, Word.RISKY, Word.TIGHT) for b in budgets)
    others = [f"{m.name} ({m.size_bytes:,} B)" for m in _other_rams(target)]
    if not short or not others:
        return ()
    text = (
        f"the arena is one block in {home.name} ({home.size_bytes:,} B); not used for it: {', '.join(others)}"
    )
    room = _roomier(target, memories)
    if not room:
        return (Finding("PF902", Severity.INFO, text),)
    text += f"; it would fit in {' or '.join(room)}"
    fix = f"preflash plan MODEL -d {target.device.name} --place auto"
    return (Finding("PF902", Severity.INFO, text, fix=fix),)


def copy_findings(target: Target, copied_s: Interval) -> tuple[Finding, ...]:
    """What is copied into RAM at start, and how long that takes once."""
    homes = target.homes
    copies = [
        f"{role} from {image} to {home}"
        for role, image, home in (
            ("weights", homes.weights_image, homes.weights), ("code", homes.code_image, homes.code)
        )
        if image
    ]  # fmt: skip
    if not copies:
        return ()
    took = "in an unknown time" if copied_s.value is None else f"in {copied_s.value * 1e3:.4g} ms"
    text = f"copied once at start, {took}: {', '.join(copies)}; it lies in both"
    return (Finding("PF903", Severity.INFO, text),)


def _roomier(target: Target, memories: Sequence[MemoryFit]) -> list[str]:
    """RAMs with room for the whole arena beside what already lies in them."""
    home, allowed = target.device.home_of("arena").name, {m.name for m in _other_rams(target)}
    parts = [use for m in memories if m.name == home for use in m.used if use.kind.startswith("arena")]
    need = total((use.used for use in parts), empty_source="no arena").hi
    if not parts or need is None:
        return []
    return [
        m.name for m in memories
        if m.role == "ram" and m.name in allowed
        and need + sum(use.used.hi or 0 for use in m.used) <= m.budget_bytes
    ]  # fmt: skip


def _other_rams(target: Target) -> list[MemorySpec]:
    """The RAMs that an arena may lie in and does not."""
    home = target.device.home_of("arena").name
    rams = (m for m in target.device.memories if m.is_core_ram)
    return [m for m in rams if m.name != home and "arena" not in m.never_holds]


def code_findings(graph: ModelGraph, target: Target, budgets: Sequence[BudgetCheck]) -> tuple[Finding, ...]:
    """What narrower registrations would save, and whether the flash verdict hangs on how it is built."""
    found = []
    saving = registration_saving_bytes(graph, target)
    if saving >= _SAVING_MIN_BYTES:
        name = narrower_name(graph, target)
        ops = [r.op for r in registrations(graph) if r.narrower]
        text = f"{name} registrations save {saving:,} B of flash: {', '.join(ops)}"
        fix = "register them as `preflash export` writes it, then say --build registrations=int8"
        found.append(Finding("PF305", Severity.INFO, text, fix=fix))
    home, between = target.device.home_of("code").name, undeclared_ends(graph, target)
    if between and any(b.name in (f"flash:{home}", "flash limit") and b.word is Word.RISKY for b in budgets):
        low, high, value = between
        text = f"whether {home} holds it depends on how the firmware is built: from {low} to {high}"
        found.append(Finding("PF309", Severity.INFO, text, fix=f"declare it with --build; taken: {value}"))
    return tuple(found)


def dropped_findings(table: KernelTable, whole: KernelTable, target: Target) -> tuple[Finding, ...]:
    """Channels that are not computed: `table` is what is left of `whole`."""
    if table is whole:
        return ()
    before, after = (float(one.macs[one.macs == one.macs].sum()) / 1e6 for one in (whole, table))
    text = (
        f"{target.runtime.label} does not compute channels whose weights are all zero: "
        f"{before:.2f} -> {after:.2f} MMAC; RAM and flash are still those of the whole network"
    )
    return (Finding("PF413", Severity.INFO, text),) if after < before else ()


def target_findings(target: Target, latency_s: Interval, energy_j: Interval) -> tuple[Finding, ...]:
    """Hardware that is there and not used, and figures that the target cannot give."""
    device, runtime = target.device, target.runtime
    found = []
    if latency_s.basis.value == "analytic":
        found.append(
            Finding(
                "PF411",
                Severity.INFO,
                f"no measured latency backs this core and runtime: the interval is wide ({latency_s.source})",
            )
        )
    if device.npu is not None and runtime.requires_npu != device.npu.name:
        text = f"{device.npu.name} is on this device and {runtime.name} does not use it"
        found.append(Finding("PF501", Severity.INFO, text))
    if device.compression is not None and not decoded_by_hardware(target):
        text = "weight compression hardware is declared, and nothing here drives it: weights are stored raw"
        found.append(Finding("PF601", Severity.INFO, text))
    if device.home_of("weights").kind == "external-flash":
        name = device.home_of("weights").name
        text = f"weights and code run from {name}: their time depends on its cache and clock"
        found.append(Finding("PF303", Severity.INFO, text))
    found.extend(
        Finding(
            "PF901",
            Severity.INFO,
            f"{memory.name} is the usual module's, not the part's: {memory.assumption}",
        )
        for memory in device.memories
        if memory.assumption
    )
    if energy_j.value is None and latency_s.value is not None:
        found.append(Finding("PF801", Severity.INFO, f"energy unknown: {energy_j.reason}"))
    point = target.power_point
    if point is not None and target.supply is not None and point.supply_v != target.supply.volts:
        text = f"no power figure at {target.supply}: taken from {point.supply_v:g} V"
        found.append(Finding("PF802", Severity.INFO, text))
    return tuple(found)


def _names(ops: Sequence[OpEstimate]) -> str:
    """ "op 3 MEAN", or "4 ops (3 MEAN, 5 PAD, 7 PAD, ...)"."""
    if len(ops) == 1:
        return f"op {ops[0].index} {ops[0].kind}"
    listed = ", ".join(f"{op.index} {op.kind}" for op in ops[:3])
    return f"{len(ops)} ops ({listed}{', ...' if len(ops) > 3 else ''})"
