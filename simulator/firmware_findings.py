"""What the user should know about the firmware around the model: old arena, model, runtime, stack, place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from .estimate import Conditions, Finding, Interval, Severity

if TYPE_CHECKING:
    from ..devices.importers.place import PlacedFirmware
    from ..devices.importers.regions import ScriptedDevice
    from ..devices.spec import DeviceSpec

_ALIGNMENT_BYTES = 16
_MOST_NAMED = 3
# Core -> machines of ELF files that it runs.
_MACHINES = (
    ("cortex-m", ("ARM",)), ("cortex-a", ("ARM", "AArch64")), ("kryo", ("ARM", "AArch64")),
    ("xtensa", ("Tensilica Xtensa",)), ("rv", ("RISC-V",)), ("pulp", ("RISC-V",)),
)  # fmt: skip


def firmware_findings(conditions: Conditions, arena: Interval, code: Interval) -> tuple[Finding, ...]:
    """The firmware's old parts against what the new model needs, and how the conditions were read.

    Args:
        arena: the smallest arena that works.
        code: the runtime with its kernels.
    """
    placed = conditions.firmware
    if placed is None:
        return conditions.noted
    found = [_arena_finding(placed, arena), *_model_findings(placed), *_runtime_findings(placed, code)]
    return (*found, _stack_finding(placed), *conditions.noted)


def _arena_finding(placed: PlacedFirmware, arena: Interval) -> Finding:
    """ "tensor_arena reserves 98,304 B (96 KiB) in sram, 83,251 B (81.3 KiB) needed: give back 14.7 KiB"."""
    use = placed.use
    if use.arena is None:
        why = use.arena_notes[0] if use.arena_notes else f"{use.file} names no tensor arena"
        text = f"{why}: if one is in its RAM figures, it is counted beside the new one"
        fix = "name it with --arena-symbol; an array then counts once"
        return Finding("PF208", Severity.WARNING, text, fix=fix)
    reserved_bytes = use.arena.size_bytes
    where = next((f" in {part.memory}" for part in placed.of_role("arena")), "")
    said = f"{use.arena.name} reserves {_amount(reserved_bytes)}{where}"
    others = "".join(f"; {note}" for note in use.arena_notes)
    if arena.value is None:
        return Finding(
            "PF207", Severity.INFO, f"{said}; what the model needs is unknown: {arena.reason}{others}"
        )
    needed_bytes = int(arena.value) + -use.arena.address % _ALIGNMENT_BYTES
    moved = " at its address, which is not aligned to 16" if use.arena.address % _ALIGNMENT_BYTES else ""
    both = f"{said}, {_amount(needed_bytes)} needed{moved}"
    free_bytes = reserved_bytes - needed_bytes
    declare = f"declare {use.arena.name} with {-(-needed_bytes // _ALIGNMENT_BYTES) * _ALIGNMENT_BYTES} bytes"
    if free_bytes < 0:
        text = f"{both}: {_kib(-free_bytes)} short{others}"
        return Finding("PF207", Severity.WARNING, text, fix=f"{declare}, or AllocateTensors fails")
    text = f"{both}: give back {_kib(free_bytes)}{others}"
    return Finding("PF207", Severity.INFO, text, fix=f"{declare}, aligned to 16")


def _model_findings(placed: PlacedFirmware) -> list[Finding]:
    """Models inside, which the new one replaces."""
    models = placed.of_role("model")
    if not models:
        return []
    listed = _listed(f"{m.name} ({m.size_bytes:,} B in {m.memory})" for m in models)
    text = f"{placed.use.file} holds {listed}: not counted, the checked model takes its place"
    fix = "" if len(models) == 1 else "if others of these stay, reserve them with --reserve flash=..."
    severity = Severity.INFO if len(models) == 1 else Severity.WARNING
    return [Finding("PF306", severity, text, fix=fix)]


def _runtime_findings(placed: PlacedFirmware, code: Interval) -> list[Finding]:
    """TFLM inside, which the estimate's code stands for."""
    parts = placed.of_role("runtime")
    if not parts:
        return []
    stored = sum(p.size_bytes for p in parts)
    expected = "" if code.value is None else f" of about {code.value:,.0f} B"
    text = (
        f"{placed.use.file} holds TFLM already ({stored:,} B by name): not counted, the estimate's "
        f"runtime code{expected} stands for it; C library and maths that both use count twice"
    )
    return [Finding("PF307", Severity.INFO, text)]


def _stack_finding(placed: PlacedFirmware) -> Finding:
    use = placed.use
    if not use.heap_and_stack:
        more = "".join(f"; {note}" for note in use.notes)
        text = f"neither stack nor heap was recognised in {use.file}{more}"
        return Finding("PF209", Severity.WARNING, text, fix="reserve them with --reserve ram=...")
    listed = ", ".join(f"{name} {size:,} B" for name, size in use.heap_and_stack)
    more = "".join(f"; {note}" for note in use.notes)
    return Finding("PF209", Severity.INFO, f"stack and heap of {use.file} are counted: {listed}{more}")


def placement_findings(
    placed: PlacedFirmware, device: DeviceSpec, *, has_bootloader: bool
) -> tuple[Finding, ...]:
    """What of the firmware found no memory, or a doubtful one."""
    use = placed.use
    found = []
    fitting = next((machines for core, machines in _MACHINES if device.core.name.startswith(core)), ())
    if use.machine and fitting and use.machine not in fitting:
        text = f"{use.file} is linked for {use.machine}; the core of {device.name} is {device.core.name}"
        found.append(Finding("PF701", Severity.WARNING, text, fix="give the firmware of this board"))
    if placed.unplaced:
        listed = _listed(
            f"{s.section} ({s.size_bytes:,} B at 0x{s.address or 0:08X})" for s in placed.unplaced
        )
        text = f"in no memory of {device.name}, so not counted: {listed}"
        fix = "give --ld, or a device file with this memory's address"
        found.append(Finding("PF702", Severity.WARNING, text, fix=fix))
    if not use.has_symbols:
        text = f"{use.file} is stripped of symbols: arena, model and stack cannot be told apart"
        found.append(Finding("PF704", Severity.WARNING, text, fix="give the file before strip, or the map"))
    if placed.is_by_kind:
        text = f"{device.name} lists no addresses: sections went to memories by being written or not"
        found.append(
            Finding("PF705", Severity.INFO, text, fix="add address to the memories of a device file")
        )
    return (*found, *([] if has_bootloader else _gap_findings(placed, device)))


def _gap_findings(placed: PlacedFirmware, device: DeviceSpec) -> list[Finding]:
    """Flash below the firmware, which a boot loader usually takes."""
    code = device.home_of("code")
    first = dict(placed.first_load).get(code.name)
    reserved_bytes = sum(r.size_bytes for r in device.reserved if r.memory == code.name)
    if first is None or code.address is None or first - code.address <= reserved_bytes:
        return []
    gap_bytes = first - code.address
    text = f"{placed.use.file} begins {gap_bytes:,} B into {code.name}: what lies below is not counted"
    fix = f"if it is a boot loader, add --bootloader {gap_bytes}"
    return [Finding("PF308", Severity.WARNING, text, fix=fix)]


def script_findings(scripted: ScriptedDevice) -> tuple[Finding, ...]:
    """What the linker script changes, and what of it found no memory."""
    file, found = scripted.script.file, []
    if scripted.unplaced:
        listed = _listed(f"{r.name} ({r.length_bytes:,} B at 0x{r.origin:08X})" for r in scripted.unplaced)
        text = f"regions of {file} in no memory of {scripted.device.name}, so not used: {listed}"
        found.append(Finding("PF702", Severity.WARNING, text, fix="add the memory to a device file"))
    if scripted.empty:
        text = f"regions of {file} without a byte, left aside: {', '.join(scripted.empty)}"
        found.append(Finding("PF703", Severity.WARNING, text, fix="check their LENGTH"))
    for part in scripted.resized:
        if part.after_bytes > part.before_bytes:
            text = (
                f"{file} gives {part.memory} {part.after_bytes:,} B ({', '.join(part.regions)}); "
                f"{scripted.device.name} has {part.before_bytes:,} B"
            )
            found.append(
                Finding("PF703", Severity.WARNING, text, fix="check that the script is this board's")
            )
        if part.dropped:
            text = f"outside the regions of {file}, so not taken from them: {', '.join(part.dropped)}"
            found.append(Finding("PF703", Severity.INFO, text))
    found += [Finding("PF703", Severity.INFO, f"{file}: {note}") for note in scripted.script.notes]
    return tuple(found)


def slot_note(text: str) -> Finding:
    """How a boot loader or update slots were read beside a linker script."""
    return Finding("PF308", Severity.INFO, text)


def _listed(items: Iterable[str]) -> str:
    """ "a, b, c and 2 more"."""
    names = list(items)
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _amount(size_bytes: int) -> str:
    return f"{size_bytes:,} B ({_kib(size_bytes)})"


def _kib(size_bytes: int) -> str:
    return f"{round(size_bytes / 1024, 1):,g} KiB"
